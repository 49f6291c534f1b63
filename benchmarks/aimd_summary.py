"""Figures of `benchmarks/aimd.py`: potentials against AIMD by route, temperature and chemistry, routes side by side.

Density error: the same formulas at zero pressure and at AIMD's volume. Force error: what is left at AIMD's volume.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aimd_table import charge_balanced
from figures import figure
from scipy.stats import spearmanr

from vitrion_models.constants import BOLTZMANN_eV_PER_K

FEWEST_FOR_INTERVAL = 3
RESAMPLES = 2000
AT_AIMD_VOLUME = "aimd-volume"
EVERY_TEMPERATURE = "all"
EVERY_FORMULA, BALANCED = "all", "balanced"


@dataclass(frozen=True)
class Comparison:
    """Accepted labels of one formula, temperature, potential and route, averaged over seeds, beside AIMD."""

    formula: str
    temperature_K: int
    log10_ratio: float
    log10_aimd: float
    log10_stderr: float
    volume_ratio: float
    force_r2: float | None

    @property
    def log10_D(self) -> float:
        """Return log10 of the potential's D."""
        return self.log10_aimd + self.log10_ratio


Cases = dict[tuple[str, int], Comparison]  # by formula and temperature


def summary(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Summarize log10(D / D_AIMD) and activation energies: of each route, and of routes on the same formulas."""
    for potential in sorted({line["potential"] for line in lines}):
        mine = [line for line in lines if line["potential"] == potential]
        routes = sorted({line["route"] for line in mine})
        for group, members in groups(mine).items():
            cases = {route: comparisons(line for line in members if line["route"] == route) for route in routes}
            for route in routes:
                title = f"aimd_{potential}_{route}"
                yield from failures(title, group, [line for line in members if line["route"] == route])
                yield from of_route(title, group, cases[route])
            for route, other in itertools.combinations(routes, 2):
                yield from side_by_side(f"aimd_{potential}", group, {route: cases[route], other: cases[other]})


def groups(lines: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Sort lines by class of anion; every line is under ``all``, those of salts under ``balanced``."""
    sorted_lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        names = [EVERY_FORMULA, line["chemistry"], *([BALANCED] if charge_balanced(line["formula"]) else [])]
        for name in names:
            sorted_lines[name].append(line)
    return dict(sorted(sorted_lines.items()))


def comparisons(lines: Iterable[Mapping[str, Any]]) -> Cases:
    """Return the accepted labels of one potential and route, averaged over seeds."""
    by_case: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
    for line in lines:
        if line.get("state") == "accepted":
            by_case[line["formula"], line["temperature_K"]].append(line)
    return {case: _averaged(*case, members) for case, members in by_case.items()}


def _averaged(formula: str, temperature_K: int, lines: list[Mapping[str, Any]]) -> Comparison:
    r2 = [line["force_r2"] for line in lines if line.get("force_r2") is not None]
    return Comparison(
        formula=formula,
        temperature_K=temperature_K,
        log10_ratio=float(np.mean([line["log10_ratio"] for line in lines])),
        log10_aimd=float(np.log10(lines[0]["aimd_cm2_per_s"])),
        log10_stderr=float(np.sqrt(np.mean([line["log10_stderr"] ** 2 for line in lines]) / len(lines))),
        volume_ratio=float(np.mean([line["volume_ratio"] for line in lines])),
        force_r2=float(np.mean(r2)) if r2 else None,
    )


def at_temperature(cases: Cases, temperature: str) -> list[Comparison]:
    """Return the comparisons of one temperature, or of all."""
    return [case for case in cases.values() if temperature in (EVERY_TEMPERATURE, str(case.temperature_K))]


def temperatures(cases: Iterable[Comparison]) -> list[str]:
    """Return the temperatures at hand, and all together."""
    return [*(str(kelvin) for kelvin in sorted({case.temperature_K for case in cases})), EVERY_TEMPERATURE]


def failures(title: str, group: str, lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Count the cells without a label, and the outcomes."""
    for temperature in (*sorted({str(line["temperature_K"]) for line in lines}), EVERY_TEMPERATURE):
        members = [line for line in lines if temperature in (EVERY_TEMPERATURE, str(line["temperature_K"]))]
        if members:
            outcomes = [line["state"] if line["outcome"] == "labelled" else line["outcome"] for line in members]
            counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
            failed = sum(line["outcome"] != "labelled" for line in members) / len(members)
            name = f"{title}_{temperature}_{group}_failed_cells"
            yield figure(name, failed, "share", 0.0, cells=len(members), outcomes=counts)


def of_route(title: str, group: str, cases: Cases) -> Iterator[dict[str, Any]]:
    """Summarize one route: deviations at each temperature, and activation energies."""
    for temperature in temperatures(cases.values()):
        members = at_temperature(cases, temperature)
        if members:
            yield deviations(f"{title}_{temperature}_{group}_log10_ratio", members)
    yield from activation_energies(f"{title}_{group}_activation_energy", cases)


def deviations(name: str, members: Sequence[Comparison]) -> dict[str, Any]:
    """Return median, deviation and rank correlation of log10 D against AIMD."""
    ratios = np.array([member.log10_ratio for member in members])
    median = float(np.median(ratios))
    low, high = (float(value) for value in np.quantile(ratios, [0.16, 0.84]))
    r2 = [member.force_r2 for member in members if member.force_r2 is not None]
    return figure(
        name,
        median,
        "decades",
        0.0,
        formulas=len({member.formula for member in members}),
        labels=len(members),
        median_95=interval_of_median(ratios),
        mad=float(np.median(np.abs(ratios - median))),
        interval_68=(low, high),
        rms=float(np.sqrt(np.mean(ratios**2))),
        rank_correlation=rank_of_diffusivities(members),
        statistical=float(np.median([member.log10_stderr for member in members])),
        volume_ratio=float(np.median([member.volume_ratio for member in members])),
        force_r2=float(np.median(r2)) if r2 else None,
    )


def side_by_side(title: str, group: str, routes: Mapping[str, Cases]) -> Iterator[dict[str, Any]]:
    """Compare two routes on the formulas that both have: medians, and the effect of the volume alone."""
    (route, cases), (other, others) = routes.items()
    common = {case: (cases[case], others[case]) for case in cases.keys() & others.keys()}
    for temperature in temperatures(first for first, _ in common.values()):
        pairs = [pair for pair in common.values() if temperature in (EVERY_TEMPERATURE, str(pair[0].temperature_K))]
        if not pairs:
            continue
        first, second = zip(*pairs, strict=True)
        ratios, other_ratios = (np.array([member.log10_ratio for member in side]) for side in (first, second))
        yield figure(
            f"{title}_{temperature}_{group}_{route}_beside_{other}",
            float(np.median(ratios)),
            "decades",
            float(np.median(other_ratios)),
            formulas=len({member.formula for member in first}),
            mad=[float(np.median(np.abs(side - np.median(side)))) for side in (ratios, other_ratios)],
            rank_correlation=[rank_of_diffusivities(side) for side in (first, second)],
            difference=float(np.median(ratios - other_ratios)),
            difference_mad=float(np.median(np.abs(ratios - other_ratios - np.median(ratios - other_ratios)))),
        )


def activation_energies(name: str, cases: Cases) -> Iterator[dict[str, Any]]:
    """Compare activation energies, each side fitted over the temperatures that both have."""
    formulas = sorted({case.formula for case in cases.values()})
    pairs = []
    for formula in formulas:
        members = [case for case in cases.values() if case.formula == formula]
        inverse = np.array([1.0 / member.temperature_K for member in members])
        if len(members) > 1:
            pairs.append(
                tuple(
                    arrhenius_energy_eV(inverse, np.array(values))
                    for values in ([m.log10_D for m in members], [m.log10_aimd for m in members])
                )
            )
    if len(pairs) < FEWEST_FOR_INTERVAL:
        return
    own, aimd = np.array(pairs).T
    yield figure(
        name,
        float(np.mean(own)),
        "eV",
        float(np.mean(aimd)),
        formulas=len(pairs),
        mean_difference=float(np.mean(own - aimd)),
        difference_deviation=float(np.std(own - aimd, ddof=1)),
        correlation=float(np.corrcoef(own, aimd)[0, 1]),
        rank_correlation=rank_correlation(aimd, own),
    )


def arrhenius_energy_eV(inverse_temperature: np.ndarray, log10_D: np.ndarray) -> float:
    """Return the activation energy of a straight line of log10 D on 1/T."""
    return float(-np.polyfit(inverse_temperature, log10_D * np.log(10), 1)[0] * BOLTZMANN_eV_PER_K)


def rank_of_diffusivities(members: Sequence[Comparison]) -> float | None:
    """Return the rank correlation with AIMD over formulas; None over several temperatures, which alone would order."""
    if len({member.temperature_K for member in members}) > 1:
        return None
    return rank_correlation([member.log10_aimd for member in members], [member.log10_D for member in members])


def rank_correlation(first: Iterable[float], second: Iterable[float]) -> float | None:
    """Return Spearman's correlation; None for too few values."""
    one, two = np.array(list(first)), np.array(list(second))
    return float(spearmanr(one, two).statistic) if len(one) >= FEWEST_FOR_INTERVAL else None


def interval_of_median(values: np.ndarray) -> tuple[float, float] | None:
    """Return the 95 % interval of the median by resampling."""
    if len(values) < FEWEST_FOR_INTERVAL:
        return None
    drawn = np.random.default_rng(0).choice(values, size=(RESAMPLES, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return float(low), float(high)
