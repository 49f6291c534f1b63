"""Partial radial distribution functions of amorphous cells, by DFT and by M3GNet."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from vitrion.datasets.formulas import reduced
from vitrion.datasets.records import CurveRecord, DatasetContent
from vitrion_models.errors import InputError

DISTANCE = "r"


def load(files: Mapping[str, Path]) -> DatasetContent:
    """Read all curves; the name of a file gives method and formula (``DFT_RDF_AlSi.csv``).

    Raises:
        InputError: a file is not a table of partials.
    """
    return DatasetContent(
        curves=tuple(read_partials(path) for _, path in sorted(files.items())),
        notes=("r runs from 0 to 10 A in steps of 0.1 A; the two methods made cells of their own",),
    )


def read_partials(path: Path) -> CurveRecord:
    """Read one file: a column of g(r) for each pair of elements, and one of distances in Angstrom.

    Raises:
        InputError: no such columns, or numbers that are not finite.
    """
    method, _, formula = path.stem.partition("_RDF_")
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        pairs = [name for name in rows[0] if name and name != DISTANCE]
        columns = {name: tuple(float(row[name]) for row in rows) for name in (*pairs, DISTANCE)}
    except (KeyError, IndexError, ValueError, TypeError) as fault:
        raise InputError(f"{path}: not a table of partial radial distribution functions") from fault
    if not pairs or not all(math.isfinite(value) for column in columns.values() for value in column):
        raise InputError(f"{path}: its distribution functions must be finite numbers")
    distances = columns.pop(DISTANCE)
    return CurveRecord(
        name=path.stem,
        formula=reduced(formula),
        method=method,
        r_A=distances,
        partials={"-".join(sorted(pair.split("-"))): values for pair, values in columns.items()},
    )
