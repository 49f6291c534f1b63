"""Options that take one value are given once: of two the last would be taken, and nobody told."""

from collections import Counter
from typing import Any

import typer.core

from vitrion_models.errors import InputError

Command = typer.core.TyperCommand | typer.core.TyperGroup


def once(command: Command) -> Command:
    """The same command, which refuses what is given twice; so do the commands of a group.

    Args:
        command: of typer; its parser is asked in what order options came.

    Returns:
        The command itself.
    """
    if isinstance(command, typer.core.TyperGroup):
        for inner in command.commands.values():
            once(inner)  # type: ignore[arg-type]  # a group of typer's holds commands of typer's
        return command
    plain = command.parse_args

    def parse_args(ctx: Any, args: list[str]) -> list[str]:
        _, _, order = command.make_parser(ctx).parse_args(args=list(args))
        for option, times in Counter(order).items():
            if isinstance(option, typer.core.TyperOption) and times > 1 and not _takes_many(option):
                raise InputError(
                    f"{option.opts[0]} is given {times} times and takes one value: say which, or join them by commas "
                    "where it takes a list"
                )
        return plain(ctx, args)

    command.parse_args = parse_args  # type: ignore[method-assign]  # one place for every command, whoever made it
    return command


def _takes_many(option: typer.core.TyperOption) -> bool:
    return option.multiple or option.is_flag or option.count
