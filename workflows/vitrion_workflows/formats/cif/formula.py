"""Formula sum of a CIF against its sites: atoms that are missing show there."""

import re

import gemmi
from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import DummySpecies
from pymatgen.core.structure import Structure

from vitrion_models.bounds import LONGEST_NAME
from vitrion_models.errors import InputError

FORMULA_SUM = "_chemical_formula_sum"
FORMULA_UNITS = "_cell_formula_units_Z"
FORMULA_TOLERANCE = 0.002  # largest difference of an element's share; 332 real CIFs keep within 0.0005
UNITS_TOLERANCE = 0.02  # of the number of atoms: formulas are rounded
CHARGE = re.compile(r"(?<=[A-Za-z0-9])[+-](?=\s|$)")


def check_formula(block: gemmi.cif.Block, structure: Structure, remarks: list[str]) -> None:
    """Compare the sites of a block with its formula sum, where it has one.

    Args:
        block: data block.
        structure: its crystal.
        remarks: receives one where the sum holds charges or cannot be read.

    Raises:
        InputError: the shares of the elements differ, or the number of formula units of the cell.
    """
    raw = block.find_value(FORMULA_SUM)
    if raw is None or gemmi.cif.is_null(raw):
        return
    text = gemmi.cif.as_string(raw).strip()
    if "?" in text or not text:
        return
    neutral = CHARGE.sub("", text)
    stated = _composition(neutral)
    if stated is None:
        remarks.append(f"the formula sum {text!r} cannot be read and is not compared with the sites")
        return
    shares = structure.composition.element_composition.fractional_composition
    expected = stated.fractional_composition
    differing = [
        element.symbol
        for element in sorted({*expected, *shares})
        if abs(expected[element] - shares[element]) > FORMULA_TOLERANCE or (element in expected) != (element in shares)
    ]
    if neutral != text:
        # The number before a sign may be the amount or the charge.
        outcome = "do not match the sites" if differing else "are left out"
        remarks.append(f"charges in the formula sum {text!r} {outcome}")
    elif differing:
        raise InputError(
            f"its sites give {structure.composition.reduced_formula}, its formula says {text}: truncated, or atoms of "
            f"{', '.join(differing)} are missing or wrong"
        )
    else:
        _check_units(block, stated, structure.composition.num_atoms)


def _check_units(block: gemmi.cif.Block, stated: Composition, atoms: float) -> None:
    """Refuse a cell whose number of atoms contradicts formula sum and Z: its symmetry is missing or wrong."""
    text = block.find_value(FORMULA_UNITS)
    if text is None or gemmi.cif.is_null(text):
        return
    units = gemmi.cif.as_number(text)
    # pymatgen rounds half units down: the cell Li O of Li2O2 has Z 0.
    is_rounded = units == int(stated.get_reduced_composition_and_factor()[1])
    if not (units > 0 or is_rounded):
        raise InputError(f"{FORMULA_UNITS} is {text[:LONGEST_NAME]}: give a positive number")
    # pymatgen gives the sum of the whole cell together with Z, which then divides every amount.
    is_whole_cell = is_rounded or all(
        abs(amount / units - round(amount / units)) < UNITS_TOLERANCE for amount in stated.values()
    )
    possible = [stated.num_atoms * units, *([stated.num_atoms] if is_whole_cell else [])]
    if all(abs(atoms - number) > UNITS_TOLERANCE * number for number in possible):
        raise InputError(
            f"its sites and symmetry give {atoms:g} atoms in the cell, its formula and Z {possible[0]:g}: the symmetry "
            f"or sites are incomplete, or {FORMULA_UNITS} is wrong"
        )


def _composition(text: str) -> Composition | None:
    """Return the amounts of elements of a formula; None where it cannot be read."""
    try:
        composition = Composition(text.replace(" ", ""))
    except (ValueError, KeyError, TypeError):
        return None
    if not composition or any(isinstance(species, DummySpecies) for species in composition):
        return None
    return composition.element_composition
