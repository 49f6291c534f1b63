"""Root of the exceptions that a user of Vitrion can cause."""


class VitrionError(Exception):
    """A fault the user can mend: what was wrong, where, and what to do, in one line.

    The command line prints the message and exits with code 2. Everything else that is raised is a bug of ours.
    """


class InputError(VitrionError, ValueError):
    """A value, a structure or a file that cannot be used as it is."""


class MissingDependencyError(VitrionError):
    """An optional package, program or weights file is not installed."""


class CheckpointError(VitrionError):
    """A stored artefact is damaged, of another kind, or of a newer schema."""
