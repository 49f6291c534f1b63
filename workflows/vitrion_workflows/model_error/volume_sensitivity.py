"""Change of a diffusivity with the volume at which it is measured, d log10 D / d ln V.

Fitted by `benchmarks/volume_sensitivity.py` on melts run at several volumes, stored in `volume_sensitivity.json` and
explained in docs/design/aimd-comparison.md: for a compound of class c at x = 1000/T - 1000/1500,

    S = level_c + slope_c x + w,    w ~ N(0, s^2) for each compound,

level and slope of the classes drawn towards their common mean.
"""

import json
import math
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Any

from vitrion_workflows.model_error.anion_classes import anion_class

REFERENCE_TEMPERATURE_K = 1500.0


def sensitivity(elements: Collection[str], temperature_K: float) -> tuple[float, float]:
    """Return d log10 D / d ln V of a compound, decades, and its standard error.

    An error of ln V times this is an error of log10 D. The standard error has the fit's, which grows away from the
    temperatures of the fit (1000-2500 K), and the scatter over compounds of a class.

    Args:
        elements: chemical symbols of the compound.
        temperature_K: of the run.
    """
    fitted = _fitted()
    own = fitted["classes"][anion_class(elements)]
    x = 1000.0 / temperature_K - 1000.0 / REFERENCE_TEMPERATURE_K
    (level, both), (_, slope) = own["covariance"]
    variance = level + 2.0 * both * x + slope * x**2 + fitted["compound_stderr"] ** 2
    return own["level"] + own["slope"] * x, math.sqrt(variance)


@cache
def _fitted() -> dict[str, Any]:
    text = files("vitrion_workflows.model_error").joinpath("volume_sensitivity.json").read_text(encoding="utf-8")
    fitted: dict[str, Any] = json.loads(text)
    return fitted
