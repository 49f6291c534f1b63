"""Error of a remote potential."""

from vitrion_models.errors import VitrionError


class RemoteError(VitrionError, ConnectionError):
    """A potential in another process is not available.

    It is an `OSError`, which the workers of a campaign treat as an error of the machine, not of the label: the
    checkpoint is kept, and the label continues from it when the potential is available again.
    """
