"""`vitrion potentials`: list, install, check and serve machine-learned potentials."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vitrion.cli.console.options import Device
from vitrion.cli.console.output import emit, note
from vitrion_models.errors import InputError
from vitrion_workflows import potentials

app = typer.Typer(no_args_is_help=True, help="List, install, check and serve machine-learned potentials.")

LIST_COLUMNS = ("name", "ready", "default", "version", "functional", "speed_class", "licence", "reason")
CHECK_COLUMNS = ("name", "passed", "deviation", "limit", "unit")
EXIT_FAILED = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="Name from `vitrion potentials list`.")]


@app.command("list")
def list_potentials(*, as_json: AsJson = False) -> None:
    """List all potentials: which can run here, and what the others need."""
    default, reason = potentials.default_potential()
    emit([_row(entry, default) for entry in potentials.entries()], as_json=as_json, columns=LIST_COLUMNS)
    if not as_json:
        note(f"default: {default} ({reason})")


@app.command()
def install(
    name: Name,
    *,
    file: Annotated[Path | None, typer.Option(help="Weights on this machine, instead of a download.")] = None,
    as_json: AsJson = False,
) -> None:
    """Install the weights of a potential, checked by sha256."""
    path = potentials.install(name, file=file, on_progress=note)
    emit({"name": name, "path": None if path is None else str(path)}, as_json=as_json)


@app.command()
def check(
    name: Name,
    *,
    elements: Annotated[str, typer.Option(help="One or two elements of the test cell: Cu,Au.")] = "",
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Test sha256, gradients, symmetries, conservation and coverage of a potential; exit code 1 if one fails."""
    symbols = tuple(symbol for symbol in elements.split(",") if symbol)
    reports = potentials.check(name, elements=symbols, device=device)
    emit(list(reports), as_json=as_json, columns=CHECK_COLUMNS)
    if not all(report.passed for report in reports):
        raise typer.Exit(EXIT_FAILED)


@app.command()
def serve(
    name: Name,
    *,
    address: Annotated[str, typer.Option(help="Address of a `remote:` potential: host:port or unix:/path.")] = "",
    identity: Annotated[
        Path | None, typer.Option(help="Write name, version and weights hash of the potential to a JSON file.")
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for a run to connect.", min=0)] = 60.0,
    device: Device = "cpu",
) -> None:
    """Compute forces for a run in another environment or on another machine (see docs/design/potentials.md)."""
    if not address and identity is None:
        raise InputError("vitrion potentials serve needs --address, --identity or both")
    if address:
        potentials.remote.parse_address(address)
    force_field = potentials.load(name, device=device)
    if identity is not None:
        potentials.remote.write_identity(force_field, identity)
        note(f"identity of {force_field.name} written to {identity}")
    if address:
        note(f"{force_field.name} {force_field.version} serves at {address}")
        potentials.remote.serve(force_field, address=address, patience_s=patience)


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
        "speed_class": entry.speed_class,
        "optional": entry.optional,
        "citation": entry.citation,
        "how_to_install": entry.how_to_install,
    }
