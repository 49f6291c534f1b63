"""Crystals from CIF, partial occupancies kept as they are."""

import math
import re
from pathlib import Path
from typing import Any

from pymatgen.core.composition import Composition
from pymatgen.core.structure import Structure
from pymatgen.io.cif import CifBlock, CifParser

from vitrion_models.errors import InputError
from vitrion_workflows.formats.opening import read_text

LENGTHS = ("_cell_length_a", "_cell_length_b", "_cell_length_c")
ANGLES = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")
STRAIGHT_DEG = 180.0
SUM = "_chemical_formula_sum"
COORDINATES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
FORMULA_TOLERANCE = 0.02  # largest difference of an element's share; 321 real CIFs keep within 0.001
ESTIMATED_ERROR = re.compile(r"\(\d+\)$")


def read(path: Path) -> list[Structure]:
    """Return every crystal of a CIF, each as the conventional cell of its own data block.

    Raises:
        InputError: no cell, one with impossible parameters, coordinates that are not finite, or sites that are not the
            ones its formula promises (a truncated file).
    """
    # An occupancy may exceed one by its rounding; more than that stays an error.
    text = read_text(path)
    parser = CifParser.from_str(text, occupancy_tolerance=1.05)
    blocks = [block for block in parser.as_dict().values() if COORDINATES[0] in block]
    if not blocks:
        raise InputError("no atom positions in it")
    if all(len(parser.get_symops(CifBlock(block, [], ""))) == 1 for block in blocks):
        # 0.3333 is a third where symmetry makes more atoms of it; a glass has no thirds, and keeps its identity.
        parser = CifParser.from_str(text, occupancy_tolerance=1.05, frac_tolerance=0)
    for block in blocks:
        _check_block(block)
    structures: list[Structure] = parser.parse_structures(primitive=False, on_error="raise")
    if len(structures) != len(blocks):
        raise InputError(f"only {len(structures)} of its {len(blocks)} crystals can be read")
    for block, structure in zip(blocks, structures, strict=True):
        _check_formula(block, structure)
    return structures


def _check_block(block: dict[str, Any]) -> None:
    for key in (*LENGTHS, *ANGLES):
        if key not in block:
            raise InputError(f"the lattice is absent ({key} is missing)")
        value = _number(block[key])
        if not value > 0 or (key in ANGLES and value >= STRAIGHT_DEG):
            raise InputError(f"the lattice is impossible ({key} is {block[key]})")
    for key in COORDINATES:
        if not all(math.isfinite(_number(text)) for text in block[key]):
            raise InputError(f"coordinates are not finite numbers ({key})")


def _number(text: str) -> float:
    try:
        return float(ESTIMATED_ERROR.sub("", text.strip()))
    except ValueError:
        return math.nan


def _check_formula(block: dict[str, Any], structure: Structure) -> None:
    promised = str(block.get(SUM, "")).replace(" ", "").strip("'\"")
    if not promised or "?" in promised:
        return
    wanted = Composition(promised).element_composition.fractional_composition
    found = structure.composition.element_composition.fractional_composition
    if any(abs(wanted[element] - found[element]) > FORMULA_TOLERANCE for element in {*wanted, *found}):
        raise InputError(
            f"its sites give {structure.composition.reduced_formula}, its formula says {promised}: truncated, or atoms "
            "are missing",
        )
