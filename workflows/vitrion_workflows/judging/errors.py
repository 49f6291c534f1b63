"""Failures of a potential that are results of its judgement."""

from vitrion_models.errors import VitrionError


class EquationOfStateFailed(VitrionError):  # noqa: N818 - a result as much as an error
    """The crystal has no minimum of energy near its volume."""


class NoComparison(VitrionError):  # noqa: N818 - a result as much as an error
    """Frames on which forces cannot be compared: forces that are not finite, that all vanish, or no frames at all."""
