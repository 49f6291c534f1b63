"""`vitrion worker`: take work from the FireWorks launchpad of the configured server."""

import os
import socket
from pathlib import Path
from typing import Annotated

import typer


def command(
    *,
    name: Annotated[str, typer.Option(help="Name of this worker; host and process by default.")] = "",
    once: Annotated[bool, typer.Option("--once", help="End when nothing is ready instead of waiting.")] = False,
    heartbeat: Annotated[float, typer.Option(help="Seconds between signs of life.", min=1.0)] = 20.0,
) -> None:
    """Run fireworks of campaigns with `runner: fireworks`; start as many as there are cores, on any machine."""
    from vitrion.database.connection import URI_VARIABLE, home_folder  # noqa: PLC0415 - `--help` does without
    from vitrion.running.launchpad import connect_launchpad, work  # noqa: PLC0415

    home = home_folder()
    work(
        connect_launchpad(os.environ.get(URI_VARIABLE)),
        folder=home / "launches",
        scratch=Path(os.environ.get("VITRION_SCRATCH") or home / "scratch"),
        name=name or f"{socket.gethostname()}-{os.getpid()}",
        heartbeat_seconds=heartbeat,
        once=once,
    )
