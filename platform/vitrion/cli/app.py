"""Entry point of the `vitrion` command: lazy nouns, one line for each fault, exit codes."""

import sys
from typing import Annotated, Any

import typer
import typer.core

from vitrion import __version__
from vitrion.cli.console.errors import EXIT_FAULT, EXIT_INTERRUPTED, told
from vitrion.cli.nouns import NOUNS, load
from vitrion.settings import Settings


class LazyGroup(typer.core.TyperGroup):
    """Lists every noun from the registry and imports only the one that was typed."""

    def __init__(self, **attributes: Any) -> None:
        """Fill the listing with commands that carry nothing but their help."""
        super().__init__(**attributes)
        for name, noun in NOUNS.items():
            if noun.is_present:
                self.add_command(typer.core.TyperCommand(name, callback=None, help=noun.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Swap the listed command for the real one."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest


app = typer.Typer(cls=LazyGroup, add_completion=False, pretty_exceptions_enable=False)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer's callback signature
    if asked:
        print(f"vitrion {__version__}")  # noqa: T201 - the command line's own output
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and leave.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Finds amorphous ion conductors: structures, labels, surrogate, generator and the loop that joins them."""
    del version  # its callback has printed and left


def run(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: words after `vitrion`; the process's own when None.

    Returns:
        The exit code: 0, 2 after a fault the user can mend, 130 after Ctrl-C, or what the command asked for.

    Raises:
        Exception: a bug of ours, with its traceback.
    """
    words = sys.argv[1:] if arguments is None else arguments
    command = typer.main.get_command(app)
    try:
        with Settings().exported():
            code = command.main(args=words or ["--help"], prog_name="vitrion", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = EXIT_INTERRUPTED
    except Exception as fault:
        line = told(fault)
        if line is None:
            raise
        print(f"vitrion: {line}", file=sys.stderr)  # noqa: T201
        return EXIT_FAULT
    if code == EXIT_INTERRUPTED:
        print("vitrion: interrupted", file=sys.stderr)  # noqa: T201
    return code if isinstance(code, int) else 0


def main() -> None:
    """Run the command that was typed and leave with its exit code."""
    sys.exit(run())
