"""Volume of a melt or glass from its composition and temperature, learned from other compositions.

    ln V = ln V_elements + b0 + b_class + (a0 + a_class) t + c ln(V_ions / V_elements) + sum_e phi_e d_e + w + u t

with V_elements the volume of the elements (Zen's rule), V_ions that of the ions where charges balance
(`vitrion_workflows.structure.volume_estimate`), phi_e the share of element e in V_elements, t = (T - 1500 K) / 1000 K,
w ~ N(0, s_class^2) and u ~ N(0, s_u^2) of the compound. All coefficients have Gaussian priors, so that the fit
(`benchmarks/volumes.py`) is one linear solve; an element that no composition of the fit contains keeps its prior.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from pymatgen.core.composition import Composition

from vitrion_models.system import FloatArray
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.structure.volume_estimate import volume_of_elements, volume_of_ions

REFERENCE_K, SPAN_K = 1500.0, 1000.0
ELEMENT = "element "
SLOPE = "slope"
MODEL_FILE = "volume_model.json"


def reduced_temperature(temperature_K: float) -> float:
    """Return t = (T - 1500 K) / 1000 K."""
    return (temperature_K - REFERENCE_K) / SPAN_K


def features(composition: Composition, temperature_K: float) -> dict[str, float]:
    """Return the factors of the coefficients of ln(V / V_elements) by the name of the coefficient.

    Raises:
        InputError: an element has no molar volume.
    """
    chemistry = anion_class([element.symbol for element in composition])
    elements, ions = volume_of_elements(composition), volume_of_ions(composition)
    t = reduced_temperature(temperature_K)
    shares = {
        f"{ELEMENT}{element.symbol}": amount * volume_of_elements(Composition({element: 1})) / elements
        for element, amount in composition.fractional_composition.items()
    }
    return {
        "all": 1.0,
        chemistry: 1.0,
        SLOPE: t,
        f"{SLOPE} {chemistry}": t,
        "ions": 0.0 if ions is None else math.log(ions / elements),
        **shares,
    }


@dataclass(frozen=True, eq=False)
class CompositionModel:
    """Fitted coefficients.

    Attributes:
        names: of the coefficients.
        mean: posterior means, shape (K,).
        covariance: posterior covariance, shape (K, K).
        element_deviation: prior standard deviation of an element that is not among the names.
        compound_deviation: standard deviation of ln V over the compounds of a class, by class.
        slope_deviation: standard deviation of the expansion over compounds, for 1000 K.
    """

    names: tuple[str, ...]
    mean: FloatArray
    covariance: FloatArray
    element_deviation: float
    compound_deviation: Mapping[str, float]
    slope_deviation: float

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "CompositionModel":
        """Return the model of `volume_model.json`, whose covariance is a lower triangle in units of 1e-6."""
        size = len(content["names"])
        covariance = np.zeros((size, size))
        for place, row in enumerate(content["covariance_1e6"]):
            covariance[place, : place + 1] = covariance[: place + 1, place] = np.array(row) * 1e-6
        return cls(
            names=tuple(content["names"]),
            mean=np.array(content["mean"]),
            covariance=covariance,
            element_deviation=content["element_deviation"],
            compound_deviation=content["compound_deviation"],
            slope_deviation=content["slope_deviation"],
        )

    def ln_volume(self, composition: Composition, temperature_K: float) -> tuple[float, float]:
        """Return ln of the volume per atom in A3 and its standard error for a compound that is not in the fit.

        Raises:
            InputError: an element has no molar volume.
        """
        factors = features(composition, temperature_K)
        row = np.array([factors.get(name, 0.0) for name in self.names])
        unknown = sum(factors[name] ** 2 for name in factors if name.startswith(ELEMENT) and name not in self.names)
        chemistry = anion_class([element.symbol for element in composition])
        stderr = math.sqrt(
            float(row @ self.covariance @ row)
            + unknown * self.element_deviation**2
            + self.compound_deviation[chemistry] ** 2
            + (self.slope_deviation * reduced_temperature(temperature_K)) ** 2
        )
        return math.log(volume_of_elements(composition)) + float(row @ self.mean), stderr

    def ln_expansion(self, composition: Composition) -> tuple[float, float]:
        """Return d ln V / dT of a compound in 1/K, and its standard error."""
        chemistry = anion_class([element.symbol for element in composition])
        row = np.array([float(name in (SLOPE, f"{SLOPE} {chemistry}")) for name in self.names])
        variance = float(row @ self.covariance @ row) + self.slope_deviation**2
        return float(row @ self.mean) / SPAN_K, math.sqrt(variance) / SPAN_K


@cache
def composition_model() -> CompositionModel:
    """Return the model that Vitrion brings."""
    return CompositionModel.from_content(model_content()["composition"])


@cache
def model_content() -> dict[str, Any]:
    """Return the content of `volume_model.json`."""
    text = files("vitrion_workflows.volumes").joinpath(MODEL_FILE).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
