"""A crystal of a changed composition, made from its parent's by replacing or removing sites. Unrelaxed."""

import warnings
from collections.abc import Mapping
from fractions import Fraction
from itertools import product

import numpy as np
from pymatgen.core.periodic_table import Species
from pymatgen.core.structure import Structure


def with_share(
    crystal: Structure,
    symbol: str,
    substitute: str,
    *,
    share: Fraction,
    states: Mapping[str, float],
    most_atoms: int,
) -> Structure | None:
    """Replace a share of an element's sites and scale the cell by the ions' sizes.

    The replaced sites lie as far from each other as they can, in the smallest supercell in which their number is
    whole. The volume follows the sum of the cubed ionic radii.

    Args:
        crystal: ordered parent.
        symbol: element to replace.
        substitute: what stands in its place.
        share: of the element's sites.
        states: oxidation state of each element, for the radii.
        most_atoms: largest supercell.

    Returns:
        The crystal, or None when it would be larger, the parent is disordered, or a radius is unknown.
    """
    chosen = _sites(crystal, symbol, share=share, most_atoms=most_atoms)
    if chosen is None:
        return None
    changed, places = chosen
    before = _ionic_volume(changed, states)
    for place in places:
        changed.replace(place, substitute)
    after = _ionic_volume(changed, states)
    if before is None or after is None:
        return None
    changed.scale_lattice(changed.volume * after / before)
    return changed


def without_share(crystal: Structure, symbol: str, *, share: Fraction, most_atoms: int) -> Structure | None:
    """Remove a share of an element's sites, as far from each other as they can be; the cell is kept.

    Args:
        crystal: ordered parent.
        symbol: element to remove.
        share: of the element's sites.
        most_atoms: largest supercell.

    Returns:
        The crystal, or None when it would be larger, empty, or the parent is disordered.
    """
    chosen = _sites(crystal, symbol, share=share, most_atoms=most_atoms)
    if chosen is None or len(chosen[1]) == len(chosen[0]):
        return None
    changed, places = chosen
    changed.remove_sites(places)
    return changed


def _sites(
    crystal: Structure,
    symbol: str,
    *,
    share: Fraction,
    most_atoms: int,
) -> tuple[Structure, list[int]] | None:
    """A copy of the crystal, enlarged where needed, and the sites that make up the share."""
    if not crystal.is_ordered:
        return None
    present = sum(site.specie.symbol == symbol for site in crystal)
    multiples = sorted(product(range(1, 4), repeat=3), key=lambda sides: (np.prod(sides), max(sides), sides))
    for sides in multiples:
        wanted = share * present * int(np.prod(sides))
        if wanted.denominator == 1 and len(crystal) * np.prod(sides) <= most_atoms:
            enlarged = crystal.copy().remove_oxidation_states()
            enlarged.make_supercell(sides)
            places = [index for index, site in enumerate(enlarged) if site.specie.symbol == symbol]
            return enlarged, _spread(enlarged, places, count=int(wanted))
    return None


def _spread(structure: Structure, places: list[int], *, count: int) -> list[int]:
    """Greedy farthest points: each next site is the one farthest from those chosen, the first of equals."""
    if count == len(places):
        return places
    distances = structure.distance_matrix[np.ix_(places, places)]
    chosen = [0]
    while len(chosen) < count:
        # Rounded, so that the order of floating-point sums does not decide between sites that are equally far.
        nearest = np.round(distances[:, chosen].min(axis=1), 6)
        nearest[chosen] = -1
        chosen.append(int(np.argmax(nearest)))
    return sorted(places[index] for index in chosen)


def _ionic_volume(structure: Structure, states: Mapping[str, float]) -> float | None:
    total = 0.0
    for element, amount in structure.composition.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pymatgen tells that a radius is missing
            radius = Species(element.symbol, round(states[element.symbol])).ionic_radius
        if radius is None:
            return None
        total += amount * float(radius) ** 3
    return total
