"""`vitrion schedule`: call a campaign's step on time, never twice at once."""

from pathlib import Path
from typing import Annotated

import typer

from vitrion.cli.campaign import opened
from vitrion.cli.console.output import note


def command(
    file: Annotated[Path, typer.Argument(help="The campaign's YAML file.")],
    *,
    interval: Annotated[str, typer.Option("--every", help="Time between steps, for example 30m or 1h.")],
) -> None:
    """Step a campaign at fixed intervals until it is finished; a step that is still running is never doubled.

    A server that is away for a while costs steps, not the schedule, once the first step has found it.
    """
    from vitrion.database.errors import (  # noqa: PLC0415 - `--help` does without
        DatabaseLockedError,
        DatabaseUnreachableError,
        LeaseLostError,
    )
    from vitrion.learning.lease import BusyError  # noqa: PLC0415
    from vitrion.running.schedule import every, parse_interval  # noqa: PLC0415

    seconds = parse_interval(interval)
    reached = False

    def step() -> bool:
        nonlocal reached
        try:
            with opened(file, quiet=False) as campaign:
                reached = True
                return campaign.step()
        except DatabaseUnreachableError as away:
            if not reached:
                raise
            note(f"left out this time: {away}")
            return True
        except (BusyError, DatabaseLockedError, LeaseLostError) as busy:
            note(f"left out this time: {busy}")
            return True

    every(seconds, step)
