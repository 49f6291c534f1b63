"""`vitrion structures`: list, show and export."""

from typing import Annotated, Any

import typer

import vitrion
from vitrion.cli.console import options as choose
from vitrion.cli.console.output import emit, emit_written, note, plain
from vitrion.keys import short_key

app = typer.Typer(no_args_is_help=True, help="List, show and export structures.")

COLUMNS = (
    "fingerprint",
    "kind",
    "reduced_formula",
    "n_atoms",
    "density_g_cm3",
    "mobile_ion_fraction",
    "origin",
    "accepted",
    "reference_force_eV_per_A",
    "campaign",
    "source",
)


@app.command("list")
@choose.takes(choose.STRUCTURES)
def list_structures(
    *,
    sort: choose.Sort = None,
    limit: choose.Limit = None,
    skip: choose.Skip = 0,
    as_json: choose.Json = False,
    **typed: Any,
) -> None:
    """List structures that pass all filters."""
    filters = choose.structure_filters(typed)
    with vitrion.connect(readonly=True) as db:
        size = choose.page_size(limit, as_json=as_json)
        rows = db.structures.search(sort=sort, limit=size, skip=skip, **filters)
        total = db.structures.count(**filters)
    shown = rows.to_dicts()
    if not as_json:
        shown = [row | {"fingerprint": short_key(row["fingerprint"])} for row in shown]
    emit(shown, as_json=as_json, columns=COLUMNS)
    if len(rows) + skip < total:
        note(f"{len(rows)} of {total}: --limit 0 shows all")


@app.command("show")
def show_structure(
    fingerprint: Annotated[str, typer.Argument(help="Fingerprint, or its first eight or more digits.")],
    *,
    as_json: choose.Json = False,
) -> None:
    """Show one structure with its atoms."""
    with vitrion.connect(readonly=True) as db:
        row = db.structures.get(fingerprint)
        content = plain(row) | {"geometry": db.structures.geometry(row.fingerprint)}
    emit(content, as_json=as_json, columns=None if as_json else tuple(name for name in content if name != "geometry"))


@app.command("export")
@choose.takes(choose.STRUCTURES)
def export_structures(
    *,
    to: choose.Target,
    file_format: choose.Format = None,
    as_json: choose.Json = False,
    **typed: Any,
) -> None:
    """Write structures to a file: extended XYZ, CIF, POSCAR, JSON of pymatgen, an ASE database, or their fields."""
    from vitrion.exchange import export  # noqa: PLC0415 - only where something is written

    filters = choose.structure_filters(typed)
    every = export.TABLE_SUFFIXES | export.STRUCTURE_SUFFIXES
    chosen = export.format_of(to, given=file_format, suffixes=every)
    with vitrion.connect(readonly=True) as db:
        if chosen in export.TABLE_SUFFIXES.values():
            count = export.export_table(db.structures.search(**filters), to, file_format=chosen)
        else:
            count = export.export_structures(db.structures.iterate(**filters), to, file_format=chosen)
    emit_written(to, chosen, f"{count} structure{'s' if count != 1 else ''}", as_json=as_json, count=count)
