"""Accuracy, calibration and cost of the surrogate, each beside its baseline measured in the same run.

Accuracy is measured on the 792-row AIMD table of lithium diffusivities (VITRION_DATA_MIRROR): compositions without
structures, so the Arrhenius head alone. The gain of the crystal networks is measured on synthetic cells whose
diffusivity depends on the arrangement of the atoms alone. One JSON line for each figure.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from figures import figure, show
from pymatgen.core import Composition
from sklearn.ensemble import RandomForestRegressor

from vitrion_models.graphs import neighbour_list
from vitrion_models.surrogates import (
    DIFFUSIVITY,
    ArrheniusGNNConfig,
    ArrheniusKernelConfig,
    Sample,
    diffusivity_sample,
    train,
)
from vitrion_models.system import AtomicSystem
from vitrion_models.training import grouped_folds
from vitrion_models.uncertainty import coverage, miscalibration_area

FOLDS = 5
# The table states no errors; this is what its 16-80 ps runs of some 100 atoms resolve.
ASSUMED_STDERR = 0.05
KERNEL = ArrheniusKernelConfig()
NOT_FEATURES = ("Unnamed: 0", "formula", "diff_coeff_mul_thousand", "temperature")
Line = dict[str, float | str | None]


def aimd(folder: Path) -> tuple[list[Sample], np.ndarray]:
    """Return the labels of the AIMD table (Einstein convention), and its 42 features with the temperature."""
    table = pd.read_csv(folder / "labels_tidy.csv")
    features = pd.read_csv(folder / "feature_target.dat", sep=" ").drop(columns=list(NOT_FEATURES))
    labels = []
    for row in table.itertuples():
        composition = Composition(row.formula)
        labels.append(
            diffusivity_sample(
                {element.Z: float(amount) for element, amount in composition.items()},
                species="Li",
                temperature_K=float(row.temperature_K),
                log10_D=float(np.log10(row.D_einstein_slope6_cm2_s)),
                stderr=ASSUMED_STDERR,
                group=composition.reduced_formula,
                key=f"{row.row:04d}",
            ),
        )
    return labels, np.column_stack([features.to_numpy(dtype=float), table.temperature_K.to_numpy(dtype=float)])


def held_out(labels: list[Sample], features: np.ndarray, groups: list[str]) -> dict[str, np.ndarray]:
    """Predict each label by models trained without its group."""
    truth = np.array([float(label[DIFFUSIVITY].value) for label in labels])
    fold_of = grouped_folds(groups, folds=FOLDS, seed=0)
    predicted = {
        name: np.empty(len(labels)) for name in ("mean", "deviation", "lower", "upper", "forest", "temperature")
    }
    grouped = [replace(label, group=group) for label, group in zip(labels, groups, strict=True)]
    inverse = np.array([1000.0 / label.temperature_K for label in labels])
    for fold in range(FOLDS):
        inside, outside = fold_of != fold, np.flatnonzero(fold_of == fold)
        model = train([grouped[row] for row in np.flatnonzero(inside)], test_keys=(), config=KERNEL, seed=fold)
        answer = model.predict([labels[row].input for row in outside], [labels[row].temperature_K for row in outside])
        predicted["mean"][outside], predicted["deviation"][outside] = answer.mean, answer.label_std
        predicted["lower"][outside], predicted["upper"][outside] = answer.lower_95, answer.upper_95
        forest = RandomForestRegressor(300, random_state=0, n_jobs=1).fit(features[inside], truth[inside])
        predicted["forest"][outside] = forest.predict(features[outside])
        predicted["temperature"][outside] = np.polyval(np.polyfit(inverse[inside], truth[inside], 1), inverse[outside])
    return predicted


def accuracy(folder: Path) -> Iterator[Line]:
    """Yield the grouped error, the calibration and, beside it, the error of random rows."""
    labels, features = aimd(folder)
    truth = np.array([float(label[DIFFUSIVITY].value) for label in labels])
    formulas = [label.group for label in labels]
    grouped = held_out(labels, features, formulas)
    rows = held_out(labels, features, [label.key for label in labels])

    def rmse(predicted: np.ndarray) -> float:
        return float(np.sqrt(np.mean((predicted - truth) ** 2)))

    error = rmse(grouped["mean"])
    yield figure(
        "aimd rmse, grouped by formula, against forest on 42 features", error, "decades", rmse(grouped["forest"])
    )
    yield figure(
        "aimd rmse, grouped by formula, against temperature alone", error, "decades", rmse(grouped["temperature"])
    )
    yield figure("aimd rmse, random rows, beside the grouped one", rmse(rows["mean"]), "decades", error)
    yield figure(
        "aimd rmse of the forest, random rows, beside its grouped one",
        rmse(rows["forest"]),
        "decades",
        rmse(grouped["forest"]),
    )
    every = coverage(truth, grouped["lower"], grouped["upper"])
    yield figure("aimd coverage of the 95 % interval, all held-out rows", every.share, "share", 0.95)
    order = np.random.default_rng(0).permutation(len(labels))
    one = order[np.unique(np.array(formulas)[order], return_index=True)[1]]
    single = coverage(truth[one], grouped["lower"][one], grouped["upper"][one])
    yield figure("aimd coverage of the 95 % interval, one random row a formula", single.share, "share", 0.95)
    yield figure("its binomial 95 % interval, lower end", single.lower, "share")
    yield figure("its binomial 95 % interval, upper end", single.upper, "share")
    for kelvin in (1000.0, 2500.0):
        at = np.array([label.temperature_K == kelvin for label in labels])
        there = coverage(truth[at], grouped["lower"][at], grouped["upper"][at])
        yield figure(f"aimd coverage of the 95 % interval, rows at {kelvin:g} K alone", there.share, "share", 0.95)
    yield figure("aimd mean width of the 95 % interval", float(np.mean(grouped["upper"] - grouped["lower"])), "decades")
    yield figure(
        "aimd miscalibration area of the deviation",
        miscalibration_area(truth, grouped["mean"], grouped["deviation"]),
        "share",
    )


def handful(folder: Path) -> Iterator[Line]:
    """Yield error and coverage on all other formulas after a few, two temperatures each, mean of eight draws."""
    labels, _ = aimd(folder)
    names = sorted({label.group for label in labels})
    for count in (4, 8, 20, 40):
        errors, baselines, inside, widths = [], [], [], []
        for seed in range(8):
            chosen = set(np.random.default_rng(seed).choice(names, count, replace=False))
            training = [label for label in labels if label.group in chosen][::2]
            rest = [label for label in labels if label.group not in chosen]
            model = train([*training, *rest], test_keys=[label.key for label in rest], config=KERNEL, seed=seed)
            metrics = model.metrics
            errors.append(metrics["surrogate"].rmse)
            baselines.append(metrics["temperature_only"].rmse)
            inside.append(metrics["surrogate"].coverage_95)
            widths.append(metrics["surrogate"].mean_width_95)
        yield figure(
            f"aimd rmse after {count} formulas, against temperature alone",
            float(np.mean(errors)),
            "decades",
            float(np.mean(baselines)),
        )
        yield figure(
            f"aimd coverage of the 95 % interval after {count} formulas", float(np.mean(inside)), "share", 0.95
        )
        yield figure(f"aimd mean width of the 95 % interval after {count} formulas", float(np.mean(widths)), "decades")


def arranged_cell(seed: int) -> AtomicSystem:
    """Return a lithium halide of fixed composition and density with a random degree of order."""
    random = np.random.default_rng(seed)
    anion, volume = ((17, 17.0), (35, 21.0), (53, 27.0), (9, 9.0))[seed % 4]
    edge = (volume * 32) ** (1 / 3)
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[random.choice(64, 32, replace=False)]
    order = random.uniform()
    weight = np.where(grid.sum(axis=1) % 2 == 0, order, 1 - order) + 0.02
    numbers = np.full(32, anion)
    numbers[random.choice(32, 16, replace=False, p=weight / weight.sum())] = 3
    return AtomicSystem(numbers, grid * edge / 4 + random.normal(0, 0.15, grid.shape), edge * np.eye(3))


def like_neighbours(system: AtomicSystem) -> float:
    """Return the lithium neighbours of a lithium ion: they set the diffusivity, and no descriptor contains them."""
    edges = neighbour_list(system, float(np.cbrt(system.volume_A3 / len(system))))
    first, second = system.numbers[edges.edge_index]
    return float(((first == 3) & (second == 3)).sum() / 16)


def arranged_labels(count: int) -> list[Sample]:
    """Return labels of synthetic cells at two temperatures; the arrangement contributes 0.3 decades."""
    cells = [arranged_cell(seed) for seed in range(count)]
    signal = np.array([like_neighbours(cell) for cell in cells])
    shift = 0.3 * (signal - signal.mean()) / signal.std()
    random = np.random.default_rng(0)
    return [
        diffusivity_sample(
            cell,
            species="Li",
            temperature_K=kelvin,
            log10_D=-3 - 1700 / kelvin + shift[k] + random.normal(0, 0.03),
            stderr=0.05,
            group=f"{k:03d}",
            key=f"{k:03d}-{kelvin:g}",
        )
        for k, cell in enumerate(cells)
        for kelvin in (1000.0, 1500.0)
    ]


def arrangement() -> Iterator[Line]:
    """Yield the gain of the crystal networks where the arrangement alone matters."""
    for count in (24, 60):
        labels = arranged_labels(count)
        test = [label.key for label in labels if int(label.group) % 5 == 0]
        graph = train(labels, test_keys=test, config=ArrheniusGNNConfig(), seed=0).metrics["surrogate"]
        head = train(labels, test_keys=test, config=KERNEL, seed=0).metrics["surrogate"]
        yield figure(
            f"rmse on {count} synthetic cells, crystal networks against the head alone",
            graph.rmse,
            "decades",
            head.rmse,
        )


def cost() -> Iterator[Line]:
    """Yield the seconds to train the whole ensemble on twenty labels."""
    labels = arranged_labels(10)
    begun = time.perf_counter()
    train(labels, test_keys=(), config=ArrheniusGNNConfig(), seed=0)
    yield figure("training the ensemble on 20 labels of 32 atoms, first call", time.perf_counter() - begun, "s", 10.0)
    begun = time.perf_counter()
    train(labels, test_keys=(), config=ArrheniusGNNConfig(), seed=1)
    yield figure("training the ensemble on 20 labels of 32 atoms", time.perf_counter() - begun, "s", 10.0)


def main() -> None:
    """Print one JSON line for each figure."""
    torch.set_num_threads(1)
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    parts = [cost(), arrangement()]
    if mirror:
        folder = Path(mirror) / "aimd_li_diffusivity"
        parts += [accuracy(folder), handful(folder)]
    for part in parts:
        for line in part:
            show(line)


if __name__ == "__main__":
    main()
