"""Arrhenius fits on the public AIMD table: the lowest temperature is left out and predicted with its interval.

    VITRION_DATA_MIRROR=/path/to/data python benchmarks/arrhenius.py

One JSON line a figure {name, value, unit, baseline, ratio}; the baseline is named in brackets. The table states no
errors: they are assumed, at several sizes. Of formulas without a row at 1000 K (diffusivities below some 5e-6 cm2/s, of
slope/2, were dropped there) the interval must reach below that bound; with the observed rows alone, the selection
favours predictions that are too low. Nothing of the data is kept.
"""

import csv
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from figures import emit

from vitrion_workflows.arrhenius.fit import ArrheniusPoint, fit_arrhenius
from vitrion_workflows.arrhenius.posterior import arrhenius_rows

LOWEST_K, OTHERS_K = 1000, (1500, 2000, 2500)
ASSUMED_ERRORS = (0.03, 0.05, 0.08)
# Published unit is slope/2 of the summed MSD: three times the Einstein value.
DROPPED_BELOW = float(np.log10(5e-6 / 3))


def table(folder: Path) -> dict[str, dict[int, float]]:
    """Formula -> temperature -> log10 D, Einstein convention."""
    tables: dict[str, dict[int, float]] = defaultdict(dict)
    with (folder / "labels_tidy.csv").open() as file:
        for row in csv.DictReader(file):
            tables[row["formula"]][int(row["temperature_K"])] = float(np.log10(float(row["D_einstein_slope6_cm2_s"])))
    return {formula: values for formula, values in tables.items() if set(OTHERS_K) <= set(values)}


def straight_line(values: dict[int, float], stderr: float) -> tuple[float, float, float]:
    """Least squares with Gaussian errors, as a line is mostly fitted: prediction and its 95 % interval."""
    design = arrhenius_rows(np.array(OTHERS_K, dtype=np.float64))
    row = arrhenius_rows(np.array([float(LOWEST_K)]))[0]
    line = np.linalg.lstsq(design, np.array([values[t] for t in OTHERS_K]), rcond=None)[0]
    width = 1.96 * stderr * float(np.sqrt(1 + row @ np.linalg.inv(design.T @ design) @ row))
    centre = float(row @ line)
    return centre, centre - width, centre + width


def main() -> int:
    """Leave the lowest temperature of every formula out."""
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("skipped: VITRION_DATA_MIRROR names no folder of real data", file=sys.stderr)
        return 0
    formulas = table(Path(mirror) / "aimd_li_diffusivity")
    whole = [values for values in formulas.values() if LOWEST_K in values]
    dropped = [values for values in formulas.values() if LOWEST_K not in values]
    for stderr in ASSUMED_ERRORS:
        before = time.process_time()
        fits = [fit_arrhenius([ArrheniusPoint(t, v[t], stderr) for t in OTHERS_K]) for v in (*whole, *dropped)]
        predictions = [fit.predict(LOWEST_K, log10_stderr=stderr) for fit in fits]
        seconds = time.process_time() - before
        lines = [straight_line(values, stderr) for values in (*whole, *dropped)]
        measured = predictions[: len(whole)]
        truth = np.array([values[LOWEST_K] for values in whole])
        low, high = (np.array([prediction.interval_95[side] for prediction in measured]) for side in (0, 1))
        error = truth - np.array([prediction.log10_D for prediction in measured])
        name = f"errors of {stderr} assumed"
        inside = (low <= truth) & (truth <= high)
        plain = np.array([below <= value <= above for value, (_, below, above) in zip(truth, lines, strict=False)])
        reached = np.array([missing.interval_95[0] <= DROPPED_BELOW for missing in predictions[len(whole) :]])
        half = [
            prediction.interval_68[0] <= value <= prediction.interval_68[1]
            for value, prediction in zip(truth, measured, strict=True)
        ]
        plain_width = float(np.mean([above - below for _, below, above in lines[: len(whole)]]))
        emit(f"{name}: formulas with all four temperatures", len(whole), "1")
        emit(f"{name}: 95 % intervals that hold 1000 K [least squares]", float(inside.mean()), "1", plain.mean())
        emit(f"{name}: mean width of the interval [least squares]", float((high - low).mean()), "decades", plain_width)
        emit(f"{name}: 68 % intervals that hold it", float(np.mean(half)), "1", 0.683)
        emit(f"{name}: mean of truth - prediction", float(error.mean()), "decades")
        emit(f"{name}: width that would hold 95 % [ours]", *_needed(error, (high - low).mean()))
        emit(f"{name}: formulas without 1000 K", len(dropped), "1")
        emit(f"{name}: of these, intervals that reach below the bound", float(reached.mean()), "1")
        emit(f"{name}: both kinds together", float((inside.sum() + reached.sum()) / len(predictions)), "1", 0.9)
        emit(f"{name}: curvature flagged", float(np.mean([fit.curvature.curved for fit in fits if fit.curvature])), "1")
        emit(f"{name}: fit and prediction", seconds / len(predictions) * 1e3, "ms")
    whole_fits = [fit_arrhenius([ArrheniusPoint(t, d, 0.05) for t, d in values.items()]) for values in whole]
    curved = [fit.curvature for fit in whole_fits if fit.curvature]
    emit(
        "all four temperatures: curvature flagged",
        float(np.mean([curvature.curved for curvature in curved])),
        "1",
        0.05,
    )
    emit(
        "all four temperatures: mean curvature", float(np.mean([curvature.decades for curvature in curved])), "decades"
    )
    emit("all four temperatures: median Ea", float(np.median([fit.Ea_eV for fit in whole_fits])), "eV")
    return 0


def _needed(error: np.ndarray, width: float) -> tuple[float, str, float]:
    low, high = np.quantile(error, [0.025, 0.975])
    return float(high - low), "decades", float(width)


if __name__ == "__main__":
    sys.exit(main())
