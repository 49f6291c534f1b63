"""What goes wrong between two processes."""

from vitrion_models.errors import VitrionError


class RemoteError(VitrionError, ConnectionError):
    """A potential in another process could not be had: a fault of the machine, which decides nothing about a label.

    It is an `OSError`, so that whoever tells a fault of the machine from one of the question (the campaign's workers)
    takes it for the former: the checkpoint stays, and the label goes on from it when the potential is back.
    """
