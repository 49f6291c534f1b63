"""Electrostatic energies of formal charges on the sites of a crystal."""

import warnings
from collections.abc import Sequence

import numpy as np
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core.periodic_table import Species
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.candidates.integer_formula import reduced_formula
from vitrion_workflows.candidates.oxidation import oxidation_states


def ewald_matrix(structure: Structure) -> FloatArray:
    """Return the energy of unit charges on each pair of sites in eV, shape (S, S).

    The energy of charges q is q M q (P. P. Ewald, Ann. Phys. 369, 253 (1921)); for a cell with a net charge up to a
    constant.
    """
    unit_charges = Structure(structure.lattice, [Species("H", 1)] * len(structure), structure.frac_coords)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the net charge, which the charges of an ordering cancel
        matrix: FloatArray = np.asarray(EwaldSummation(unit_charges).total_energy_matrix, dtype=np.float64)
    return matrix


def site_charges(structure: Structure, symbols: Sequence[str], *, ordered: Structure) -> FloatArray:
    """Return the formal charge of each element of a crystal: as its sites state it, or as a formula implies.

    Args:
        structure: the crystal, with or without oxidation states.
        symbols: chemical symbols.
        ordered: a cell of integer amounts, whose formula is tried after that of the crystal.

    Returns:
        Charges in elementary charges, in the order of the symbols.

    Raises:
        InputError: neither gives charges that cancel.
    """
    stated = {
        species.element.symbol: float(species.oxi_state)
        for species in structure.composition
        if isinstance(species, Species) and species.oxi_state is not None
    }
    if stated.keys() >= set(symbols):
        return np.array([stated[symbol] for symbol in symbols])
    formulas = (reduced_formula(cell.composition) for cell in (structure, ordered))
    states = next((states for formula in formulas if (states := oxidation_states(formula))), None)
    if states is None or not states.keys() >= set(symbols):
        formula = structure.composition.reduced_formula
        raise InputError(f"{formula}: no formal charges that cancel are known: order it at random")
    return np.array([states[symbol] for symbol in symbols])
