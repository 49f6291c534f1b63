"""Which errors planted in label files are found, and whether any good label is called wrong.

Labels are made of good runs (good_runs.py), of each of their species. Each planted error
(tests/support/label_mutations.py) is put into the file of every so many of them.

    python benchmarks/label_files.py                                    # 6 runs, errors in every fourth label
    python benchmarks/label_files.py --runs 240 --every 10 --folder DIR # takes up runs that are there

One JSON line a figure: the share of good labels that are refused, with its 95 % interval (Clopper and Pearson), and the
share of files with an error that pass; of each error that passes at all, one line. Forged files, in which every number
that shows the temperature was adapted, can only be told by the scatter of the ions' own speed: they are counted apart.
Baseline: none, 0 is right for all. Nothing is timed, so load does no harm.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from ase.data import chemical_symbols  # noqa: E402
from good_runs import Runs  # noqa: E402
from label_mutations import FORGED, LABEL_MUTATIONS, label_fault  # noqa: E402
from planted_errors import Claim, label  # noqa: E402
from scipy.stats import beta  # noqa: E402
from sound_labels import labelled_cell  # noqa: E402

from vitrion_models.errors import InputError  # noqa: E402
from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows.labelling.audit.account import LabelledCell  # noqa: E402
from vitrion_workflows.schemas import LabelState  # noqa: E402

Content = dict[str, Any]
Found = tuple[str, Content, LabelledCell]


def labels(runs: Runs, count: int) -> Iterator[Found]:
    """Contents of the files of good labels, of every species of every run."""
    for name, claim in runs.good(count):
        found = claim.trajectory
        cell = labelled_cell(AtomicSystem(found.numbers, found.positions_A[0], found.lattice_A))
        for number in np.unique(found.numbers):
            species = chemical_symbols[number]
            content = _content(replace(claim, species=species))
            if content is not None:
                yield f"{name} {species}", content, cell


def _content(claim: Claim) -> Content | None:
    try:
        outcome = label(claim)
    except InputError:
        return None
    return None if outcome.state is LabelState.REJECTED else json.loads(outcome.model_dump_json())


class Table:
    """What became of good files and of planted errors."""

    def __init__(self) -> None:
        """Begin empty."""
        self.good: list[bool] = []
        self.states: dict[str, int] = {}
        self.passed: dict[str, list[bool]] = {}
        self.forged: dict[str, list[bool]] = {}

    def take(self, found: Found, *, plant: bool) -> None:
        """Read a good file; where asked, plant every error in it."""
        name, content, cell = found
        fault = label_fault(content, cell)
        self.good.append(fault is not None)
        self.states[content["state"]] = self.states.get(content["state"], 0) + 1
        if fault is not None:
            sys.stderr.write(f"refused: {name}: {fault}\n")
        elif plant:
            _plant(LABEL_MUTATIONS, found, self.passed)
            _plant(FORGED, found, self.forged)

    def show(self) -> None:
        """Print it."""
        low, high = _interval(sum(self.good), len(self.good))
        emit("good label files refused", sum(self.good) / len(self.good), interval_95=(low, high), **self.states)
        every = [one for found in self.passed.values() for one in found]
        if every:
            emit("missed in label files", sum(every) / len(every), files=len(every), errors=len(self.passed))
        for name, found in self.passed.items():
            if any(found):
                emit(f"missed in label files: {name}", sum(found) / len(found), files=len(found))
        for name, found in self.forged.items():
            emit(f"forged label files that pass: {name}", sum(found) / len(found), files=len(found))


def _plant(
    errors: Mapping[str, Callable[[Content], Content | None]], found: Found, into: dict[str, list[bool]]
) -> None:
    _, content, cell = found
    for error, plant in errors.items():
        planted = plant(json.loads(json.dumps(content)))
        if planted is not None and planted != content:
            into.setdefault(error, []).append(label_fault(planted, cell) is None)


def _interval(hits: int, trials: int) -> tuple[float, float]:
    low = float(beta.ppf(0.025, hits, trials - hits + 1)) if hits else 0.0
    return low, float(beta.ppf(0.975, hits + 1, trials - hits)) if hits < trials else 1.0


def emit(name: str, value: float, **more: Any) -> None:
    """One line."""
    row = {"name": name, "value": value, "unit": "share", "baseline": None, "ratio": None, **more}
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Make the labels, plant the errors, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=6, help="good runs")
    parser.add_argument("--every", type=int, default=4, help="errors are planted in every so many labels")
    parser.add_argument("--folder", type=Path, help="keep the runs here, and take them up again")
    arguments = parser.parse_args()
    table = Table()
    for index, found in enumerate(labels(Runs(arguments.folder), arguments.runs)):
        table.take(found, plant=index % arguments.every == 0)
    table.show()


if __name__ == "__main__":
    main()
