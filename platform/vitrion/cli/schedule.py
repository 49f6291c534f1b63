"""`vitrion schedule`: call a campaign's step on time, never twice at once."""

from pathlib import Path
from typing import Annotated

import typer

from vitrion.cli.campaign import opened
from vitrion.cli.output import note


def command(
    file: Annotated[Path, typer.Argument(help="The campaign's YAML file.")],
    *,
    interval: Annotated[str, typer.Option("--every", help="Time between steps, for example 30m or 1h.")],
) -> None:
    """Step a campaign at fixed intervals until it is finished; a step that is still running is never doubled."""
    from vitrion.database.errors import DatabaseLockedError, LeaseLostError  # noqa: PLC0415 - `--help` does without
    from vitrion.learning.holding import BusyError  # noqa: PLC0415
    from vitrion.running.schedule import every, parse_interval  # noqa: PLC0415

    seconds = parse_interval(interval)

    def step() -> bool:
        try:
            with opened(file, quiet=False) as campaign:
                return campaign.step()
        except (BusyError, DatabaseLockedError, LeaseLostError) as busy:
            note(f"left out this time: {busy}")
            return True

    every(seconds, step)
