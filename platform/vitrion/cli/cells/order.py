"""`vitrion order`: ordered cells of a crystal with partially occupied sites."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrion.cli.console import options as choose
from vitrion.cli.console.cells import CellChoice, choose_cells
from vitrion.cli.console.output import emit, note
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from vitrion_workflows.candidates.ordering import Ordering, Supercell

COLUMNS = ("fingerprint", "formula", "n_atoms", "supercell", "deviation", "ewald_energy_eV")
MOST_ORDERINGS, MOST_ORDERED_ATOMS = 100, 2000
SUPERCELL = re.compile(r"([1-9]\d?)x([1-9]\d?)x([1-9]\d?)")


class MethodChoice(StrEnum):
    """Ways to choose the sites that are filled."""

    RANDOM = "random"
    EWALD = "ewald"


def command(
    crystal: Annotated[
        str, typer.Argument(metavar="FILE|FINGERPRINT", help="The disordered crystal: a file, or a stored one.")
    ],
    *,
    count: Annotated[int, typer.Option("--count", "-n", help="Orderings to make.", min=1, max=MOST_ORDERINGS)] = 1,
    atoms: Annotated[
        int | None,
        typer.Option(help="Approximate number of atoms of the cell; default 64.", min=1, max=MOST_ORDERED_ATOMS),
    ] = None,
    supercell: Annotated[str | None, typer.Option(help="Multiples of the lattice vectors instead: 2x2x2.")] = None,
    method: Annotated[
        MethodChoice, typer.Option(help="random, or ewald: a low electrostatic energy of formal charges.")
    ] = MethodChoice.RANDOM,
    seed: Annotated[int, typer.Option(help="The same seed gives the same cells.", min=0, max=choose.LARGEST_SEED)] = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write them to a file, too: .extxyz, or .cif and POSCAR of one."),
    ] = None,
    file_format: choose.Format = None,
    as_json: choose.Json = False,
) -> None:
    """Make ordered cells of a crystal with partially occupied sites, distinct by symmetry, and store them.

    The numbers of atoms are the integers nearest to the occupancies; the deviation is printed, in atoms of the cell.
    The crystal is stored, too, as their parent.
    """
    choice = choose_cells([crystal], from_database=False, filters={})
    sides = None if supercell is None else _sides(supercell)
    if atoms is not None and sides is not None:
        raise InputError("give either --atoms or --supercell, not both")
    chosen = None
    if output is not None:
        from vitrion.exchange.export import STRUCTURE_SUFFIXES, format_of  # noqa: PLC0415 - only where something is written

        chosen = format_of(output, given=file_format, suffixes=STRUCTURE_SUFFIXES)
    parent = _read(choice)

    from vitrion_workflows.candidates.ordering import order  # noqa: PLC0415 - slow to import

    orderings = order(parent, n=count, atoms=atoms or 64, supercell=sides, method=method.value, seed=seed)
    rows = _store(parent, orderings, source=crystal if choice.files else None, seed=seed)
    if output is not None and chosen is not None:
        _write(rows, output, chosen)
    emit(rows, as_json=as_json, columns=COLUMNS)
    if len(rows) < count:
        note(f"{len(rows)} of {count}: no more orderings were found that differ by symmetry; try a larger supercell")


def _read(choice: CellChoice) -> "Structure":
    if choice.files:
        ((file, structures),) = choice.read_files()
        if len(structures) > 1:
            raise InputError(f"{file}: holds {len(structures)} structures: give a file with one crystal")
        return structures[0]
    from vitrion.database import connect  # noqa: PLC0415 - only where no file is given

    with connect(readonly=True) as db:
        (structure,) = choice.stored(db).values()
        return structure


def _store(parent: "Structure", orderings: "list[Ordering]", *, source: str | None, seed: int) -> list[dict[str, Any]]:
    """Store the crystal and its orderings and return a row for each ordering."""
    from vitrion.database import connect  # noqa: PLC0415 - slow to import
    from vitrion.database.repositories.new_structures import NewStructure  # noqa: PLC0415
    from vitrion_workflows.schemas import Origin, StructureKind  # noqa: PLC0415

    with connect() as db:
        of = db.structures.add(parent, kind=StructureKind.CRYSTAL, source=source).fingerprint
        added = db.structures.add_many(
            NewStructure(
                cell=ordering.structure,
                kind=StructureKind.CRYSTAL,
                origin=Origin.ORDERED,
                fields={"parent": of, "seed": seed},
            )
            for ordering in orderings
        )
    return [
        {
            "fingerprint": entry.fingerprint,
            "parent": of,
            "formula": ordering.structure.formula,
            "n_atoms": len(ordering.structure),
            "supercell": "x".join(map(str, ordering.supercell)),
            "deviation": {symbol: atoms for symbol, atoms in ordering.deviation.items() if atoms},
            "ewald_energy_eV": ordering.ewald_energy_eV,
        }
        for entry, ordering in zip(added, orderings, strict=True)
    ]


def _write(rows: list[dict[str, Any]], path: Path, file_format: str) -> None:
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion.exchange.export import export_structures  # noqa: PLC0415

    with connect(readonly=True) as db:
        names = [row["fingerprint"] for row in rows]
        export_structures(db.structures.iterate(fingerprint=names), path, file_format=file_format)
    note(f"written to {path}")


def _sides(text: str) -> "Supercell":
    sides = SUPERCELL.fullmatch(text)
    if sides is None:
        raise InputError(f"--supercell {text!r} is not a supercell: give multiples such as 2x2x2")
    a, b, c = map(int, sides.groups())
    return a, b, c
