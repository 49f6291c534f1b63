"""POSCAR: scales, coordinates and names as VASP defines them, against pymatgen and closed forms."""

from pathlib import Path

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from pymatgen.io.vasp.inputs import Poscar

from vitrion_models.errors import InputError
from vitrion_workflows.formats.structures import read_entries, read_structures
from vitrion_workflows.schemas import fingerprint

LATTICE_A = 5.13
LATTICE = Lattice.from_parameters(5.1, 6.2, 7.3, 81, 95, 104)
FCC = ("0 0 0", "0 .5 .5", ".5 0 .5", ".5 .5 0", ".5 .5 .5", ".5 0 0", "0 .5 0", "0 0 .5")


def phosphate():
    species = ["Li", "Li", "Li", "P", "O", "O", "O", "O"]
    return Structure(LATTICE, species, np.random.default_rng(5).random((8, 3)))


def rock_salt(*, scale, vectors, mode, rows=FCC, symbols="Li Cl", counts="4 4", tail=""):
    head = [f"LiCl\n{scale}", *(" ".join(map(str, row)) for row in vectors), symbols, counts, mode]
    return "\n".join([*head, *rows]) + "\n" + tail


def read(tmp_path, text):
    (tmp_path / "POSCAR").write_text(text)
    (entry,) = read_entries(tmp_path / "POSCAR")
    return entry


def check_rock_salt(structure):
    """Each Li of rock salt has six Cl at half the lattice constant."""
    assert structure.volume == pytest.approx(LATTICE_A**3, rel=1e-6)
    assert structure.composition.reduced_formula == "LiCl"
    for site in structure[:4]:
        neighbours = structure.get_neighbors(site, 2.6)
        assert [neighbour.nn_distance for neighbour in neighbours] == pytest.approx([LATTICE_A / 2] * 6)
        assert {neighbour.specie.symbol for neighbour in neighbours} == {"Cl"}


UNIT = np.eye(3)
SCALED_ROWS = [" ".join(str(float(word) * LATTICE_A) for word in row.split()) for row in FCC]


@pytest.mark.parametrize(
    ("scale", "vectors", "rows"),
    [
        ("5.13", UNIT, FCC),
        ("5.13 5.13 5.13", UNIT, FCC),
        (
            "5.13 2.565 1.0",
            np.diag([1, 2, 5.13]),
            [f"{a} {2 * float(b)} {LATTICE_A * float(c)}" for a, b, c in map(str.split, FCC)],
        ),
        (f"-{LATTICE_A**3}", UNIT, FCC),
        (f"-{LATTICE_A**3}", 2 * UNIT, [" ".join(str(2 * float(word)) for word in row.split()) for row in FCC]),
        ("1.0", LATTICE_A * UNIT, SCALED_ROWS),
    ],
)
def test_a_scale_counts_for_the_vectors_and_for_cartesian_positions(tmp_path, scale, vectors, rows):
    cartesian = read(tmp_path, rock_salt(scale=scale, vectors=vectors, mode="Cartesian", rows=rows)).structure
    direct = read(tmp_path, rock_salt(scale=scale, vectors=vectors, mode="Direct")).structure
    check_rock_salt(cartesian)
    check_rock_salt(direct)
    assert fingerprint(cartesian) == fingerprint(direct)


@pytest.mark.parametrize(("mode", "is_cartesian"), [("cart", True), ("K", True), ("d", False), (" Direct", False)])
def test_the_first_letter_tells_the_coordinates(tmp_path, mode, is_cartesian):
    rows = SCALED_ROWS if is_cartesian else FCC
    check_rock_salt(read(tmp_path, rock_salt(scale="1", vectors=LATTICE_A * UNIT, mode=mode, rows=rows)).structure)


@pytest.mark.parametrize("symbols", ["Li_sv Cl", "Li_sv/6f3e2a1b Cl/abcdef", "LI CL", "Li+ Cl-", "Li Cl ! 2026"])
def test_names_of_species(tmp_path, symbols):
    check_rock_salt(read(tmp_path, rock_salt(scale="5.13", vectors=UNIT, mode="Direct", symbols=symbols)).structure)


def test_a_species_may_come_twice(tmp_path):
    text = rock_salt(scale="5.13", vectors=UNIT, mode="Direct", symbols="Li Cl Li Cl", counts="2 2 2 2")
    symbols = [site.specie.symbol for site in read(tmp_path, text).structure]
    assert symbols == ["Li", "Li", "Cl", "Cl"] * 2


def test_glued_numbers_and_fortran_exponents(tmp_path):
    rows = ["0.0D+00 0 0", "0.0-0.5-0.5", "-0.5 0.0-0.5", "-.5-.5 0", ".5 .5 5.0d-01", ".5 0 0", "0 .5 0", "0 0 .5"]
    check_rock_salt(read(tmp_path, rock_salt(scale="5.13", vectors=UNIT, mode="Direct", rows=rows)).structure)


