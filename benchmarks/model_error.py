"""Benefit of the error model for a surrogate: accuracy and coverage for the potential, and corrected for its error.

    VITRION_DATA_MIRROR=... python benchmarks/model_error.py [--draws 8] [--formulas 40]

The AIMD table serves as truth. Labels of a potential are made of it by adding, for each compound, a draw of NEP89's
error in its class of anions and for itself (`model_error.compound_error`), and statistical noise. Surrogates learn from
some formulas at two temperatures each, with or without the errors of the compounds, and predict all others.
One JSON line a figure: `value` is with the error model, `baseline` without it.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core.composition import Composition

from vitrion_models.surrogates import DIFFUSIVITY, ArrheniusKernelConfig, Sample, diffusivity_sample, train
from vitrion_workflows.model_error.compound_error import ModelErrors
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256

STDERR = 0.08  # statistical, of a label
TWO_SIDED_95 = 1.96
NEP89_ERRORS = ModelErrors.of("nep89", NEP89_SHA256)
CONFIG = ArrheniusKernelConfig()


def nature(folder: Path) -> list[Sample]:
    """The table in the Einstein convention."""
    found = []
    for row in pd.read_csv(folder / "labels_tidy.csv").itertuples():
        composition = Composition(row.formula)
        found.append(
            diffusivity_sample(
                {element.Z: float(amount) for element, amount in composition.items()},
                species="Li",
                temperature_K=float(row.temperature_K),
                log10_D=float(np.log10(row.D_einstein_slope6_cm2_s)),
                stderr=STDERR,
                group=composition.reduced_formula,
                key=f"{row.row:04d}",
            )
        )
    return found


def _value(label: Sample) -> float:
    return float(label[DIFFUSIVITY].value)


def _altered(label: Sample, **changes: float) -> Sample:
    return replace(label, targets={DIFFUSIVITY: replace(label[DIFFUSIVITY], **changes)})


def draw(table: list[Sample], *, formulas: int, seed: int) -> dict[str, dict[str, float]]:
    """Return the scores of one draw of the potential's errors, with and without the error model."""
    random = np.random.default_rng(seed)
    names = sorted({label.group for label in table})
    symbols = {name: [element.symbol for element in Composition(name).elements] for name in names}
    errors = dict(zip(names, NEP89_ERRORS.of_compounds([(name, symbols[name], 1500.0) for name in names]), strict=True))
    shared = {chemistry: random.normal() for chemistry in sorted({error.chemistry for error in errors.values()})}
    offsets = {
        name: error.offset_decades
        + error.shared_decades * shared[error.chemistry]
        + error.compound_decades * random.normal()
        for name, error in errors.items()
    }
    labels = [_altered(label, value=_value(label) + offsets[label.group] + STDERR * random.normal()) for label in table]
    chosen = set(random.choice(names, size=formulas, replace=False).tolist())
    kept = set()
    for name in sorted(chosen):
        rows = [label.key for label in labels if label.group == name]
        kept.update(random.choice(rows, size=min(2, len(rows)), replace=False).tolist())
    predicted = [place for place, label in enumerate(labels) if label.group not in chosen]
    scores = {}
    for with_errors in (False, True):
        training = [
            _altered(
                label, systematic_stderr=NEP89_ERRORS.scatter_decades(symbols[label.group]) if with_errors else 0.0
            )
            for label in labels
            if label.key in kept
        ]
        answer = train(training, test_keys=(), config=CONFIG, seed=seed).predict(
            [labels[place].input for place in predicted], [labels[place].temperature_K for place in predicted]
        )
        potential = np.array([_value(labels[place]) for place in predicted])
        truth = np.array([_value(table[place]) for place in predicted])
        half = (answer.upper_95 - answer.lower_95) / 2
        offset = np.array([errors[labels[place].group].offset_decades for place in predicted]) * with_errors
        deviation = np.array([errors[labels[place].group].stderr_decades for place in predicted]) * with_errors
        wide = np.hypot(half, TWO_SIDED_95 * deviation)
        scores["with" if with_errors else "without"] = {
            "rmse, potential": float(np.sqrt(np.mean((answer.mean - potential) ** 2))),
            "coverage of 95 %, potential": float(np.mean(np.abs(answer.mean - potential) <= half)),
            "width of 95 %, potential": float(2 * half.mean()),
            "rmse, corrected": float(np.sqrt(np.mean((answer.mean - offset - truth) ** 2))),
            "coverage of 95 %, corrected": float(np.mean(np.abs(answer.mean - offset - truth) <= wide)),
            "width of 95 %, corrected": float(2 * wide.mean()),
        }
    return scores


def main() -> None:
    """Draw, train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--formulas", type=int, default=40)
    arguments = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("model_error: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    table = nature(Path(mirror) / "aimd_li_diffusivity")
    draws = [draw(table, formulas=arguments.formulas, seed=seed) for seed in range(arguments.draws)]
    for name in draws[0]["with"]:
        value, baseline = (float(np.mean([scores[side][name] for scores in draws])) for side in ("with", "without"))
        unit = "share" if name.startswith("coverage") else "decades"
        line = {"name": f"model_error.{name}", "value": round(value, 4), "unit": unit, "baseline": round(baseline, 4)}
        print(json.dumps(line | {"ratio": round(value / baseline, 4), "draws": arguments.draws}))


if __name__ == "__main__":
    main()
