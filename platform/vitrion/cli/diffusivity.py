"""`vitrion diffusivity`: tracer diffusivity of an existing trajectory."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitrion.cli.console import options as choose
from vitrion.cli.console.figures import picture_format, save
from vitrion.cli.console.output import emit, note

if TYPE_CHECKING:
    from vitrion.answers.trajectory import TrajectorySummary
    from vitrion_workflows.labelling.analysis import TrajectoryAnalysis
    from vitrion_workflows.schemas import Measurement
    from vitrion_workflows.trajectories.trajectory import Trajectory
    from vitrion_workflows.transport.observables import Observables

GATE_COLUMNS = ("gate", "name", "passed", "value", "lower", "upper", "unit", "message")
SPECIES_COLUMNS = (
    "species",
    "count",
    "value",
    "interval_95",
    "principal",
    "isotropic_p",
    "haven_ratio",
    "haven_interval_95",
    "green_kubo",
    "alpha2_peak",
    "vibrations_centre_THz",
)
# Printed below the table of the summary, or in JSON only.
BELOW = {"gates", "remarks", "msd", "not_checked", "every_species", "framework", "charge"}


def command(
    trajectory: Annotated[
        list[Path],
        typer.Argument(
            help="XDATCAR, vasprun.xml, OUTCAR, LAMMPS dump, XYZ, ASE .traj, H5MD, DiffusionAnalyzer ...; parts of one "
            "run in their order."
        ),
    ],
    *,
    species: Annotated[str, typer.Option(help="Mobile species, for example Li.")],
    frame_interval_ps: Annotated[
        float | None, typer.Option(help="Time between frames, if the file does not state it.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", "-t", help="Set temperature in K; needed by the temperature gates.")
    ] = None,
    thermostat: Annotated[
        str | None,
        typer.Option(help="Thermostat of the run, if the file does not state it: langevin, nose-hoover or nve."),
    ] = None,
    friction_per_ps: Annotated[
        float | None, typer.Option(help="Langevin friction, or 1/tau of a Nose-Hoover chain, in 1/ps.")
    ] = None,
    file_format: choose.FileFormat = None,
    types: choose.Types = None,
    cell: choose.Cell = None,
    topology: choose.Topology = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Analyse every species: tensor, Haven ratio, vibrations, van Hove, framework.")
    ] = False,
    charge: Annotated[
        str | None, typer.Option(help="Formal charges, Li=1 or Li=1,Cl=-1: adds the conductivity; implies --all.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Plot the MSD, or all observables with --all, as .png, .svg or .pdf.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute the tracer diffusivity of a trajectory, D = lim MSD / 6t in cm2/s, with its interval and gates."""
    from vitrion.answers.trajectory import summarize_trajectory  # noqa: PLC0415 - slow to import
    from vitrion_workflows.formats.statements import parse_options  # noqa: PLC0415
    from vitrion_workflows.labelling.analysis import analyse_trajectory  # noqa: PLC0415
    from vitrion_workflows.trajectories.reading import read_trajectory, with_thermostat  # noqa: PLC0415

    charges = choose.charges(charge) if charge else None
    if plot is not None:
        picture_format(plot)
    run = read_trajectory(
        trajectory,
        frame_interval_ps=frame_interval_ps,
        file_format=file_format,
        options=parse_options(types, cell, topology),
    )
    if thermostat is not None or friction_per_ps is not None:
        run = with_thermostat(run, thermostat=thermostat or "", friction_per_ps=friction_per_ps)
    analysis = analyse_trajectory(run, species=species, temperature_K=temperature)
    observables = None
    if everything or charges:
        observables = _observe(run, analysis, charges=charges, temperature_K=temperature)
    if plot is not None:
        _write_plot(plot, analysis, observables, source=trajectory[0].name)
    summary = summarize_trajectory(
        analysis, source=run.source, temperature_K=temperature, observables=observables, remarks=run.remarks
    )
    for remark in run.remarks:
        note(f"note: {remark}")
    if as_json:
        emit(summary, as_json=True)
    else:
        _print(summary)


def _print(summary: "TrajectorySummary") -> None:
    emit(summary.model_dump(exclude=BELOW), as_json=False)
    numbers = [
        number.model_dump() | {"gate": gate.name, "passed": _passed(number)}
        for gate in summary.gates
        for number in gate.numbers
    ]
    emit(numbers, as_json=False, columns=GATE_COLUMNS)
    if summary.every_species is not None:
        emit(summary.every_species, as_json=False, columns=SPECIES_COLUMNS)
    if summary.charge is not None:
        emit(summary.charge, as_json=False)
    for name, reason in summary.not_checked.items():
        note(f"not checked: {name}: {reason}")
    note(summary.status)


def _passed(number: "Measurement") -> bool | None:
    """Return None, printed as ``-``, where a measurement without a value holds nothing against the run."""
    return None if number.passed and number.value is None else number.passed


def _observe(
    run: "Trajectory",
    analysis: "TrajectoryAnalysis",
    *,
    charges: dict[str, float] | None,
    temperature_K: float | None,
) -> "Observables":
    from vitrion_workflows.transport.observables import observe  # noqa: PLC0415 - scipy is slow

    return observe(
        run,
        mobile=analysis.species,
        discarded_frames=round(analysis.equilibration_ps / run.frame_interval_ps),
        charges=charges,
        temperature_K=run.set_temperature_K if temperature_K is None else temperature_K,
    )


def _write_plot(path: Path, analysis: "TrajectoryAnalysis", observables: "Observables | None", *, source: str) -> None:
    from vitrion.cli.console.trajectory_figures import msd_figure, observables_figure  # noqa: PLC0415

    if observables is None:
        save(msd_figure(analysis, source=source), path)
    else:
        save(observables_figure(analysis, observables, source=source), path)
