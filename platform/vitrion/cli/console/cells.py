"""Cells that a command works on: structure files, or structures of the database by fingerprint or filters."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrion.cli.console.output import note
from vitrion_models.errors import InputError
from vitrion_workflows.formats.registry import format_of

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from vitrion.database import Database

FINGERPRINT = re.compile("[0-9a-f]{8,64}")
READING_OPTION = re.compile("--(format|types|cell|topology)")


@dataclass(frozen=True)
class CellChoice:
    """Cells that were asked for, not read yet; one of the three.

    Attributes:
        files: structure files.
        fingerprints: of stored structures, or their first eight or more digits.
        filters: of stored structures (`Structures.search`).
    """

    files: tuple[Path, ...] = ()
    fingerprints: tuple[str, ...] = ()
    filters: Mapping[str, Any] | None = None

    def read_files(self) -> "list[tuple[Path, list[Structure]]]":
        """Return the structures of each file.

        Raises:
            InputError: a file cannot be read.
        """
        return [(file, read_cells(file)) for file in self.files]

    def stored(self, db: "Database") -> "dict[str, Structure]":
        """Return the structures of the database, by fingerprint.

        Raises:
            NotFoundError: a fingerprint is not stored.
            InputError: a prefix is not unique, or no structure passes the filters.
        """
        if self.filters is None:
            names = [db.structures.get(fingerprint).fingerprint for fingerprint in self.fingerprints]
        else:
            names = [row.fingerprint for row in db.structures.search(**self.filters)]
            if not names:
                raise InputError("no structure of the database passes the filters: see `vitrion structures list`")
        structures = db.structures.structures(names)
        return {name: structures[name] for name in names}


def read_cells(path: Path) -> "list[Structure]":
    """Return the structures of a file, and print what its reader left out or assumed.

    Raises:
        InputError: the file cannot be read, or only with options that `vitrion ingest structures` has.
    """
    with hints_of_ingest():
        format_of(path)
        from vitrion_workflows.formats.structures import read_entries  # noqa: PLC0415 - pymatgen is slow to import

        entries = list(read_entries(path))
    for remark in dict.fromkeys(remark for entry in entries for remark in entry.remarks):
        note(f"{path}: {remark}")
    return [entry.structure for entry in entries]


@contextmanager
def hints_of_ingest() -> Iterator[None]:
    """Say of each option that a reader asks for to which command it belongs."""
    try:
        yield
    except InputError as fault:
        if not READING_OPTION.search(str(fault)):
            raise
        raise InputError(f"{fault} (an option of `vitrion ingest structures`, which stores the cells)") from fault


def choose_cells(words: Sequence[str], *, from_database: bool, filters: Mapping[str, Any]) -> CellChoice:
    """Return the cells that a command line names, in exactly one way.

    Args:
        words: files, or fingerprints; a word of hexadecimal digits is a fingerprint unless there is a file of the name.
        from_database: take the stored structures that pass the filters.
        filters: of `Structures.search`.

    Raises:
        InputError: no way or several, a file that does not exist or has an unknown name.
    """
    if filters and not from_database:
        raise InputError(f"filters ({', '.join(filters)}) choose among the stored structures: add --from-database")
    if from_database and words:
        raise InputError("give files, fingerprints, or --from-database with filters, not several of them")
    if from_database and not filters:
        raise InputError("--from-database needs filters, such as --kind amorphous --accepted (see `structures list`)")
    if from_database:
        return CellChoice(filters=filters)
    if not words:
        raise InputError("no cell named: give a file, a fingerprint, or --from-database with filters")
    fingerprints = [word for word in words if FINGERPRINT.fullmatch(word) and not Path(word).exists()]
    if fingerprints and len(fingerprints) < len(words):
        raise InputError("give files or fingerprints, not both")
    if fingerprints:
        return CellChoice(fingerprints=tuple(fingerprints))
    files = tuple(Path(word) for word in words)
    with hints_of_ingest():
        for file in files:
            format_of(file)
    return CellChoice(files=files)
