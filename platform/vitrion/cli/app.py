"""Entry point of the `vitrion` command: one line for each error, exit codes, signals from the first import on."""

import sys

from vitrion.cli.console.signals import ENDED_BY_SIGNAL, Signals, exit_code


def run(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: words after `vitrion`; those of the process when None.

    Returns:
        The exit code: 0, 2 after an error that the user can correct, 130 after Ctrl-C, 143 after SIGTERM, or the
        command's own.

    Raises:
        Exception: a bug, with its traceback.
    """
    words = sys.argv[1:] if arguments is None else arguments
    with Signals() as signals:
        try:
            code = _run(words)
            if code == exit_code(None):  # typer's answer to any interrupt
                code = exit_code(signals.received)
        except KeyboardInterrupt:
            code = exit_code(signals.received)
        except Exception:
            # Libraries turn an interrupt of their import into errors of their own.
            if signals.received is None:
                raise
            code = exit_code(signals.received)
    if code in ENDED_BY_SIGNAL:
        print(f"vitrion: {ENDED_BY_SIGNAL[code]}", file=sys.stderr)  # noqa: T201
    return code


def _run(words: list[str]) -> int:
    import typer  # noqa: PLC0415 - an interrupt of this import, too, ends with the code of the signal

    from vitrion.cli.console.errors import EXIT_FAULT, format_error  # noqa: PLC0415
    from vitrion.cli.nouns import app  # noqa: PLC0415

    try:
        _check_words(words)
        code = typer.main.get_command(app).main(args=words or ["--help"], prog_name="vitrion", standalone_mode=False)
    except typer.Abort as abort:
        raise KeyboardInterrupt from abort
    except Exception as error:
        line = format_error(error)
        if line is None:
            raise
        print(f"vitrion: {line}", file=sys.stderr)  # noqa: T201
        return EXIT_FAULT
    return code if isinstance(code, int) else 0


def _check_words(words: list[str]) -> None:
    from vitrion_models.errors import InputError  # noqa: PLC0415

    for word in words:
        if not word:  # as a path it would be the present folder
            raise InputError("an argument is empty: is a variable of the shell unset?")
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{word}: this argument is not UTF-8: rename the file, or correct the text") from error


def main() -> None:
    """Run the command that was typed and exit with its code."""
    sys.exit(run())
