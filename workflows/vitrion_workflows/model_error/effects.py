"""Equations of the error model: the systematic error of a potential as a sum of Gaussian effects.

For a label of one compound at temperature T, with x = 1000/T - 1000/2500 K, the error in decades of D is

    b = log10(D / true D) = level + slope x + forces (R2 - R2_0) + sensitivity ln(V / true V) + cell,

level and slope each a sum over the tiers potential, class of anion and compound. docs/design/model-error.md has the
evidence for each term.
"""

from collections.abc import Collection
from dataclasses import dataclass

from vitrion_models.uncertainty.mixed_effects import Effect, Effects
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.model_error.hyperparameters import Hyperparameters

# Level and slope are independent beforehand where x = 0: potentials differ least in the hottest melts.
PIVOT_K = 2500.0
EXPANSION_K = 1500.0
# Of a label of which nothing else is stated: those compared at 1000 K have half of their D above this.
USUAL_R2, USUAL_LOG10_D, USUAL_ATOMS = 0.85, -4.3, 100
MOST_CELL_GROWTH = 4.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One compound at one temperature, with what is known of its label.

    Attributes:
        compound: reduced formula.
        elements: its chemical symbols.
        temperature_K: of the label, or of the prediction.
        force_r2: R2 of the potential's forces against those of a reference potential along the run; None where they
            were not compared.
        ln_volume_ratio: ln(volume of the cell / best estimate of the true volume at this temperature); None where it is
            unknown: then that of `ModelErrors.volume`, or of the potential's zero pressure, counts.
        ln_volume_stderr: standard error of that estimate.
        log10_D: of the label (cm2/s), which decides how much cells scatter.
        atoms: of the cell.
    """

    compound: str
    elements: frozenset[str]
    temperature_K: float
    force_r2: float | None = None
    ln_volume_ratio: float | None = None
    ln_volume_stderr: float = 0.0
    log10_D: float = USUAL_LOG10_D
    atoms: int = USUAL_ATOMS

    @property
    def chemistry(self) -> str:
        """Class of the compound by its anions."""
        return anion_class(self.elements)

    @property
    def inverse_temperature(self) -> float:
        """Coordinate of temperature, x = 1000 / T - 1000 / 2500 K."""
        return inverse_temperature(self.temperature_K)


def case_of(compound: str, elements: Collection[str], temperature_K: float) -> Case:
    """Return the case of a compound of which no label is at hand."""
    return Case(compound=compound, elements=frozenset(elements), temperature_K=temperature_K)


def inverse_temperature(temperature_K: float) -> float:
    """Return x = 1000 / T - 1000 / 2500 K, the coordinate of temperature."""
    return 1000 / temperature_K - 1000 / PIVOT_K


def tiers(quantity: str, method: str, case: Case, coefficient: float = 1.0) -> Effects:
    """Return the effects of the three tiers of a quantity: potential, class of anion, compound."""
    return {
        (quantity, "potential", method): coefficient,
        (quantity, "chemistry", method, case.chemistry): coefficient,
        (quantity, "compound", method, case.chemistry, case.compound): coefficient,
    }


def level(method: str, case: Case, parameters: Hyperparameters) -> Effects:
    """Return the part of the error at the true volume that does not depend on temperature.

    Args:
        method: potential and weights.
        case: compound.
        parameters: with the R2 of forces where the case states none.
    """
    typical_r2 = parameters.typical_r2.get(case.chemistry, USUAL_R2)
    r2 = typical_r2 if case.force_r2 is None else case.force_r2
    return {**tiers("level", method, case), ("forces", method): USUAL_R2 - r2}


def slope(method: str, case: Case) -> Effects:
    """Return the change of the error for 1 in 1000/T."""
    return tiers("slope", method, case)


def force_part(method: str, case: Case, parameters: Hyperparameters) -> Effects:
    """Return the error at the true volume, without the scatter between cells."""
    return add((1.0, level(method, case, parameters)), (case.inverse_temperature, slope(method, case)))


def cell_growth(log10_D: float) -> float:
    """Return the factor by which cells scatter more than at 1e-4 cm2/s, at most 4: the number of jumps goes as D."""
    factor: float = min(10 ** (-0.5 * (log10_D + 4)), MOST_CELL_GROWTH)
    return factor


def expansion(method: str, case: Case) -> Effects:
    """Return ln(volume at the potential's zero pressure / true volume), linear in T as thermal expansion is."""
    change = tiers("expansion_slope", method, case, (case.temperature_K - EXPANSION_K) / 1000)
    return {**tiers("expansion", method, case), **change}


def add(*terms: tuple[float, Effects]) -> dict[Effect, float]:
    """Return a weighted sum of sums of effects, from (weight, effects)."""
    total: dict[Effect, float] = {}
    for weight, effects in terms:
        for effect, coefficient in effects.items():
            total[effect] = total.get(effect, 0.0) + weight * coefficient
    return total
