"""Labels against AIMD at each temperature: as they are, corrected by class alone, and corrected by the error model.

    python benchmarks/before_after.py                              # comparisons of the package
    python benchmarks/before_after.py --lines STUDENTS.jsonl       # and labels of tuned potentials, lines of aimd.py

Every correction is learned with the compound left out. The stages:

    zero pressure               labels at the potential's own volume, with their statistical error
    by class                    one offset for each class of anion, learned from labels at zero pressure (the model that
                                the error model replaced)
    corrected                   by the error model, which knows how far the volume is from AIMD's
    corrected, volume unknown   the potential's usual excess of volume is assumed
    AIMD's volume, corrected    likewise, of labels at AIMD's volume

Labels of a tuned potential (`--lines`) were not compared before: their interval is that of the assumed model error.
Deviations are of log10(D / D_AIMD). Activation energies are fitted where a compound has three temperatures. Salts are
compounds whose common oxidation states add up to zero.
One JSON line a figure; tables in Markdown on stderr.
"""

import argparse
import math
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from aimd_lines import comparisons  # noqa: E402
from aimd_summary import arrhenius_energy_eV, rank_correlation  # noqa: E402
from aimd_table import charge_balanced  # noqa: E402
from figures import earlier_lines, figure, show  # noqa: E402
from model_error import UNKNOWN_VOLUME, by_compounds, folds  # noqa: E402

from vitrion_models.constants import Z_95  # noqa: E402
from vitrion_models.uncertainty.mixed_effects import Effect, Effects, MixedModel, Observation  # noqa: E402
from vitrion_workflows.model_error.aimd_comparisons import AimdComparison, aimd_comparisons  # noqa: E402
from vitrion_workflows.model_error.model_errors import ModelErrors  # noqa: E402
from vitrion_workflows.model_error.observations import ZERO_PRESSURE, case_of_comparison  # noqa: E402

AIMD_VOLUME = "aimd-volume"
STAGES = {
    ZERO_PRESSURE: "corrected",
    UNKNOWN_VOLUME: "corrected, volume unknown",
    AIMD_VOLUME: "AIMD's volume, corrected",
}
UNCORRECTED = {ZERO_PRESSURE: "zero pressure", AIMD_VOLUME: "AIMD's volume"}
BY_CLASS, TUNED = "by class", "tuned:"
ORDER = (
    "zero pressure",
    BY_CLASS,
    *(STAGES[route] for route in (ZERO_PRESSURE, UNKNOWN_VOLUME)),
    "AIMD's volume",
    STAGES[AIMD_VOLUME],
)
EVERY_COMPOUND, SALTS = "all", "salts"
FEWEST_TEMPERATURES, FEWEST_FOR_RANK = 3, 4
# Prior deviations of an offset by class, decades, and the weight of the last one in compounds.
POTENTIAL, CLASS, COMPOUND, COMPOUND_WEIGHT = 0.2, 0.15, 0.10, 4
MEDIAN_STDERR = math.sqrt(math.pi / 2)
HEADER = ("compounds", "stage", "K", "labels", "median", "scatter", "median abs", "rank", "95 % hold")
ENERGY_HEADER = ("compounds", "stage", "number", "mean error, eV", "median abs, eV", "correlation", "rank")


@dataclass(frozen=True)
class Result:
    """One label at one stage: its difference from AIMD, and the standard deviation that is stated for it."""

    row: AimdComparison
    stage: str
    difference: float
    stderr: float

    @property
    def log10_D(self) -> float:
        """Value of the stage."""
        return self.row.log10_D_aimd + self.difference


def uncorrected(rows: Iterable[AimdComparison]) -> Iterator[Result]:
    """Yield the labels as they are."""
    for row in rows:
        if row.route in UNCORRECTED:
            yield Result(row, UNCORRECTED[row.route], row.log10_ratio, row.log10_stderr)


def corrected(rows: Sequence[AimdComparison]) -> Iterator[Result]:
    """Yield the labels corrected by the error model, their compounds left out."""
    for entry in by_compounds(rows):
        if entry.route in STAGES:
            yield Result(entry.row, STAGES[entry.route], entry.difference, entry.stderr)


def by_class(rows: Sequence[AimdComparison]) -> Iterator[Result]:
    """Yield labels at zero pressure corrected by the offset of their class, their compounds left out."""
    for training, left_out in folds([row for row in rows if row.route == ZERO_PRESSURE]):
        scatter, observations = {}, []
        for chemistry, ratios in _ratios_of_classes(training).items():
            spread = float(np.ptp(np.quantile(ratios, [0.16, 0.84]))) / 2
            squares = COMPOUND_WEIGHT * COMPOUND**2 + (len(ratios) - 1) * spread**2
            scatter[chemistry] = math.sqrt(squares / (COMPOUND_WEIGHT + len(ratios) - 1))
            stderr = MEDIAN_STDERR * scatter[chemistry] / math.sqrt(len(ratios))
            observations.append(Observation(float(np.median(ratios)), stderr, _offset(chemistry)))
        posterior = MixedModel(observations).infer(_offset_deviation)
        for row in left_out:
            chemistry = case_of_comparison(row).chemistry
            mean, covariance = posterior.moments([_offset(chemistry)])
            own = scatter.get(chemistry, COMPOUND)
            stderr = math.sqrt(row.log10_stderr**2 + float(covariance[0, 0]) + own**2)
            yield Result(row, BY_CLASS, row.log10_ratio - float(mean[0]), stderr)


def _ratios_of_classes(rows: Iterable[AimdComparison]) -> Mapping[str, list[float]]:
    ratios = defaultdict(list)
    for row in rows:
        ratios[case_of_comparison(row).chemistry].append(row.log10_ratio)
    return ratios


