"""Conformal intervals and the measures of calibration."""

from vitrion_models.uncertainty.calibration import (
    Coverage,
    coverage,
    expected_normalised_calibration_error,
    interval_score,
    miscalibration_area,
    probability_integral_transform,
)
from vitrion_models.uncertainty.conformal import ScoreQuantile, grouped_quantile, score_quantile, student_factor

__all__ = [
    "Coverage",
    "ScoreQuantile",
    "coverage",
    "expected_normalised_calibration_error",
    "grouped_quantile",
    "interval_score",
    "miscalibration_area",
    "probability_integral_transform",
    "score_quantile",
    "student_factor",
]
