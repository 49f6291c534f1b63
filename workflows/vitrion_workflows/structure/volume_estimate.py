"""Volume estimate of a solid compound before any simulation: its crystal twin, ionic radii, or elemental volumes."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import pi

from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import Element, Species
from pymatgen.core.structure import Structure

from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3
from vitrion_models.errors import InputError
from vitrion_workflows.structure.composition import parse_formula

# Fraction of the volume filled by ions with Shannon's six-fold radii: the mean over 21 compounds,
# 0.70 +- 0.08 (docs/design/cell-gates.md, `python benchmarks/gates.py`).
IONIC_PACKING_FRACTION = 0.70
MOST_UNBALANCED = 0.3  # elementary charges per atom; delithiated compounds stay below
# Anions without a six-fold Shannon entry; Pauling's radii (The Nature of the Chemical Bond, 3rd ed., table 13-3).
PAULING_RADII_A: Mapping[str, float] = {"N3-": 1.71, "P3-": 2.12, "As3-": 2.22, "C4-": 2.60, "H-": 1.40}


class VolumeSource(StrEnum):
    """Source of a volume estimate."""

    TWIN = "crystal twin"
    IONS = "ionic radii"
    ELEMENTS = "volumes of the elements"


@dataclass(frozen=True)
class VolumeEstimate:
    """Volume per atom of a solid compound.

    Attributes:
        volume_A3_per_atom: the estimate.
        source: its source; estimates from ions and elements are accurate to about 15 and 30 %.
    """

    volume_A3_per_atom: float
    source: VolumeSource


def estimate_volume(formula: str, twin: Structure | None = None) -> VolumeEstimate:
    """Estimate the volume per atom of a solid compound: that of its crystal twin, or `estimate_from_composition`.

    Args:
        formula: chemical formula.
        twin: crystal of the same compound.

    Raises:
        InputError: the twin is another compound, or no estimate is possible.
    """
    composition = parse_formula(formula)
    if twin is None:
        return estimate_from_composition(composition)
    if twin.composition.reduced_formula != composition.reduced_formula:
        raise InputError(
            f"the crystal twin is {twin.composition.reduced_formula}, not {composition.reduced_formula}: "
            "give a twin of the same compound"
        )
    return VolumeEstimate(float(twin.volume / twin.composition.num_atoms), VolumeSource.TWIN)


def estimate_from_composition(composition: Composition) -> VolumeEstimate:
    """Estimate the volume per atom of a solid compound from ionic radii, or from the volumes of its elements.

    Where charges balance, the volume of the ions (radii: Shannon, Acta Cryst. A32, 751 (1976)) over their mean packing
    fraction; otherwise, as for alloys, the mean of the molar volumes of the elements (Zen's rule).

    Raises:
        InputError: an element has neither.
    """
    volume = volume_of_ions(composition)
    if volume is not None:
        return VolumeEstimate(volume, VolumeSource.IONS)
    return VolumeEstimate(volume_of_elements(composition), VolumeSource.ELEMENTS)


def volume_of_ions(composition: Composition) -> float | None:
    """Return the volume per atom, A3, of ions with Shannon's radii; None where charges do not balance."""
    charges = likely_charges(composition)
    if charges is None:
        return None
    volume = 0.0
    for element, amount in composition.items():
        radius = _ionic_radius_A(Element(element.symbol), charges[element.symbol])
        if radius is None:
            return None
        volume += amount * 4.0 / 3.0 * pi * radius**3
    return float(volume / IONIC_PACKING_FRACTION / composition.num_atoms)


def likely_charges(composition: Composition) -> dict[str, int] | None:
    """Choose one common oxidation state for each element, together as close to neutral as possible.

    pymatgen's guesser considers all mixtures of states and can take minutes; for radii one state is enough.

    Returns:
        Element symbol -> charge, or None where every choice leaves more than 0.3 e per atom (an alloy).
    """
    elements = [Element(species.symbol) for species in composition]
    states = [[state for state in element.common_oxidation_states if state] for element in elements]
    best: tuple[float, tuple[int, ...]] | None = None
    for chosen in itertools.product(*states):
        negative = [element.X for element, state in zip(elements, chosen, strict=True) if state < 0]
        positive = [element.X for element, state in zip(elements, chosen, strict=True) if state > 0]
        if not negative or not positive or min(negative) <= max(positive):
            continue
        total = sum(composition[element] * state for element, state in zip(elements, chosen, strict=True))
        unbalanced = round(abs(total) / composition.num_atoms, 6)
        if best is None or unbalanced < best[0]:
            best = (unbalanced, chosen)
    if best is None or best[0] > MOST_UNBALANCED:
        return None
    return {element.symbol: state for element, state in zip(elements, best[1], strict=True)}


def _ionic_radius_A(element: Element, charge: int) -> float | None:
    pauling_A = PAULING_RADII_A.get(f"{element.symbol}{abs(charge)}{'+' if charge > 0 else '-'}".replace("1-", "-"))
    if pauling_A is not None:
        return pauling_A
    try:
        return float(Species(element.symbol, charge).get_shannon_radius("VI", radius_type="ionic"))
    except KeyError:
        radii = element.ionic_radii
        return float(radii[charge]) if charge in radii else None


def volume_of_elements(composition: Composition) -> float:
    """Return the mean volume per atom, A3, of the elements as solids (Zen's rule).

    Raises:
        InputError: an element has no molar volume.
    """
    volume = 0.0
    for element, amount in composition.items():
        molar = element.molar_volume
        if molar is None:
            raise InputError(f"no molar volume for {element.symbol}: give the crystal twin of the compound")
        volume += amount * float(molar) * U_PER_A3_IN_G_PER_CM3
    return volume / composition.num_atoms
