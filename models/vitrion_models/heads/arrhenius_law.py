"""Arrhenius law, log10 D = log10 D0 - Ea / (kB T ln 10), centred for good conditioning.

With ``x = 1000/T - 1000/T_ref`` the law reads ``log10 D = level - slope * x``: the level is log10 D at the reference
temperature, the slope is in decades per 1000/K. Level and slope are nearly independent in the data; D0 and Ea are not.
"""

from typing import overload

import numpy as np

from vitrion_models.constants import LN_10, BOLTZMANN_eV_PER_K
from vitrion_models.system import FloatArray

# Activation energy of one decade per 1000/K, in eV.
EV_PER_SLOPE = BOLTZMANN_eV_PER_K * 1000.0 * LN_10


def inverse_temperature(temperature_K: FloatArray, reference_K: float) -> FloatArray:
    """Return the centred inverse temperature, 1000/T - 1000/T_ref, in 1000/K, in the shape of the temperatures (K)."""
    centred: FloatArray = 1000.0 / np.asarray(temperature_K, dtype=np.float64) - 1000.0 / reference_K
    return centred


@overload
def prefactor_log10(level: float, slope: float, reference_K: float) -> float: ...
@overload
def prefactor_log10(level: FloatArray, slope: FloatArray, reference_K: float) -> FloatArray: ...
def prefactor_log10(level: float | FloatArray, slope: float | FloatArray, reference_K: float) -> float | FloatArray:
    """Return log10 D0 of a level (log10 D at T_ref) and a slope (decades per 1000/K), both of any equal shape."""
    return level + slope * (1000.0 / reference_K)


def softplus(raw: FloatArray, *, sharpness: float) -> tuple[FloatArray, FloatArray]:
    """Return the softplus ``ln(1 + exp(k x)) / k`` and its derivative, in the shape of x: keeps Ea positive."""
    value: FloatArray = np.logaddexp(0.0, sharpness * raw) / sharpness
    derivative: FloatArray = 0.5 * (1.0 + np.tanh(0.5 * sharpness * raw))
    return value, derivative
