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


def first_line(error: BaseException) -> str:
    """Return the first line of an error of another package, or the name of its class where it has no message."""
    return (str(error).splitlines() or [type(error).__name__])[0]
