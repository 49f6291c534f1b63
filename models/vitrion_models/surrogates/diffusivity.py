"""Tracer diffusivity as a target: its samples and its predictions."""

from dataclasses import dataclass

from vitrion_models.materials import Material
from vitrion_models.predictions import Prediction
from vitrion_models.samples import TEMPERATURE, Measurement, Sample
from vitrion_models.system import FloatArray
from vitrion_models.targets import Target

DIFFUSIVITY = Target("tracer_diffusivity", unit="cm2/s", transform="log10")
"""Einstein tracer diffusivity, lim MSD / (6 t)."""


def diffusivity_sample(
    material: Material,
    *,
    species: str,
    temperature_K: float,
    log10_D: float,
    stderr: float,
    group: str,
    key: str,
    censored: bool = False,
    systematic_stderr: float = 0.0,
    source: str = "",
) -> Sample:
    """Return the sample of one diffusivity label.

    Args:
        material: system the label was measured on, or its composition.
        species: symbol of the mobile species.
        temperature_K: temperature of the label, not of the snapshot.
        log10_D: decimal logarithm of D in cm2/s; the upper bound of a censored label.
        stderr: statistical standard error, decades.
        group: group of the splits, for example the chemical system.
        key: identity of the label.
        censored: True where `log10_D` is an upper bound.
        systematic_stderr: see `Measurement`, decades.
        source: see `Sample`.

    Raises:
        InputError: see `Sample`.
    """
    measurement = Measurement(log10_D, stderr, systematic_stderr=systematic_stderr, censored=censored)
    return Sample(
        input=material,
        targets={DIFFUSIVITY: measurement},
        group=group,
        key=key,
        species=species,
        conditions={TEMPERATURE: temperature_K},
        source=source,
    )


@dataclass(frozen=True, eq=False)
class DiffusivityPrediction(Prediction):
    """Predictions of log10 D (D in cm2/s) with the Arrhenius law behind each; arrays have shape (n,).

    Attributes:
        temperatures_K: temperatures of the predictions.
        log10_D0: decimal logarithm of the prefactor, D0 in cm2/s.
        Ea_eV: activation energy, never negative.
    """

    temperatures_K: FloatArray
    log10_D0: FloatArray
    Ea_eV: FloatArray
