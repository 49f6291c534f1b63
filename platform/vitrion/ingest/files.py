"""Ingest of structure files: thousands at a time, each file whole or not at all, errors collected."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import spglib
from pymatgen.core.structure import Structure

from vitrion.database import Database
from vitrion.database.repositories.new_structures import NewStructure
from vitrion.ingest.interruption import count_stored
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous.imported_cells import structure_gates
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.frames import NO_OPTIONS, FrameOptions
from vitrion_workflows.formats.opening import require_paths
from vitrion_workflows.formats.registry import file_format as format_by_name
from vitrion_workflows.formats.structures import read_entries
from vitrion_workflows.schemas import StructureKind
from vitrion_workflows.schemas.geometry import system_from_structure

EXACT_A = 0.01
MOST_ATOMS_FOR_SPGLIB = 400  # slow on large cells without symmetry
MOST_VOLUME_A3_PER_ATOM = 200.0  # a gas has no order, and the search would take minutes


def find_kind(structure: Structure) -> StructureKind:
    """Return crystal for a cell with crystalline order, else amorphous.

    Exact symmetry, which no glass has, identifies most crystals. The others are measured as by the cell gates
    (docs/design/cell-gates.md). Cells too small for that, and partially occupied ones, count as crystals.
    """
    if not structure.is_ordered:
        return StructureKind.CRYSTAL
    if structure.volume / len(structure) > MOST_VOLUME_A3_PER_ATOM:
        return StructureKind.AMORPHOUS
    system = system_from_structure(structure)
    if _has_exact_symmetry(system):
        return StructureKind.CRYSTAL
    from vitrion_workflows.amorphous import (  # noqa: PLC0415 - brings the potentials with it
        DEFAULT_LIMITS,
        hidden_symmetry,
        orientational_coherence,
    )

    symmetry = hidden_symmetry(system)
    if symmetry is None or symmetry > DEFAULT_LIMITS.greatest_symmetry:
        return StructureKind.CRYSTAL
    coherence = orientational_coherence(system)
    ordered = coherence is not None and coherence > DEFAULT_LIMITS.greatest_coherence
    return StructureKind.CRYSTAL if ordered else StructureKind.AMORPHOUS


def _has_exact_symmetry(system: AtomicSystem) -> bool:
    if len(system) > MOST_ATOMS_FOR_SPGLIB:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib announces another way of reporting errors
        cell = (system.lattice_A.tolist(), system.fractional.tolist(), system.numbers.tolist())
        symmetry = spglib.get_symmetry(cell, symprec=EXACT_A)
    return symmetry is not None and len(symmetry["rotations"]) > 1


Progress = Callable[[float, float | None, str | None], None]

STRUCTURES_AT_ONCE = 500
ATOMS_AT_ONCE = 100_000  # in structures that are held in memory
NEED_GATES = (StructureKind.AMORPHOUS, StructureKind.MELT)


@dataclass(frozen=True)
class FilesReport:
    """Result of ingesting files.

    Attributes:
        files: files read.
        structures: structures in them.
        created: structures the database did not have.
        kinds: how many of each kind.
        kind_decided_by: ``user`` or ``order`` (measured in each cell).
        faults: one line for each file that was refused.
        remarks: what was left out or assumed in the others, each once for a file.
        skipped: files of a folder with unrecognised names.
        fingerprints: identity of each structure, in order.
    """

    files: int
    structures: int
    created: int
    kinds: dict[str, int]
    kind_decided_by: str
    faults: tuple[str, ...]
    remarks: tuple[str, ...]
    skipped: int
    fingerprints: tuple[str, ...] = field(repr=False)


def ingest_files(
    db: Database,
    paths: Sequence[Path],
    *,
    kind: StructureKind | None = None,
    file_format: str | None = None,
    options: FrameOptions = NO_OPTIONS,
    on_progress: Progress | None = None,
) -> FilesReport:
    """Read files and folders and add their structures.

    A file with an error is skipped and named in the report; the others are stored.

    Args:
        db: the database.
        paths: files, or folders that are searched for files of known formats.
        kind: of every structure; measured in each cell when None.
        file_format: name of the format of every file, where their names do not tell it.
        options: elements of types and the cell, where the files do not hold them.
        on_progress: called as ``(done, total, name)`` for each file.

    Raises:
        InputError: no file is readable (with the first error), or a path does not exist. The database is unchanged.
    """
    files, skipped = find_files(paths)
    faults: list[str] = []
    remarks: dict[str, None] = {}
    counts: Counter[str] = Counter()
    batches = _Batches(db)
    with count_stored(db):
        for count, path in enumerate(files, start=1):
            try:
                total, entries = _checked(partial(read_entries, path, file_format=file_format, options=options))
            except InputError as fault:
                faults.append(str(fault))
            else:
                for index, entry in enumerate(entries, start=1):
                    new = _new_structure(entry, kind, source=_source(path, entry, index, total=total))
                    counts[new.kind] += 1
                    remarks.update(dict.fromkeys(f"{path}: {remark}" for remark in entry.remarks))
                    batches.add(new)
            if on_progress is not None:
                on_progress(count, len(files), path.name)
        if not counts:
            more = f" (and {len(faults) - 1} more files are refused)" if len(faults) > 1 else ""
            raise InputError(f"{faults[0]}{more}")
        batches.store()
    return FilesReport(
        files=len(files) - len(faults),
        structures=len(batches.fingerprints),
        created=batches.created,
        kinds=dict(sorted(counts.items())),
        kind_decided_by="order" if kind is None else "user",
        faults=tuple(faults),
        remarks=tuple(remarks),
        skipped=skipped,
        fingerprints=tuple(batches.fingerprints),
    )


def _checked(read: Callable[[], Iterator[StructureEntry]]) -> tuple[int, Iterable[StructureEntry]]:
    """Read a file to its end, so that it is stored whole or not at all.

    Args:
        read: starts to read the file.

    Returns:
        Number of its structures, and the structures; those of a large file are read a second time.

    Raises:
        InputError: the file is refused.
    """
    held: list[StructureEntry] = []
    structures = atoms = 0
    for entry in read():
        structures += 1
        atoms += len(entry.structure)
        if structures == 1 or (structures <= STRUCTURES_AT_ONCE and atoms <= ATOMS_AT_ONCE):
            held.append(entry)
        else:
            held.clear()
    return structures, held or read()


class _Batches:
    """Structures on their way into the database, several at once.

    Attributes:
        fingerprints: of what is stored, in order.
        created: structures that the database did not have.
    """

    def __init__(self, db: Database) -> None:
        self.fingerprints: list[str] = []
        self.created = 0
        self._db = db
        self._waiting: list[NewStructure] = []
        self._atoms = 0

    def add(self, new: NewStructure) -> None:
        """Add a structure, and store what waits when it is enough."""
        self._waiting.append(new)
        self._atoms += len(new.cell)
        if len(self._waiting) >= STRUCTURES_AT_ONCE or self._atoms >= ATOMS_AT_ONCE:
            self.store()

    def store(self) -> None:
        """Store what waits."""
        results = self._db.structures.add_many(self._waiting)
        self.fingerprints += [result.fingerprint for result in results]
        self.created += sum(result.created for result in results)
        self._waiting, self._atoms = [], 0


def find_files(paths: Iterable[Path]) -> tuple[list[Path], int]:
    """Return the files to read: those given, and those of known formats in the folders given, sorted by name.

    Returns:
        The files, and how many others lie in the folders.

    Raises:
        InputError: a path does not exist, or there is nothing to read.
    """
    wanted = list(paths)
    require_paths(wanted)
    files: dict[Path, None] = {}
    skipped = 0
    for path in wanted:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file())
            readable = [each for each in inside if format_by_name(each) is not None]
            skipped += len(inside) - len(readable)
            files.update(dict.fromkeys(readable))
        else:
            files[path] = None
    if not files:
        raise InputError(f"no structure file in {', '.join(map(str, wanted)) or 'nothing'}")
    return list(files), skipped


def new_structures(structures: Sequence[Structure], path: Path) -> list[NewStructure]:
    """Return the structures of a file, in order, as they enter the database; the file is their source."""
    entries = [StructureEntry(structure=structure) for structure in structures]
    return [
        _new_structure(entry, None, source=_source(path, entry, index, total=len(entries)))
        for index, entry in enumerate(entries, start=1)
    ]


def _source(path: Path, entry: StructureEntry, index: int, *, total: int) -> str:
    place = entry.name or (str(index) if total > 1 else "")
    return f"{path}#{place}" if place else str(path)


def _new_structure(entry: StructureEntry, kind: StructureKind | None, *, source: str) -> NewStructure:
    kind = kind or find_kind(entry.structure)
    # A glass or melt is accepted by the gates on its distances and density.
    has_gates = kind in NEED_GATES and entry.structure.is_ordered
    return NewStructure(
        cell=entry.structure,
        kind=kind.value,
        gates=structure_gates(entry.structure) if has_gates else (),
        fields={"source": source, "remarks": entry.remarks, **entry.fields},
    )
