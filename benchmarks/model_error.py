"""Error model of a potential, judged on compounds that it was not fitted to.

    python benchmarks/model_error.py                # leave compounds out, and whole classes
    python benchmarks/model_error.py --fit          # write hyperparameters.json of the package first

The comparisons with AIMD that Vitrion brings (`model_error/aimd_comparisons.csv`, written by `benchmarks/aimd.py
--table`) are divided by compound into ten parts. Hyper-parameters and effects are inferred from nine of them; the
labels of the tenth are corrected and compared with AIMD. An interval is that of the corrected label, which has
AIMD's own error, too. Zero-pressure labels are corrected twice: by their volume, and as if it were unknown.
One JSON line a figure.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from figures import figure, show  # noqa: E402

import vitrion_workflows.model_error as room  # noqa: E402
from vitrion_models.constants import Z_95  # noqa: E402
from vitrion_workflows.model_error.aimd_comparisons import AimdComparison, aimd_comparisons  # noqa: E402
from vitrion_workflows.model_error.fitting import fit_hyperparameters, write_hyperparameters  # noqa: E402
from vitrion_workflows.model_error.hyperparameters import FILE  # noqa: E402
from vitrion_workflows.model_error.model_errors import ModelErrors  # noqa: E402
from vitrion_workflows.model_error.observations import ZERO_PRESSURE, case_of_comparison  # noqa: E402

PARTS = 10
UNKNOWN_VOLUME = "zero-pressure, volume unknown"


@dataclass(frozen=True)
class Corrected:
    """A label left out, corrected: difference from AIMD, its expected deviation, and that without AIMD's own error."""

    row: AimdComparison
    route: str
    difference: float
    stderr: float
    stderr_without_aimd: float


def correct(training: Sequence[AimdComparison], left_out: Iterable[AimdComparison]) -> Iterator[Corrected]:
    """Correct labels by an error model that was fitted without them."""
    rows = list(left_out)
    parameters = fit_hyperparameters(training)
    for potential, weights in sorted({(row.potential, row.weights) for row in rows}):
        errors = ModelErrors(potential, weights, (), tuple(training), parameters)
        for row in (row for row in rows if row.is_of(potential, weights)):
            case = replace(case_of_comparison(row), log10_D=row.log10_D_aimd + row.log10_ratio)
            cases = {row.route: case}
            if row.route == ZERO_PRESSURE:
                cases[UNKNOWN_VOLUME] = replace(case, ln_volume_ratio=None)
            for route, known in cases.items():
                error = errors.of_case(known)
                mean, stderr = error.corrected(row.log10_ratio, row.log10_stderr)
                yield Corrected(row, route, mean, stderr, float(np.hypot(error.stderr_decades, row.log10_stderr)))


Rows: TypeAlias = list[AimdComparison]


def folds(rows: Sequence[AimdComparison], *, seed: int = 0) -> Iterator[tuple[Rows, Rows]]:
    """Yield the rows of nine tenths of the compounds and of the others, each tenth left out in turn."""
    compounds = np.random.default_rng(seed).permutation(sorted({row.compound for row in rows})).tolist()
    for part in range(PARTS):
        names = set(compounds[part::PARTS])
        yield [row for row in rows if row.compound not in names], [row for row in rows if row.compound in names]


def by_compounds(rows: Sequence[AimdComparison]) -> Iterator[Corrected]:
    """Leave out a tenth of the compounds in turn."""
    for training, left_out in folds(rows):
        yield from correct(training, left_out)


def by_classes(rows: Sequence[AimdComparison]) -> Iterator[Corrected]:
    """Leave out each class of anion in turn."""
    chemistry = {row: case_of_comparison(row).chemistry for row in rows}
    for name in sorted(set(chemistry.values())):
        yield from correct(
            [row for row in rows if chemistry[row] != name], [row for row in rows if chemistry[row] == name]
        )


def figures(name: str, corrected: Iterable[Corrected]) -> Iterator[dict[str, object]]:
    """Return the accuracy and coverage for each route and temperature."""
    groups: defaultdict[tuple[str, str], list[Corrected]] = defaultdict(list)
    for entry in corrected:
        for kelvin in (f"{entry.row.temperature_K:g} K", "all"):
            groups[entry.route, kelvin].append(entry)
    for (route, kelvin), entries in sorted(groups.items()):
        differences = np.array([entry.difference for entry in entries])
        z = differences / [entry.stderr for entry in entries]
        without_aimd = differences / [entry.stderr_without_aimd for entry in entries]
        yield figure(
            f"model_error.{name}, {route}, {kelvin}",
            float(np.median(np.abs(differences))),
            "decades",
            float(np.median([abs(entry.row.log10_ratio) for entry in entries])),
            mean=round(float(differences.mean()), 3),
            coverage_95=round(float(np.mean(np.abs(z) <= Z_95)), 3),
            coverage_95_without_aimd=round(float(np.mean(np.abs(without_aimd) <= Z_95)), 3),
            rms_z=round(float(np.sqrt(np.mean(z**2))), 2),
            stderr=round(float(np.median([entry.stderr for entry in entries])), 3),
            labels=len(entries),
            compounds=len({entry.row.compound for entry in entries}),
        )


def main() -> None:
    """Fit, leave out and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help=f"write {FILE} of the package")
    arguments = parser.parse_args()
    rows = aimd_comparisons()
    if arguments.fit:
        write_hyperparameters(fit_hyperparameters(rows), Path(room.__path__[0]) / FILE)
    for name, corrected in (("compounds left out", by_compounds(rows)), ("classes left out", by_classes(rows))):
        for line in figures(name, corrected):
            show(line)


if __name__ == "__main__":
    main()
