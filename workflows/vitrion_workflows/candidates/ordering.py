"""Ordered cells of disordered crystals: integer numbers of atoms on partially occupied sites of a supercell."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.periodic_table import Element
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_models.graphs.neighbours import pairs_within
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.candidates.ewald import ewald_matrix, site_charges
from vitrion_workflows.candidates.site_occupation import VACANCY, SiteOccupation
from vitrion_workflows.schemas.geometry import with_masses
from vitrion_workflows.schemas.identity import species_text
from vitrion_workflows.schemas.isotopes import element_of, mass_of, site_occupancies
from vitrion_workflows.structure.contacts import CONTACT_RADII_A, least_ratio

MOST_SITES = {"random": 2000, "ewald": 500}
MOST_ORDERINGS = 100
FULL_OCCUPANCY = 1e-3  # a sum of occupancies that lacks less holds no vacancy
LONGEST_SIDE = 12  # of a supercell, in cells
ATTEMPTS_EACH, ATTEMPTS_MORE = 4, 12
# Orderings are one where all distances up to here agree; no lattice has a distance of just this.
SIGNATURE_CUTOFF_A = 5.9137
SIGNATURE_TOLERANCE_A = 1e-3

Supercell = tuple[int, int, int]
Signature = dict[tuple[str, str], FloatArray]


class OrderingMethod(StrEnum):
    """Choice of the sites that are filled."""

    RANDOM = "random"
    EWALD = "ewald"


@dataclass(frozen=True, eq=False)
class Ordering:
    """One ordered cell of a disordered crystal.

    Attributes:
        structure: the cell.
        supercell: multiples of the crystal's lattice vectors.
        deviation: atoms of each element in the cell, more (or fewer) than the stated occupancies make.
        ewald_energy_eV: electrostatic energy of the formal charges; None for a random ordering.
    """

    structure: Structure
    supercell: Supercell
    deviation: dict[str, float]
    ewald_energy_eV: float | None


def order(
    structure: Structure,
    *,
    n: int = 1,
    atoms: int = 64,
    supercell: Supercell | None = None,
    method: OrderingMethod | str = OrderingMethod.RANDOM,
    seed: int = 0,
) -> list[Ordering]:
    """Return ordered cells of a crystal with partially occupied sites, no two of them equivalent by symmetry.

    Sites of equal occupancies are filled together, with the integer numbers of atoms nearest to their occupancies;
    what rounding leaves over is carried to the next sites of the element. No two atoms come closer than the cell gates
    allow, which excludes neighbours on split sites; where the occupancies leave no room for that, atoms go to other
    sites of the same elements. ``random`` draws the sites; ``ewald`` anneals them to a low
    electrostatic energy of formal charges, the lowest first.

    Args:
        structure: the crystal; occupancies that add up to less than one leave vacancies.
        n: number of orderings; fewer are returned where the supercell has fewer.
        atoms: approximate number of atoms of the cell.
        supercell: multiples of the lattice vectors, instead of `atoms`.
        method: ``random`` or ``ewald``.
        seed: the same seed gives the same cells.

    Raises:
        InputError: nothing to order, too many sites or orderings, no formal charges for ``ewald``, or no ordering that
            keeps the atoms apart.

    Example:
        >>> from pymatgen.core import Lattice, Structure
        >>> mixed = Structure(Lattice.cubic(2.6), [{"Li": 0.5, "Cl": 0.5}], [[0, 0, 0]])
        >>> [rock_salt] = order(mixed, supercell=(2, 2, 2), method="ewald")
        >>> rock_salt.structure.formula
        'Li4 Cl4'
    """
    chosen = OrderingMethod(method)
    sides = _checked_supercell(structure, n=n, atoms=atoms, supercell=supercell, method=chosen)
    enlarged = structure.copy().make_supercell(sides)
    sites = _Sites.of(enlarged)
    matrix = charges = None
    if chosen is OrderingMethod.EWALD:
        charges = site_charges(
            structure,
            list(map(element_of, sites.symbols)),
            ordered=sites.structure(sites.draw(np.random.default_rng(0))),
        )
        matrix = ewald_matrix(enlarged)
    orderings: list[tuple[Ordering, Signature]] = []
    # Of annealed cells all attempts are made, since a later one may be lower.
    for occupation in _attempts(
        sites, count=ATTEMPTS_EACH * n + ATTEMPTS_MORE, seed=seed, matrix=matrix, charges=charges
    ):
        cell = sites.structure(occupation.codes)
        signature = _signature(cell)
        if any(_equal(signature, other) for _, other in orderings):
            continue
        orderings.append((Ordering(cell, sides, sites.deviation, occupation.energy_eV), signature))
        if matrix is None and len(orderings) == n:
            break
    if not orderings:
        raise InputError(
            f"{structure.composition.reduced_formula}: no ordering of a {'x'.join(map(str, sides))} supercell keeps "
            "its atoms apart, its occupancies crowd sites that touch: choose a larger supercell, or correct them"
        )
    return sorted((ordering for ordering, _ in orderings), key=lambda each: each.ewald_energy_eV or 0.0)[:n]


def choose_supercell(structure: Structure, *, atoms: int) -> Supercell:
    """Return the multiples of the lattice vectors that make a compact cell of about so many atoms."""
    unit = structure.composition.num_atoms
    lengths = np.array(structure.lattice.abc)

    def cost(multiples: Supercell) -> tuple[float, float]:
        edges = lengths * multiples
        size = abs(math.log(unit * math.prod(multiples) / atoms))
        return round(2 * size + math.log(float(edges.max() / edges.min())), 6), size

    most = max(1, math.ceil(2 * atoms / unit))
    sides = range(1, min(LONGEST_SIDE, most) + 1)
    options: list[Supercell] = [(a, b, c) for a in sides for b in sides for c in sides if a * b * c <= most]
    return min(options, key=cost)


def _checked_supercell(
    structure: Structure, *, n: int, atoms: int, supercell: Supercell | None, method: OrderingMethod
) -> Supercell:
    formula = structure.composition.reduced_formula
    if structure.is_ordered:
        raise InputError(f"{formula} has no partially occupied sites: there is nothing to order")
    if not 1 <= n <= MOST_ORDERINGS:
        raise InputError(f"{n} orderings: give 1 to {MOST_ORDERINGS}")
    if atoms < 1 or (supercell is not None and min(supercell) < 1):
        raise InputError("a supercell needs positive multiples and a positive number of atoms")
    most = MOST_SITES[method]
    sides = supercell or choose_supercell(structure, atoms=min(atoms, most))
    if len(structure) * math.prod(sides) > most or atoms > most:
        raise InputError(
            f"{formula}: {len(structure) * math.prod(sides)} sites in a {'x'.join(map(str, sides))} supercell, at most "
            f"{most} are ordered by {method}: choose a smaller one"
        )
    return sides


@dataclass(frozen=True, eq=False)
class _Sites:
    """Sites of a supercell and what they hold.

    Attributes:
        enlarged: the disordered supercell.
        symbols: of the elements and isotopes; the code of an atom is its place here.
        groups: indices of sites of equal occupancies, with the codes that are to be distributed over them.
        deviation: see `Ordering`.
    """

    enlarged: Structure
    symbols: list[str]
    groups: tuple[tuple[IntArray, IntArray], ...]
    deviation: dict[str, float]

    @classmethod
    def of(cls, enlarged: Structure) -> "_Sites":
        """Return the sites of a disordered supercell with integer numbers of atoms."""
        occupancies = [site_occupancies(site) for site in enlarged]
        members: defaultdict[str, list[int]] = defaultdict(list)
        for index, shares in enumerate(occupancies):
            members[species_text(shares)].append(index)
        symbols = sorted({symbol for shares in occupancies for symbol in shares})
        surplus = dict.fromkeys(symbols, 0.0)  # stated, and not placed yet
        groups = []
        for text in sorted(members):
            indices = np.array(members[text])
            counts = _counts(occupancies[members[text][0]], len(indices), surplus)
            filled = [symbols.index(symbol) for symbol, count in counts.items() for _ in range(count)]
            content = np.array(filled + [VACANCY] * (len(indices) - len(filled)), dtype=np.int64)
            groups.append((indices, content))
        deviation = {symbol: round(-left, 6) + 0.0 for symbol, left in surplus.items()}
        return cls(enlarged, symbols, tuple(groups), deviation)

    def draw(self, rng: np.random.Generator) -> IntArray:
        """Return the code of each site, drawn within the groups, shape (S,)."""
        codes = np.full(len(self.enlarged), VACANCY, dtype=np.int64)
        for indices, content in self.groups:
            codes[indices] = rng.permutation(content)
        return codes

    def structure(self, codes: IntArray) -> Structure:
        """Return the ordered cell."""
        kept = np.flatnonzero(codes != VACANCY)
        sites = [self.enlarged[index] for index in kept]
        symbols = [self.symbols[code] for code in codes[kept]]
        cell = Structure(
            self.enlarged.lattice,
            list(map(element_of, symbols)),
            [site.frac_coords for site in sites],
            site_properties={name: [site.properties.get(name) for site in sites] for name in sites[0].properties},
        )
        return with_masses(cell, np.array(list(map(mass_of, symbols)))).get_sorted_structure()


def _counts(occupancies: Mapping[str, float], sites: int, surplus: dict[str, float]) -> dict[str, int]:
    """Return the number of atoms of each element on equal sites, and change what is left over of them."""
    wanted = {symbol: sites * share + surplus[symbol] for symbol, share in sorted(occupancies.items())}
    vacant = 1 - sum(occupancies.values())
    shares = [*wanted.values(), sites * vacant if vacant > FULL_OCCUPANCY else 0.0]
    counts = dict(zip(wanted, _integers(np.array(shares), sites), strict=False))  # the last number is of vacancies
    for symbol, count in counts.items():
        surplus[symbol] = wanted[symbol] - count
    return counts


def _integers(shares: FloatArray, total: int) -> list[int]:
    """Return integers of a given sum nearest to positive numbers: the largest remainders are rounded up."""
    scaled = np.clip(shares, 0.0, None)
    scaled *= total / scaled.sum()
    numbers = np.floor(scaled + 1e-9).astype(int)
    rest = total - int(numbers.sum())
    numbers[np.argsort(numbers - scaled, kind="stable")[:rest]] += 1
    return [int(number) for number in numbers]


def _attempts(
    sites: _Sites, *, count: int, seed: int, matrix: FloatArray | None, charges: FloatArray | None
) -> Iterator[SiteOccupation]:
    """Yield occupations without contacts, drawn one after the other."""
    numbers = [Element(element_of(symbol)).Z for symbol in sites.symbols]
    radii_A = least_ratio() * CONTACT_RADII_A[numbers]
    enlarged = sites.enlarged
    near = pairs_within(enlarged.cart_coords, enlarged.lattice.matrix, float(2 * radii_A.max()) + 1e-6)
    groups = [(indices, frozenset(content.tolist())) for indices, content in sites.groups]
    groups = [(indices, kinds) for indices, kinds in groups if len(kinds) > 1]
    alike: defaultdict[frozenset[int], list[IntArray]] = defaultdict(list)
    for indices, kinds in groups:
        alike[kinds].append(indices)
    movable = np.isin(np.arange(len(enlarged)), [index for indices, _ in groups for index in indices])
    for attempt in range(count):
        rng = np.random.default_rng([seed, attempt])
        occupation = SiteOccupation(sites.draw(rng), near, movable, contact_radii_A=radii_A)
        if matrix is not None and charges is not None:
            occupation.set_charges(matrix, charges)
        if occupation.anneal(rng, [indices for indices, _ in groups]) or occupation.anneal(
            rng, [np.concatenate(parts) for parts in alike.values()]
        ):
            yield occupation


def _signature(cell: Structure) -> Signature:
    """Return the sorted distances of each pair of elements, which no rotation, reflection or shift changes."""
    pairs = pairs_within(cell.cart_coords, cell.lattice.matrix, SIGNATURE_CUTOFF_A, half=True)
    symbols = np.array([next(iter(site_occupancies(site))) for site in cell])
    ends: NDArray[np.str_] = np.sort(symbols[pairs.edge_index], axis=0)
    return {
        (str(one), str(other)): np.sort(pairs.distances_A[(ends[0] == one) & (ends[1] == other)])
        for one, other in np.unique(ends, axis=1).T
    }


def _equal(first: Signature, second: Signature) -> bool:
    return first.keys() == second.keys() and all(
        len(first[pair]) == len(second[pair])
        and np.allclose(first[pair], second[pair], rtol=0, atol=SIGNATURE_TOLERANCE_A)
        for pair in first
    )
