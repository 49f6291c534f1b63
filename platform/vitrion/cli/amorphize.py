"""`vitrion amorphize`: make one amorphous cell by melt-quench and store it with its gates."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitrion.cli.console.options import LARGEST_SEED, MOST_ATOMS, Device
from vitrion.cli.console.output import emit, note
from vitrion_models.errors import InputError
from vitrion_workflows.formats.registry import file_format, format_of
from vitrion_workflows.structure.formula import element_amounts

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

COLUMNS = ("formula", "fingerprint", "accepted", "kind", "density_g_cm3", "energy_eV_per_atom", "pressure_GPa")
GATE_COLUMNS = ("name", "passed", "value", "lower", "upper", "unit", "message")
EXIT_REJECTED = 1


class ProtocolChoice(StrEnum):
    """Melt-quench protocols by name."""

    QUICKSTART = "quickstart"
    DEFAULT = "default"


def command(
    compound: Annotated[str, typer.Argument(metavar="FORMULA|FILE", help="Li3PS4, or a file with its crystal.")],
    *,
    atoms: Annotated[
        int,
        typer.Option(help="Approximate number of atoms; the cell holds complete formula units.", min=8, max=MOST_ATOMS),
    ] = 56,
    potential: Annotated[str | None, typer.Option(help="See `vitrion potentials list`.")] = None,
    protocol: Annotated[ProtocolChoice, typer.Option(help="Lengths of melt and quench.")] = ProtocolChoice.DEFAULT,
    melt_temperature: Annotated[float | None, typer.Option(help="In K; default: the protocol's.")] = None,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(help="The same seed gives the same cell.", min=0, max=LARGEST_SEED)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make an amorphous cell: random packing, equilibrium volume, melt, quench, gates.

    A rejected cell is stored too, with its gates (exit code 1).
    """
    formula, twin = read_compound(compound)

    # Jobs are slow to import: a wrong formula or file is refused before.
    from vitrion.cli.console.flow_running import run_flow  # noqa: PLC0415
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion.ingest.builder import build  # noqa: PLC0415
    from vitrion_workflows.amorphous import PROTOCOLS  # noqa: PLC0415
    from vitrion_workflows.execution.engines import usable_potential  # noqa: PLC0415
    from vitrion_workflows.flows import MeltQuenchMaker  # noqa: PLC0415
    from vitrion_workflows.schemas import StructureKind  # noqa: PLC0415
    from vitrion_workflows.structure.composition import cell_contents  # noqa: PLC0415

    numbers = PROTOCOLS[protocol.value]
    if melt_temperature is not None:
        if not numbers.quench_temperature_K < melt_temperature <= HOTTEST_MELT_K:
            raise InputError(f"--melt-temperature {melt_temperature:g} is out of range: give {MELT_RANGE}")
        numbers = numbers.model_copy(update={"melt_temperature_K": melt_temperature})
    elements = cell_contents(formula, n_atoms=atoms)
    name = usable_potential(potential, elements=elements, device=device)
    flow = MeltQuenchMaker(potential=name, protocol=numbers, device=device).make(
        formula, n_atoms=atoms, seed=seed, twin=twin
    )
    with connect() as db:
        documents = run_flow(flow, description=formula, quiet=as_json)
        if twin is not None:
            db.structures.add(twin, kind=StructureKind.CRYSTAL, source=compound)
        cell = db.structures.get(build(db, documents).require_all().structures[-1])
        where = db.where
    emit(cell, as_json=as_json, columns=COLUMNS)
    if not as_json:
        emit(list(cell.gates), as_json=False, columns=GATE_COLUMNS)
        note(f"stored in {where}")
    if not cell.accepted:
        raise typer.Exit(EXIT_REJECTED)


HOTTEST_MELT_K = 10000.0
MELT_RANGE = "more than the quench temperature (300 K) and at most 10000 K"


def read_compound(compound: str) -> "tuple[str, Structure | None]":
    """Return the formula of an argument, and its crystal if the argument is a file.

    Raises:
        InputError: a faulty file, a file with several structures, or a text that is not a formula.
    """
    path = Path(compound)
    if not path.exists() and file_format(path) is None and path.name == compound:
        element_amounts(compound)
        return compound, None
    format_of(path)
    from vitrion_workflows.formats.structures import read_structures  # noqa: PLC0415 - pymatgen is slow to import

    structures = read_structures(path)
    if len(structures) > 1:
        raise InputError(f"{path}: holds {len(structures)} structures: give a file with one crystal")
    return structures[0].composition.reduced_formula, structures[0]
