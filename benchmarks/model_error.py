"""What the error model is worth to a surrogate: accuracy and coverage for this potential, and for nature.

    VITRION_DATA_MIRROR=... python benchmarks/model_error.py [--draws 8] [--formulas 40]

The AIMD table is nature. A potential's labels are made of it by adding, for each compound, a draw of what NEP89 is off
by in its class of anions and for itself (`model_error.compound_error`), and statistical noise. Surrogates
learn from some formulas at two temperatures each, told of the compounds' own errors or not, and answer for all others.
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
KNOWN = ModelErrors.of("nep89", NEP89_SHA256)
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
    """Scores of one draw of the potential's errors, with and without the error model."""
    random = np.random.default_rng(seed)
    names = sorted({one.group for one in table})
    symbols = {name: [element.symbol for element in Composition(name).elements] for name in names}
    errors = dict(zip(names, KNOWN.of_compounds([(name, symbols[name], 1500.0) for name in names]), strict=True))
    shared = {chemistry: random.normal() for chemistry in sorted({error.chemistry for error in errors.values()})}
    off = {
        name: error.offset_decades
        + error.shared_decades * shared[error.chemistry]
        + error.compound_decades * random.normal()
        for name, error in errors.items()
    }
    labels = [_altered(one, value=_value(one) + off[one.group] + STDERR * random.normal()) for one in table]
    chosen = set(random.choice(names, size=formulas, replace=False).tolist())
    kept = set()
    for name in sorted(chosen):
        rows = [one.key for one in labels if one.group == name]
        kept.update(random.choice(rows, size=min(2, len(rows)), replace=False).tolist())
    asked = [place for place, one in enumerate(labels) if one.group not in chosen]
    scores = {}
    for told in (False, True):
        training = [
            _altered(one, systematic_stderr=KNOWN.scatter_decades(symbols[one.group]) if told else 0.0)
            for one in labels
            if one.key in kept
        ]
        answer = train(training, test_keys=(), config=CONFIG, seed=seed).predict(
            [labels[place].input for place in asked], [labels[place].temperature_K for place in asked]
        )
        potential = np.array([_value(labels[place]) for place in asked])
        truth = np.array([_value(table[place]) for place in asked])
        half = (answer.upper_95 - answer.lower_95) / 2
        offset = np.array([errors[labels[place].group].offset_decades for place in asked]) * told
        deviation = np.array([errors[labels[place].group].stderr_decades for place in asked]) * told
        wide = np.hypot(half, TWO_SIDED_95 * deviation)
        scores["with" if told else "without"] = {
            "rmse, this potential": float(np.sqrt(np.mean((answer.mean - potential) ** 2))),
            "coverage of 95 %, this potential": float(np.mean(np.abs(answer.mean - potential) <= half)),
            "width of 95 %, this potential": float(2 * half.mean()),
            "rmse, nature": float(np.sqrt(np.mean((answer.mean - offset - truth) ** 2))),
            "coverage of 95 %, nature": float(np.mean(np.abs(answer.mean - offset - truth) <= wide)),
            "width of 95 %, nature": float(2 * wide.mean()),
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
        value, baseline = (float(np.mean([one[side][name] for one in draws])) for side in ("with", "without"))
        unit = "share" if name.startswith("coverage") else "decades"
        line = {"name": f"model_error.{name}", "value": round(value, 4), "unit": unit, "baseline": round(baseline, 4)}
        print(json.dumps(line | {"ratio": round(value / baseline, 4), "draws": arguments.draws}))


if __name__ == "__main__":
    main()
