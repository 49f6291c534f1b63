"""`vitrion labels`: list, show, export and compare."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

import vitrion
from vitrion.cli.console import options as choose
from vitrion.cli.console.output import emit, emit_written, label_row, note
from vitrion.keys import short_key
from vitrion_models.errors import InputError

app = typer.Typer(no_args_is_help=True, help="List, show, export and compare labels.")

COLUMNS = (
    "key",
    "property",
    "reduced_formula",
    "species",
    "temperature_K",
    "value",
    "unit",
    "interval_95",
    "state",
    "force_r2",
    "gate_version",
    "potential",
    "campaign",
    "arm",
)
COMPARED = (
    "chemistry",
    "pairs",
    "offset_decades",
    "offset_95",
    "spread_decades",
    "spread_95",
    "statistical_decades",
    "model_error_decades",
)

StateOption = Annotated[
    choose.Texts, typer.Option("--state", help="accepted, rejected, censored, published; repeatable.")
]
PotentialOption = Annotated[choose.Texts, typer.Option("--potential", help="What the forces came from.")]
PropertyOption = Annotated[choose.Texts, typer.Option("--property", help="Such as tracer_diffusivity.")]
SpeciesOption = Annotated[choose.Texts, typer.Option("--species", help="Mobile species, such as Li.")]
ArmOption = Annotated[choose.Texts, typer.Option("--arm", help="Which arm of the campaign asked for it.")]
TemperatureOption = Annotated[str | None, typer.Option("--temperature", help="Temperature in K: 900:1100.")]
ValueOption = Annotated[str | None, typer.Option("--value", help="Value in the label's unit: 1e-6:.")]
ForceOption = Annotated[
    float | None, typer.Option("--min-force-r2", help="Least agreement of forces with the reference potential, R2.")
]
StructureOption = Annotated[choose.Texts, typer.Option("--structure", help="Whole fingerprint of the structure.")]
SupersededOption = Annotated[bool | None, typer.Option("--superseded", help="Those that were replaced, instead.")]


FILTERS = {
    **choose.CELLS,
    "temperature": TemperatureOption,
    "value": ValueOption,
    "min_force_r2": ForceOption,
    "state": StateOption,
    "potential": PotentialOption,
    "property_name": PropertyOption,
    "species": SpeciesOption,
    "structure": StructureOption,
    "gate_version": choose.GateVersion,
    **choose.PROVENANCE,
    "arm": ArmOption,
    "superseded": SupersededOption,
}


@app.command("list")
@choose.takes(FILTERS)
def list_labels(
    *,
    sort: choose.Sort = None,
    limit: choose.Limit = None,
    skip: choose.Skip = 0,
    as_json: choose.Json = False,
    **typed: Any,
) -> None:
    """List labels that pass all filters."""
    filters = filters_of(typed)
    with vitrion.connect(readonly=True) as db:
        size = choose.page_size(limit, as_json=as_json)
        page: Any = {"sort": sort, "limit": size and size + 1, "skip": skip}  # one more than shown says there are more
        if as_json:
            rows = db.labels.search(**page, **filters).to_dicts()
        else:
            rows = [label_row(row) for row in db.labels.table(COLUMNS, **page, **filters)]
        others = {} if "gate_version" in filters else db.labels.count_other_versions(**filters)
    shown = rows[: size or None]
    emit(shown, as_json=as_json, columns=COLUMNS)
    if len(shown) < len(rows):
        note(f"the first {len(shown)} labels: --limit 0 shows all")
    _note_left_out(others)


@app.command("show")
def show_label(
    key: Annotated[str, typer.Argument(help="Key, or its first eight or more digits.")],
    *,
    as_json: choose.Json = False,
) -> None:
    """Show one label with its gates and its method."""
    from vitrion.answers.corrected import corrected_labels, describe_correction  # noqa: PLC0415 - slow
    from vitrion.database.queries.gate_versions import count_others, summarize_others  # noqa: PLC0415 - slow

    with vitrion.connect(readonly=True) as db:
        row = db.labels.get(key)
        corrected = corrected_labels(db, [row]).get(row.key)
    shown = corrected if as_json or corrected is None else describe_correction(corrected)
    emit({**row.model_dump(), "corrected": shown}, as_json=as_json)
    if line := summarize_others(count_others([row.gate_version])):
        note(line)


@app.command("trajectory")
def write_trajectory(
    key: Annotated[str, typer.Argument(help="Key, or its first eight or more digits.")],
    *,
    to: choose.Target,
    as_json: choose.Json = False,
) -> None:
    """Write the trajectory of a label to a file, H5MD: `vitrion diffusivity` reads it."""
    with vitrion.connect(readonly=True) as db:
        row = db.labels.get(key)
        if row.trajectory_sha256 is None:
            raise InputError(f"label {short_key(row.key)} has no trajectory: it was not run here")
        db.artefacts.fetch(row.trajectory_sha256, to)
    emit_written(to, "h5md", f"trajectory of {short_key(row.key)}", as_json=as_json)


@app.command("export")
@choose.takes(FILTERS)
def export_labels(
    *,
    to: choose.Target,
    file_format: choose.Format = None,
    across: choose.Across = None,
    sort: choose.Sort = None,
    as_json: choose.Json = False,
    **typed: Any,
) -> None:
    """Write labels of one quantity to a file: CSV, JSON lines, Parquet, Arrow or HDF5."""
    from vitrion.database.queries.quantity import require_one  # noqa: PLC0415 - only where something is written
    from vitrion.exchange import export  # noqa: PLC0415 - only where something is written

    filters = filters_of(typed)
    chosen = export.format_of(to, given=file_format)
    with vitrion.connect(readonly=True) as db:
        rows = db.labels.search(sort=sort, **filters)
        if rows:
            with choose.mixtures_by_option():
                require_one(rows, across=across or (), purpose="written to one file")
        count = export.export_table(rows, to, file_format=chosen)
        others = {} if "gate_version" in filters else db.labels.count_other_versions(**filters)
    _note_left_out(others)
    emit_written(
        to,
        chosen,
        f"{count} label{'s' if count != 1 else ''}",
        as_json=as_json,
        count=count,
        other_gate_versions=others,
    )


@app.command("compare")
def compare_labels(
    first: Annotated[str, typer.Argument(help="Production potential, such as nep89.")],
    second: Annotated[str, typer.Argument(help="Reference potential, such as diep.")],
    *,
    chemsys: choose.Chemsys = None,
    temperature: TemperatureOption = None,
    species: SpeciesOption = None,
    campaign: choose.Campaign = None,
    gate_version: choose.GateVersion = None,
    as_json: choose.Json = False,
) -> None:
    """Compare two potentials by their labels of the same cells: offset and spread beside the statistical errors."""
    from vitrion.answers.comparison import compare_potentials  # noqa: PLC0415 - scipy is slow to import

    filters = choose.given(
        chemsys=chemsys,
        species=species,
        campaign=campaign,
        temperature=choose.interval(temperature, option="--temperature"),
        gate_version=choose.gate_version(gate_version),
    )
    with vitrion.connect(readonly=True) as db:
        rows = compare_potentials(db, first, second, **filters)
    emit(rows, as_json=as_json, columns=COMPARED)
    _note_left_out(rows[-1].other_gate_versions)


def _note_left_out(others: Mapping[int, int]) -> None:
    from vitrion.database.queries.gate_versions import summarize_others  # noqa: PLC0415 - slow to import

    if others:
        note(f"left out: {summarize_others(others)}")


def filters_of(options: dict[str, Any]) -> Any:
    """Return the filters of `Labels.search` that options of `FILTERS` stand for."""
    typed = dict.fromkeys(FILTERS) | options
    return choose.given(
        **choose.cell_filters(typed),
        **{name: typed[name] for name in ("state", "potential", "species", "arm", "superseded")},
        property=typed["property_name"],
        structure_fingerprint=typed["structure"],
        gate_version=choose.gate_version(typed["gate_version"]),
        temperature=choose.interval(typed["temperature"], option="--temperature"),
        value=choose.interval(typed["value"], option="--value"),
        force_r2=None if typed["min_force_r2"] is None else (typed["min_force_r2"], None),
    )
