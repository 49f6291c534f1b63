"""Replay of the acquisition on labels that exist: the AIMD table, every function against the random arm.

    VITRION_DATA_MIRROR=... python benchmarks/replay.py [--seeds 24] [--temperature 1500]

Each seed draws ten starting labels; then batches of five are chosen by `choose_batch` of the package, with
a Gaussian process on the table's 42 descriptors as the belief. One JSON line a figure; intervals are 95 % bootstrap
intervals over seeds of the mean.
"""

import argparse
import json
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.preprocessing import StandardScaler

from vitrion.learning.acquisition import FUNCTIONS, Beliefs, choose_batch, choose_random
from vitrion.learning.pool import kinship

START, BATCH, CYCLES, MEMBERS, LABEL_NOISE, TOP_SHARE = 10, 5, 8, 32, 0.05, 0.05


def table(mirror: Path, temperature_K: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Descriptors, log10 D (Einstein) and formulas at one temperature."""
    path = mirror / "aimd_li_diffusivity" / "feature_target.dat"
    rows = pd.read_csv(path, sep=" ")
    rows = rows[rows["temperature"] == temperature_K].reset_index(drop=True)
    einstein = rows["diff_coeff_mul_thousand"] * 1e-3 / 3.0
    features = rows.iloc[:, 4:].to_numpy(float)
    return features, np.log10(einstein.to_numpy(float)), list(rows["formula"])


def believe(features: np.ndarray, labels: np.ndarray, known: list[int], seed: int) -> Beliefs:
    """What a Gaussian process trained on the known labels says of all rows; the scaler sees the known rows only."""
    scaler = StandardScaler().fit(features[known])
    kernel = ConstantKernel(0.1) * RBF(8.0, (1.0, 100.0)) + WhiteKernel(LABEL_NOISE**2)
    process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed % 2**31)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(scaler.transform(features[known]), labels[known])
    mean, deviation = process.predict(scaler.transform(features), return_std=True)
    draws = process.sample_y(scaler.transform(features), MEMBERS, random_state=seed % 2**31).T
    draws = draws - draws.mean(axis=0) + mean
    # The table is its own truth here: no model error.
    none = np.zeros(len(labels))
    return Beliefs(draws, deviation, float(mean[known].max()), LABEL_NOISE, none, none)


def campaign(name: str, data: tuple[np.ndarray, np.ndarray, list[str]], seed: int) -> tuple[list[float], list[float]]:
    """Best log10 D found and the share of the best 5 % found, after each cycle."""
    features, labels, formulas = data
    known = choose_random(START, len(labels), seed=seed)
    best_rows = set(np.argsort(labels)[-max(1, round(TOP_SHARE * len(labels))) :].tolist())
    best, share = [float(labels[known].max())], [len(best_rows & set(known)) / len(best_rows)]
    for cycle in range(CYCLES):
        rest = [index for index in range(len(labels)) if index not in known]
        if name == "random":
            picks = choose_random(BATCH, len(rest), seed=1000 * seed + cycle)
        else:
            beliefs = believe(features, labels, known, seed=1000 * seed + cycle)
            members = beliefs.samples[:, rest]
            none = beliefs.model_offset[rest]
            left = Beliefs(members, beliefs.deviation[rest], beliefs.incumbent, LABEL_NOISE, none, none)
            kin = kinship(members, [formulas[index] for index in rest])
            chosen = choose_batch(name, left, count=BATCH, margin=1.0, kinship=kin, seed=1000 * seed + cycle)
            picks = [index for index, _ in chosen]
        known = known + [rest[index] for index in picks]
        best.append(float(labels[known].max()))
        share.append(len(best_rows & set(known)) / len(best_rows))
    return best, share


def interval(values: np.ndarray) -> list[float]:
    """95 % bootstrap interval of the mean."""
    draws = np.random.default_rng(0).integers(len(values), size=(4000, len(values)))
    return [float(edge) for edge in np.percentile(values[draws].mean(axis=1), (2.5, 97.5))]


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--temperature", type=float, default=1500)
    arguments = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("replay: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    data = table(Path(mirror), arguments.temperature)
    curves = {
        name: np.array([campaign(name, data, seed)[1] for seed in range(arguments.seeds)])
        for name in ("random", *FUNCTIONS)
    }
    for name, curve in curves.items():
        gain = curve[:, -1] - curves["random"][:, -1]
        line = {
            "name": f"replay.share_of_best_5_percent.{name}",
            "value": float(curve[:, -1].mean()),
            "unit": f"share found with {START + CYCLES * BATCH} of {len(data[1])} labels",
            "interval_95": interval(curve[:, -1]),
            "baseline": float(curves["random"][:, -1].mean()),
            "ratio": float(curve[:, -1].mean() / curves["random"][:, -1].mean()),
            "paired_gain_interval_95": interval(gain),
            "curve": [round(float(value), 3) for value in curve.mean(axis=0)],
            "seeds": arguments.seeds,
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()
