"""Replay of the acquisition on labels that exist: the AIMD table, every function against the random arm.

    VITRION_DATA_MIRROR=... python benchmarks/replay.py [--seeds 24] [--temperature 1500] [--flattered]

Each seed draws ten starting labels; then batches of five are chosen by `choose_batch` of the package, with
a Gaussian process on the table's 42 descriptors as the belief. One JSON line a figure; intervals are 95 % bootstrap
intervals over seeds of the mean.

With ``--flattered`` the table is nature and the labels are a potential's: to each compound's value is added what NEP89
is off by in its class of anions, and a scatter of its own (`model_error.compound_error`), drawn anew for
each seed from the figures' own uncertainty. What counts is nature's best 5 %; the campaign that knows of the error is
set against the one that does not.
"""

import argparse
import json
import os
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core.composition import Composition
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.preprocessing import StandardScaler

from vitrion.learning.acquisition.functions import FUNCTIONS, Predictions, choose_batch, choose_random
from vitrion.learning.acquisition.selection import label_correlation
from vitrion_workflows.model_error.compound_error import ModelErrors
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256

START, BATCH, CYCLES, MEMBERS, LABEL_NOISE, TOP_SHARE = 10, 5, 8, 32, 0.05, 0.05


def table(mirror: Path, temperature_K: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Descriptors, log10 D (Einstein) and formulas at one temperature."""
    path = mirror / "aimd_li_diffusivity" / "feature_target.dat"
    rows = pd.read_csv(path, sep=" ")
    rows = rows[rows["temperature"] == temperature_K].reset_index(drop=True)
    einstein = rows["diff_coeff_mul_thousand"] * 1e-3 / 3.0
    features = rows.iloc[:, 4:].to_numpy(float)
    return features, np.log10(einstein.to_numpy(float)), list(rows["formula"])


@dataclass(frozen=True)
class Replay:
    """One table to choose from.

    Attributes:
        features: descriptors.
        labels: log10 D as it is labelled.
        nature: log10 D that counts.
        formulas: of the rows.
        offset, deviation: what the campaign takes the labels to be off by, decades.
    """

    features: np.ndarray
    labels: np.ndarray
    nature: np.ndarray
    formulas: list[str]
    offset: np.ndarray
    deviation: np.ndarray


def flattered(formulas: list[str], seed: int, temperature_K: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A draw of what NEP89 is off by for each compound, and what the campaign knows of it: mean and deviation."""
    known = ModelErrors.of("nep89", NEP89_SHA256)
    elements = [[element.symbol for element in Composition(name).elements] for name in formulas]
    asked = [(name, symbols, temperature_K) for name, symbols in zip(formulas, elements, strict=True)]
    errors = known.of_compounds(asked)
    random = np.random.default_rng(9000 + seed)
    shared = {name: random.normal() for name in sorted({error.chemistry for error in errors})}
    drawn = [
        error.offset_decades + shared[error.chemistry] * error.shared_decades + error.compound_decades * random.normal()
        for error in errors
    ]
    mean = [error.offset_decades for error in errors]
    return np.array(drawn), np.array(mean), np.array([error.stderr_decades for error in errors])


def believe(data: Replay, known: list[int], seed: int) -> Predictions:
    """What a Gaussian process trained on the known labels says of all rows; the scaler sees the known rows only."""
    features, labels = data.features, data.labels
    scaler = StandardScaler().fit(features[known])
    kernel = ConstantKernel(0.1) * RBF(8.0, (1.0, 100.0)) + WhiteKernel(LABEL_NOISE**2)
    process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed % 2**31)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(scaler.transform(features[known]), labels[known])
    mean, deviation = process.predict(scaler.transform(features), return_std=True)
    draws = process.sample_y(scaler.transform(features), MEMBERS, random_state=seed % 2**31).T
    draws = draws - draws.mean(axis=0) + mean
    incumbent = float((mean - data.offset)[known].max())
    return Predictions(draws, deviation, incumbent, LABEL_NOISE, data.offset, data.deviation)


