"""Replay of the acquisition on existing labels: the AIMD table, every function against the random arm.

    VITRION_DATA_MIRROR=... python benchmarks/replay.py [--seeds 24] [--temperature 1500] [--biased]

Each seed draws ten starting labels; then batches of five are chosen by the campaign's own surrogate (retrained on each
batch; the table has no structures, so `arrhenius_kernel`) and its own `choose_batch`. One JSON line for each figure;
intervals are 95 % bootstrap intervals over seeds of the mean.

With ``--biased`` the table is the truth and the labels are those of a potential: the error of NEP89 in the compound's
class of anions is added, and a scatter between compounds (`model_error.model_errors`), drawn anew for each seed from
the posterior. The campaign that corrects for this error is compared with the one that does not, on the true best 5 %.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core.composition import Composition

from vitrion.learning.acquisition.forecast import MEMBER_DRAWS
from vitrion.learning.acquisition.functions import FUNCTIONS, Predictions, choose_batch, choose_random
from vitrion.learning.acquisition.selection import label_correlation
from vitrion_models.surrogates import ArrheniusKernelConfig, diffusivity_sample, train
from vitrion_workflows.model_error.effects import case_of
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256

START, BATCH, CYCLES, LABEL_NOISE, TOP_FRACTION = 10, 5, 8, 0.05, 0.05


@dataclass(frozen=True)
class Replay:
    """A table of n labels to choose from.

    Attributes:
        formulas: of the rows.
        temperature_K: of all labels.
        labels: log10 D of the labels, shape (n,).
        truth: log10 D that counts, shape (n,).
        offset: mean error of the labels that the campaign assumes, decades, shape (n,).
        deviation: its standard deviation, decades, shape (n,).
        scatter: standard deviation of the error between compounds that the surrogate assumes, decades, shape (n,).
    """

    formulas: list[str]
    temperature_K: float
    labels: np.ndarray
    truth: np.ndarray
    offset: np.ndarray
    deviation: np.ndarray
    scatter: np.ndarray

    @property
    def materials(self) -> list[dict[int, float]]:
        """Compositions of the rows."""
        return [{e.Z: float(n) for e, n in Composition(formula).items()} for formula in self.formulas]


def read_table(mirror: Path, temperature_K: float) -> tuple[list[str], np.ndarray]:
    """Return formulas and log10 D (Einstein) at one temperature."""
    rows = pd.read_csv(mirror / "aimd_li_diffusivity" / "feature_target.dat", sep=" ")
    rows = rows[rows["temperature"] == temperature_K]
    einstein = rows["diff_coeff_mul_thousand"] * 1e-3 / 3.0
    return list(rows["formula"]), np.log10(einstein.to_numpy(float))


def biased(formulas: list[str], truth: np.ndarray, temperature_K: float, *, seed: int, corrects: bool) -> Replay:
    """Return a table with drawn errors of NEP89, for a campaign that corrects for their mean and spread or does not."""
    potential = ModelErrors.of("nep89", NEP89_SHA256)
    elements = [[element.symbol for element in Composition(formula).elements] for formula in formulas]
    cases = [case_of(f, symbols, temperature_K) for f, symbols in zip(formulas, elements, strict=True)]
    errors, scatter = potential.of_cases(cases), np.array([potential.scatter_decades(case) for case in cases])
    random = np.random.default_rng(9000 + seed)
    shared = {name: random.normal() for name in sorted({error.chemistry for error in errors})}
    drawn = [
        error.offset_decades
        + shared[error.chemistry] * max(error.stderr_decades**2 - own**2, 0.0) ** 0.5
        + own * random.normal()
        for error, own in zip(errors, scatter, strict=True)
    ]
    return Replay(
        formulas,
        temperature_K,
        labels=truth + np.array(drawn),
        truth=truth,
        offset=corrects * np.array([error.offset_decades for error in errors]),
        deviation=corrects * np.array([error.stderr_decades for error in errors]),
        scatter=corrects * scatter,
    )


def predict(data: Replay, labelled: list[int], *, seed: int) -> Predictions:
    """Return the predictions for the rows without a label, of a surrogate trained on the others."""
    materials = data.materials
    samples = [
        diffusivity_sample(
            materials[row],
            species="Li",
            temperature_K=data.temperature_K,
            log10_D=float(data.labels[row]),
            stderr=LABEL_NOISE,
            systematic_stderr=float(data.scatter[row]),
            group=Composition(data.formulas[row]).chemical_system,
            key=str(row),
        )
        for row in labelled
    ]
    surrogate = train(samples, test_keys=(), config=ArrheniusKernelConfig(), seed=seed)
    rest = [row for row in range(len(data.labels)) if row not in labelled]
    others = [materials[row] for row in rest]
    mean = surrogate.predict([materials[row] for row in labelled], data.temperature_K).mean
    return Predictions(
        surrogate.predict_members(others, data.temperature_K, samples=MEMBER_DRAWS, seed=seed),
        surrogate.predict(others, data.temperature_K).std,
        float((mean - data.offset[labelled]).max()),
        LABEL_NOISE,
        data.offset[rest],
        data.deviation[rest],
    )


def campaign(function: str, data: Replay, *, seed: int) -> tuple[list[float], float]:
    """Return the labelled fraction of the true best 5 % after each cycle, and the final regret in decades.

    The regret is the distance of the recommended compound (best corrected label) below the true best.
    """
    count = len(data.labels)
    labelled = choose_random(START, count, seed=seed)
    best = set(np.argsort(data.truth)[-max(1, round(TOP_FRACTION * count)) :].tolist())
    fractions = [len(best & set(labelled)) / len(best)]
    for cycle in range(CYCLES):
        rest = [row for row in range(count) if row not in labelled]
        cycle_seed = 1000 * seed + cycle
        if function == "random":
            picks = choose_random(BATCH, len(rest), seed=cycle_seed)
        else:
            predictions = predict(data, labelled, seed=cycle_seed)
            correlation = label_correlation(predictions.samples, [data.formulas[row] for row in rest])
            chosen = choose_batch(
                function, predictions, count=BATCH, exploration=1.0, correlation=correlation, seed=cycle_seed
            )
            picks = [index for index, _ in chosen]
        labelled = labelled + [rest[index] for index in picks]
        fractions.append(len(best & set(labelled)) / len(best))
    recommended = max(labelled, key=lambda row: data.labels[row] - data.offset[row])
    return fractions, float(data.truth.max() - data.truth[recommended])


def interval(values: np.ndarray) -> list[float]:
    """Return the 95 % bootstrap interval of the mean."""
    draws = np.random.default_rng(0).integers(len(values), size=(4000, len(values)))
    return [float(edge) for edge in np.percentile(values[draws].mean(axis=1), (2.5, 97.5))]


def report(name: str, unit: str, values: np.ndarray, baseline: np.ndarray, **more: object) -> None:
    """Print one figure of paired seeds as a JSON line."""
    line = {
        "name": f"replay.{name}",
        "value": float(values.mean()),
        "unit": unit,
        "interval_95": interval(values),
        "baseline": float(baseline.mean()),
        "ratio": float(values.mean() / baseline.mean()),
        "paired_gain_interval_95": interval(values - baseline),
        "seeds": len(values),
        **more,
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--temperature", type=float, default=1500)
    parser.add_argument("--biased", action="store_true", help="labels of a potential with systematic errors")
    options = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("replay: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    formulas, truth = read_table(Path(mirror), options.temperature)
    zero = np.zeros(len(truth))
    exact = Replay(formulas, options.temperature, truth, truth, zero, zero, zero)
    arms: dict[str, list[tuple[list[float], float]]] = {}
    for name in ("random", "uncorrected", "corrected") if options.biased else ("random", *FUNCTIONS):
        function = "expected_improvement" if options.biased and name != "random" else name
        arms[name] = []
        for seed in range(options.seeds):
            data = exact
            if options.biased:
                data = biased(formulas, truth, options.temperature, seed=seed, corrects=name == "corrected")
            arms[name].append(campaign(function, data, seed=seed))
    prefix, against = ("biased.", "uncorrected") if options.biased else ("", "random")
    curves = {name: np.array([fractions for fractions, _ in runs]) for name, runs in arms.items()}
    unit = f"fraction labelled with {START + CYCLES * BATCH} of {len(truth)} labels"
    for name, curve in curves.items():
        halfway = interval(curve[:, CYCLES // 2] - curves[against][:, CYCLES // 2])
        report(
            f"{prefix}best_5_percent.{name}",
            unit,
            curve[:, -1],
            curves[against][:, -1],
            halfway_paired_gain_interval_95=halfway,
            curve=[round(float(value), 3) for value in curve.mean(axis=0)],
        )
    if options.biased:
        regrets = {name: np.array([regret for _, regret in runs]) for name, runs in arms.items()}
        for name, regret in regrets.items():
            report(f"biased.regret.{name}", "decades below the true best", regret, regrets[against])


if __name__ == "__main__":
    main()
