"""Formula of a CIF: compared with the atoms in the cell."""

from pathlib import Path

import pytest
from cif_files import check_rock_salt, cif, entry_of
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

from vitrion_models.errors import InputError
from vitrion_workflows.formats.structures import read_entries

CASES = Path(__file__).parent / "cases"


def test_charges_in_a_formula_sum_are_left_out_with_a_remark():
    (entry,) = read_entries(CASES / "03c_formula_charge.cif")
    assert any("charges" in remark for remark in entry.remarks)


@pytest.mark.parametrize("formula", ["Li Cl", "Cl1 Li1", "Li4 Cl4", "'Li Cl'", "'Li1+ Cl1-'", ".", "?", "'?'"])
def test_formula_sums_that_agree(tmp_path, formula):
    quoted = formula if "'" in formula or len(formula) == 1 else f"'{formula}'"
    check_rock_salt(entry_of(tmp_path, cif(more=f"_chemical_formula_sum {quoted}")).structure)


@pytest.mark.parametrize("formula", ["Li3 Cl4", "Li Cl H", "Li O2"])
def test_a_formula_sum_that_contradicts_the_sites_is_refused(tmp_path, formula):
    with pytest.raises(InputError, match="its formula says"):
        entry_of(tmp_path, cif(more=f"_chemical_formula_sum '{formula}'"))


def test_missing_hydrogen_is_named(tmp_path):
    text = cif("Li1 Li 0 0 0 1\nO1 O .5 .5 .5 1\n", more="_chemical_formula_sum 'H1 Li1 O1'")
    with pytest.raises(InputError, match=r"atoms of .*H"):
        entry_of(tmp_path, text)


@pytest.mark.parametrize("formula", ["lithium chloride", "Li Cl Vac0.2", "Li Xx", "(Li"])
def test_a_formula_sum_that_cannot_be_read_is_a_remark(tmp_path, formula):
    entry = entry_of(tmp_path, cif(more=f"_chemical_formula_sum '{formula}'"))
    check_rock_salt(entry.structure)
    assert any("cannot be read" in remark for remark in entry.remarks)


@pytest.mark.parametrize(("formula", "units"), [("Li1 Cl1", 4), ("Li4 Cl4", 4), ("Li4 Cl4", 1)])
def test_formula_units_are_those_of_the_cell(tmp_path, formula, units):
    more = f"_chemical_formula_sum '{formula}'\n_cell_formula_units_Z {units}"
    check_rock_salt(entry_of(tmp_path, cif(more=more)).structure)
    with pytest.raises(InputError, match="2 atoms in the cell"):
        entry_of(tmp_path, cif(symmetry="_space_group_name_H-M_alt 'P 1'", more=more))


@pytest.mark.parametrize(("lithium", "oxygen"), [(1, 1), (3, 3), (5, 5), (0, 1), (0, 5)])
def test_half_formula_units_that_pymatgen_rounds_down_are_read(tmp_path, lithium, oxygen):
    species = ["Li"] * lithium + ["O"] * oxygen
    places = [[0.1 * place, 0.1 * place, 0] for place in range(len(species))]
    text = str(CifWriter(Structure(Lattice.cubic(20), species, places)))
    units = (lithium or oxygen) // 2
    assert f"_cell_formula_units_Z   {units}\n" in text
    assert len(entry_of(tmp_path, text).structure) == len(species)


@pytest.mark.parametrize("units", ["0", "-1", "nan"])
def test_an_impossible_number_of_formula_units_is_refused(tmp_path, units):
    more = f"_chemical_formula_sum 'Li4 Cl4'\n_cell_formula_units_Z {units}"
    with pytest.raises(InputError, match="positive"):
        entry_of(tmp_path, cif(more=more))


def test_one_missing_hydrogen_of_many_atoms_is_refused(tmp_path):
    rows = "".join(f"O{i} O {i % 5 / 5} {i // 5 % 5 / 5} {i // 25 / 5} 1\n" for i in range(125))
    text = cif(rows, symmetry="_space_group_name_H-M_alt 'P 1'", a="15", more="_chemical_formula_sum 'H1 O125'")
    with pytest.raises(InputError, match="atoms of H"):
        entry_of(tmp_path, text)
