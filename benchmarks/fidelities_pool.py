"""Recorded and simulated labels of several fidelities, and the compounds of `benchmarks/fidelities.py`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from aimd_table import charge_balanced, read_table
from figures import earlier_lines

from vitrion_workflows.model_error.effects import case_of
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256
from vitrion_workflows.structure.composition import parse_formula

CHEAP = "nep89"
# Statistical errors of the AIMD runs, decades: block coefficients of variation of 10-75 % at 1000 K, less above.
AIMD_STDERR = {1000: 0.15, 1500: 0.1, 2000: 0.05, 2500: 0.05}


@dataclass(frozen=True)
class Recorded:
    """One label that can be replayed."""

    formula: str
    temperature_K: int
    log10_D: float
    stderr: float
    seconds: float


@dataclass(frozen=True)
class Pool:
    """Compounds to choose from.

    Attributes:
        formulas: of the C compounds.
        truth: log10 D at the target temperature, shape (C,).
        labels: of each fidelity, by name, cheap first.
        offset, deviation: of the error of the cheap potential at the target temperature, decades, shape (C,).
        scatter: of the error between compounds, decades, shape (C,).
    """

    formulas: tuple[str, ...]
    truth: np.ndarray
    labels: dict[str, list[Recorded]]
    offset: np.ndarray
    deviation: np.ndarray
    scatter: np.ndarray

    @property
    def materials(self) -> list[dict[int, float]]:
        """Compositions."""
        return [{e.Z: float(n) for e, n in parse_formula(formula).items()} for formula in self.formulas]


def recorded(lines: Sequence[dict], potential: str, route: str) -> list[Recorded]:
    """Return the accepted labels of a potential, one for each formula and temperature."""
    labels = {
        (line["formula"], line["temperature_K"]): Recorded(
            line["formula"],
            line["temperature_K"],
            float(np.log10(line["value_cm2_per_s"])),
            line["log10_stderr"],
            line["cpu_seconds"],
        )
        for line in lines
        if line.get("state") == "accepted"
        and (line.get("potential", CHEAP), line.get("route", route)) == (potential, route)
    }
    return list(labels.values())


def simulated(
    table: Sequence[Recorded],
    measured: Sequence[Recorded],
    formulas: Sequence[str],
    *,
    error_scale: float,
    dear_scatter: float,
    dear_correlation: float,
    seed: int,
) -> tuple[list[Recorded], list[Recorded]]:
    """Return cheap and dear labels of some formulas: AIMD's values with drawn errors.

    The error of a compound's dear labels has the deviation `dear_scatter`, and this correlation with the error of its
    cheap one at the lowest temperature at which NEP89's were measured.
    """
    random = np.random.default_rng(seed)
    truth = {(entry.formula, entry.temperature_K): entry.log10_D for entry in table}
    errors: dict[str, dict[int, Recorded]] = {}
    for entry in measured:
        if (entry.formula, entry.temperature_K) in truth:
            errors.setdefault(entry.formula, {})[entry.temperature_K] = entry
    kelvins = {kelvin for entries in errors.values() for kelvin in entries}
    complete = [formula for formula, entries in sorted(errors.items()) if entries.keys() == kelvins]
    drawn = {formula: errors[str(random.choice(complete))] for formula in formulas}
    coldest = min(kelvins)
    of_donor = {name: errors[name][coldest].log10_D - truth[name, coldest] for name in complete}
    mean, deviation = float(np.mean(list(of_donor.values()))), float(np.std(list(of_donor.values())))
    own = dear_scatter * np.sqrt(1 - dear_correlation**2)
    shift = {
        formula: dear_scatter * dear_correlation * (of_donor[drawn[formula][coldest].formula] - mean) / deviation
        + random.normal(0.0, own)
        for formula in formulas
    }
    rows = [entry for entry in table if entry.formula in drawn]
    cheap = []
    for row in rows:
        if (like := drawn[row.formula].get(row.temperature_K)) is not None:
            error = error_scale * (like.log10_D - truth[like.formula, like.temperature_K])
            cheap.append(replace(like, formula=row.formula, log10_D=row.log10_D + error))
    dear = [replace(row, log10_D=row.log10_D + shift[row.formula] + random.normal(0.0, row.stderr)) for row in rows]
    return cheap, dear


def build_pool(options: argparse.Namespace, mirror: Path, seed: int) -> Pool:
    """Return the compounds that have the truth at the target temperature and a label of each fidelity."""
    lines = [line for path in options.rows for line in earlier_lines(path)]
    table = [
        Recorded(
            row.formula,
            row.temperature_K,
            float(np.log10(row.aimd_cm2_per_s)),
            AIMD_STDERR[row.temperature_K],
            options.dear_seconds,
        )
        for row in read_table(mirror)
    ]
    truth = {entry.formula: entry.log10_D for entry in table if entry.temperature_K == options.target}
    cheap = recorded(lines, CHEAP, "zero-pressure")
    if options.dear == "aimd":
        dear = table
    elif options.dear == "simulated":
        names = [formula for formula in sorted(truth) if charge_balanced(formula) or not options.balanced]
        some = np.random.default_rng(seed).permutation(names)[: options.compounds]
        cheap, dear = simulated(
            table,
            cheap,
            [str(name) for name in some],
            error_scale=options.error_scale,
            dear_scatter=options.dear_scatter,
            dear_correlation=options.dear_correlation,
            seed=seed,
        )
    else:
        dear = recorded(lines, options.dear, "aimd-volume")
    formulas = sorted(truth.keys() & {entry.formula for entry in cheap} & {entry.formula for entry in dear})
    if options.balanced:
        formulas = [formula for formula in formulas if charge_balanced(formula)]
    labels = {
        name: [entry for entry in entries if entry.formula in formulas]
        for name, entries in ((CHEAP, cheap), (options.dear, dear))
    }
    potential = ModelErrors.of("nep89", NEP89_SHA256)
    symbols = [[element.symbol for element in parse_formula(formula).elements] for formula in formulas]
    # Without their names: the error model was fitted on these compounds, a campaign's are new.
    cases = [case_of("", elements, float(options.target)) for elements in symbols]
    errors = potential.of_cases(cases)
    return Pool(
        tuple(formulas),
        np.array([truth[formula] for formula in formulas]),
        labels,
        offset=np.array([error.offset_decades for error in errors]),
        deviation=np.array([error.stderr_decades for error in errors]),
        scatter=np.array([potential.scatter_decades(case) for case in cases]),
    )
