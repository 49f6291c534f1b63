"""`vitrion diffusivity`: what a trajectory that exists already says about D."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrion.cli.console import options as choose
from vitrion.cli.console.figures import picture_format
from vitrion.cli.console.output import emit, note
from vitrion.cli.transport_rows import SPECIES_COLUMNS, charge_row, curves, draw, framework_row, species_row
from vitrion.exchange.result_files import write_result

if TYPE_CHECKING:
    from vitrion_workflows.labelling.analysis import TrajectoryAnalysis
    from vitrion_workflows.trajectories.trajectory import Trajectory
    from vitrion_workflows.transport.observables import Observables

CENSORED = "censored"
PAGES = frozenset({".html", ".htm"})
GATE_COLUMNS = ("name", "passed", "value", "lower", "upper", "unit", "message")


def command(
    trajectory: Annotated[
        Path, typer.Argument(help="XDATCAR(.gz), LAMMPS dump, extended XYZ, ASE .traj, H5MD, DiffusionAnalyzer.")
    ],
    *,
    species: Annotated[str, typer.Option(help="Mobile species, for example Li.")],
    frame_interval_ps: Annotated[
        float | None, typer.Option(help="Time between frames, where the file does not hold it.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", "-t", help="Set temperature in K; lets more gates judge.")
    ] = None,
    thermostat: Annotated[
        str | None,
        typer.Option(help="Of the run, where the file does not hold it: langevin, nose-hoover or nve."),
    ] = None,
    friction_per_ps: Annotated[
        float | None, typer.Option(help="Langevin friction, or 1/tau of a Nose-Hoover chain, in 1/ps.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every species, tensor, Haven ratio, vibrations, van Hove, framework.")
    ] = False,
    charge: Annotated[
        str | None, typer.Option(help="Formal charges, Li=1 or Li=1,Cl=-1: gives the conductivity; implies --all.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Write the MSD to this .html, or all that --all finds to this .png or .svg.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tracer diffusivity of a trajectory, D = lim MSD / 6t in cm2/s, with its interval and gates."""
    from vitrion_workflows.labelling.analysis import analyse_trajectory  # noqa: PLC0415 - scipy is slow
    from vitrion_workflows.trajectories.reading import read_trajectory, with_thermostat  # noqa: PLC0415

    charges = choose.charges(charge) if charge else None
    page = plot is not None and plot.suffix.lower() in PAGES
    if plot is not None and not page:
        picture_format(plot)
    read = read_trajectory(trajectory, frame_interval_ps=frame_interval_ps)
    if thermostat is not None or friction_per_ps is not None:
        read = with_thermostat(read, thermostat=thermostat or "", friction_per_ps=friction_per_ps)
    found = analyse_trajectory(read, species=species, temperature_K=temperature)
    row = summary(found, source=str(trajectory), temperature_K=temperature)
    seen = None
    if everything or charges or (plot is not None and not page):
        seen = _observed(read, found, charges=charges, temperature_K=temperature)
    if plot is not None:
        title = f"{found.species} in {trajectory.name}"
        if page:
            write_plot(plot, found, title=title)
        elif seen is not None:
            draw(plot, seen, mobile=found.species, title=title)
    if as_json:
        emit(row | (sections(seen, read.frame_interval_ps) if seen else {}), as_json=True)
        return
    _print(row, found, seen)


def _print(row: dict[str, Any], found: "TrajectoryAnalysis", seen: "Observables | None") -> None:
    emit({key: value for key, value in row.items() if key not in {"gates", "msd", "not_checked"}}, as_json=False)
    emit(row["gates"], as_json=False, columns=GATE_COLUMNS)
    if seen is not None:
        emit([species_row(one) for one in seen.species], as_json=False, columns=SPECIES_COLUMNS)
        if seen.charge is not None:
            emit(charge_row(seen.charge), as_json=False)
    for reason in found.not_checked:
        note(f"not checked: {reason}")
    note(row["verdict"])


