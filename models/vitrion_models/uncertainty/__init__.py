"""Conformal intervals, measures of calibration, and the disagreement of two methods."""

from vitrion_models.uncertainty.calibration import (
    Coverage,
    coverage,
    expected_normalised_calibration_error,
    interval_score,
    miscalibration_area,
    probability_integral_transform,
)
from vitrion_models.uncertainty.conformal import ScoreQuantile, grouped_quantile, score_quantile, student_factor
from vitrion_models.uncertainty.disagreement import Disagreement, disagreement

__all__ = [
    "Coverage",
    "Disagreement",
    "ScoreQuantile",
    "coverage",
    "disagreement",
    "expected_normalised_calibration_error",
    "grouped_quantile",
    "interval_score",
    "miscalibration_area",
    "probability_integral_transform",
    "score_quantile",
    "student_factor",
]
