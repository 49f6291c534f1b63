"""Entry point of the `vitrion` command: lazily imported nouns, one line for each error, exit codes."""

import sys
from typing import Annotated, Any

import typer
import typer.core

from vitrion import __version__
from vitrion.cli.console.errors import EXIT_FAULT, EXIT_INTERRUPTED, format_error
from vitrion.cli.nouns import NOUNS, load
from vitrion.settings import Settings


class LazyGroup(typer.core.TyperGroup):
    """Group of all nouns that imports only the one that was typed."""

    def __init__(self, **attributes: Any) -> None:
        """Add an empty command with its help for each noun."""
        super().__init__(**attributes)
        for name, noun in NOUNS.items():
            if noun.is_present:
                self.add_command(typer.core.TyperCommand(name, callback=None, help=noun.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that was typed and return it in place of the empty one."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest


app = typer.Typer(cls=LazyGroup, add_completion=False, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback signature
    if wanted:
        print(f"vitrion {__version__}")  # noqa: T201 - the command line's own output
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Find amorphous ion conductors: structures, labels, surrogate, generator and active learning."""
    del version  # its callback has printed and exited


def run(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: words after `vitrion`; those of the process when None.

    Returns:
        The exit code: 0, 2 after an error that the user can correct, 130 after Ctrl-C, or the command's own.

    Raises:
        Exception: a bug, with its traceback.
    """
    words = sys.argv[1:] if arguments is None else arguments
    command = typer.main.get_command(app)
    try:
        with Settings().exported():
            code = command.main(args=words or ["--help"], prog_name="vitrion", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = EXIT_INTERRUPTED
    except Exception as error:
        line = format_error(error)
        if line is None:
            raise
        print(f"vitrion: {line}", file=sys.stderr)  # noqa: T201
        return EXIT_FAULT
    if code == EXIT_INTERRUPTED:
        print("vitrion: interrupted", file=sys.stderr)  # noqa: T201
    return code if isinstance(code, int) else 0


def main() -> None:
    """Run the command that was typed and exit with its code."""
    sys.exit(run())
