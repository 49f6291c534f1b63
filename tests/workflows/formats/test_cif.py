"""CIF: sites in are sites out, nulls have the dictionary's defaults, and nothing is guessed."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from ase.io import read as ase_read
from ase.spacegroup import crystal
from pymatgen.core import Lattice, Structure
from pymatgen.core.periodic_table import Species
from pymatgen.io.cif import CifWriter

from vitrion_models.errors import InputError
from vitrion_workflows.formats.structures import read_entries

CASES = Path(__file__).parent / "cases"
HEAD = (
    "data_{name}\n_cell_length_a {a}\n_cell_length_b {a}\n_cell_length_c {a}\n_cell_angle_alpha 90\n"
    "_cell_angle_beta 90\n_cell_angle_gamma 90\n{symmetry}\n{more}\nloop_\n_atom_site_label\n_atom_site_type_symbol\n"
    "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n"
)
ROCK_SALT = "Li1 Li 0 0 0 1\nCl1 Cl .5 .5 .5 1\n"
FM3M = "_space_group_name_H-M_alt 'F m -3 m'"


def cif(rows=ROCK_SALT, *, symmetry=FM3M, more="", a="5.13", name="x"):
    return HEAD.format(name=name, a=a, symmetry=symmetry, more=more) + rows


def entry_of(tmp_path, text):
    (tmp_path / "a.cif").write_text(text, encoding="utf-8")
    (entry,) = read_entries(tmp_path / "a.cif")
    return entry


def occupancies(structure):
    return sorted(structure.composition.get_el_amt_dict().items())


def check_rock_salt(structure):
    assert occupancies(structure) == [("Cl", 4.0), ("Li", 4.0)]
    shortest = np.sort(structure.distance_matrix[np.triu_indices(8, 1)])
    np.testing.assert_allclose(shortest[:12], 5.13 / 2)


@pytest.mark.parametrize("name", ["02b_occ_dot_noformula", "03_formula_dot", "03c_formula_charge"])
def test_nulls_have_the_default_of_the_dictionary(name):
    (entry,) = read_entries(CASES / f"{name}.cif")
    check_rock_salt(entry.structure)


def test_charges_in_a_formula_sum_are_left_out_with_a_remark():
    (entry,) = read_entries(CASES / "03c_formula_charge.cif")
    assert any("charges" in remark for remark in entry.remarks)


def test_a_declared_vacancy_is_no_atom():
    (entry,) = read_entries(CASES / "10_vacancy.cif")
    assert occupancies(entry.structure) == [("Cl", 4.0), ("Li", pytest.approx(3.2))]


def test_deuterium_keeps_its_mass():
    (entry,) = read_entries(CASES / "04_deuterium.cif")
    masses = sorted({round(float(site.specie.atomic_mass), 1) for site in entry.structure})
    assert masses == [2.0, 6.9]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("15_OH_type", "site O1"),
        ("09_water", "site O1"),
        ("nanocc", "site Li1"),
        ("zeroocc", "site Li1"),
        ("unicode", "line 16"),
    ],
)
def test_a_site_that_is_no_atom_is_refused_by_its_label(name, place):
    with pytest.raises(InputError, match=place) as caught:
        list(read_entries(CASES / f"{name}.cif"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "word", ["OH", "OH-", "H2O", "Wat", "Ow", "NH4", "NH4+", "NO3", "X", "M", "Q1", "'Łi₃'", "O-H", "CO", "Li,Na"]
)
def test_no_letter_of_a_type_is_taken_for_an_element(tmp_path, word):
    with pytest.raises(InputError, match="site A1"):
        entry_of(tmp_path, cif(f"{ROCK_SALT}A1 {word} .25 .25 .25 1\n"))


@pytest.mark.parametrize("occupancy", ["0", "0.0", "-1", "nan", "inf", "1.2", "?", "x", "1e400"])
def test_an_impossible_occupancy_is_refused(tmp_path, occupancy):
    with pytest.raises(InputError, match="site Li1"):
        entry_of(tmp_path, cif(f"Li1 Li 0 0 0 {occupancy}\nCl1 Cl .5 .5 .5 1\n"))


@pytest.mark.parametrize(("occupancy", "amount"), [("0.25(3)", 1.0), (".5", 2.0), ("1.0000", 4.0), (".", 4.0)])
def test_occupancies(tmp_path, occupancy, amount):
    structure = entry_of(tmp_path, cif(f"Li1 Li 0 0 0 {occupancy}\nCl1 Cl .5 .5 .5 1\n")).structure
    assert dict(occupancies(structure))["Li"] == pytest.approx(amount)


def test_occupancies_of_a_shared_site_that_exceed_one_by_their_error_are_scaled_with_a_remark(tmp_path):
    entry = entry_of(tmp_path, cif("Li1 Li 0 0 0 .52\nNa1 Na 0 0 0 .51\nCl1 Cl .5 .5 .5 1\n"))
    assert any("scaled" in remark for remark in entry.remarks)
    assert dict(occupancies(entry.structure))["Li"] == pytest.approx(4 * 0.52 / 1.03)
    with pytest.raises(InputError, match=r"add up to 1\.2"):
        entry_of(tmp_path, cif("Li1 Li 0 0 0 .6\nNa1 Na 0 0 0 .6\nCl1 Cl .5 .5 .5 1\n"))


@pytest.mark.parametrize("second", ["0 0 0", "1 0 0", "0.5 0.5 0"])
def test_sites_on_images_of_one_point_share_it(tmp_path, second):
    structure = entry_of(tmp_path, cif(f"Li1 Li 0 0 0 .4\nNa1 Na {second} .4\nCl1 Cl .5 .5 .5 1\n")).structure
    assert len(structure) == 8
    assert dict(occupancies(structure)) == pytest.approx({"Li": 1.6, "Na": 1.6, "Cl": 4.0})


def test_a_site_that_only_a_vacancy_occupies_is_a_remark(tmp_path):
    entry = entry_of(tmp_path, cif(f"{ROCK_SALT}Vac1 Vac .25 .25 .25 1\n"))
    check_rock_salt(entry.structure)
    assert any("Vac1" in remark for remark in entry.remarks)


def test_without_types_the_labels_name_the_elements(tmp_path):
    text = cif("Li1 0 0 0 1\nCl1A .5 .5 .5 1\n").replace("_atom_site_type_symbol\n", "")
    check_rock_salt(entry_of(tmp_path, text).structure)
    with pytest.raises(InputError, match="site OW1"):
        entry_of(tmp_path, text.replace("Cl1A", "OW1"))


def test_oxidation_states_are_those_of_the_loop_of_types(tmp_path):
    types = "loop_\n_atom_type_symbol\n_atom_type_oxidation_number\nLi1+ 1\nCl1- -1\n"
    text = cif(ROCK_SALT.replace(" Li ", " Li1+ ").replace(" Cl ", " Cl1- "), more=types)
    assert set(entry_of(tmp_path, text).structure.species) == {Species("Li", 1), Species("Cl", -1)}


@pytest.mark.parametrize("position", ["? 0 0", ". 0 0", "nan 0 0", "1e999 0 0"])
def test_a_site_without_a_position_is_refused(tmp_path, position):
    with pytest.raises(InputError, match=r"site Li1: .*not finite"):
        entry_of(tmp_path, cif(f"Li1 Li {position} 1\nCl1 Cl .5 .5 .5 1\n"))


@pytest.mark.parametrize(
    ("tag", "words"), [("_atom_site_attached_hydrogens", ("2", ".")), ("_atom_site_calc_flag", ("dum", "d"))]
)
def test_hydrogen_without_a_site_and_dummy_atoms_are_refused(tmp_path, tag, words):
    text = cif("Li1 Li 0 0 0 1 {}\nCl1 Cl .5 .5 .5 1 {}\n").replace("occupancy\n", f"occupancy\n{tag}\n")
    with pytest.raises(InputError, match="site Li1"):
        entry_of(tmp_path, text.format(*words))
    check_rock_salt(entry_of(tmp_path, text.format(words[1], words[1])).structure)


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


FCC = "\n".join(
    f"'x+{a},y+{b},z+{c}'"
    for a, b, c in [("0", "0", "0"), ("0", "1/2", "1/2"), ("1/2", "0", "1/2"), ("1/2", "1/2", "0")]
)


@pytest.mark.parametrize(
    "symmetry",
    [
        FM3M,
        "_space_group_name_Hall '-F 4 2 3'",
        "_symmetry_Int_Tables_number 225",
        "_SPACE_GROUP_IT_NUMBER 225",
        f"loop_\n_space_group_symop_operation_xyz\n{FCC}",
        f"loop_\n_symmetry_equiv_pos_as_xyz\n{FCC.replace('+0', '')}",
    ],
)
def test_symmetry_by_operations_name_or_number(tmp_path, symmetry):
    check_rock_salt(entry_of(tmp_path, cif(symmetry=symmetry)).structure)


@pytest.mark.parametrize(
    "symmetry",
    [
        "_space_group_name_H-M_alt 'F x -3 m'",
        "_space_group_IT_number 300",
        "_space_group_IT_number x",
        "loop_\n_space_group_symop_operation_xyz\n'x,y'",
        "loop_\n_space_group_symop_operation_xyz\n'x,y,q'",
    ],
)
def test_symmetry_that_cannot_be_read_is_refused(tmp_path, symmetry):
    with pytest.raises(InputError, match=r"space group|operation"):
        entry_of(tmp_path, cif(symmetry=symmetry))


def test_no_symmetry_at_all_is_a_remark(tmp_path):
    assert any("P 1" in remark for remark in entry_of(tmp_path, cif(symmetry="")).remarks)


@pytest.mark.parametrize("symmetry", ["_space_group_name_H-M_alt 'F d -3 m'", "_space_group_IT_number 227"])
def test_a_group_with_two_origins_needs_to_say_which(tmp_path, symmetry):
    """Diamond: its atoms lie at 0 in the first setting and at 1/8 in the second."""
    with pytest.raises(InputError, match="two origins"):
        entry_of(tmp_path, cif("C1 C 0 0 0 1\n", symmetry=symmetry, a="3.567"))


@pytest.mark.parametrize(
    ("symmetry", "place"),
    [
        ("_space_group_name_H-M_alt 'F d -3 m:1'", "0"),
        ("_space_group_name_H-M_alt 'F d -3 m:2'", ".125"),
        ("_symmetry_space_group_name_H-M 'F d -3 m S'", "0"),
        ("_symmetry_space_group_name_H-M 'F d -3 m Z'", ".125"),
        ("_symmetry_space_group_name_H-M 'F d -3 m'\n_space_group_name_Hall '-F 4vw 2vw 3'", ".125"),
    ],
)
def test_both_origins_of_diamond_give_its_bond(tmp_path, symmetry, place):
    structure = entry_of(tmp_path, cif(f"C1 C {place} {place} {place} 1\n", symmetry=symmetry, a="3.567")).structure
    assert len(structure) == 8
    distances = structure.distance_matrix[np.triu_indices(8, 1)]
    assert distances.min() == pytest.approx(3.567 * np.sqrt(3) / 4)


@pytest.mark.parametrize("third", ["0.333", "0.3333", "0.333333", "0.33333333"])
def test_a_rounded_third_makes_no_second_atom(tmp_path, third):
    two = f"{1 - float(third):.{len(third) - 2}f}"
    text = (
        "data_x\n_cell_length_a 3.2\n_cell_length_b 3.2\n_cell_length_c 5.2\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 90\n_cell_angle_gamma 120\n_space_group_IT_number 194\nloop_\n_atom_site_label\n"
        f"_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nMg1 {third} {two} 0.25\n"
    )
    structure = entry_of(tmp_path, text).structure
    np.testing.assert_allclose(np.sort(structure.frac_coords[:, 0]), [1 / 3, 2 / 3], atol=1e-12)


@pytest.mark.parametrize(("group", "seed"), list(product([2, 14, 19, 62, 136, 148, 166, 194, 216, 225], [0, 1])))
def test_symmetry_and_sites_agree_with_ase(tmp_path, group, seed):
    """General positions of ten groups, written by ASE and read by ASE and by us."""
    rng = np.random.default_rng(seed)
    lengths = {True: [7, 7, 7]}.get(group >= 195, [7, 7, 9] if group >= 75 else [7, 8, 9])
    angles = [90, 90, 120 if 143 <= group < 195 else 90]
    atoms = crystal(["Li", "Cl"], rng.uniform(0.02, 0.98, (2, 3)), spacegroup=group, cellpar=[*lengths, *angles])
    rows = "".join(
        f"{symbol}1 {symbol} {' '.join(f'{value:.6f}' for value in atoms.get_scaled_positions()[index])} 1\n"
        for symbol, index in (("Li", 0), ("Cl", len(atoms) // 2))
    )
    text = cif(rows, symmetry=f"_space_group_IT_number {group}")
    for key, value in zip("abc", lengths, strict=True):
        text = text.replace(f"_cell_length_{key} 5.13", f"_cell_length_{key} {value}")
    text = text.replace("_cell_angle_gamma 90", f"_cell_angle_gamma {angles[2]}")
    (tmp_path / "a.cif").write_text(text)
    theirs = ase_read(tmp_path / "a.cif")
    from vitrion_workflows.formats.cif import read

    (entry,) = read(tmp_path / "a.cif")
    assert len(entry.structure) == len(theirs)
    mine, other = (
        np.sort(np.round(np.mod(x, 1), 4) % 1, axis=0)
        for x in (entry.structure.frac_coords, theirs.get_scaled_positions())
    )
    np.testing.assert_allclose(mine, other, atol=2e-4)


def test_every_block_is_read_and_a_block_without_atoms_is_a_remark(tmp_path):
    empty = "data_none\n_cell_length_a 3\n"
    (tmp_path / "a.cif").write_text(cif(name="one") + empty + "data_text\n_x 1\n" + cif(name="two", a="5.2"))
    entries = list(read_entries(tmp_path / "a.cif"))
    assert [entry.structure.lattice.a for entry in entries] == [5.13, 5.2]
    assert any("none" in remark for remark in entries[0].remarks)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (cif() + "stray\n", "line|damaged"),
        (cif() + "_cell_length_a 4\n", "duplicate|damaged"),
        (cif() + cif(), "duplicate"),
        (cif().replace(" .5 1\n", " .5\n"), "line|damaged"),
        (cif(more="_cell_modulation_dimension 1"), "modulated"),
        (cif(symmetry="loop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n"), "magnetic"),
        (cif(a="1e300"), "lattice"),
    ],
)
def test_what_cannot_be_read_in_whole_is_refused(tmp_path, text, reason):
    with pytest.raises(InputError, match=reason) as caught:
        entry_of(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_more_images_than_a_cell_can_hold_are_refused(tmp_path):
    rows = "".join(f"Li{index} Li {index / 900:.6f} .1 .2 1\n" for index in range(900))
    with pytest.raises(InputError, match="images"):
        entry_of(tmp_path, cif(rows, symmetry=FM3M, a="90"))


def test_many_sites_on_one_position_are_refused_in_little_memory(tmp_path):
    rows = "".join(f"Li{index} Li 0 0 0 .001\n" for index in range(3000))
    with pytest.raises(InputError, match="one position"):
        entry_of(tmp_path, cif(rows, symmetry="_space_group_name_H-M_alt 'P 1'"))


@pytest.mark.parametrize(
    ("symmetry", "quantity"),
    [
        (f"{FM3M}\nloop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n", "192"),
        (f"{FM3M}\n_space_group_IT_number 221", "225"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\n-x,-y,-z\n", "x,y,z is missing"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\ny,z,x\n", "z,x,y is missing"),
    ],
)
def test_listed_operations_are_the_whole_group_that_is_named(tmp_path, symmetry, quantity):
    with pytest.raises(InputError, match=quantity):
        entry_of(tmp_path, cif(symmetry=symmetry))


def test_symmetry_that_the_lattice_does_not_have_is_refused(tmp_path):
    tetragonal = cif().replace("_cell_length_c 5.13", "_cell_length_c 6.2")
    with pytest.raises(InputError, match="lattice of"):
        entry_of(tmp_path, tetragonal)


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


def test_a_number_of_a_group_with_several_settings_is_remarked(tmp_path):
    assert any(
        "P 1 21/c 1" in each for each in entry_of(tmp_path, cif(symmetry="_symmetry_Int_Tables_number 14")).remarks
    )


@pytest.mark.parametrize(
    ("number", "angle", "degrees", "setting"),
    [
        (14, "beta", 101.5, "P 1 21/c 1"),
        (14, "beta", 90.2, "P 1 21/c 1"),
        (15, "beta", 101.5, "C 1 2/c 1"),
        (62, "beta", 90, "P n m a"),
        (14, "gamma", 101.5, None),
        (14, "gamma", 90.2, None),
        (14, "alpha", 89.5, None),
        (5, "alpha", 101.5, None),
        (62, "beta", 90.2, None),
    ],
)
def test_the_lattice_has_the_standard_setting_of_a_number(tmp_path, number, angle, degrees, setting):
    text = cif("Li1 Li .1 .1 .1 1\n", symmetry=f"_space_group_IT_number {number}", a=12.5)
    text = text.replace(f"_cell_angle_{angle} 90", f"_cell_angle_{angle} {degrees}")
    if setting:
        assert any(setting in remark for remark in entry_of(tmp_path, text).remarks)
    else:
        with pytest.raises(InputError, match=f"space group {number} is stated without its setting"):
            entry_of(tmp_path, text)


def test_a_label_t_is_no_tritium(tmp_path):
    with pytest.raises(InputError, match="T1"):
        entry_of(tmp_path, cif("T1 ? 0 0 0 1\nO1 O .5 .5 .5 1\n"))


def test_a_text_in_latin1_is_told_and_one_in_utf16_is_read(tmp_path):
    with pytest.raises(InputError, match="not UTF-8"):
        list(read_entries(CASES / "11_latin1.cif"))
    text = (CASES / "11_latin1.cif").read_text(encoding="latin-1")
    (tmp_path / "wide.cif").write_text(text, encoding="utf-16")
    (entry,) = read_entries(tmp_path / "wide.cif")
    check_rock_salt(entry.structure)
