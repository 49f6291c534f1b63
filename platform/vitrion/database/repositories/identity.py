"""Comparison of two cells atom by atom, and a marker that selects the cells worth comparing.

Two descriptions of one cell can have different fingerprints, because `vitrion_workflows.schemas.fingerprint` rounds.
See docs/design/identity.md.
"""

import numpy as np
from scipy.spatial import cKDTree

from vitrion.database.repositories.cells import CellArrays
from vitrion_models.system import FloatArray

SAME_POSITION_A = 1e-4
SAME_LENGTH_RELATIVE = 1e-4
SAME_ANGLE_DEG = 1e-3
SAME_OCCUPANCY = 1e-3
MARKER_WAVES = np.array([1.0, 2.0, 3.0])
SMALLEST_TOLERANCE = 1e-6


def marker(cell: CellArrays) -> float:
    """Return the sum over sites of Z cos(2 pi (u + 2v + 3w)), with fractional coordinates u, v, w and atomic number Z.

    It does not depend on the order of the atoms or their images, and it changes little with their positions: a range
    of it selects the cells that may be the same. Partial occupancies weigh Z.
    """
    return float(cell.charges @ np.cos(2.0 * np.pi * (cell.fractional @ MARKER_WAVES)))


def marker_tolerance(cell: CellArrays) -> float:
    """Return the greatest change of the marker when each atom moves by `SAME_POSITION_A`.

    The derivative of each term is at most 2 pi Z |(1, 2, 3)| for each fractional unit.
    """
    largest_slope = 2.0 * np.pi * np.linalg.norm(MARKER_WAVES) * cell.charges.sum()
    return float(largest_slope * _shift(cell)) + SMALLEST_TOLERANCE


def is_same_cell(one: CellArrays, other: CellArrays) -> bool:
    """Return True for equal lattice parameters and each atom within `SAME_POSITION_A` of one of the same element.

    Minimum images, any order of the atoms, any orientation of the cell.
    """
    if len(one) != len(other) or not _same_lattice(one.lattice_A, other.lattice_A):
        return False
    tree = cKDTree(other.wrapped, boxsize=1.0)
    # Fractional distance in the norm of the largest component: within a factor of the cell's shape of the Cartesian.
    distances, partners = tree.query(one.wrapped, distance_upper_bound=_shift(one), p=np.inf)
    if not np.isfinite(distances).all() or len(set(partners.tolist())) != len(one):
        return False
    return all(
        _same_site(dict(site), dict(other.species[partner]))
        for site, partner in zip(one.species, partners.tolist(), strict=True)
    )


def _shift(cell: CellArrays) -> float:
    """`SAME_POSITION_A` in fractional units, along the shortest lattice vector."""
    return float(SAME_POSITION_A / np.linalg.norm(cell.lattice_A, axis=1).min())


def _same_lattice(one: FloatArray, other: FloatArray) -> bool:
    lengths = [np.linalg.norm(lattice, axis=1) for lattice in (one, other)]
    if not np.allclose(lengths[0], lengths[1], rtol=SAME_LENGTH_RELATIVE, atol=0.0):
        return False
    cosines = [lattice @ lattice.T / np.outer(size, size) for lattice, size in zip((one, other), lengths, strict=True)]
    # Near 90 degrees a cosine differs by the angle in radians; elsewhere by less, which only widens the tolerance.
    return bool(np.abs(cosines[0] - cosines[1]).max() <= np.radians(SAME_ANGLE_DEG))


def _same_site(one: dict[str, float], other: dict[str, float]) -> bool:
    return one.keys() == other.keys() and all(abs(one[symbol] - other[symbol]) <= SAME_OCCUPANCY for symbol in one)
