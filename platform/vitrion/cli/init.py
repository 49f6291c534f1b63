"""`vitrion init`: make the database and its indexes, or upgrade its documents."""

from typing import Annotated

import typer

from vitrion.cli.console.output import emit


def command(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Make the embedded store, or the indexes on the server, and upgrade older documents; again changes nothing."""
    from vitrion.database import advice, connect  # noqa: PLC0415 - `vitrion --help` does without

    with connect() as database:
        row = {
            "database": database.where,
            "kind": "embedded" if database.embedded else "server",
            "structures": database.structures.count(),
            "labels": database.labels.count(gate_version="any"),
            "advice": advice(database),
        }
    emit(row, as_json=as_json)
