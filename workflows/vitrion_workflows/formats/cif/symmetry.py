"""Symmetry of a CIF: its operations, or those of the space group it names."""

import re
from dataclasses import dataclass

import gemmi
import numpy as np
from pymatgen.core.lattice import Lattice

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.cif.operation_checks import (
    IDENTITY,
    check_metric,
    check_named_group,
    check_setting,
    distinct_operations,
)
from vitrion_workflows.formats.frames import whole_number

LAST_GROUP = 230
NUMBER = "the number of the space group"
OPERATIONS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
NAMES = (
    "_space_group_name_H-M_alt",
    "_space_group_name_H-M_full",
    "_symmetry_space_group_name_H-M",
    "_symmetry_space_group_name_H_M",
    "_space_group_name_Hall",
    "_symmetry_space_group_name_Hall",
)
NUMBERS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")
MAGNETIC = ("_space_group_symop_magn_operation.xyz", "_space_group_symop_magn_operation_xyz")
ORIGINS = ("1", "2")
ICSD_ORIGIN = re.compile(r"\s+(?P<letter>[SZ])$")  # the ICSD's letters of the first and the second origin
ON_ONE_POINT = 1e-4  # of the lattice vectors: images of a site so near are one, as coordinates are rounded
HEXAGONAL_DEG = 120.0
ANGLE_TOLERANCE_DEG = 1.0


@dataclass(frozen=True, eq=False)
class Operations:
    """Symmetry operations of M elements on fractional coordinates.

    Attributes:
        rotations: shape (M, 3, 3).
        translations: shape (M, 3).
    """

    rotations: FloatArray
    translations: FloatArray

    def __len__(self) -> int:
        return len(self.rotations)

    def images(self, position: FloatArray) -> FloatArray:
        """Return the distinct images of a position, shape (3,), inside the cell, shape (K, 3)."""
        images: FloatArray = self.rotations @ position + self.translations
        images -= np.floor(images)
        same = np.ones((len(images), len(images)), dtype=np.bool_)
        for component in images.T:  # one axis at a time: four times faster than all three
            apart = component[:, None] - component
            same &= np.abs(apart - np.rint(apart)) <= ON_ONE_POINT
        distinct: FloatArray = images[same.argmax(axis=1) == np.arange(len(images))]
        return distinct


def read_operations(block: gemmi.cif.Block, lattice: Lattice, remarks: list[str]) -> Operations:
    """Return the symmetry operations of a block: those it lists, else those of the space group it names.

    Args:
        block: data block.
        lattice: tells hexagonal from rhombohedral axes.
        remarks: receives one where the block states no symmetry, or a number of a space group alone.

    Raises:
        InputError: an operation or a space group that cannot be read, one of two origins without saying which,
            operations that are not the group that is named, or symmetry that the lattice does not have.
    """
    operations = _operations(_read(block, lattice, remarks))
    check_metric(operations.rotations, lattice)
    return operations


def _read(block: gemmi.cif.Block, lattice: Lattice, remarks: list[str]) -> list[gemmi.Op]:
    names = [name for tag in NAMES for name in _values(block, tag)]
    numbers = [number for tag in NUMBERS for number in _values(block, tag)]
    number = whole_number(numbers[0], place=NUMBER, largest=LAST_GROUP) if numbers else None
    for tag in OPERATIONS:
        if texts := _values(block, tag):
            listed = distinct_operations([_parse_operation(text) for text in texts])
            check_named_group(listed, names, number, lattice)
            return listed
    if any(block.find_values(tag) for tag in MAGNETIC):
        raise InputError("the symmetry of a magnetic CIF is not read: write the structure in P 1")
    if names:
        group = list(_named_operations(names, lattice))
        check_named_group(group, names, number, lattice)
        return group
    if number is not None:
        return list(_standard_operations(number, lattice, remarks))
    remarks.append("no symmetry is stated: read as P 1")
    return [gemmi.Op(IDENTITY)]


def _values(block: gemmi.cif.Block, tag: str) -> list[str]:
    # Some programs end the tag with another underscore.
    raw = [*block.find_values(tag), *block.find_values(f"{tag}_")]
    return [gemmi.cif.as_string(text).strip() for text in raw if not gemmi.cif.is_null(text)]


def _parse_operation(text: str) -> gemmi.Op:
    try:
        return gemmi.Op(text)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{text!r} is not a symmetry operation such as -x,y+1/2,z: correct it") from error


def _named_operations(names: list[str], lattice: Lattice) -> gemmi.GroupOps:
    ambiguous = ""
    for name in names:
        spelled = ICSD_ORIGIN.sub(lambda match: ":1" if match["letter"] == "S" else ":2", name)
        if group := gemmi.find_spacegroup_by_name(spelled, lattice.alpha, lattice.gamma):
            if group.ext not in ORIGINS or ":" in spelled:
                return group.operations()
            ambiguous = ambiguous or name
        elif (operations := _hall_operations(name)) is not None:
            return operations
    if ambiguous:
        raise _two_origins(ambiguous)
    raise InputError(f"unknown space group {names[0]!r}: add the symmetry operations ({OPERATIONS[0]})")


def _standard_operations(number: int, lattice: Lattice, remarks: list[str]) -> gemmi.GroupOps:
    standard = gemmi.find_spacegroup_by_number(number) if number else None
    if standard is None:
        raise InputError(f"unknown space group number {number}: give 1 to {LAST_GROUP}, or the symmetry operations")
    if standard.ext in ORIGINS:
        raise _two_origins(str(number))
    group = gemmi.find_spacegroup_by_name(standard.hm, lattice.alpha, lattice.gamma) or standard
    if sum(each.number == number for each in gemmi.spacegroup_table()) > 1:
        check_setting(group, lattice)
        remarks.append(f"space group {number} is stated without its setting: read as {group.xhm()}")
    return group.operations()


def _hall_operations(symbol: str) -> gemmi.GroupOps | None:
    try:
        return gemmi.symops_from_hall(symbol)
    except (ValueError, RuntimeError):
        return None


def _two_origins(name: str) -> InputError:
    return InputError(
        f"space group {name} has two origins and the file does not say which: add its symmetry operations "
        f"({OPERATIONS[0]}) or write :1 or :2 behind its name"
    )


def _operations(operations: list[gemmi.Op]) -> Operations:
    return Operations(
        np.array([operation.rot for operation in operations], dtype=np.float64) / gemmi.Op.DEN,
        np.array([operation.tran for operation in operations], dtype=np.float64) / gemmi.Op.DEN,
    )
