"""CIF: sites in are sites out, nulls have the dictionary's defaults, and nothing is guessed."""

from pathlib import Path

import pytest
from cif_files import ROCK_SALT, check_rock_salt, cif, entry_of, occupancies
from pymatgen.core.periodic_table import Species

from vitrion_models.errors import InputError
from vitrion_workflows.formats.structures import read_entries

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("name", ["02b_occ_dot_noformula", "03_formula_dot", "03c_formula_charge"])
def test_nulls_have_the_default_of_the_dictionary(name):
    (entry,) = read_entries(CASES / f"{name}.cif")
    check_rock_salt(entry.structure)


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


def test_many_sites_on_one_position_are_refused_in_little_memory(tmp_path):
    rows = "".join(f"Li{index} Li 0 0 0 .001\n" for index in range(3000))
    with pytest.raises(InputError, match="one position"):
        entry_of(tmp_path, cif(rows, symmetry="_space_group_name_H-M_alt 'P 1'"))


def test_a_label_t_is_no_tritium(tmp_path):
    with pytest.raises(InputError, match="T1"):
        entry_of(tmp_path, cif("T1 ? 0 0 0 1\nO1 O .5 .5 .5 1\n"))


def test_a_text_in_latin1_is_refused_and_one_in_utf16_is_read(tmp_path):
    with pytest.raises(InputError, match="not UTF-8"):
        list(read_entries(CASES / "11_latin1.cif"))
    text = (CASES / "11_latin1.cif").read_text(encoding="latin-1")
    (tmp_path / "wide.cif").write_text(text, encoding="utf-16")
    (entry,) = read_entries(tmp_path / "wide.cif")
    check_rock_salt(entry.structure)
