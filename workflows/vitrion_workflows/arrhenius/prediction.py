"""Predictions of an Arrhenius line."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ArrheniusPrediction:
    """Diffusivity of a further cell at a temperature.

    Attributes:
        temperature_K: of the prediction.
        log10_D: posterior mean of the decimal logarithm of D in cm2/s.
        log10_stderr: predictive, in decades: of the line and of the scatter about it.
        interval_68: predictive, of log10 D.
        interval_95: as above.
        line_95: 95 % interval of the line alone.
        extrapolated: whether the temperature lies outside the range of the measured labels.
    """

    temperature_K: float
    log10_D: float
    log10_stderr: float
    interval_68: tuple[float, float]
    interval_95: tuple[float, float]
    line_95: tuple[float, float]
    extrapolated: bool


@dataclass(frozen=True)
class ConductivityPrediction:
    """Nernst-Einstein conductivity at a temperature.

    Attributes:
        temperature_K: of the prediction.
        value_S_per_cm: at the posterior mean of log10 D.
        interval_68: predictive.
        interval_95: as above.
        extrapolated: whether the temperature lies outside the range of the measured labels.
    """

    temperature_K: float
    value_S_per_cm: float
    interval_68: tuple[float, float]
    interval_95: tuple[float, float]
    extrapolated: bool
