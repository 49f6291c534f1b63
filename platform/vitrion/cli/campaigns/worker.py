"""`vitrion worker`: run tasks of the FireWorks launchpad on the configured server."""

import os
import socket
from typing import Annotated

import typer

from vitrion.cli.console.output import note
from vitrion.cli.console.signals import exit_code


def command(
    *,
    name: Annotated[str, typer.Option(help="Name of this worker; host and process by default.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Exit when no task is ready instead of waiting.")] = False,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda or cuda:1, instead of the campaign's own.")
    ] = None,
    heartbeat: Annotated[float, typer.Option(help="Seconds between heartbeats.", min=0.5)] = 20.0,
) -> None:
    """Run tasks of campaigns with `runner: {kind: fireworks}`; start one worker for each core, on any machine.

    On Ctrl-C or SIGTERM the running task writes its checkpoint and is returned to the queue. All workers of a campaign,
    and the process that steps it, share one VITRION_SCRATCH.
    """
    import signal  # noqa: PLC0415 - `--help` does without all of these
    import warnings  # noqa: PLC0415

    from vitrion.database import connect  # noqa: PLC0415
    from vitrion.database.database import make_folder  # noqa: PLC0415
    from vitrion.database.errors import translate_errors  # noqa: PLC0415
    from vitrion.running.launchpad_runner import connect_launchpad  # noqa: PLC0415
    from vitrion.running.launchpad_worker import WorkerLaunchPad, work  # noqa: PLC0415
    from vitrion.settings import URI_VARIABLE, Settings  # noqa: PLC0415
    from vitrion_models.errors import InputError  # noqa: PLC0415
    from vitrion_workflows.execution.engines import jobs_run_on  # noqa: PLC0415
    from vitrion_workflows.execution.stop_signal import received_signal, stop_condition, stop_on_signal  # noqa: PLC0415

    settings = Settings()
    uri = settings.database_uri
    if uri is None:
        raise InputError(f"`vitrion worker` takes tasks from a MongoDB server: set {URI_VARIABLE}")
    make_folder(settings.scratch)
    # jobflow uses a deprecated name of its own; the user cannot act on it.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"jobflow\..*")
    own_name = name or f"{socket.gethostname()}-{os.getpid()}"
    with jobs_run_on(device), connect(uri) as db, translate_errors(db.where):
        pad = connect_launchpad(uri, kind=WorkerLaunchPad)
        stop_on_signal(signal.SIGTERM, signal.SIGINT)
        note(f"{own_name} waits for tasks at {db.where}")
        work(
            pad,
            db.job_store(),
            scratch=settings.scratch,
            name=own_name,
            heartbeat_seconds=heartbeat,
            once=once,
            should_stop=stop_condition(),
        )
        pad.connection.close()
    note(f"{own_name} ends")
    if received_signal() is not None:
        raise typer.Exit(exit_code(received_signal()))
