"""`vitrion amorphize`: make amorphous cells by melt-quench and store them with their gates."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitrion.cli.console.cells import read_cells
from vitrion.cli.console.options import (
    LARGEST_SEED,
    MOST_ATOMS,
    MOST_CELLS,
    Device,
    ForceCheck,
    Json,
    Reference,
    force_check_settings,
)
from vitrion.cli.console.output import emit, note
from vitrion.cli.console.volumes import describe_volumes, volume_rule
from vitrion_models.constants import HOTTEST_K
from vitrion_models.errors import InputError
from vitrion_workflows.formats.registry import file_format
from vitrion_workflows.structure.formula import element_amounts

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

    from vitrion.database import Database, StructureRecord
    from vitrion_workflows.flows import MeltQuenchMaker
    from vitrion_workflows.schemas import CellProtocol
    from vitrion_workflows.schemas.volume import VolumeEstimates, VolumeRule

VOLUME_COLUMNS = ("source", "detail", "temperature_K", "volume_A3_per_atom", "expected_A3_per_atom", "ln_stderr")
COLUMNS = (
    "formula",
    "fingerprint",
    "accepted",
    "kind",
    "density_g_cm3",
    "energy_eV_per_atom",
    "pressure_GPa",
    "unexpected_bonds",
)
GATE_COLUMNS = ("name", "passed", "value", "lower", "upper", "unit", "message")
EXIT_REJECTED = 1


class ProtocolChoice(StrEnum):
    """Melt-quench protocols by name."""

    QUICKSTART = "quickstart"
    DEFAULT = "default"


def command(
    compound: Annotated[str, typer.Argument(metavar="FORMULA|FILE", help="Li3PS4, or a file with its crystal.")],
    *,
    count: Annotated[
        int, typer.Option("--count", "-n", help="Cells to make, of consecutive seeds.", min=1, max=MOST_CELLS)
    ] = 1,
    atoms: Annotated[
        int,
        typer.Option(help="Approximate number of atoms; the cell holds complete formula units.", min=8, max=MOST_ATOMS),
    ] = 56,
    potential: Annotated[str | None, typer.Option(help="See `vitrion potentials list`.")] = None,
    protocol: Annotated[ProtocolChoice, typer.Option(help="Lengths of melt and quench.")] = ProtocolChoice.DEFAULT,
    melt_temperature: Annotated[float | None, typer.Option(help="In K; default: the protocol's.")] = None,
    volume: Annotated[
        str, typer.Option(help="rule, zero-pressure, reference, twin or measured, or a number in A3 per atom.")
    ] = "rule",
    device: Device = "auto",
    force_check: ForceCheck = True,
    reference: Reference = "auto",
    seed: Annotated[
        int, typer.Option(help="The same seed gives the same cell.", min=0, max=LARGEST_SEED - MOST_CELLS)
    ] = 0,
    as_json: Json = False,
) -> None:
    """Make amorphous cells: random packing, volume of the melt, melt, quench to the volume of the glass, gates.

    Each cell is stored when it is made, a rejected one too, with its gates; run the same command again to continue
    after an interruption, and cells that are stored are not made again.

    Exit code 0: every cell was accepted; 1: one was rejected, or one of several could not be made; 2: none was made.
    """
    formula, twin = read_compound(compound)
    chosen_volume = volume_rule(volume)

    # Slow to import: a wrong formula or file is refused before.
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion_workflows.execution.engines import usable_potential  # noqa: PLC0415
    from vitrion_workflows.flows import MeltQuenchMaker  # noqa: PLC0415
    from vitrion_workflows.structure.composition import cell_contents  # noqa: PLC0415

    numbers = _protocol(protocol, melt_temperature)
    elements = cell_contents(formula, n_atoms=atoms)
    checked = force_check_settings(force_check=force_check, reference=reference)
    name = usable_potential(potential, elements=elements, device=device)
    request = CellRequest(
        MeltQuenchMaker(potential=name, protocol=numbers, volume=chosen_volume, device=device, force_check=checked),
        formula,
        n_atoms=atoms,
        twin=twin,
    )
    with connect() as db:
        cells, failures = _make(db, request, range(seed, seed + count), source=compound, quiet=as_json)
        where = db.where
    _print(cells, single=count == 1, as_json=as_json)
    for line in failures:
        note(line)
    if not as_json:
        note(f"stored in {where}")
    if failures or not all(cell.accepted for cell in cells):
        raise typer.Exit(EXIT_REJECTED)


@dataclass(frozen=True)
class CellRequest:
    """Cells of one compound, which differ by their seeds."""

    maker: "MeltQuenchMaker"
    formula: str
    n_atoms: int
    twin: "Structure | None"

    def stored(self, db: "Database") -> "dict[int, StructureRecord]":
        """Return the cells that the database holds of this request, by seed."""
        from vitrion_workflows.execution.engines import force_field  # noqa: PLC0415
        from vitrion_workflows.schemas import Origin, fingerprint  # noqa: PLC0415
        from vitrion_workflows.schemas.isotopes import formulas, isotope_symbol  # noqa: PLC0415
        from vitrion_workflows.structure.composition import cell_contents  # noqa: PLC0415
        from vitrion_workflows.structure.element_masses import compound_masses  # noqa: PLC0415

        contents: dict[str, float] = dict(cell_contents(self.formula, n_atoms=self.n_atoms))
        for element, mass_u in compound_masses(self.formula, self.twin).items():
            contents[isotope_symbol(element, mass_u)] = contents.pop(element)
        formula, _ = formulas(contents)
        weights = force_field(self.maker.potential, self.maker.device).weights_sha256
        parent = None if self.twin is None else fingerprint(self.twin)
        return {
            row.seed: row
            for row in db.structures.search(formula=formula, origin=Origin.MELT_QUENCH)
            if row.seed is not None
            and row.method is not None
            and (row.protocol, row.method.weights_sha256, row.parent) == (self.maker.protocol, weights, parent)
            and _made_by(row.volumes, self.maker.volume)
        }


def _made_by(volumes: "VolumeEstimates | None", rule: "VolumeRule") -> bool:
    """Return whether a cell has its volume by a rule."""
    from vitrion_workflows.schemas.volume import GIVEN  # noqa: PLC0415 - slow to import

    if volumes is None:
        return False
    return volumes.rule == rule or (volumes.rule == GIVEN and volumes.volume_A3_per_atom == rule)


def _make(
    db: "Database", request: CellRequest, seeds: Sequence[int], *, source: str, quiet: bool
) -> "tuple[list[StructureRecord], list[str]]":
    """Return the cells of the seeds, each stored when it is made, and one line for each that could not be made.

    Raises:
        VitrionError: no cell could be made, or there is a fault that would meet the next one, too.
    """
    from vitrion.cli.console.flow_running import run_flow  # noqa: PLC0415
    from vitrion.ingest.builder import build  # noqa: PLC0415
    from vitrion_workflows.amorphous import VolumeSearchFailed  # noqa: PLC0415
    from vitrion_workflows.dynamics.errors import DynamicsError  # noqa: PLC0415
    from vitrion_workflows.schemas import StructureKind  # noqa: PLC0415

    stored = request.stored(db)
    cells: list[StructureRecord] = []
    failures: list[str] = []
    for seed in seeds:
        if seed in stored:
            cells.append(stored[seed])
            continue
        flow = request.maker.make(request.formula, n_atoms=request.n_atoms, seed=seed, twin=request.twin)
        title = request.formula if len(seeds) == 1 else f"{request.formula}, seed {seed}"
        try:
            documents = run_flow(flow, description=title, quiet=quiet)
        except (VolumeSearchFailed, DynamicsError) as failure:
            if len(failures) == len(seeds) - 1:
                raise
            failures.append(f"seed {seed}: {failure}")
            continue
        if request.twin is not None:
            db.structures.add(request.twin, kind=StructureKind.CRYSTAL, source=source)
        cells.append(db.structures.get(build(db, documents).require_all().structures[-1]))
    return cells, failures


def _protocol(choice: ProtocolChoice, melt_temperature_K: float | None) -> "CellProtocol":
    from vitrion_workflows.amorphous import PROTOCOLS  # noqa: PLC0415

    numbers = PROTOCOLS[choice.value]
    if melt_temperature_K is None:
        return numbers
    coldest = numbers.quench_temperature_K
    if not coldest < melt_temperature_K <= HOTTEST_K:
        raise InputError(
            f"--melt-temperature {melt_temperature_K:g} is out of range: give more than the quench temperature "
            f"({coldest:g} K) and at most {HOTTEST_K:g} K"
        )
    return numbers.model_copy(update={"melt_temperature_K": melt_temperature_K})


def _print(cells: "Sequence[StructureRecord]", *, single: bool, as_json: bool) -> None:
    """Print one cell with its gates, or a row for each of several."""
    if single:
        emit(cells[0], as_json=as_json, columns=COLUMNS)
        if not as_json:
            emit(list(cells[0].gates), as_json=False, columns=GATE_COLUMNS)
            _print_volumes(cells[0].volumes)
        return
    from vitrion_workflows.schemas import failed_gates  # noqa: PLC0415

    rows = cells if as_json else [{**vars(cell), "failed": failed_gates(cell.gates)} for cell in cells]
    emit(rows, as_json=as_json, columns=("seed", *COLUMNS, "failed"))


def _print_volumes(volumes: "VolumeEstimates | None") -> None:
    """Print the estimates of a cell's volume, and where they disagree."""
    if volumes is None:
        return
    emit(list(volumes.estimates), as_json=False, columns=VOLUME_COLUMNS)
    note(describe_volumes(volumes))


def read_compound(compound: str) -> "tuple[str, Structure | None]":
    """Return the formula of an argument, and its crystal if the argument is a file.

    Raises:
        InputError: a faulty file, a file with several structures, or a text that is not a formula.
    """
    path = Path(compound)
    if not path.exists() and file_format(path) is None and path.name == compound:
        element_amounts(compound)
        return compound, None
    structures = read_cells(path)
    if len(structures) > 1:
        raise InputError(f"{path}: holds {len(structures)} structures: give a file with one crystal")
    return structures[0].composition.reduced_formula, structures[0]