def campaign(name: str, data: Replay, seed: int) -> tuple[list[float], float]:
    """Share of nature's best 5 % found after each cycle, and how far the compound recommended at the end lies below."""
    count = len(data.labels)
    known = choose_random(START, count, seed=seed)
    best_rows = set(np.argsort(data.nature)[-max(1, round(TOP_SHARE * count)) :].tolist())
    share = [len(best_rows & set(known)) / len(best_rows)]
    for cycle in range(CYCLES):
        rest = [index for index in range(count) if index not in known]
        if name == "random":
            picks = choose_random(BATCH, len(rest), seed=1000 * seed + cycle)
        else:
            beliefs = believe(data, known, seed=1000 * seed + cycle)
            left = replace(
                beliefs,
                samples=beliefs.samples[:, rest],
                deviation=beliefs.deviation[rest],
                model_offset=beliefs.model_offset[rest],
                model_deviation=beliefs.model_deviation[rest],
            )
            correlation = label_correlation(left.samples, [data.formulas[index] for index in rest])
            chosen = choose_batch(
                name, left, count=BATCH, exploration=1.0, correlation=correlation, seed=1000 * seed + cycle
            )
            picks = [index for index, _ in chosen]
        known = known + [rest[index] for index in picks]
        share.append(len(best_rows & set(known)) / len(best_rows))
    recommended = max(known, key=lambda row: data.labels[row] - data.offset[row])
    return share, float(data.nature.max() - data.nature[recommended])


def interval(values: np.ndarray) -> list[float]:
    """95 % bootstrap interval of the mean."""
    draws = np.random.default_rng(0).integers(len(values), size=(4000, len(values)))
    return [float(edge) for edge in np.percentile(values[draws].mean(axis=1), (2.5, 97.5))]


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--temperature", type=float, default=1500)
    parser.add_argument("--flattered", action="store_true", help="labels of a potential with errors of its own")
    arguments = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("replay: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    features, labels, formulas = table(Path(mirror), arguments.temperature)
    none = np.zeros(len(labels))
    curves: dict[str, np.ndarray] = {}
    regrets: dict[str, np.ndarray] = {}
    if arguments.flattered:
        for name, knows in (("random", False), ("unaware", False), ("aware", True)):
            found = []
            for seed in range(arguments.seeds):
                off, mean, deviation = flattered(formulas, seed, arguments.temperature)
                told = (mean, deviation) if knows else (none, none)
                function = "random" if name == "random" else "expected_improvement"
                found.append(campaign(function, Replay(features, labels + off, labels, formulas, *told), seed))
            curves[name], regrets[name] = np.array([one[0] for one in found]), np.array([one[1] for one in found])
    else:
        own = Replay(features, labels, labels, formulas, none, none)
        for name in ("random", *FUNCTIONS):
            curves[name] = np.array([campaign(name, own, seed)[0] for seed in range(arguments.seeds)])
    against = "unaware" if arguments.flattered else "random"
    for name, curve in curves.items():
        gain = curve[:, -1] - curves[against][:, -1]
        line = {
            "name": f"replay.{'flattered.' if arguments.flattered else ''}share_of_best_5_percent.{name}",
            "value": float(curve[:, -1].mean()),
            "unit": f"share found with {START + CYCLES * BATCH} of {len(labels)} labels",
            "interval_95": interval(curve[:, -1]),
            "baseline": float(curves[against][:, -1].mean()),
            "ratio": float(curve[:, -1].mean() / curves[against][:, -1].mean()),
            "paired_gain_interval_95": interval(gain),
            "halfway_paired_gain_interval_95": interval(curve[:, CYCLES // 2] - curves[against][:, CYCLES // 2]),
            "curve": [round(float(value), 3) for value in curve.mean(axis=0)],
            "seeds": arguments.seeds,
        }
        print(json.dumps(line))
    for name, regret in regrets.items():
        line = {
            "name": f"replay.flattered.regret.{name}",
            "value": float(regret.mean()),
            "unit": "decades of nature's D below the best, of the compound recommended at the end",
            "interval_95": interval(regret),
            "baseline": float(regrets[against].mean()),
            "ratio": float(regret.mean() / regrets[against].mean()),
            "paired_gain_interval_95": interval(regret - regrets[against]),
            "seeds": arguments.seeds,
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()