def _observed(
    read: "Trajectory",
    found: "TrajectoryAnalysis",
    *,
    charges: dict[str, float] | None,
    temperature_K: float | None,
) -> "Observables":
    from vitrion_workflows.transport.observables import observe  # noqa: PLC0415 - scipy is slow

    return observe(
        read,
        mobile=found.species,
        discarded_frames=round(found.equilibration_ps / read.frame_interval_ps),
        charges=charges,
        temperature_K=read.set_temperature_K if temperature_K is None else temperature_K,
    )


def sections(seen: "Observables", frame_interval_ps: float) -> dict[str, Any]:
    """What `--all` adds to the JSON: `every_species`, `framework` and, where charges were stated, `charge`.

    Args:
        seen: all of it.
        frame_interval_ps: of the trajectory.
    """
    return {
        "every_species": [species_row(one) | curves(one) for one in seen.species],
        "framework": framework_row(seen, frame_interval_ps=frame_interval_ps),
        "charge": charge_row(seen.charge) if seen.charge else None,
    }


def summary(found: "TrajectoryAnalysis", *, source: str, temperature_K: float | None) -> dict[str, Any]:
    """One analysis under the field names of a label.

    Args:
        found: the analysis.
        source: file it came from.
        temperature_K: set temperature, if stated.
    """
    estimate = found.estimate
    # An interval around the estimate would not belong to a bound.
    bound = found.judged.value == CENSORED
    return {
        "trajectory": source,
        "species": found.species,
        "temperature_K": temperature_K,
        "state": found.state.value,
        "verdict": found.verdict,
        "value": found.value_cm2_per_s,
        "unit": "cm2/s",
        "convention": "einstein_3d",
        "interval_68": None if bound else estimate.interval_68,
        "interval_95": None if bound else estimate.interval_95,
        "log10_stderr": None if bound else estimate.log10_stderr,
        "n_eff": estimate.n_eff,
        "exponent": estimate.exponent,
        "exponent_stderr": estimate.exponent_stderr,
        "fit_window_ps": estimate.fit_window_ps,
        "frame_interval_ps": estimate.frame_interval_ps,
        "equilibration_ps": found.equilibration_ps,
        "production_ps": found.production_ps,
        "haven_ratio": found.haven.ratio if found.haven else None,
        "framework_state": found.framework.state,
        "drift_A": found.drift_A,
        "mean_temperature_K": found.mean_temperature_K,
        "not_checked": list(found.not_checked),
        "gates": list(found.gates),
        "msd": estimate.msd,
    }


def write_plot(path: Path, found: "TrajectoryAnalysis", *, title: str) -> None:
    """Mean squared displacement with its 95 % band, the fitted line and its window, as one HTML page, whole or not.

    Args:
        path: file to write; it needs no network to be looked at.
        found: the analysis.
        title: heading.

    Raises:
        InputError: the file cannot be written.
    """
    import plotly.graph_objects as go  # noqa: PLC0415 - slow to import

    estimate = found.estimate
    first, last = estimate.fit_window_ps
    slope = estimate.fit.slope_A2 / estimate.frame_interval_ps
    figure = go.Figure(
        [
            go.Scatter(
                x=estimate.msd.lag_ps,
                y=estimate.msd.msd_A2,
                error_y={"type": "data", "array": [1.96 * error for error in estimate.msd.stderr_A2]},
                mode="markers",
                name="MSD, 95 %",
            ),
            go.Scatter(
                x=[first, last],
                y=[estimate.intercept_A2 + slope * lag for lag in (first, last)],
                mode="lines",
                name=f"6 D t + c, D = {estimate.value_cm2_per_s:.3g} cm2/s",
            ),
        ],
        layout={"title": title, "xaxis_title": "lag time (ps)", "yaxis_title": "MSD (\u00c5\u00b2)"},
    )
    write_result(path, figure.to_html(include_plotlyjs=True))
