"""`vitrion label`: diffusivity of the cells in a file, by molecular dynamics."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitrion.cli.console.options import LARGEST_SEED, Device
from vitrion.cli.console.output import emit, label_row, note
from vitrion_models.errors import InputError, VitrionError
from vitrion_workflows.formats.opening import require_file

if TYPE_CHECKING:
    from jobflow import Flow
    from pymatgen.core.structure import Structure

    from vitrion.database import Database
    from vitrion.database.records import LabelRecord
    from vitrion_workflows.flows import DiffusivityMaker
    from vitrion_workflows.schemas import LabelProtocol

COLUMNS = (
    "key",
    "reduced_formula",
    "temperature_K",
    "state",
    "value",
    "interval_95",
    "unit",
    "equilibration_ps",
    "framework_state",
    "failed",
)

SHORTEST_PS, LONGEST_PS = 0.8, 1e6  # forty frames: up to twenty of equilibration, twenty analysed
LEAST_PS = 4.0  # measured in docs/design/stopping.md, as is the range of the targets
SMALLEST_TARGET, LARGEST_TARGET = 0.005, 1.0
ATOMS_OF_A_BATCH = 10_000  # on a GPU; a guess, not measured

Temperatures = Annotated[str, typer.Option("--temperature", "-t", help="In K; several with commas.")]


def command(
    file: Annotated[Path, typer.Argument(help="CIF, POSCAR, extended XYZ, ...: amorphous cells or crystals.")],
    *,
    temperature: Temperatures,
    potential: Annotated[str | None, typer.Option(help="See `vitrion potentials list`.")] = None,
    ps: Annotated[float | None, typer.Option(help="Length of each run; default 12 ps.")] = None,
    until: Annotated[
        float | None,
        typer.Option(help="Stop a run early, after 4 ps or more, at this standard error of log10 D in decades."),
    ] = None,
    species: Annotated[str, typer.Option(help="Mobile species.")] = "Li",
    device: Device = "auto",
    seed: Annotated[int, typer.Option(help="Seed of velocities and thermostat noise.", min=0, max=LARGEST_SEED)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Label each cell of a file at each temperature with a tracer diffusivity, its interval and its gates.

    Run the same command again to continue after an interruption; finished labels are not computed twice.
    """
    temperatures = parse_temperatures(temperature)
    _check_lengths(ps=ps, until=until)
    require_file(file)
    from vitrion_workflows.formats.structures import read_structures  # noqa: PLC0415 - `vitrion --help` does without

    structures = read_structures(file)

    # Jobs are slow to import: a faulty file is refused before.
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion.ingest.files import new_structures  # noqa: PLC0415
    from vitrion_workflows.execution.engines import force_field, usable_potential  # noqa: PLC0415
    from vitrion_workflows.flows import DiffusivityMaker  # noqa: PLC0415
    from vitrion_workflows.labelling.task import check_task  # noqa: PLC0415
    from vitrion_workflows.potentials.devices import CPU  # noqa: PLC0415
    from vitrion_workflows.schemas import describe_failures  # noqa: PLC0415

    for structure in structures:
        for each in temperatures:
            check_task(structure, species=species, temperature_K=each, seed=seed)
    elements = {element.symbol for structure in structures for element in structure.composition.elements}
    name = usable_potential(potential, elements=elements, device=device)
    maker = DiffusivityMaker(potential=name, protocol=_protocol(ps=ps, until=until), species=species, device=device)
    rows: list[LabelRecord] = []
    with connect() as db:
        db.structures.add_many(new_structures(structures, file))
        if force_field(name, device).device != CPU:
            _run_side_by_side(maker, structures, temperatures, seed=seed, quiet=as_json)
        # Each label is stored before the next run begins, so that a later failure loses none.
        for structure in structures:
            for each in temperatures:
                flow = maker.make(structure, temperature_K=each, seed=seed)
                title = f"{structure.composition.reduced_formula} {each:g} K"
                rows += _label(db, flow, title, quiet=as_json)
        where = db.where
    if as_json:
        emit(rows, as_json=True)
        return
    shown = [label_row(row.model_dump()) | {"failed": describe_failures(row.gates)} for row in rows]
    emit(shown, as_json=False, columns=COLUMNS)
    note(f"stored in {where}")


def _check_lengths(*, ps: float | None, until: float | None) -> None:
    if ps is not None and not SHORTEST_PS <= ps <= LONGEST_PS:
        raise InputError(f"--ps {ps:g} is out of range: give {SHORTEST_PS:g} to {LONGEST_PS:g} ps")
    if until is not None and not SMALLEST_TARGET <= until <= LARGEST_TARGET:
        raise InputError(f"--until {until:g} is out of range: give {SMALLEST_TARGET:g} to {LARGEST_TARGET:g} decades")
    if until is not None and ps is not None and ps < LEAST_PS:
        raise InputError(f"--until needs runs of {LEAST_PS:g} ps or more: give --ps {LEAST_PS:g} or more")


def _protocol(*, ps: float | None, until: float | None) -> "LabelProtocol":
    from vitrion_workflows.schemas import LabelProtocol  # noqa: PLC0415

    given = {"production_ps": ps, "target_log10_stderr": until, "least_ps": None if until is None else LEAST_PS}
    return LabelProtocol.model_validate({key: value for key, value in given.items() if value is not None})


def _run_side_by_side(
    maker: "DiffusivityMaker", structures: "list[Structure]", temperatures: list[float], *, seed: int, quiet: bool
) -> None:
    """Run all labels in batches, side by side on the device; their results wait in the scratch folder."""
    from vitrion.cli.console.flow_running import run_flow  # noqa: PLC0415

    batch: list[Structure] = []
    for index, structure in enumerate(structures):
        batch.append(structure)
        atoms = len(temperatures) * sum(map(len, batch))
        if atoms >= ATOMS_OF_A_BATCH or index == len(structures) - 1:
            flow = maker.make_batch(batch, temperatures_K=temperatures, seed=seed)
            with suppress(VitrionError):  # a cell that fails does so again alone, after the others were stored
                run_flow(flow, description=flow.name, quiet=quiet)
            batch = []


def _label(db: "Database", flow: "Flow", title: str, *, quiet: bool) -> list["LabelRecord"]:
    """Run one cell at one temperature, store its label and return it as stored."""
    from vitrion.cli.console.flow_running import run_flow  # noqa: PLC0415
    from vitrion.ingest.builder import build  # noqa: PLC0415

    report = build(db, run_flow(flow, description=title, quiet=quiet)).require_all()
    for reason in report.missing.values():
        note(f"the trajectory is not stored: {reason}")
    stored = db.labels.find(report.labels)
    return [stored[key] for key in report.labels]


def parse_temperatures(text: str) -> list[float]:
    """Return the temperatures in K of a list such as ``1000,1500``.

    Raises:
        InputError: a part of it is not a number; the range is checked with the task.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--temperature {text!r} is not a list of numbers: give for example 1000,1500") from None
