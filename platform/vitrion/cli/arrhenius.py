"""`vitrion arrhenius`: activation energy, and diffusivity and conductivity at any temperature, from labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrion.cli.console import options as choose
from vitrion.cli.console.figures import picture_format, save
from vitrion.cli.console.output import emit, note
from vitrion.cli.labels import PotentialOption, SpeciesOption, StructureOption, TemperatureOption
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from vitrion.answers.arrhenius import ArrheniusAnswer, Label

ROOM_K = 300.0
PREDICTION_COLUMNS = (
    "temperature_K",
    "log10_D",
    "interval_95",
    "conductivity_S_per_cm",
    "conductivity_95_S_per_cm",
    "extrapolated",
)
# Printed below the table of the fit, or in JSON only.
BELOW = {"predictions", "labels", "line", "other_gate_versions"}

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

Table = Annotated[Path | None, typer.Argument(help="CSV, JSON or JSON lines instead of the database; columns below.")]
Across = Annotated[
    choose.Texts, typer.Option("--across", help="Field in which the labels may differ (potential ...); repeatable.")
]
At = Annotated[list[float] | None, typer.Option("--at", help="Temperature in K to predict; repeatable; default 300.")]
Charge = Annotated[str | None, typer.Option(help="Formal charge of the ions, such as Li=1: adds the conductivity.")]
IonDensity = Annotated[
    float | None, typer.Option("--ions-per-A3", help="Number density of the ions, if labels state no density.")
]
StatedStderr = Annotated[
    float | None, typer.Option(help="Standard error of log10 D in decades, for labels that state none.")
]
PlotFile = Annotated[Path | None, typer.Option(help="Draw the Arrhenius plot as .png, .svg or .pdf.")]


@choose.takes(FILTERS)
def command(
    file: Table = None,
    *,
    across: Across = None,
    at: At = None,
    charge: Charge = None,
    ions_per_A3: IonDensity = None,
    stderr: StatedStderr = None,
    plot: PlotFile = None,
    as_json: choose.Json = False,
    **typed: Any,
) -> None:
    """Fit log10 D0 and Ea to labels of one material, upper bounds included, and predict D and conductivity.

    Labels come from the database, chosen by filters, or from FILE, a table with the columns of `vitrion labels export`.
    Required: temperature_K, value, unit (cm2/s), convention (einstein_3d), species, reduced_formula, and log10_stderr
    or interval_95. Optional: state (published; censored for an upper bound), potential, weights_sha256, kind, dataset,
    protocol, density_g_cm3, gate_version. Labels that differ in material, potential or protocol are refused.
    """
    filters = _filters(typed)
    if plot is not None:
        picture_format(plot)
    valence = None if charge is None else _valence(charge)
    if valence is None and ions_per_A3 is not None:
        raise InputError("--ions-per-A3 needs the charge of the ions: add --charge Li=1")
    labels, others = _labels(file, filters)
    from vitrion.answers.arrhenius import answer_arrhenius  # noqa: PLC0415 - scipy is slow to import

    if valence is not None and valence[0] != labels[0].species:
        raise InputError(f"--charge {charge}: the labels are of {labels[0].species}; give its charge")
    answer = answer_arrhenius(
        labels,
        temperatures_K=at or [ROOM_K],
        across=across or (),
        stderr_decades=stderr,
        charge=valence and valence[1],
        ions_per_A3=ions_per_A3,
        other_gate_versions=others,
        with_line=plot is not None,
    )
    if plot is not None:
        from vitrion.cli.console.arrhenius_figure import arrhenius_figure  # noqa: PLC0415 - matplotlib is slow

        version = f", gate version {answer.gate_version}" if "gate_version" in filters else ""
        save(arrhenius_figure(answer, title=answer.material + version), plot)
    _print(answer, as_json=as_json)


def _filters(typed: dict[str, Any]) -> dict[str, Any]:
    same = ("reduced_formula", "formula", "kind", "species", "potential", "campaign", "dataset")
    return choose.given(
        **{name: typed[name] for name in same},
        structure_fingerprint=typed["structure"],
        gate_version=choose.gate_version(typed["gate_version"]),
        temperature=choose.interval(typed["temperature"], option="--temperature"),
    )


def _valence(charge: str) -> tuple[str, float]:
    charges = list(choose.charges(charge).items())
    if len(charges) > 1:
        raise InputError(f"--charge {charge}: give the charge of the mobile species only")
    return charges[0]


def _labels(file: Path | None, filters: dict[str, Any]) -> "tuple[Sequence[Label], dict[int, int]]":
    if file is not None:
        if filters:
            raise InputError(f"give either {file} or filters of the database, not both ({', '.join(filters)})")
        from vitrion.exchange.label_table import read_label_table  # noqa: PLC0415 - only where a file is read

        return read_label_table(file), {}
    if not filters:
        raise InputError("no labels chosen: give a file, or filters such as --reduced-formula Li3PS4 --species Li")
    from vitrion.answers.arrhenius import select_labels  # noqa: PLC0415 - slow to import
    from vitrion.database import connect  # noqa: PLC0415

    with connect(readonly=True) as db:
        return select_labels(db, **filters)


def _print(answer: "ArrheniusAnswer", *, as_json: bool) -> None:
    from vitrion.database.queries.gate_versions import summarize_others  # noqa: PLC0415 - slow to import

    if answer.other_gate_versions:
        note(f"left out: {summarize_others(answer.other_gate_versions)}")
    if as_json:
        emit(answer, as_json=True)
        return
    emit(answer.model_dump(exclude=BELOW), as_json=False)
    emit(answer.predictions, as_json=False, columns=PREDICTION_COLUMNS)
    if answer.curved:
        note("the labels deviate from a straight line: do not extrapolate this fit")
    if any(prediction.extrapolated for prediction in answer.predictions):
        low, high = answer.temperatures_K
        note(f"predictions outside {low:g} to {high:g} K are extrapolated: their intervals assume a straight line")
