"""Bonds between atoms of one element: which there are in a cell, and how many its composition accounts for.

A potential that has never met a compound may bind its anions, or its cations, to each other: N2 in Li3N, P-P in Li3P,
Zr2 in Li6Zr2O7. The same bonds are right in others, P2S6 or a peroxide, and the charges of the composition tell.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import Element
from pymatgen.core.structure import Structure

from vitrion_models.graphs.neighbours import NeighbourList, pairs_within
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.schemas.geometry import system_from_structure
from vitrion_workflows.schemas.homonuclear import ExpectedBy, HomonuclearBonds
from vitrion_workflows.structure.contacts import CONTACT_RADII_A


@dataclass(frozen=True)
class NonMetal:
    """Element that binds to itself.

    Attributes:
        bond_A: length of its single bond.
        states: oxidation states with full or empty shells, lone pairs included.
    """

    bond_A: float
    states: tuple[int, ...]


# Single bonds of H2, boranes, diamond, N2H4, H2O2, F2, silicon, P4, S8, Cl2, germanium, As4, Se8, Br2, antimony,
# tellurium and I2 (CRC Handbook of Chemistry and Physics; Wells, Structural Inorganic Chemistry). Multiple bonds, as in
# N2, O2 and C2H2, are shorter.
NON_METALS = {
    "H": NonMetal(0.74, (-1, 1)),
    "B": NonMetal(1.76, (3,)),
    "C": NonMetal(1.54, (-4, 4)),
    "N": NonMetal(1.45, (-3, 3, 5)),
    "O": NonMetal(1.48, (-2,)),
    "F": NonMetal(1.41, (-1,)),
    "Si": NonMetal(2.35, (-4, 4)),
    "P": NonMetal(2.21, (-3, 3, 5)),
    "S": NonMetal(2.06, (-2, 4, 6)),
    "Cl": NonMetal(1.99, (-1, 3, 5, 7)),
    "Ge": NonMetal(2.45, (-4, 2, 4)),
    "As": NonMetal(2.44, (-3, 3, 5)),
    "Se": NonMetal(2.34, (-2, 4, 6)),
    "Br": NonMetal(2.28, (-1, 3, 5, 7)),
    "Sb": NonMetal(2.91, (-3, 3, 5)),
    "Te": NonMetal(2.84, (-2, 4, 6)),
    "I": NonMetal(2.67, (-1, 3, 5, 7)),
}
# Longest bond over its length at rest. The next distances, between atoms that are not bonded, begin at 1.25 to 1.4.
LONGEST_BOND = 1.15
# Metals in salts: over the sum of contact radii. Bonds of reduced metals are at 0.95 to 1.15, edge-sharing
# polyhedra bring metals that have no electrons left to 1.2 and more.
LONGEST_METAL_BOND = 1.15
# Elementary charges an atom by which a composition may be off and still count as balanced: amounts are rounded.
BALANCED = 0.005


def _bond_reach_A() -> FloatArray:
    """Return the longest bond of each element with itself by atomic number, shape (119,); 0 where it has none."""
    reach_A = 2.0 * LONGEST_METAL_BOND * CONTACT_RADII_A
    reach_A[0] = 0.0
    for symbol in ("He", "Ne", "Ar", "Kr", "Xe", "Rn", "Li", "Na", "K", "Rb", "Cs", "Fr"):
        reach_A[atomic_numbers[symbol]] = 0.0  # neither noble gases nor alkali ions form pairs
    for symbol, element in NON_METALS.items():
        reach_A[atomic_numbers[symbol]] = LONGEST_BOND * element.bond_A
    return reach_A


BOND_REACH_A = _bond_reach_A()
_NUMBERS_OF_NON_METALS = np.array([atomic_numbers[symbol] for symbol in NON_METALS])


def homonuclear_bonds(system: AtomicSystem) -> NeighbourList:
    """Find the bonds between atoms of one element: of non-metals, and in a salt of metals.

    Args:
        system: the cell.

    Returns:
        Each bond once. Metals of an alloy are not counted: there all are neighbours.
    """
    elements = np.unique(system.numbers)
    bonding = elements if is_salt(system) else np.intersect1d(elements, _NUMBERS_OF_NON_METALS)
    longest_A = float(BOND_REACH_A[bonding].max(initial=0.0))
    if not longest_A:
        return _no_pairs()
    pairs = pairs_within(system.positions_A, system.lattice_A, longest_A, half=True, pbc=system.pbc)
    first, second = system.numbers[pairs.edge_index]
    return pairs.where((first == second) & np.isin(first, bonding) & (pairs.distances_A < BOND_REACH_A[first]))


def count_homonuclear_bonds(system: AtomicSystem) -> dict[str, int]:
    """Count the bonds between atoms of one element: symbol -> number of `homonuclear_bonds`, none left out at zero."""
    centres = system.numbers[homonuclear_bonds(system).edge_index[0]]
    return {chemical_symbols[number]: count for number, count in sorted(Counter(centres.tolist()).items())}


def summarize_bonds(frames: Sequence[AtomicSystem], *, twin: Structure | None = None) -> tuple[HomonuclearBonds, ...]:
    """Return the record of each element with homonuclear bonds in some frames, beside those that the compound has.

    Args:
        frames: of one run, or one cell alone.
        twin: ordered crystal of the compound, whose bonds are expected; without it `accounted_bonds` are.
    """
    counts = [count_homonuclear_bonds(frame) for frame in frames]
    if twin is not None and twin.is_ordered:
        crystal = system_from_structure(twin)
        of_twin = count_homonuclear_bonds(crystal)
        expected: Mapping[str, float] | None = {
            symbol: count * len(frames[0]) / len(crystal) for symbol, count in of_twin.items()
        }
        source = ExpectedBy.TWIN
    else:
        expected, source = accounted_bonds(composition_of(frames[0])), ExpectedBy.CHARGES
    records = []
    for symbol in sorted({symbol for count in counts for symbol in count}):
        numbers = np.array([count.get(symbol, 0) for count in counts])
        usual = None if expected is None else expected.get(symbol, 0.0)
        records.append(
            HomonuclearBonds(
                element=symbol,
                number=float(numbers.mean()),
                expected=usual,
                expected_by=None if usual is None else source,
                persistence=None if usual is None else float((numbers > usual).mean()),
            )
        )
    return tuple(records)


def accounted_bonds(composition: Composition) -> dict[str, float] | None:
    """Return the number of homonuclear bonds of each element that the charges of a composition account for.

    Each bond between two anions spares two electrons, each between two cations stores two (the 8 - N rule): Li2O2 lacks
    two electrons of two O2-, Li4P2S6 has two more than P5+ leaves. All atoms of a non-metal have one state with full or
    empty shells, those of a metal any between its lowest and its greatest common one; the choices nearest to neutrality
    count.

    Args:
        composition: of the whole cell, integer amounts.

    Returns:
        Element symbol -> half the charge that is left to bonds of this element, nothing where there is none; None where
        no element is an anion (alloys).
    """
    elements = [Element(element.symbol) for element in composition]
    bonding = {element.symbol for element in elements if BOND_REACH_A[element.Z]}
    amounts = [composition[element] for element in elements]
    choices: list[tuple[float, dict[str, float]]] = []
    for ranges in itertools.product(*(_states(element) for element in elements)):
        negative = [element.X for element, (_, high) in zip(elements, ranges, strict=True) if high < 0]
        positive = [element.X for element, (_, high) in zip(elements, ranges, strict=True) if high > 0]
        if not negative or not positive or min(negative) <= max(positive):
            continue
        least, greatest = (
            sum(amount * states[end] for amount, states in zip(amounts, ranges, strict=True)) for end in (0, 1)
        )
        left = least if least > 0 else min(greatest, 0.0)
        same_sign = {element.symbol for element, (_, high) in zip(elements, ranges, strict=True) if high * left > 0}
        choices.append((abs(left), dict.fromkeys(sorted(bonding & same_sign), abs(left) / 2.0)))
    if not choices:
        return None
    smallest = min(left for left, _ in choices)
    if smallest <= BALANCED * composition.num_atoms:
        return {}
    return {symbol: count for left, bonds in choices if left == smallest for symbol, count in bonds.items()}


def _states(element: Element) -> list[tuple[int, int]]:
    """Return the choices of an element, each the lowest and the greatest of its oxidation states."""
    if element.symbol in NON_METALS:
        return [(state, state) for state in NON_METALS[element.symbol].states]
    common = [state for state in element.common_oxidation_states if state > 0]
    return [(min(state for state in (*common, *element.oxidation_states) if state > 0), max(common))] if common else []


def is_salt(system: AtomicSystem) -> bool:
    """Return True if the cell has anions that are much more electronegative than its other atoms."""
    return accounted_bonds(composition_of(system)) is not None


def composition_of(system: AtomicSystem) -> Composition:
    """Return the composition of a cell, in atoms."""
    return Composition(Counter(chemical_symbols[number] for number in sorted(system.numbers.tolist())))


def _no_pairs() -> NeighbourList:
    return NeighbourList(
        np.empty((2, 0), dtype=np.int64), np.empty((0, 3), dtype=np.int64), np.empty((0, 3)), np.empty(0)
    )
