"""The package's own crystals against handbook densities, spglib, ionic radii and arithmetic."""

import numpy as np
import pytest
from pymatgen.core.composition import Composition
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from vitrion.datasets import quickstart_compounds, quickstart_crystals
from vitrion_models.errors import InputError
from vitrion_workflows.candidates import oxidation_states
from vitrion_workflows.schemas import fingerprint

COMPOUNDS = {compound.formula: compound for compound in quickstart_compounds()}

# Bond lengths in Angstrom that crystal chemistry expects: sums of Shannon radii (R. D. Shannon, Acta Crystallogr. A 32,
# 751 (1976)) within 0.15 A.
BONDS = {
    ("LiF", "Li", "F"): 2.01,
    ("LiCl", "Li", "Cl"): 2.57,
    ("Li2O", "Li", "O"): 2.00,
    ("Li2S", "Li", "S"): 2.47,
    ("Li3N", "Li", "N"): 2.02,
    ("Li3PO4", "P", "O"): 1.54,
    ("Li3PS4", "P", "S"): 2.04,
    ("Li2SiO3", "Si", "O"): 1.62,
    ("LiAlO2", "Al", "O"): 1.76,
    ("LiGaO2", "Ga", "O"): 1.85,
    ("Li2CO3", "C", "O"): 1.28,
    ("LiAlCl4", "Al", "Cl"): 2.13,
    ("LiFePO4", "P", "O"): 1.54,
    ("LiFePO4", "Fe", "O"): 2.10,
    ("LiCoO2", "Co", "O"): 1.92,
    ("LiNbO3", "Nb", "O"): 1.89,
}


def test_there_are_enough_and_each_names_its_source():
    assert len(COMPOUNDS) == len(quickstart_compounds()) >= 16
    for compound in COMPOUNDS.values():
        assert any(year in compound.source for year in map(str, range(1900, 2030)))
        assert "," in compound.source
    assert sum(compound.density_g_cm3 is not None for compound in COMPOUNDS.values()) >= 14


@pytest.mark.parametrize("formula", COMPOUNDS)
def test_composition_and_charge(formula):
    compound = COMPOUNDS[formula]
    composition = compound.structure().composition
    assert composition.reduced_formula == Composition(formula).reduced_formula
    assert sum(compound.charges[element.symbol] * amount for element, amount in composition.items()) == 0
    assert oxidation_states(composition.reduced_formula) == compound.charges


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")  # spglib's note to pymatgen
@pytest.mark.parametrize("formula", COMPOUNDS)
def test_spglib_finds_the_stated_space_group(formula):
    compound = COMPOUNDS[formula]
    assert SpacegroupAnalyzer(compound.structure(), symprec=1e-3).get_space_group_symbol() == compound.space_group


@pytest.mark.parametrize("formula", ["LiCl", "Li3N", "Li3PS4", "Li2CO3", "LiAlCl4", "LiNbO3", "LiCoO2"])
def test_sites_are_those_pymatgen_generates(formula):
    compound = COMPOUNDS[formula]
    theirs = Structure.from_spacegroup(
        compound.space_group,
        Lattice.from_parameters(*compound.lattice_parameters),
        [site[0] for site in compound.sites],
        [site[1:] for site in compound.sites],
    )
    assert fingerprint(compound.structure()) == fingerprint(theirs)


@pytest.mark.parametrize("formula", [name for name, each in COMPOUNDS.items() if each.density_g_cm3 is not None])
def test_density_is_the_handbooks_within_three_percent(formula):
    compound = COMPOUNDS[formula]
    assert compound.structure().density == pytest.approx(compound.density_g_cm3, rel=0.03)


@pytest.mark.parametrize("formula", COMPOUNDS)
def test_no_two_atoms_are_nearer_than_atoms_are(formula):
    structure = COMPOUNDS[formula].structure()
    distances = structure.distance_matrix + np.diag(np.full(len(structure), np.inf))
    assert distances.min() > 1.2
    like = np.equal.outer(structure.atomic_numbers, structure.atomic_numbers)
    assert distances[like].min() > 1.9


@pytest.mark.parametrize(("formula", "cation", "anion"), BONDS)
def test_bond_lengths(formula, cation, anion):
    structure = COMPOUNDS[formula].structure()
    rows = [index for index, site in enumerate(structure) if site.specie.symbol == cation]
    columns = [index for index, site in enumerate(structure) if site.specie.symbol == anion]
    nearest = structure.distance_matrix[np.ix_(rows, columns)].min(axis=1)
    np.testing.assert_allclose(nearest, BONDS[formula, cation, anion], atol=0.15)


def test_crystals_come_in_the_order_asked_for():
    first, second = quickstart_crystals(("Li2S", "LiCl"))
    assert (first.composition.reduced_formula, second.composition.reduced_formula) == ("Li2S", "LiCl")
    with pytest.raises(InputError, match=r"NaCl.*quickstart compound"):
        quickstart_crystals(("NaCl",))
