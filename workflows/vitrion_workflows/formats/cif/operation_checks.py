"""Checks of the symmetry operations that a CIF lists: a whole group, the one that is named, and that of the lattice."""

from collections.abc import Sequence

import gemmi
import numpy as np
from pymatgen.core.lattice import Lattice

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

IDENTITY = "x,y,z"
MOST_OPERATIONS = 192  # of a space group on its conventional cell
# Largest change of a product of two lattice vectors over their lengths; 332 real CIFs keep within 1e-4.
METRIC_TOLERANCE = 0.01
SETTING_TOLERANCE = 1e-3  # 0.03 degrees


def distinct_operations(operations: Sequence[gemmi.Op]) -> list[gemmi.Op]:
    """Return operations that differ by more than a lattice translation, in order.

    Raises:
        InputError: they are not a group: the identity or a product of two is missing.
    """
    distinct = list({operation.wrap().triplet(): operation for operation in operations}.values())
    if len(distinct) > MOST_OPERATIONS:
        raise InputError(
            f"{len(distinct)} symmetry operations, where a space group has {MOST_OPERATIONS} at most: write the "
            "structure in P 1"
        )
    names = {operation.triplet() for operation in distinct}
    products = {(first * second).wrap().triplet() for first in distinct for second in distinct}
    if missing := sorted(({IDENTITY} | products) - names):
        raise InputError(
            f"its {len(distinct)} symmetry operations are no group ({missing[0]} is missing): list all of them"
        )
    return distinct


def check_named_group(operations: Sequence[gemmi.Op], names: Sequence[str], number: int | None, axes: Lattice) -> None:
    """Check that a list of operations is as long as the space group that is named beside it.

    Args:
        operations: all of them.
        names: of the space group; those in a setting that is not tabulated are passed over.
        number: of the space group; None where not stated.
        axes: tell hexagonal from rhombohedral ones.

    Raises:
        InputError: the list is shorter or longer, or name and number are of two groups.
    """
    named = [gemmi.find_spacegroup_by_name(name, axes.alpha, axes.gamma) for name in names]
    group = next((each for each in named if each), None)
    if group is None:
        return
    if number is not None and group.number != number:
        raise InputError(f"space group {group.hm} has number {group.number}, the file says {number}: correct one")
    expected = len(list(group.operations()))
    if len(operations) != expected:
        raise InputError(
            f"{len(operations)} symmetry operations are listed, space group {group.hm} has {expected}: list all of "
            "them, or name the group that they are"
        )


def check_setting(group: gemmi.SpaceGroup, lattice: Lattice) -> None:
    """Check that a lattice has the setting of a space group of which only the number is stated.

    Unlike listed operations, the setting is an assumption: angles of 90 degrees are such within their rounding.

    Raises:
        InputError: it does not; the unique axis of a monoclinic cell may be another one.
    """
    rotations = np.array([operation.rot for operation in group.operations()], dtype=np.float64) / gemmi.Op.DEN
    if not has_metric(rotations, lattice, tolerance=SETTING_TOLERANCE):
        raise InputError(
            f"space group {group.number} is stated without its setting, and a lattice of {_shown(lattice)} does not "
            f"have that of {group.xhm()}: add the symmetry operations, or the name of the group in this setting"
        )


def check_metric(rotations: FloatArray, lattice: Lattice) -> None:
    """Check that a lattice has the symmetry of operations, within `METRIC_TOLERANCE`; see `has_metric`.

    Raises:
        InputError: it does not.
    """
    if not has_metric(rotations, lattice, tolerance=METRIC_TOLERANCE):
        raise InputError(
            f"a lattice of {_shown(lattice)} does not have the symmetry that is stated: correct the cell, the space "
            "group or its setting"
        )


def has_metric(rotations: FloatArray, lattice: Lattice, *, tolerance: float) -> bool:
    """Return True where symmetry operations keep the lengths and angles of the lattice vectors.

    Args:
        rotations: on fractional coordinates, shape (M, 3, 3).
        lattice: of the cell.
        tolerance: largest change of a product of two lattice vectors over their lengths.
    """
    metric = lattice.matrix @ lattice.matrix.T
    lengths = np.sqrt(np.diag(metric))
    images = np.swapaxes(rotations, 1, 2) @ metric @ rotations
    return bool((np.abs(images - metric) <= tolerance * np.outer(lengths, lengths)).all())


def _shown(lattice: Lattice) -> str:
    return " ".join(f"{value:g}" for value in lattice.parameters)
