"""A candidate pool of 4,582 lithium compounds of the Materials Project: formula, hull energy and band gap."""

import csv
from collections.abc import Mapping
from pathlib import Path

from vitrion.datasets.formulas import reduced
from vitrion.datasets.records import CompositionRecord, DatasetContent
from vitrion_models.errors import InputError

FILE = "table"
COLUMNS = ("MP ID", "Formula", "Energy Above Hull (eV)", "Band Gap (eV)")


def load(files: Mapping[str, Path]) -> DatasetContent:
    """Read the pool; it has neither structures nor labels.

    Raises:
        InputError: the table has other columns.
    """
    path = files[FILE]
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    if not rows or not set(COLUMNS) <= rows[0].keys():
        raise InputError(f"{path}: not the table of candidates; its columns have other names")
    identifier, formula, hull, gap = COLUMNS
    return DatasetContent(
        compositions=tuple(
            CompositionRecord(
                name=row[identifier],
                formula=reduced(row[formula]),
                e_above_hull_eV=float(row[hull]),
                band_gap_eV=float(row[gap]),
            )
            for row in rows
        ),
        notes=("hull energies and gaps are PBE values: gaps are too small",),
    )
