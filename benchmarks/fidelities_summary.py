"""Regret and seconds of the arms of `benchmarks/fidelities.py`, and the errors of a reference potential."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from fidelities_pool import AIMD_STDERR, CHEAP
from figures import emit
from teachers_summary import TEACHER, TEMPERATURE_K, over_seeds, usable

REGRETS = (0.3, 0.2, 0.1)
FEWEST_COMPOUNDS = 5


def report_errors(lines: Sequence[dict[str, Any]], prefix: str) -> None:
    """Print scatter and correlation of the errors of NEP89 and of the reference potential, both at AIMD's volume.

    Lines are those of `benchmarks/teachers.py`. The mean over compounds does not change their order and is only
    printed. The square of the statistical errors, and of AIMD's own, is taken from the variances and the covariance.
    Intervals are 95 % bootstrap intervals over compounds.
    """
    means = over_seeds(usable(lines))
    formulas = sorted(formula for name, formula in means if name == TEACHER and (CHEAP, formula) in means)
    if len(formulas) < FEWEST_COMPOUNDS:
        return
    errors = np.array([[means[name, formula].value for name in (CHEAP, TEACHER)] for formula in formulas])
    noise = np.array([[means[name, formula].stderr for name in (CHEAP, TEACHER)] for formula in formulas])
    draws = np.random.default_rng(0).integers(len(formulas), size=(4000, len(formulas)))
    drawn = np.array([_scatter_and_correlation(errors[rows], noise[rows]) for rows in draws])
    measured = _scatter_and_correlation(errors, noise)
    for place, (name, unit) in enumerate(
        ((f"scatter.{CHEAP}", "decades"), (f"scatter.{TEACHER}", "decades"), ("correlation", ""))
    ):
        emit(
            f"{prefix}.{name}",
            measured[place],
            unit,
            interval_95=[round(float(edge), 3) for edge in np.nanpercentile(drawn[:, place], (2.5, 97.5))],
            mean=[round(float(value), 3) for value in errors.mean(axis=0)],
            compounds=len(formulas),
        )


def _scatter_and_correlation(errors: np.ndarray, noise: np.ndarray) -> tuple[float, float, float]:
    """Return the deviations of both errors and their correlation, statistical errors taken off, from arrays (C, 2)."""
    covariance = np.cov(errors.T) - AIMD_STDERR[TEMPERATURE_K] ** 2 - np.diag((noise**2).mean(axis=0))
    cheap, dear = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    correlation = covariance[0, 1] / (cheap * dear) if cheap * dear > 0 else np.nan
    return float(cheap), float(dear), float(np.clip(correlation, -1, 1))


def regret_at(curve: Sequence[tuple[float, float]], seconds: float) -> float:
    """Return the regret of the last cycle that ended within so many seconds; of the first one where none did."""
    return [regret for spent, regret in curve if spent <= seconds or spent == curve[0][0]][-1]


def seconds_to(curve: Sequence[tuple[float, float]], regret: float, budget: float) -> float:
    """Return the seconds after which the regret stays at or below a value; the budget where it never does."""
    above = [place for place, entry in enumerate(curve) if entry[1] > regret]
    after = above[-1] + 1 if above else 0
    return curve[after][0] if after < len(curve) else budget


def interval(values: np.ndarray) -> list[float]:
    """Return the 95 % bootstrap interval of the mean."""
    draws = np.random.default_rng(0).integers(len(values), size=(4000, len(values)))
    return [round(float(edge), 4) for edge in np.percentile(values[draws].mean(axis=1), (2.5, 97.5))]


def report(curves: dict[str, list[list[tuple[float, float]]]], budget: float, prefix: str, **more: object) -> None:
    """Print regret at parts of the budget and seconds to a regret, each against the arm with both fidelities."""
    for share in (0.1, 0.25, 0.5, 1.0):
        at = {name: np.array([regret_at(curve, share * budget) for curve in runs]) for name, runs in curves.items()}
        for name, values in at.items():
            emit(
                f"{prefix}.regret_at_{share * budget / 3600:.2g}_h.{name}",
                float(values.mean()),
                "decades below the best",
                float(at["both"].mean()),
                interval_95=interval(values),
                paired_difference_to_both_95=interval(values - at["both"]),
                seeds=len(values),
                **more,
            )
    for regret in REGRETS:
        needed = {
            name: np.array([seconds_to(curve, regret, budget) for curve in runs]) for name, runs in curves.items()
        }
        for name, values in needed.items():
            emit(
                f"{prefix}.hours_to_regret_{regret:g}.{name}",
                float(values.mean()) / 3600,
                "hours, the whole budget where it is not reached",
                float(needed["both"].mean()) / 3600,
                interval_95=interval(values / 3600),
                paired_log10_ratio_to_both_95=interval(np.log10(values / needed["both"])),
                reached=float(np.mean(values < budget)),
                seeds=len(values),
                **more,
            )
