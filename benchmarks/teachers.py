"""Which potential to tune to: candidates at AIMD's volume against AIMD; and a tuned potential against its teacher.

A tuned potential copies its reference. Here NEP89, DIEP and CHGNet run the same melts at the volume that AIMD had, so
that only their forces differ, and so does the student: NEP89 tuned to DIEP for the formula, by the product's own code
(`benchmarks/tuning.py`). All start from NEP89's melt at 2000 K, are relaxed at AIMD's volume and run at 1000 K with 56
atoms: 8 ps for NEP89 and the student, 4 ps for the others. Formulas are salts of the AIMD table, drawn as in
`benchmarks/aimd.py`, at most three of a class.

    VITRION_DATA_MIRROR=... python benchmarks/teachers.py                          # one formula, DIEP, seed 20: minutes
    ... python benchmarks/teachers.py --formulas 14 --seeds 20 21 22 --results teachers.jsonl       # hours; goes on
    ... python benchmarks/teachers.py Li3P Li5SbS4 --potentials student --seeds 20 21 22 --results teachers.jsonl
    ... python benchmarks/teachers.py --results teachers.jsonl --summary

A label whose displacement is not resolved (censored) enters with its estimate, a rejected one does not.
One JSON line a figure: name, value in decades, unit, baseline, ratio. Tables in Markdown on stderr.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from aimd import MELTED_AT_K, PRODUCTION, ZERO_PRESSURE, Study, identity, progress, reason_to_skip  # noqa: E402
from aimd_summary import AT_AIMD_VOLUME  # noqa: E402
from aimd_table import Row, charge_balanced, draw, read_table  # noqa: E402
from figures import earlier_lines, keep_line, show  # noqa: E402
from teachers_summary import STUDENT, TEMPERATURE_K, TUNED, summary, tables  # noqa: E402
from tuning import tuned_potential  # noqa: E402

from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402

ATOMS = 56
MELT_PS, VOLUME_PS = 2.0, 0.8
FAST_PS, SLOW_PS = 8.0, 4.0
DRAWING_SEED = 20
MOST_OF_A_CLASS = {"halide": 1, "tetrelide": 1}  # the table has few salts of these
MOST_OF_OTHERS = 3


def choose(rows: list[Row], count: int) -> list[str]:
    """Return so many formulas of salts with AIMD at both temperatures, at most three of a class."""
    chemistry = {row.formula: row.chemistry for row in rows}
    places = {(row.formula, row.temperature_K) for row in rows}
    chosen: list[str] = []
    of_class: Counter[str] = Counter()
    for formula in draw(rows, formulas=len(chemistry), seed=DRAWING_SEED):
        name = chemistry[formula]
        complete = {(formula, TEMPERATURE_K), (formula, MELTED_AT_K)} <= places
        if complete and charge_balanced(formula) and of_class[name] < MOST_OF_A_CLASS.get(name, MOST_OF_OTHERS):
            of_class[name] += 1
            chosen.append(formula)
    return chosen[:count]


def runs(formula: str, names: list[str]) -> Iterator[tuple[ForceField, str, float, float]]:
    """Yield the runs of one formula and seed, each with potential, route, temperature and length in ps."""
    production = potentials.load(PRODUCTION)
    yield production, ZERO_PRESSURE, MELTED_AT_K, MELT_PS
    yield production, AT_AIMD_VOLUME, TEMPERATURE_K, FAST_PS
    for name in names:
        if name != STUDENT:
            length_ps = FAST_PS if name.startswith(TUNED) else SLOW_PS
            yield potentials.load(name), AT_AIMD_VOLUME, TEMPERATURE_K, length_ps
            continue
        student, figures = tuned_potential(formula)
        if student is None:
            print(figures[-1]["message"], file=sys.stderr)
        else:
            yield student, AT_AIMD_VOLUME, TEMPERATURE_K, FAST_PS


def go(rows: list[Row], formulas: list[str], options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Measure what has no result yet."""
    lines = earlier_lines(options.results)
    at = {(row.formula, row.temperature_K): row for row in rows}
    for seed in options.seeds:
        for formula in formulas:
            for force_field, route, kelvin, length_ps in runs(formula, options.potentials):
                done = {identity(line) for line in earlier_lines(options.results)}
                if (force_field.name, route, formula, int(kelvin), seed) in done:
                    continue
                study = Study(
                    force_field=force_field,
                    folder=folder,
                    route=route,
                    production_ps=length_ps,
                    volume_ps=VOLUME_PS,
                    seed=seed,
                    atoms=ATOMS,
                )
                line = study.measure(at[formula, int(kelvin)])
                lines.append(line)
                print(f"{force_field.name} {route} {progress(line)}", file=sys.stderr, flush=True)
                keep_line(options.results, line)
    return lines


def main() -> None:
    """Measure, or only summarize."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="FORMULA", help="of the AIMD table, instead of those drawn")
    parser.add_argument("--formulas", type=int, default=1, help="number of formulas drawn")
    parser.add_argument("--potentials", nargs="+", default=["diep"], help="diep, chgnet, student, or tuned:NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[20])
    parser.add_argument("--results", type=Path, help="JSON lines, one a label; trajectories lie beside it")
    parser.add_argument(
        "--runs", type=Path, help="folder of trajectories and melts, instead of that beside the results"
    )
    parser.add_argument("--also", nargs="*", type=Path, default=[], help="further results for the summary")
    parser.add_argument("--summary", action="store_true", help="run nothing")
    options = parser.parse_args()
    if options.summary:
        lines = earlier_lines(options.results)
    elif (reason := reason_to_skip(PRODUCTION)) is not None:
        print(f"teachers: skipped, {reason}", file=sys.stderr)
        return
    else:
        rows = read_table(Path(os.environ["VITRION_DATA_MIRROR"]))
        formulas = options.names or choose(rows, options.formulas)
        with tempfile.TemporaryDirectory() as scratch:
            beside = Path(scratch) if options.results is None else options.results.with_suffix("")
            lines = go(rows, formulas, options, options.runs or beside)
    lines = [*lines, *(line for path in options.also for line in earlier_lines(path))]
    for line in summary(lines):
        show(line)
    for text in tables(lines):
        print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
