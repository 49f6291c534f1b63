"""Exceptions of a molecular dynamics run: one that fails, and one that was stopped."""

from vitrion_models.errors import VitrionError


class DynamicsError(VitrionError):
    """A run that cannot go on: forces or temperature out of bounds, or a folder that belongs to another run."""


class StoppedError(Exception):
    """Work was stopped on request after a checkpoint; the same call continues it."""
