"""Structure files into the database: thousands in one go, each file whole or not at all, faults collected."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pymatgen.core.structure import Structure

from vitrion.database import Database
from vitrion.database.repositories.new_structures import NewStructure
from vitrion.ingest.formats.reading import file_format, read_structures
from vitrion.ingest.kinds import judge_kind
from vitrion.ingest.paths import require_paths
from vitrion_models.errors import InputError
from vitrion_workflows.amorphous.imported_cells import structure_gates
from vitrion_workflows.schemas import StructureKind

Progress = Callable[[float, float | None, str | None], None]

STRUCTURES_AT_ONCE = 500
JUDGED = (StructureKind.AMORPHOUS, StructureKind.MELT)


@dataclass(frozen=True)
class FilesReport:
    """What became of the files.

    Attributes:
        files: files read.
        structures: structures in them.
        created: structures the database did not have.
        kinds: how many of each kind.
        kind_decided_by: ``user`` or ``order`` (measured in each cell).
        faults: one line for each file that was refused.
        skipped: files of a folder whose names tell no known format.
        fingerprints: identity of each structure, in order.
    """

    files: int
    structures: int
    created: int
    kinds: dict[str, int]
    kind_decided_by: str
    faults: tuple[str, ...]
    skipped: int
    fingerprints: tuple[str, ...] = field(repr=False)


def ingest_files(
    db: Database,
    paths: Sequence[Path],
    *,
    kind: StructureKind | None = None,
    on_progress: Progress | None = None,
) -> FilesReport:
    """Read files and folders and add their structures.

    A file with a fault is left out whole and told in the report; the others go in.

    Args:
        db: the database.
        paths: files, or folders that are searched for files of known formats.
        kind: of every structure; measured in each cell when None.
        on_progress: called as ``(done, total, name)`` for each file.

    Raises:
        InputError: no file is readable (the first fault is told), or a path does not exist. The database is unchanged.
    """
    files, skipped = find_files(paths)
    faults: list[str] = []
    counts: Counter[str] = Counter()
    fingerprints: list[str] = []
    created = 0
    waiting: list[NewStructure] = []

    def flush() -> int:
        added = db.structures.add_many(waiting)
        waiting.clear()
        fingerprints.extend(result.fingerprint for result in added)
        return sum(result.created for result in added)

    for count, path in enumerate(files, start=1):
        try:
            fresh = new_structures(read_structures(path), path, kind=kind)
        except InputError as fault:
            faults.append(str(fault))
        else:
            counts.update(new.kind for new in fresh)
            waiting += fresh
        if len(waiting) >= STRUCTURES_AT_ONCE:
            created += flush()
        if on_progress is not None:
            on_progress(count, len(files), path.name)
    if not counts:
        more = f" (and {len(faults) - 1} more files are refused)" if len(faults) > 1 else ""
        raise InputError(f"{faults[0]}{more}")
    created += flush()
    return FilesReport(
        files=len(files) - len(faults),
        structures=len(fingerprints),
        created=created,
        kinds=dict(sorted(counts.items())),
        kind_decided_by="order" if kind is None else "user",
        faults=tuple(faults),
        skipped=skipped,
        fingerprints=tuple(fingerprints),
    )


def find_files(paths: Iterable[Path]) -> tuple[list[Path], int]:
    """Files to read: those named, and those of known formats below the folders named, in order of their names.

    Returns:
        The files, and how many others lie in the folders.

    Raises:
        InputError: a path does not exist, or there is nothing to read.
    """
    wanted = list(paths)
    require_paths(wanted)
    found: dict[Path, None] = {}
    skipped = 0
    for path in wanted:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file())
            known = [each for each in inside if file_format(each) is not None]
            skipped += len(inside) - len(known)
            found.update(dict.fromkeys(known))
        else:
            found[path] = None
    if not found:
        raise InputError(f"no structure file in {', '.join(map(str, wanted)) or 'nothing'}")
    return list(found), skipped


def new_structures(
    structures: Sequence[Structure], path: Path, *, kind: StructureKind | None = None
) -> list[NewStructure]:
    """Return the structures of a file as they enter the database.

    Args:
        structures: what the file holds, in order.
        path: the file, which each structure names as its source.
        kind: of every structure; measured in each cell when None.
    """
    single = len(structures) == 1
    return [
        _new_structure(structure, kind, source=str(path) if single else f"{path}#{index}")
        for index, structure in enumerate(structures, start=1)
    ]


def _new_structure(structure: Structure, kind: StructureKind | None, *, source: str) -> NewStructure:
    found = kind or judge_kind(structure)
    # What nobody judged is not accepted: no crystal vouches for a glass, so its distances and density must.
    judged = found in JUDGED and structure.is_ordered
    return NewStructure(
        cell=structure,
        kind=found.value,
        gates=structure_gates(structure) if judged else (),
        fields={"source": source},
    )
