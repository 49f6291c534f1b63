"""`vitrion arrhenius`: activation energy, and diffusivity and conductivity at any temperature, from labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrion.cli import labels as labels_command
from vitrion.cli.console import options as choose
from vitrion.cli.console.figures import picture_format, save
from vitrion.cli.console.output import emit, note
from vitrion_models.errors import InputError
from vitrion_models.temperatures import parse_temperatures

if TYPE_CHECKING:
    from vitrion.answers.arrhenius import ArrheniusAnswer, Labels

ROOM_K = "300"
LINE_NODES = 60
COLUMNS = (
    "temperature_K",
    "log10_D",
    "interval_95",
    "conductivity_S_per_cm",
    "conductivity_95_S_per_cm",
    "extrapolated",
)
NAMES = ("reduced_formula", "formula", "structure", "kind", "species", "potential", "temperature", "gate_version")
FILTERS = {name: labels_command.FILTERS[name] for name in (*NAMES, "campaign", "dataset")}

Table = Annotated[
    Path | None, typer.Argument(help="Table (.csv, .jsonl, .parquet ...) instead of the database; columns above.")
]
At = Annotated[
    str, typer.Option("--at", help="Temperatures in K to predict: 300, 300,400 or 300:600:50 (start:stop:step).")
]
Charge = Annotated[str | None, typer.Option(help="Formal charge of the ions, such as Li=1: adds the conductivity.")]
IonDensity = Annotated[
    float | None, typer.Option("--ions-per-A3", help="Number density of the ions, if labels state no density.")
]
Stderr = Annotated[float | None, typer.Option(help="Standard error of log10 D, for labels that state none.")]
Plot = Annotated[Path | None, typer.Option(help="Draw the Arrhenius plot as .png, .svg or .pdf.")]


@choose.takes(FILTERS)
def command(
    file: Table = None,
    *,
    across: choose.Across = None,
    at: At = ROOM_K,
    charge: Charge = None,
    ions_per_A3: IonDensity = None,
    stderr: Stderr = None,
    plot: Plot = None,
    as_json: choose.Json = False,
    **typed: Any,
) -> None:
    """Fit log10 D0 and Ea to labels of one material, upper bounds included, and predict D and conductivity.

    Labels come from the database, chosen by filters, or from FILE, a table with the columns of `vitrion labels export`.
    Required: temperature_K, value, unit (cm2/s), convention (einstein_3d), species, reduced_formula, and log10_stderr
    or interval_95. Optional: state (published; censored for an upper bound), potential, weights_sha256, kind, dataset,
    protocol, density_g_cm3, gate_version. Labels that differ in material, potential or protocol are refused.
    Tables with other columns or units are stored by `vitrion ingest labels` first and chosen by --dataset.
    """
    temperatures_K = parse_temperatures(at)
    if plot is not None:
        picture_format(plot)
    labels, others = _labels(file, labels_command.filters_of(typed))
    from vitrion.answers.arrhenius import answer_arrhenius  # noqa: PLC0415 - scipy is slow to import

    given: dict[str, Any] = {"across": across or (), "stderr_decades": stderr, "other_gate_versions": others}
    with choose.mixtures_by_option():
        answer = answer_arrhenius(
            labels,
            temperatures_K=temperatures_K,
            charge=_charge(charge, labels[0].species),
            ions_per_A3=ions_per_A3,
            **given,
        )
    if plot is not None:
        _write_plot(plot, answer, labels, **given)
    _print(answer, as_json=as_json)


def _labels(file: Path | None, filters: dict[str, Any]) -> "tuple[Labels, dict[int, int]]":
    if file is not None and filters:
        raise InputError(f"give either {file} or filters of the database, not both ({', '.join(filters)})")
    if file is not None:
        from vitrion.exchange.label_table import read_label_table  # noqa: PLC0415 - only where a file is read

        return read_label_table(file), {}
    if not filters:
        raise InputError("no labels chosen: give a file, or filters such as --reduced-formula Li3PS4 --species Li")
    from vitrion.answers.arrhenius import select_labels  # noqa: PLC0415 - slow to import
    from vitrion.database import connect  # noqa: PLC0415

    with connect(readonly=True) as db:
        return select_labels(db, **filters)


def _charge(text: str | None, species: str) -> float | None:
    charges = {} if text is None else choose.charges(text)
    if charges.keys() - {species}:
        raise InputError(f"--charge {text}: the labels are of {species}; give its charge only")
    return charges.get(species)


def _write_plot(path: Path, answer: "ArrheniusAnswer", labels: "Labels", **given: Any) -> None:
    import numpy as np  # noqa: PLC0415 - only where something is drawn

    from vitrion.answers.arrhenius import answer_arrhenius, arrhenius_points  # noqa: PLC0415
    from vitrion.cli.console.arrhenius_figure import arrhenius_figure  # noqa: PLC0415 - matplotlib is slow to import

    points = arrhenius_points(labels, stderr_decades=given["stderr_decades"])
    ends = [point.temperature_K for point in points] + [node.temperature_K for node in answer.predictions]
    nodes = 1 / np.linspace(1 / max(ends), 1 / min(ends), LINE_NODES)
    line = answer_arrhenius(labels, temperatures_K=sorted({*nodes.tolist(), *answer.temperatures_K}), **given)
    save(arrhenius_figure(answer, line.predictions, labels, points), path)


def _print(answer: "ArrheniusAnswer", *, as_json: bool) -> None:
    from vitrion.database.queries.gate_versions import summarize_others  # noqa: PLC0415 - slow to import

    if answer.other_gate_versions:
        note(f"left out: {summarize_others(answer.other_gate_versions)}")
    if as_json:
        emit(answer, as_json=True)
        return
    emit(answer.model_dump(exclude={"predictions", "other_gate_versions"}), as_json=False)
    emit(answer.predictions, as_json=False, columns=COLUMNS)
    if answer.curved:
        note("the labels deviate from a straight line: do not extrapolate this fit")
    if any(prediction.extrapolated for prediction in answer.predictions):
        low, high = answer.temperatures_K
        note(f"predictions outside {low:g} to {high:g} K are extrapolated: their intervals assume a straight line")
