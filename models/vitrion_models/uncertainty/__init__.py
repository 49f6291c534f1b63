"""Conformal intervals and the measures of calibration."""
