"""Hyper-parameters of the error model: standard deviations of its effects, fitted to all comparisons with AIMD."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, PositiveFloat

from vitrion_models.uncertainty.mixed_effects import Effect

FILE = "hyperparameters.json"
SCATTERED = ("level", "slope")  # quantities whose tier of the compound has a factor for each class of anion


class Tiers(BaseModel):
    """Standard deviations of a quantity that belongs to a potential, to a class of anion under it, to a compound.

    That of the potential is assumed: a few potentials cannot tell it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    potential: PositiveFloat
    chemistry: PositiveFloat
    compound: PositiveFloat


class Hyperparameters(BaseModel):
    """Prior standard deviations of the effects of `model_error.effects`.

    Attributes:
        level: of log10(D / true D) at 2500 K and at the true volume, decades.
        slope: of its change for 1 in 1000/T, decades.
        sensitivity: of the error of d log10 D / d ln V, in units of its stated standard error.
        forces: of the change of the level for a loss of 1 in the R2 of forces, decades.
        cell: of the scatter between cells of one compound (melt history and seed) at 1e-4 cm2/s, decades.
        aimd: factor on the stated error of AIMD; above 1 where errors of potentials depart from a line in 1000/T.
        expansion: of ln(volume at the potential's zero pressure / true volume) at 1500 K.
        expansion_slope: of its change for 1000 K.
        scatter: factor on the tier of the compound, for level and slope, by class of anion; 1 for another class.
        typical_r2: R2 of forces of a label without a force check, by class of anion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Tiers
    slope: Tiers
    sensitivity: Tiers
    forces: PositiveFloat
    cell: PositiveFloat
    aimd: PositiveFloat
    expansion: Tiers
    expansion_slope: Tiers
    scatter: Mapping[str, float]
    typical_r2: Mapping[str, float]

    def deviation(self, effect: Effect) -> float:
        """Return the prior standard deviation of an effect.

        Args:
            effect: quantity, tier and owner for a quantity of three tiers, else its kind and owner.
        """
        quantity, *rest = effect
        prior = getattr(self, quantity, 1.0)
        if not isinstance(prior, Tiers):
            return float(prior)
        tier, _, *owner = rest
        scatter = self.scatter.get(owner[0], 1.0) if tier == "compound" and quantity in SCATTERED else 1.0
        return float(getattr(prior, tier)) * scatter


@cache
def fitted_hyperparameters() -> Hyperparameters:
    """Return the hyper-parameters fitted to the comparisons that Vitrion brings."""
    text = files("vitrion_workflows.model_error").joinpath(FILE).read_text(encoding="utf-8")
    return Hyperparameters.model_validate(json.loads(text))