def test_deuterium_stays_deuterium(tmp_path):
    text = rock_salt(scale="4.08", vectors=UNIT, mode="Direct", symbols="Li D")
    assert read(tmp_path, text).structure[4].specie.atomic_mass == pytest.approx(2.014, abs=2e-3)


@pytest.mark.parametrize("symbols", ["OH Cl", "X Cl", "Vac Cl", "Wat Cl", "Li", "4 4", "Łi Cl"])
def test_other_names_are_refused(tmp_path, symbols):
    with pytest.raises(InputError, match=r"line 7|symbol|vacancy"):
        read(tmp_path, rock_salt(scale="5.13", vectors=UNIT, mode="Direct", symbols=symbols))


@pytest.mark.parametrize("scale", ["0", "1 2", "1 -1 1", "nan", "inf", "", "1 2 3 4", "one"])
def test_an_impossible_scale_is_refused(tmp_path, scale):
    with pytest.raises(InputError, match="scale"):
        read(tmp_path, rock_salt(scale=scale, vectors=UNIT, mode="Direct"))


@pytest.mark.parametrize("mode", ["", "Angstrom", "0.1 0.1 0.1", "Fractional"])
def test_coordinates_of_an_unstated_kind_are_refused(tmp_path, mode):
    with pytest.raises(InputError, match="Direct or Cartesian"):
        read(tmp_path, rock_salt(scale="5.13", vectors=UNIT, mode=mode))


def test_a_symbol_behind_a_position_must_agree(tmp_path):
    rows = [f"{row} {symbol}" for row, symbol in zip(FCC, ["Li"] * 4 + ["Cl"] * 4, strict=True)]
    check_rock_salt(read(tmp_path, rock_salt(scale="5.13", vectors=UNIT, mode="Direct", rows=rows)).structure)
    with pytest.raises(InputError, match="names Cl"):
        read(tmp_path, rock_salt(scale="5.13", vectors=UNIT, mode="Direct", rows=rows[::-1]))


def test_flags_of_selective_dynamics_are_no_fluorine(tmp_path):
    flagged = [f"{row} T F T" for row in FCC]
    text = rock_salt(scale="5.13", vectors=UNIT, mode="Selective dynamics\nDirect", rows=flagged)
    check_rock_salt(read(tmp_path, text).structure)


@pytest.mark.parametrize(
    "tail", ["\n" + "0 0 0\n" * 8, "Cartesian\n" + "0 0 0\n" * 8, "Lattice velocities and vectors\n 1\n"]
)
def test_velocities_are_a_remark(tmp_path, tail):
    entry = read(tmp_path, rock_salt(scale="5.13", vectors=UNIT, mode="Direct", tail=tail))
    check_rock_salt(entry.structure)
    assert entry.remarks == ("velocities are not read",)


def test_junk_behind_the_positions_is_refused(tmp_path):
    with pytest.raises(InputError, match="behind the positions"):
        read(tmp_path, rock_salt(scale="5.13", vectors=UNIT, mode="Direct", tail="\nthe end\n"))


@pytest.mark.parametrize("row", ["0 0", "0 0 x", "*** 0 0", "", "0 0 nan", "0 0 1e999"])
def test_a_damaged_position_is_refused_with_its_line(tmp_path, row):
    with pytest.raises(InputError, match="line 10"):
        read(tmp_path, rock_salt(scale="5.13", vectors=UNIT, mode="Direct", rows=[FCC[0], row, *FCC[2:]]))


@pytest.mark.parametrize("selective", [False, True])
@pytest.mark.parametrize("counts", ["3 1 3", "2 1 4"])
def test_a_poscar_with_more_positions_than_it_promises_is_refused(tmp_path, counts, selective):
    poscar = Poscar(phosphate(), selective_dynamics=[[True] * 3] * 8 if selective else None)
    text = poscar.get_str().replace("\n3 1 4\n", f"\n{counts}\n")
    (tmp_path / "POSCAR").write_text(text)
    with pytest.raises(InputError, match="more positions than the 7"):
        read_structures(tmp_path / "POSCAR")


def test_a_poscar_with_velocities_is_read(tmp_path):
    poscar = Poscar(phosphate(), velocities=np.full((8, 3), 0.01).tolist())
    (tmp_path / "POSCAR").write_text(poscar.get_str())
    assert len(read_structures(tmp_path / "POSCAR")[0]) == 8


@pytest.mark.parametrize(("name", "a", "c"), [("23b_POSCAR_3scale", 5.13, 5.643), ("25b_POSCAR_cart_neg2", 5.13, 5.13)])
def test_cases_of_scales(tmp_path, name, a, c):
    text = (Path(__file__).parent / "cases" / name).read_text()
    structure = read(tmp_path, text).structure
    assert structure.lattice.abc == pytest.approx((a, a, c), rel=1e-6)
    nearest = min(neighbour.nn_distance for neighbour in structure.get_neighbors(structure[0], 3.0))
    assert nearest == pytest.approx(a / 2, rel=1e-6)
