"""Formula sum of a CIF against its sites: atoms that are missing show there."""

import re

import gemmi
from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import DummySpecies
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError

FORMULA_SUM = "_chemical_formula_sum"
FORMULA_TOLERANCE = 0.02  # largest difference of an element's share; 321 real CIFs keep within 0.001
CHARGE = re.compile(r"(?<=[A-Za-z0-9])[+-](?=\s|$)")


def check_formula(block: gemmi.cif.Block, structure: Structure, remarks: list[str]) -> None:
    """Compare the sites of a block with its formula sum, where it has one.

    Args:
        block: data block.
        structure: its crystal.
        remarks: receives one where the sum holds charges or cannot be read.

    Raises:
        InputError: the shares of the elements differ.
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
    differing = [
        element.symbol
        for element in sorted({*stated, *shares})
        if abs(stated[element] - shares[element]) > FORMULA_TOLERANCE
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


def _composition(text: str) -> Composition | None:
    """Return the shares of elements of a formula; None where it cannot be read."""
    try:
        composition = Composition(text.replace(" ", ""))
    except (ValueError, KeyError, TypeError):
        return None
    if not composition or any(isinstance(species, DummySpecies) for species in composition):
        return None
    return composition.element_composition.fractional_composition
