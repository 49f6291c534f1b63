"""Root of the exceptions that a user of Vitrion can cause."""


class VitrionError(Exception):
    """An error the user can correct: what is wrong, where, and what to do, in one line.

    The command line prints the message and exits with code 2. Any other exception is a bug in Vitrion.
    """


class InputError(VitrionError, ValueError):
    """An invalid value, structure or file."""


class MissingDependencyError(VitrionError):
    """An optional package, program or weights file is not installed."""


class CheckpointError(VitrionError):
    """A stored artefact is damaged, of another kind, or of a newer version."""


def printable(text: str, *, longest: int) -> str:
    """Return a text for a terminal: control characters escaped, the middle left out where it is too long.

    Args:
        text: may quote a file's name or content, hence anything.
        longest: characters kept.
    """
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]} ... {text[-half:]}"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def first_line(error: BaseException) -> str:
    """Return the first line of an error of another package, or the name of its class where it has no message."""
    return (str(error).splitlines() or [type(error).__name__])[0]
