"""`vitrion label`: diffusivity of cells, by molecular dynamics."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from vitrion.cli.console import options as choose
from vitrion.cli.console.cells import choose_cells
from vitrion.cli.console.output import emit, label_row, note
from vitrion.cli.console.volumes import compare_volume, describe_comparison, run_volume
from vitrion.keys import short_key
from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.errors import InputError, VitrionError
from vitrion_models.temperatures import parse_temperatures

if TYPE_CHECKING:
    from pathlib import Path

    from jobflow import Flow
    from pymatgen.core.structure import Structure

    from vitrion.database import Database
    from vitrion.database.records import LabelRecord
    from vitrion_workflows.flows import DiffusivityMaker
    from vitrion_workflows.schemas import ForceCheckSettings, LabelProtocol, VolumeEstimates

    Run: TypeAlias = tuple[Structure, float, float | None]  # a cell, its temperature in K and its volume there

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
    "force_r2",
    "unexpected_bonds",
    "failed",
)

SHORTEST_PS, LONGEST_PS = 0.8, 1e6  # forty frames: up to twenty of equilibration, twenty analysed
LEAST_PS = 4.0  # measured in docs/design/stopping.md, as is the range of the targets
SMALLEST_TARGET, LARGEST_TARGET = 0.005, 1.0
ATOMS_OF_A_BATCH = 10_000  # on a GPU; a guess, not measured

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE|FINGERPRINT", help="Structure files, or fingerprints of stored cells; or use --from-database."
    ),
]
FromDatabase = Annotated[
    bool, typer.Option("--from-database", help="Label the stored cells that pass the filters of `structures list`.")
]


@choose.takes(choose.STRUCTURES)
def command(
    cells: Words = None,
    *,
    from_database: FromDatabase = False,
    temperature: choose.Temperatures,
    potential: Annotated[str | None, typer.Option(help="See `vitrion potentials list`.")] = None,
    ps: Annotated[float | None, typer.Option(help="Length of each run; default 12 ps.")] = None,
    frame_interval_ps: Annotated[
        float | None, typer.Option(help="Time between stored frames, a multiple of the 2 fs step; default 0.02 ps.")
    ] = None,
    until: Annotated[
        float | None,
        typer.Option(help="Stop a run early, after 4 ps or more, at this standard error of log10 D in decades."),
    ] = None,
    species: Annotated[str, typer.Option(help="Mobile species.")] = "Li",
    mass: choose.Masses = None,
    device: choose.Device = "auto",
    force_check: choose.ForceCheck = True,
    reference: choose.Reference = "auto",
    seed: Annotated[
        int, typer.Option(help="Seed of velocities and thermostat noise.", min=0, max=choose.LARGEST_SEED)
    ] = 0,
    keep_volume: Annotated[
        bool | None,
        typer.Option(
            "--keep-volume/--scale-volume",
            help="Run each cell at its own volume, or at the volume of the temperature. Default: own for files, that "
            "of the temperature for cells made by Vitrion.",
        ),
    ] = None,
    as_json: choose.Json = False,
    **typed: Any,
) -> None:
    """Label each cell at each temperature with a tracer diffusivity, its interval and its gates.

    The cells are those of files, or stored ones by fingerprint or by filters. Run the same command again to continue
    after an interruption; finished labels are not computed twice.
    """
    temperatures = parse_temperatures(temperature)
    _check_lengths(ps=ps, until=until)
    choice = choose_cells(cells or (), from_database=from_database, filters=choose.structure_filters(typed))
    masses = choose.masses(mass)
    files = choice.read_files()
    checked = choose.force_check_settings(force_check=force_check, reference=reference)

    # Slow to import: a faulty file is refused before.
    from vitrion.answers.corrected import corrected_labels, describe_correction  # noqa: PLC0415
    from vitrion.database import connect  # noqa: PLC0415
    from vitrion_workflows.labelling.requirements import check_task  # noqa: PLC0415
    from vitrion_workflows.potentials import default_potential  # noqa: PLC0415
    from vitrion_workflows.structure.element_masses import with_element_masses  # noqa: PLC0415

    files = [(file, [with_element_masses(structure, masses) for structure in content]) for file, content in files]
    structures = [structure for _, content in files for structure in content]
    parents: dict[str, Structure] = {}
    records: list[VolumeEstimates | None] = [None] * len(structures)
    if not files:
        with connect(readonly=True) as db:
            stored = choice.stored(db)
            records = [db.structures.get(name).volumes for name in stored]
        structures = [with_element_masses(structure, masses) for structure in stored.values()]
        parents = dict(zip(stored, structures, strict=True)) if masses else {}
    runs = [
        (structure, kelvin, run_volume(structure, record, kelvin, keep=keep_volume))
        for structure, record in zip(structures, records, strict=True)
        for kelvin in temperatures
    ]
    for structure, kelvin, _ in runs:
        check_task(structure, species=species, temperature_K=kelvin, seed=seed)
    name = default_potential()[0] if potential is None else potential
    request = LabelRequest(
        potential=name,
        protocol=_protocol(ps=ps, until=until, frame_interval_ps=frame_interval_ps),
        species=species,
        seed=seed,
        force_check=checked,
    )
    with connect() as db:
        db.structures.add_isotopes(parents)
        labels = request.finished(db, runs)
        if remaining := {index: run for index, run in enumerate(runs) if index not in labels}:
            labels |= _label(db, remaining, request, files, device=device, quiet=as_json)
        rows = [labels[index] for index in range(len(runs))]
        corrected = corrected_labels(db, rows)
        places = {row.key: db.artefacts.place(row.trajectory_sha256) for row in rows if row.trajectory_sha256}
        where = db.where
    compared = {
        row.key: compare_volume(structure, kelvin)
        for row, (structure, kelvin, volume) in zip(rows, runs, strict=True)
        if volume is None
    }
    if as_json:
        more = [{"corrected": corrected.get(row.key), "volume": compared.get(row.key)} for row in rows]
        emit([{**row.model_dump(), **each} for row, each in zip(rows, more, strict=True)], as_json=True)
        return
    from vitrion_workflows.schemas import StructureKind, describe_failures  # noqa: PLC0415

    shown = [label_row(row.model_dump()) | {"failed": describe_failures(row.gates)} for row in rows]
    emit(shown, as_json=False, columns=COLUMNS)
    for key, value in corrected.items():
        note(f"{short_key(key)}: {describe_correction(value)}")
    crystals = {row.key for row in rows if row.kind is StructureKind.CRYSTAL}
    for key, volumes in compared.items():
        note(f"{short_key(key)}: {describe_comparison(volumes, is_crystal=key in crystals)}")
    for key, place in places.items():
        note(f"trajectory of {short_key(key)}: {place}")
    if places:
        note("`vitrion labels trajectory KEY --to run.h5md` writes one to a file")
    note(f"stored in {where}")


@dataclass(frozen=True)
class LabelRequest:
    """Settings of labels, besides cell and temperature."""

    potential: str
    protocol: "LabelProtocol"
    species: str
    seed: int
    force_check: "ForceCheckSettings | None"

    def finished(self, db: "Database", runs: "Sequence[Run]") -> "dict[int, LabelRecord]":
        """Return the labels that the database holds under the current gates, by the index of their run.

        Neither the potential nor jobflow is loaded; empty where only the loaded potential knows its weights.
        """
        from vitrion_workflows.potentials import find  # noqa: PLC0415
        from vitrion_workflows.schemas import fingerprint, label_key, scaled_start  # noqa: PLC0415
        from vitrion_workflows.schemas.label import GATE_VERSION  # noqa: PLC0415

        weights = find(self.potential)[0].identity_without_loading()
        if weights is None:
            return {}
        names = {id(structure): fingerprint(structure) for structure, _, _ in runs}
        keys = [
            label_key(
                structure_fingerprint=names[id(structure)],
                species=self.species,
                temperature_K=kelvin,
                protocol=self.protocol,
                weights_sha256=weights,
                seed=self.seed,
                start=scaled_start(volume),
            )
            for structure, kelvin, volume in runs
        ]
        stored = db.labels.find(keys)
        return {
            index: stored[key]
            for index, key in enumerate(keys)
            if key in stored and stored[key].gate_version == GATE_VERSION
        }


def _label(
    db: "Database",
    runs: "Mapping[int, Run]",
    request: LabelRequest,
    files: "Sequence[tuple[Path, list[Structure]]]",
    *,
    device: str,
    quiet: bool,
) -> "dict[int, LabelRecord]":
    """Run each cell at each temperature, each label stored before the next run begins, and return them as stored."""
    from vitrion.ingest.files import new_structures  # noqa: PLC0415 - these are slow to import
    from vitrion_workflows.execution.engines import force_field, usable_potential  # noqa: PLC0415
    from vitrion_workflows.flows import DiffusivityMaker  # noqa: PLC0415
    from vitrion_workflows.potentials.devices import CPU  # noqa: PLC0415

    elements = {element.symbol for structure, _, _ in runs.values() for element in structure.composition.elements}
    name = usable_potential(request.potential, elements=elements, device=device)
    maker = DiffusivityMaker(
        potential=name,
        protocol=request.protocol,
        species=request.species,
        device=device,
        force_check=request.force_check,
    )
    for file, structures in files:
        db.structures.add_many(new_structures(structures, file))
    if force_field(name, device).device != CPU:
        _run_side_by_side(maker, list(runs.values()), seed=request.seed, quiet=quiet)
    labels = {}
    for index, (structure, kelvin, volume) in runs.items():
        flow = maker.make(structure, temperature_K=kelvin, seed=request.seed, volume_A3_per_atom=volume)
        labels[index] = _store(db, flow, f"{structure.composition.reduced_formula} {kelvin:g} K", quiet=quiet)
    return labels


def _check_lengths(*, ps: float | None, until: float | None) -> None:
    if ps is not None and not SHORTEST_PS <= ps <= LONGEST_PS:
        raise InputError(f"--ps {ps:g} is out of range: give {SHORTEST_PS:g} to {LONGEST_PS:g} ps")
    if until is not None and not SMALLEST_TARGET <= until <= LARGEST_TARGET:
        raise InputError(f"--until {until:g} is out of range: give {SMALLEST_TARGET:g} to {LARGEST_TARGET:g} decades")
    if until is not None and ps is not None and ps < LEAST_PS:
        raise InputError(f"--until needs runs of {LEAST_PS:g} ps or more: give --ps {LEAST_PS:g} or more")


def _protocol(*, ps: float | None, until: float | None, frame_interval_ps: float | None) -> "LabelProtocol":
    from vitrion_workflows.schemas import LabelProtocol  # noqa: PLC0415

    given = {
        "production_ps": ps,
        "target_log10_stderr": until,
        "least_ps": None if until is None else LEAST_PS,
        "frame_interval_fs": None if frame_interval_ps is None else round(frame_interval_ps * FEMTOSECONDS_PER_PS, 6),
    }
    return LabelProtocol.model_validate({key: value for key, value in given.items() if value is not None})


def _run_side_by_side(maker: "DiffusivityMaker", runs: "Sequence[Run]", *, seed: int, quiet: bool) -> None:
    """Run the labels in batches, side by side on the device; their results wait in the scratch folder."""
    from vitrion.cli.console.flow_running import run_flow  # noqa: PLC0415

    temperatures = sorted({kelvin for _, kelvin, _ in runs})
    structures = list({id(structure): structure for structure, _, _ in runs}.values())
    volumes = {(id(structure), kelvin): volume for structure, kelvin, volume in runs}
    batch: list[Structure] = []
    for index, structure in enumerate(structures):
        batch.append(structure)
        atoms = len(temperatures) * sum(map(len, batch))
        if atoms >= ATOMS_OF_A_BATCH or index == len(structures) - 1:
            at_each = [[volumes.get((id(structure), kelvin)) for kelvin in temperatures] for structure in batch]
            flow = maker.make_batch(batch, temperatures_K=temperatures, seed=seed, volumes_A3_per_atom=at_each)
            with suppress(VitrionError):  # a cell that fails does so again alone, after the others were stored
                run_flow(flow, description=flow.name, quiet=quiet)
            batch = []


def _store(db: "Database", flow: "Flow", title: str, *, quiet: bool) -> "LabelRecord":
    """Run one cell at one temperature, store its label and return it as stored."""
    from vitrion.cli.console.flow_running import run_flow  # noqa: PLC0415
    from vitrion.ingest.builder import build  # noqa: PLC0415

    report = build(db, run_flow(flow, description=title, quiet=quiet)).require_all()
    for reason in report.missing.values():
        note(f"the trajectory is not stored: {reason}")
    (key,) = report.labels
    return db.labels.find([key])[key]
