"""The same cell across a rounding boundary of its fingerprint, found by comparing geometry.

`vitrion_workflows.schemas.fingerprint` rounds, so two descriptions of one cell may in rare cases get two
fingerprints. Before a structure is added, cells of the same formula and nearly the same `marker` are compared atom by
atom. See docs/design/identity.md.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.structure import Structure
from scipy.spatial import cKDTree

SAME_POSITION_A = 1e-4
SAME_LENGTH_RELATIVE = 1e-4
SAME_ANGLE_DEG = 1e-3
MARKER_WAVES = np.array([1.0, 2.0, 3.0])
SMALLEST_TOLERANCE = 1e-6


def marker(structure: Structure) -> float:
    """Sum over sites of Z cos(2 pi (u + 2 v + 3 w)), with fractional coordinates u, v, w and atomic number Z.

    It depends neither on the order of the atoms nor on the image they are written in, and moves little when they
    do: a range of it is a cheap first look for the same cell. Partial occupancies weigh Z.
    """
    phases = 2.0 * np.pi * (structure.frac_coords @ MARKER_WAVES)
    return float(_charges(structure) @ np.cos(phases))


def marker_tolerance(structure: Structure) -> float:
    """How far the marker of the same cell can be off when each atom is `SAME_POSITION_A` away.

    The derivative of each term is at most 2 pi Z |(1, 2, 3)| for each fractional unit.
    """
    shift = SAME_POSITION_A / min(structure.lattice.abc)
    return float(2.0 * np.pi * np.linalg.norm(MARKER_WAVES) * shift * _charges(structure).sum()) + SMALLEST_TOLERANCE


def is_same_cell(one: Structure, other: Structure) -> bool:
    """Whether two structures are one cell: equal lattice parameters and each atom within `SAME_POSITION_A`.

    Minimum images, any order, any orientation of the whole; the lattice vectors must be the same ones.
    """
    if len(one) != len(other):
        return False
    lengths = np.allclose(one.lattice.abc, other.lattice.abc, rtol=SAME_LENGTH_RELATIVE, atol=0.0)
    angles = np.allclose(one.lattice.angles, other.lattice.angles, rtol=0.0, atol=SAME_ANGLE_DEG)
    if not (lengths and angles):
        return False
    tolerance = SAME_POSITION_A / min(one.lattice.abc)
    tree = cKDTree(_wrapped(other), boxsize=1.0)
    # Fractional distance in the norm of the largest component: within a factor of the cell's shape of the Cartesian.
    distances, partners = tree.query(_wrapped(one), distance_upper_bound=tolerance, p=np.inf)
    if not np.isfinite(distances).all() or len(set(partners.tolist())) != len(one):
        return False
    return all(_same_species(site, other[int(partner)]) for site, partner in zip(one, partners, strict=True))


def _wrapped(structure: Structure) -> NDArray[np.float64]:
    # A coordinate a hair below zero wraps to 1.0 exactly, which the periodic tree refuses.
    wrapped = np.mod(structure.frac_coords, 1.0)
    return cast("NDArray[np.float64]", np.where(wrapped >= 1.0, 0.0, wrapped))


def _charges(structure: Structure) -> NDArray[np.float64]:
    if structure.is_ordered:
        return np.array(structure.atomic_numbers, dtype=float)
    return np.array([sum(kind.Z * share for kind, share in site.species.items()) for site in structure])


def _same_species(one: object, other: object) -> bool:
    return bool(one.species.element_composition.almost_equals(other.species.element_composition))  # type: ignore[attr-defined]
