"""`vitrion models`: list, show and export trained models."""

from pathlib import Path
from typing import Annotated

import typer

import vitrion
from vitrion.cli.console import options as choose
from vitrion.cli.console.output import emit, emit_written
from vitrion.keys import short_key

app = typer.Typer(no_args_is_help=True, help="List and show trained models.")

COLUMNS = ("artefact_sha256", "kind", "architecture", "promoted", "promotion_reason", "campaign", "cycle", "created_at")

KindOption = Annotated[str | None, typer.Option("--kind", help="surrogate or generator.")]
CampaignOption = Annotated[str | None, typer.Option("--campaign", help="Name of the campaign.")]
PromotedOption = Annotated[bool | None, typer.Option("--promoted/--kept-back", help="Whether it is, or was, in use.")]


@app.command("list")
def list_models(
    *,
    kind: KindOption = None,
    campaign: CampaignOption = None,
    promoted: PromotedOption = None,
    sort: choose.Sort = None,
    limit: choose.Limit = None,
    skip: choose.Skip = 0,
    as_json: choose.Json = False,
) -> None:
    """List model versions that pass all filters."""
    with vitrion.connect(readonly=True) as db:
        size = choose.page_size(limit, as_json=as_json)
        rows = db.models.search(kind=kind, campaign=campaign, promoted=promoted, sort=sort, limit=size, skip=skip)
    shown = rows.to_dicts()
    if not as_json:
        shown = [row | {"artefact_sha256": short_key(row["artefact_sha256"])} for row in shown]
    emit(shown, as_json=as_json, columns=COLUMNS)


@app.command("show")
def show_model(
    artefact_sha256: Annotated[str, typer.Argument(help="sha256 of its files, or its first eight or more digits.")],
    *,
    as_json: choose.Json = False,
) -> None:
    """Show one model version with what it learned from and how well."""
    with vitrion.connect(readonly=True) as db:
        emit(db.models.get(artefact_sha256), as_json=as_json)


@app.command("export")
def export_models(
    *,
    to: choose.Target,
    file_format: choose.Format = None,
    kind: KindOption = None,
    campaign: CampaignOption = None,
    promoted: PromotedOption = None,
    artefact: Annotated[str | None, typer.Option(help="Write the files of this version instead of a table.")] = None,
    as_json: choose.Json = False,
) -> None:
    """Write the table of model versions, or the files of one, to a file."""
    with vitrion.connect(readonly=True) as db:
        if artefact is not None:
            path: Path = db.artefacts.fetch(db.models.get(artefact).artefact_sha256, to)
            count, chosen = 1, "artefact"
        else:
            from vitrion.exchange import export  # noqa: PLC0415 - only where a table is written

            path, chosen = to, export.format_of(to, given=file_format)
            rows = db.models.search(kind=kind, campaign=campaign, promoted=promoted)
            count = export.export_table(rows, to, file_format=chosen)
    emit_written(path, chosen, str(count), as_json=as_json, count=count)
