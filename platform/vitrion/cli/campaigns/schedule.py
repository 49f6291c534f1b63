"""`vitrion schedule`: step a campaign at fixed intervals, one step at a time."""

from pathlib import Path
from typing import Annotated

import typer

from vitrion.cli.campaigns.campaign import opened
from vitrion.cli.console.output import note


def command(
    file: Annotated[Path, typer.Argument(help="The campaign's YAML file.")],
    *,
    interval: Annotated[str, typer.Option("--every", help="Time between steps, for example 30m or 1h.")],
) -> None:
    """Step a campaign at fixed intervals until it is finished; steps never overlap.

    A step is skipped while the server cannot be reached, once the first step has reached it.
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
            note(f"step skipped: {away}")
            return True
        except (BusyError, DatabaseLockedError, LeaseLostError) as busy:
            note(f"step skipped: {busy}")
            return True

    every(seconds, step)
