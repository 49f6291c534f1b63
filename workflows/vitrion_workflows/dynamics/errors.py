"""What can go wrong in a run for reasons that its user can mend."""

from vitrion_models.errors import VitrionError


class DynamicsError(VitrionError):
    """A run that cannot go on: forces or temperature out of bounds, or a folder that belongs to another run."""
