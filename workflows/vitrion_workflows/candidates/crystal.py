"""Unrelaxed crystals of changed composition, made by replacing or removing sites of the parent crystal."""

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
    """Replace a share of the sites of an element and scale the cell by the ionic sizes.

    The replaced sites lie as far apart as possible, in the smallest supercell in which their number is an integer.
    The volume is scaled by the sum of the cubed ionic radii.

    Args:
        crystal: ordered parent.
        symbol: element to replace.
        substitute: element that replaces it.
        share: share of its sites.
        states: oxidation state of each element, for the radii.
        most_atoms: greatest number of atoms of the supercell.

    Returns:
        The crystal, or None if it would be larger, the parent is disordered, or a radius is unknown.
    """
    chosen = _sites(crystal, symbol, share=share, most_atoms=most_atoms)
    if chosen is None:
        return None
    changed, sites = chosen
    before = _ionic_volume(changed, states)
    for site in sites:
        changed.replace(site, substitute)
    after = _ionic_volume(changed, states)
    if before is None or after is None:
        return None
    changed.scale_lattice(changed.volume * after / before)
    return changed


def without_share(crystal: Structure, symbol: str, *, share: Fraction, most_atoms: int) -> Structure | None:
    """Remove a share of the sites of an element, as far apart as possible; the lattice is kept.

    Args:
        crystal: ordered parent.
        symbol: element to remove.
        share: share of its sites.
        most_atoms: greatest number of atoms of the supercell.

    Returns:
        The crystal, or None if it would be larger or empty, or the parent is disordered.
    """
    chosen = _sites(crystal, symbol, share=share, most_atoms=most_atoms)
    if chosen is None or len(chosen[1]) == len(chosen[0]):
        return None
    changed, sites = chosen
    changed.remove_sites(sites)
    return changed


def _sites(
    crystal: Structure,
    symbol: str,
    *,
    share: Fraction,
    most_atoms: int,
) -> tuple[Structure, list[int]] | None:
    """Return a supercell of the crystal and the sites that make up the share."""
    if not crystal.is_ordered:
        return None
    present = sum(site.specie.symbol == symbol for site in crystal)
    multiples = sorted(product(range(1, 4), repeat=3), key=lambda sides: (np.prod(sides), max(sides), sides))
    for sides in multiples:
        count = share * present * int(np.prod(sides))
        if count.denominator == 1 and len(crystal) * np.prod(sides) <= most_atoms:
            enlarged = crystal.copy().remove_oxidation_states()
            enlarged.make_supercell(sides)
            sites = [index for index, site in enumerate(enlarged) if site.specie.symbol == symbol]
            return enlarged, _farthest(enlarged, sites, count=int(count))
    return None


def _farthest(structure: Structure, sites: list[int], *, count: int) -> list[int]:
    """Choose sites by greedy farthest-point sampling; of equally far ones the first."""
    if count == len(sites):
        return sites
    distances = structure.distance_matrix[np.ix_(sites, sites)]
    chosen = [0]
    while len(chosen) < count:
        # Rounded, so that the order of floating-point sums does not decide between sites that are equally far.
        nearest = np.round(distances[:, chosen].min(axis=1), 6)
        nearest[chosen] = -1
        chosen.append(int(np.argmax(nearest)))
    return sorted(sites[index] for index in chosen)


def _ionic_volume(structure: Structure, states: Mapping[str, float]) -> float | None:
    total = 0.0
    for element, amount in structure.composition.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pymatgen warns about a missing radius
            radius = Species(element.symbol, round(states[element.symbol])).ionic_radius
        if radius is None:
            return None
        total += amount * float(radius) ** 3
    return total