def _offset(chemistry: str) -> Effects:
    return {("potential",): 1.0, ("class", chemistry): 1.0}


def _offset_deviation(effect: Effect) -> float:
    return POTENTIAL if effect == ("potential",) else CLASS


def of_tuned(rows: Iterable[AimdComparison]) -> Iterator[Result]:
    """Yield labels of potentials that were never compared, with their assumed error."""
    for row in rows:
        error = ModelErrors(row.potential, row.weights).of_case(case_of_comparison(row))
        mean, stderr = error.corrected(row.log10_ratio, row.log10_stderr)
        yield Result(row, f"tuned, {row.route}", mean, stderr)


def deviations(name: str, results: Sequence[Result]) -> dict[str, Any]:
    """Return median, scatter, rank correlation and coverage of labels of one stage and temperature."""
    differences = np.array([result.difference for result in results])
    holds = np.abs(differences) <= Z_95 * np.array([result.stderr for result in results])
    share = float(holds.mean())
    ranked = len(results) >= FEWEST_FOR_RANK
    aimd, own = [result.row.log10_D_aimd for result in results], [result.log10_D for result in results]
    return figure(
        name,
        float(np.median(differences)),
        "decades",
        0.0,
        labels=len(results),
        compounds=len({result.row.compound for result in results}),
        deviation=round(float(np.std(differences)), 3),
        median_absolute=round(float(np.median(np.abs(differences))), 3),
        rank_correlation=rank_correlation(aimd, own) if ranked else None,
        coverage_95=round(share, 3),
        coverage_stderr=round(math.sqrt(share * (1 - share) / len(results)), 3),
    )


def activation_energies(name: str, results: Sequence[Result]) -> dict[str, Any] | None:
    """Compare activation energies of compounds with three temperatures; None for too few of them."""
    pairs = []
    for _, members in groupby(sorted(results, key=_compound), key=_compound):
        values: dict[float, list[tuple[float, float]]] = defaultdict(list)
        for result in members:
            values[result.row.temperature_K].append((result.log10_D, result.row.log10_D_aimd))
        if len(values) >= FEWEST_TEMPERATURES:
            inverse = np.array([1.0 / kelvin for kelvin in values])
            means = np.array([np.mean(both, axis=0) for both in values.values()])
            pairs.append([arrhenius_energy_eV(inverse, column) for column in means.T])
    if len(pairs) < FEWEST_FOR_RANK:
        return None
    own, aimd = np.array(pairs).T
    return figure(
        name,
        float(np.median(np.abs(own - aimd))),
        "eV",
        0.0,
        compounds=len(pairs),
        mean_error=round(float(np.mean(own - aimd)), 3),
        correlation=round(float(np.corrcoef(own, aimd)[0, 1]), 2),
        rank_correlation=rank_correlation(aimd, own),
    )


def _compound(result: Result) -> tuple[str, str]:
    return result.row.potential, result.row.compound


def groups(results: Iterable[Result]) -> Iterator[tuple[str, str, list[Result]]]:
    """Yield compounds (all, salts), stage and results, stages in their order."""
    every = list(results)
    salts = {name for name in {result.row.compound for result in every} if charge_balanced(name)}
    for compounds in (EVERY_COMPOUND, SALTS):
        for stage in sorted({result.stage for result in every}, key=_place):
            members = [
                result
                for result in every
                if result.stage == stage and (compounds == EVERY_COMPOUND or result.row.compound in salts)
            ]
            if members:
                yield compounds, stage, members


def _place(stage: str) -> tuple[int, str]:
    return ORDER.index(stage) if stage in ORDER else len(ORDER), stage


def main() -> None:
    """Correct, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=Path, nargs="*", default=[], help="labels of tuned potentials, of aimd.py")
    arguments = parser.parse_args()
    rows = aimd_comparisons()
    lines = [line for path in arguments.lines for line in earlier_lines(path)]
    students = comparisons(line for line in lines if line["potential"].startswith(TUNED))
    results = [*uncorrected(rows), *by_class(rows), *corrected(rows), *of_tuned(students)]
    table, energies = [HEADER, ("---",) * len(HEADER)], [ENERGY_HEADER, ("---",) * len(ENERGY_HEADER)]
    for compounds, stage, members in groups(results):
        for kelvin in sorted({result.row.temperature_K for result in members}):
            line = deviations(
                f"before_after_{compounds}_{stage}_{kelvin:g}K",
                [result for result in members if result.row.temperature_K == kelvin],
            )
            show(line)
            table.append(_cells(compounds, stage, kelvin, line))
        energy = activation_energies(f"before_after_{compounds}_{stage}_activation_energy", members)
        if energy is not None:
            show(energy)
            energies.append(_energy_cells(compounds, stage, energy))
    for cells in (*table, (), *energies):
        print(f"| {' | '.join(cells)} |" if cells else "", file=sys.stderr)


def _cells(compounds: str, stage: str, kelvin: float, line: Mapping[str, Any]) -> tuple[str, ...]:
    rank = line["rank_correlation"]
    return (
        compounds,
        stage,
        f"{kelvin:g}",
        str(line["labels"]),
        f"{line['value']:+.2f}",
        f"{line['deviation']:.2f}",
        f"{line['median_absolute']:.3f}",
        "" if rank is None else f"{rank:.2f}",
        f"{100 * line['coverage_95']:.0f} ± {100 * line['coverage_stderr']:.0f} %",
    )


def _energy_cells(compounds: str, stage: str, line: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        compounds,
        stage,
        str(line["compounds"]),
        f"{line['mean_error']:+.3f}",
        f"{line['value']:.3f}",
        f"{line['correlation']:.2f}",
        f"{line['rank_correlation']:.2f}",
    )


if __name__ == "__main__":
    main()
