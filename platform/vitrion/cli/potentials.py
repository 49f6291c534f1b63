"""`vitrion potentials`: what can evaluate forces here, how to get the rest, and whether it does so rightly."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vitrion.cli.output import emit, note
from vitrion_workflows import potentials

app = typer.Typer(no_args_is_help=True, help="List, install and check machine-learned potentials.")

LIST_COLUMNS = ("name", "ready", "default", "version", "functional", "speed", "licence", "reason")
CHECK_COLUMNS = ("name", "passed", "deviation", "limit", "unit")
EXIT_FAILED = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="Name from `vitrion potentials list`.")]


@app.command("list")
def list_potentials(*, as_json: AsJson = False) -> None:
    """List all potentials, whether they can run here, and what to do where they cannot."""
    default, reason = potentials.default_potential()
    emit([_row(entry, default) for entry in potentials.entries()], as_json=as_json, columns=LIST_COLUMNS)
    if not as_json:
        note(f"used where none is named: {default} ({reason})")


@app.command()
def install(
    name: Name,
    *,
    file: Annotated[Path | None, typer.Option(help="Weights that are at hand already.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a potential's weights to this machine, checked by sha256."""
    path = potentials.install(name, file=file, on_progress=note)
    emit({"name": name, "path": None if path is None else str(path)}, as_json=as_json)


@app.command()
def check(
    name: Name,
    *,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    as_json: AsJson = False,
) -> None:
    """Test sha256, gradients and symmetries of a potential; exit code 1 where one fails."""
    reports = potentials.check(name, device=device)
    emit(list(reports), as_json=as_json, columns=CHECK_COLUMNS)
    if not all(report.passed for report in reports):
        raise typer.Exit(EXIT_FAILED)


def _row(entry: potentials.PotentialEntry, default: str) -> dict[str, Any]:
    available = entry.probe("")
    return {
        "name": entry.name,
        "ready": available.ok,
        "reason": available.reason,
        "default": entry.name == default,
        "version": entry.version,
        "weights_sha256": entry.weights_sha256 or None,
        "licence": entry.licence,
        "functional": entry.functional,
        "elements": sorted(entry.elements),
        "speed": entry.speed,
        "optional": entry.optional,
        "citation": entry.citation,
        "how_to_install": entry.how_to_install,
    }
