"""Words that Python takes for numbers and no program writes as such: refused in every format of text."""

import numpy as np
import pytest
from one_line import error_in_one_line
from vasp_runs import outcar, vasprun

from vitrion_models.errors import InputError
from vitrion_workflows.formats.frames import floats, parse_number, whole_number
from vitrion_workflows.formats.statements import parse_options
from vitrion_workflows.formats.structures import read_structures

# float() and int() take all but the hexadecimal ones: an underscore, Arabic-Indic and full-width digits.
NUMBERS = ["1_0.0", "1_0", "1e5_0", "0x10", "\u0661\u0660", "\uff11\uff10.0", "_10", "10_"]
PATH_A = np.random.default_rng(0).random((20, 3, 3)) * 7
XYZ = '2\nLattice="10 0 0 0 10 0 0 0 10" energy=-1.5\nLi 0 0 0\nCl 2.5 2.5 7.25\n'
POSCAR = "LiCl\n1.5\n10 0 0\n0 10 0\n0 0 10\nLi Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.25\n"
XDATCAR = POSCAR.replace("Direct", "Direct configuration=     1")
CP2K = "2\n i = 11, time = 2.5, E = -1.5\nLi 0 0 0\nCl 2.5 2.5 7.25\n"
DUMP = (
    "ITEM: TIMESTEP\n11\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n0 12.5\n0 12.5\n0 12.5\n"
    "ITEM: ATOMS id element x y z\n1 Li 0 0 0\n2 Cl 2.5 2.5 7.25\n"
)
CIF = (
    "data_x\n_cell_length_a 10.5\n_cell_length_b 11\n_cell_length_c 12\n_cell_angle_alpha 90\n_cell_angle_beta 99.5\n"
    "_cell_angle_gamma 90\n_cell_formula_units_Z 1\n_chemical_formula_sum 'Li1 Cl1'\n_space_group_IT_number 1\nloop_\n"
    "_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n"
    "Li1 0 0 0 1.0\nCl1 .5 .5 .25 1.0\n"
)
# File name, its text, and a number of it, marked by bars.
PLACES = [
    ("a.xyz", XYZ, "|7.25|"),
    ("a.xyz", XYZ, 'Lattice="|10|'),
    ("a.xyz", XYZ, "energy=|-1.5|"),
    ("a.xyz", XYZ, "|2|\n"),
    ("a.xyz", CP2K, "time = |2.5|"),
    ("a.xyz", CP2K, "i = |11|"),
    ("a.xyz", CP2K, "E = |-1.5|"),
    ("POSCAR", POSCAR, "|0.25|"),
    ("POSCAR", POSCAR, "0 |10| 0"),
    ("POSCAR", POSCAR, "|1.5|"),
    ("POSCAR", POSCAR, "|1| 1\n"),
    ("XDATCAR", XDATCAR, "|0.25|"),
    ("XDATCAR", XDATCAR, "0 |10| 0"),
    ("XDATCAR", XDATCAR, "|1.5|"),
    ("XDATCAR", XDATCAR, "configuration=     |1|"),
    ("a.lammpstrj", DUMP, "|7.25|"),
    ("a.lammpstrj", DUMP, "0 |12.5|"),
    ("a.lammpstrj", DUMP, "TIMESTEP\n|11|"),
    ("a.lammpstrj", DUMP, "|1| Li"),
    ("a.cif", CIF, "|10.5|"),
    ("a.cif", CIF, "|99.5|"),
    ("a.cif", CIF, "|.25|"),
    ("a.cif", CIF, "IT_number |1|"),
    ("a.cif", CIF, "units_Z |1|"),
    ("a.cif", CIF, "0 0 0 |1.0|"),
    ("a.cif", CIF.replace("occupancy", "attached_hydrogens").replace("1.0\n", "0\n"), ".25 |0|"),
    ("OUTCAR", outcar(PATH_A), "POTIM  = |2.0000|"),
    ("OUTCAR", outcar(PATH_A), "|6.94| 35.45"),
    ("OUTCAR", outcar(PATH_A), "(temperature   |300.00|"),
    ("OUTCAR", outcar(PATH_A), "|-20.00000000|"),
    ("OUTCAR", outcar(PATH_A), "Iteration      |1|"),
    ("OUTCAR", outcar(PATH_A), "type =               |2|"),
    ("OUTCAR", outcar(PATH_A), "|9.000000000|"),
    ("vasprun.xml", vasprun(PATH_A), ">|6.941|"),
    ("vasprun.xml", vasprun(PATH_A), '"e_fr_energy">|-20.0|'),
    ("vasprun.xml", vasprun(PATH_A), '"POTIM">|2.0|'),
    ("vasprun.xml", vasprun(PATH_A), "<v>|9.00000000|"),
]


def write(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


@pytest.mark.parametrize("word", NUMBERS)
def test_a_number_is_plain_decimals_of_ascii(word):
    for read in (lambda: floats(["1.0", word], place="here"), lambda: whole_number(word, place="here")):
        with error_in_one_line(InputError, "here"):
            read()
    with pytest.raises(ValueError, match=r"number|float"):
        parse_number(word)


@pytest.mark.parametrize("word", ["1", "-.5", "+2.", "1e5", "1E-05", "12.50"])
def test_every_usual_form_of_a_number_is_read(word):
    assert floats([word], place="here")[0] == parse_number(word) == float(word)


@pytest.mark.parametrize("word", ["1_0", "1e0_1", "\u0661"])
@pytest.mark.parametrize(("name", "text", "place"), PLACES, ids=[f"{name} {place!r}" for name, _, place in PLACES])
def test_what_only_python_takes_for_a_number_is_refused_wherever_it_stands(tmp_path, name, text, place, word):
    before, number, after = place.split("|")
    spoilt = text.replace(before + number + after, before + word + after)
    assert spoilt != text
    read_structures(write(tmp_path, name, text), options=options(text))
    with error_in_one_line(InputError, name):
        read_structures(write(tmp_path, name, spoilt), options=options(text))


def options(text):
    return parse_options(None, "10 10 10" if text is CP2K else None)
