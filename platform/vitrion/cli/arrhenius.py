"""`vitrion arrhenius`: activation energy, and diffusivity and conductivity at temperatures nobody ran."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrion.cli.arrhenius_files import from_file
from vitrion.cli.arrhenius_points import Material, from_labels
from vitrion.cli.console import options as choose
from vitrion.cli.console.figures import new_figure, picture_format, save
from vitrion.cli.console.output import emit, note
from vitrion.cli.labels import PotentialOption, SpeciesOption, StructureOption, TemperatureOption
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vitrion_workflows.arrhenius.fit import ArrheniusFit, ArrheniusPoint

ROOM_K = 300.0
# Labels and published values do not mix: they differ in `source`.
FITTED = ("accepted", "censored", "published")
CURVE_NODES = 60
PREDICTION_COLUMNS = (
    "temperature_K",
    "log10_D",
    "interval_95",
    "conductivity_S_per_cm",
    "conductivity_95_S_per_cm",
    "extrapolated",
)
# What the table of a fit does not show: it comes below, or in a line of its own where there is something to tell.
_TOLD_APART = frozenset({"predictions", "other_gate_versions"})

FILTERS: dict[str, Any] = {
    "reduced_formula": choose.ReducedFormula,
    "formula": choose.Formula,
    "structure": StructureOption,
    "kind": choose.Kind,
    "species": SpeciesOption,
    "potential": PotentialOption,
    "temperature": TemperatureOption,
    "gate_version": choose.GateVersion,
    "campaign": choose.Campaign,
    "dataset": choose.Dataset,
}

Table = Annotated[Path | None, typer.Argument(help="CSV or JSON of temperature_K, log10_D, log10_stderr[, censored].")]
Across = Annotated[
    choose.Texts, typer.Option("--across", help="What labels of one line may differ in (potential ...); repeatable.")
]
OneSource = Annotated[
    bool,
    typer.Option(
        "--one-source",
        help="Vouch for what a file does not say: all its rows are of one potential, protocol and start, D is "
        "the Einstein value in cm2/s.",
    ),
]
At = Annotated[
    list[float] | None, typer.Option("--at", help="Temperature in K to predict; may be repeated; 300 when none.")
]
Charge = Annotated[str | None, typer.Option(help="Formal charge of the ions, Li=1: gives the conductivity.")]
IonDensity = Annotated[
    float | None, typer.Option("--ions-per-A3", help="Number density of the ions, where labels do not tell it.")
]
StatedStderr = Annotated[
    float | None, typer.Option(help="Standard error of log10 D in decades, for labels that state none.")
]
PlotFile = Annotated[Path | None, typer.Option(help="Write the Arrhenius plot to this .png or .svg.")]


@choose.takes(FILTERS)
def command(
    file: Table = None,
    *,
    across: Across = None,
    one_source: OneSource = False,
    at: At = None,
    charge: Charge = None,
    ions_per_A3: IonDensity = None,
    stderr: StatedStderr = None,
    plot: PlotFile = None,
    as_json: choose.Json = False,
    **typed: Any,
) -> None:
    """Fit log10 D0 and Ea to labels of one material, upper bounds included, and predict D and conductivity."""
    filters = _filters(typed)
    temperatures_K = at or [ROOM_K]
    if plot is not None:
        picture_format(plot)
    points, material = _points(file, filters, across or [], stderr, one_source=one_source)
    ions = _squared_charges(charge, ions_per_A3, material)
    fit = _fitted(points, material)
    content = summary(fit, material=material, temperatures_K=temperatures_K, squared_charges_per_A3=ions)
    content |= {"gate_version": material.gate_version, "other_gate_versions": material.left_out}
    if plot is not None:
        # A picture is shown without the lines that stand beside it here.
        version = f", labels of gate version {material.gate_version}" if material.other_gate_versions else ""
        write_plot(plot, fit, points, title=material.name + version, temperatures_K=temperatures_K)
    if line := _left_out(material):
        note(line)
    if as_json:
        emit(content, as_json=True)
        return
    _print(content, fit)
    if material.vouched_for:
        note(f"taken on your word to be one in all rows: {', '.join(material.vouched_for)}")


def _fitted(points: list["ArrheniusPoint"], material: Material) -> "ArrheniusFit":
    from vitrion_workflows.arrhenius.fit import fit_arrhenius  # noqa: PLC0415 - scipy is slow

    try:
        return fit_arrhenius(points)
    except InputError as fault:
        if line := _left_out(material):
            raise InputError(f"{fault}; {line}") from fault
        raise


def _left_out(material: Material) -> str:
    from vitrion.database.queries.gate_versions import summarize_others  # noqa: PLC0415 - the database is slow to import

    return f"left out: {summarize_others(material.left_out)}" if material.left_out else ""


def _filters(typed: dict[str, Any]) -> dict[str, Any]:
    same = ("reduced_formula", "formula", "kind", "species", "potential", "campaign", "dataset")
    return choose.given(
        **{name: typed[name] for name in same},
        structure_fingerprint=typed["structure"],
        gate_version=choose.gate_version(typed["gate_version"]),
        temperature=choose.interval(typed["temperature"], option="--temperature"),
    )


def _points(
    file: Path | None, filters: dict[str, Any], across: list[str], stderr: float | None, *, one_source: bool
) -> tuple[list["ArrheniusPoint"], Material]:
    if file is None:
        if one_source:
            raise InputError("--one-source is for files: labels of the database say what they are (see --across)")
        return _from_database(filters, across, stderr)
    if filters:
        raise InputError(f"give either {file} or filters of the database, not both ({', '.join(filters)})")
    return from_file(file, stated_stderr=stderr, across=across, one_source=one_source)


def _print(content: dict[str, Any], fit: "ArrheniusFit") -> None:
    emit({key: value for key, value in content.items() if key not in _TOLD_APART}, as_json=False)
    emit(content["predictions"], as_json=False, columns=PREDICTION_COLUMNS)
    if fit.curvature is not None and fit.curvature.curved:
        note("the labels bend: a straight line is no law for them, and least of all outside their range")
    if any(row["extrapolated"] for row in content["predictions"]):
        low, high = fit.temperatures_K
        note(f"predictions outside {low:g} to {high:g} K are extrapolated: the intervals trust the straight line")


def summary(
    fit: "ArrheniusFit", *, material: Material, temperatures_K: list[float], squared_charges_per_A3: float | None
) -> dict[str, Any]:
    """A fit and its predictions, as printed.

    Args:
        fit: the posterior.
        material: what was fitted.
        temperatures_K: to predict at.
        squared_charges_per_A3: for the conductivity; left out when None.
    """
    curvature = fit.curvature
    return {
        "material": material.name,
        "species": material.species,
        "potential": material.potential,
        "vouched_for": material.vouched_for,
        "log10_D0": fit.log10_D0,
        "log10_D0_stderr": fit.log10_D0_stderr,
        "Ea_eV": fit.Ea_eV,
        "Ea_stderr_eV": fit.Ea_stderr_eV,
        "Ea_95_eV": fit.Ea_95_eV,
        "scatter_decades": fit.scatter_decades,
        "bend_decades": curvature.bend_decades if curvature else None,
        "bend_stderr_decades": curvature.stderr_decades if curvature else None,
        "curved": curvature.curved if curvature else None,
        "measured": fit.measured,
        "censored": fit.censored,
        "temperatures_K": fit.temperatures_K,
        "predictions": [_prediction(fit, one, squared_charges_per_A3) for one in temperatures_K],
    }


def _prediction(fit: "ArrheniusFit", temperature_K: float, squared_charges_per_A3: float | None) -> dict[str, Any]:
    found = fit.predict(temperature_K)
    row: dict[str, Any] = {
        "temperature_K": temperature_K,
        "log10_D": found.log10_D,
        "log10_stderr": found.log10_stderr,
        "interval_68": found.interval_68,
        "interval_95": found.interval_95,
        "line_95": found.line_95,
        "extrapolated": found.extrapolated,
    }
    if squared_charges_per_A3 is None:
        return row
    conductivity = fit.predict_conductivity(temperature_K, squared_charges_per_A3=squared_charges_per_A3)
    return row | {
        "conductivity_S_per_cm": conductivity.value_S_per_cm,
        "conductivity_68_S_per_cm": conductivity.interval_68,
        "conductivity_95_S_per_cm": conductivity.interval_95,
    }


def _from_database(
    filters: dict[str, Any], across: list[str], stderr: float | None
) -> tuple[list["ArrheniusPoint"], Material]:
    from vitrion.database import connect  # noqa: PLC0415 - slow to import
    from vitrion.database.queries.gate_versions import summarize_others  # noqa: PLC0415 - slow to import

    if not filters:
        raise InputError("say what to fit: a file, or filters such as --reduced-formula Li3PS4 --species Li")
    asked = {"property": "tracer_diffusivity", "state": FITTED, **filters}
    with connect(readonly=True) as db:
        rows = list(db.labels.search(**asked))
        others = {} if "gate_version" in filters else db.labels.count_other_versions(**asked)
    if not rows and others:
        raise InputError(f"no label of the current gate version to fit: {summarize_others(others)}")
    if not rows:
        raise InputError("no tracer diffusivity that was not rejected passes these filters: see vitrion labels list")
    return from_labels(rows, across=across, stated_stderr=stderr, left_out=others)


def _squared_charges(charge: str | None, ions_per_A3: float | None, material: Material) -> float | None:
    if charge is None:
        if ions_per_A3 is not None:
            raise InputError("--ions-per-A3 needs the charge of the ions too: add --charge Li=1")
        return None
    stated = choose.charges(charge)
    (symbol, value), *more = stated.items()
    if more or (material.species is not None and symbol != material.species):
        raise InputError(
            f"--charge {charge}: the line is of {material.species or 'one species'}: state its charge only"
        )
    density = ions_per_A3 if ions_per_A3 is not None else material.ions_per_A3
    if density is None:
        raise InputError("the labels do not say how dense the ions are: state --ions-per-A3")
    return value**2 * density


def write_plot(
    path: Path,
    fit: "ArrheniusFit",
    points: list["ArrheniusPoint"],
    *,
    title: str,
    temperatures_K: list[float],
) -> None:
    """Arrhenius plot: labels with their errors, the line, and the predictive 95 % band, dashed where extrapolated.

    Args:
        path: .png or .svg.
        fit: the posterior.
        points: the labels.
        title: heading.
        temperatures_K: predictions to show.

    Raises:
        InputError: the file cannot be written.
    """
    figure = new_figure(width_in=6.4, height_in=4.8)
    axes = figure.add_subplot()
    _draw_line(axes, fit, between_K=[*temperatures_K, *(point.temperature_K for point in points)])
    _draw_labels(axes, points)
    axes.set_xlabel("1000 / T (1/K)")
    axes.set_ylabel("log10 D (cm²/s)")
    axes.set_title(title)
    axes.legend(frameon=False)
    save(figure, path)


def _draw_line(axes: "Axes", fit: "ArrheniusFit", *, between_K: list[float]) -> None:
    """The line and its predictive band over a range of temperatures, whole inside that of the labels."""
    import numpy as np  # noqa: PLC0415 - only where something is drawn

    inverse = np.linspace(1000 / max(between_K), 1000 / min(between_K), CURVE_NODES)
    inverse = np.unique(np.append(inverse, [1000 / edge for edge in fit.temperatures_K]))
    found = [fit.predict(1000 / x) for x in inverse.tolist()]
    centre = np.array([one.log10_D for one in found])
    inside = np.array([not one.extrapolated for one in found])
    band = [[one.interval_95[side] for one in found] for side in (0, 1)]
    axes.fill_between(inverse, band[0], band[1], color="tab:blue", alpha=0.15, linewidth=0, label="95 % predictive")
    axes.plot(inverse, centre, "--", color="tab:blue", linewidth=1, label="extrapolated")
    axes.plot(
        inverse[inside], centre[inside], color="tab:blue", label=f"Ea = {fit.Ea_eV:.3f} ± {fit.Ea_stderr_eV:.3f} eV"
    )


def _draw_labels(axes: "Axes", points: list["ArrheniusPoint"]) -> None:
    measured = [point for point in points if not point.censored]
    bounds = [point for point in points if point.censored]
    axes.errorbar(
        [1000 / point.temperature_K for point in measured],
        [point.log10_D for point in measured],
        yerr=[1.96 * point.log10_stderr for point in measured],
        fmt="o",
        color="black",
        markersize=4,
        capsize=2,
        label="labels, 95 %",
    )
    if bounds:
        axes.plot(
            [1000 / point.temperature_K for point in bounds],
            [point.log10_D for point in bounds],
            "v",
            color="tab:red",
            label="upper bounds",
        )
