"""Elements of a LAMMPS dump: from columns, from the user, never from a mass."""

import numpy as np
import pytest
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows.formats.statements import parse_options
from vitrion_workflows.formats.structures import read_structures
from vitrion_workflows.trajectories.reading import read_trajectory

POSITIONS = np.array([[0.5, 0.5, 0.5], [3.0, 0.5, 0.5], [0.5, 3.5, 0.5], [0.5, 0.5, 3.0]])


def dump(columns, *rows, flags="pp pp pp"):
    """Three frames of four atoms, `rows` before their positions."""
    text = ""
    for step in range(3):
        text += f"ITEM: TIMESTEP\n{10 * step}\nITEM: NUMBER OF ATOMS\n4\nITEM: BOX BOUNDS {flags}\n0 6\n0 6\n0 6\n"
        text += f"ITEM: ATOMS id {columns} x y z\n"
        for number, (words, position) in enumerate(zip(rows, POSITIONS + 0.01 * step, strict=True), start=1):
            text += f"{number} {words} " + " ".join(f"{x:.6f}" for x in position) + "\n"
    return text


@pytest.fixture
def read(tmp_path):
    def written_and_read(text, *, types=None, name="run.dump", file_format=None):
        (tmp_path / name).write_text(text)
        return read_trajectory(
            tmp_path / name, frame_interval_ps=0.1, file_format=file_format, options=parse_options(types, None)
        )

    return written_and_read


TYPED = ("1", "1", "2", "2")


@pytest.mark.parametrize(
    ("text", "types"),
    [
        (dump("type", *TYPED), "1=Li,2=Cl"),
        (dump("type", *TYPED), "2 = Cl, 1 = Li, 3=Na"),
        (dump("type", "Li", "Li", "Cl", "Cl"), None),
        (dump("type typelabel", "1 Li", "1 Li", "2 Cl", "2 Cl"), None),
        (dump("typelabel", "lithium", "lithium", "X", "X"), "lithium=Li,X=Cl"),
        (dump("type element", "1 Li", "1 Li", "2 Cl", "2 Cl"), None),
        (dump("type element", "1 Li", "1 Li", "2 Cl", "2 Cl"), "1=Li,2=Cl"),
        # What LAMMPS writes where dump_modify element was forgotten.
        (dump("type element", "1 C", "1 C", "2 C", "2 C"), "1=Li,2=Cl"),
        (dump("type mass", "1 6.94", "1 6.94", "2 35.45", "2 35.45"), "1=Li,2=Cl"),
    ],
)
def test_elements_of_types(read, text, types):
    assert read(text, types=types).numbers.tolist() == [3, 3, 17, 17]


def test_masses_of_the_dump_are_those_of_the_run(read):
    text = dump("type mass", "1 6.015", "1 6.015", "2 35.45", "2 35.45")
    np.testing.assert_allclose(read(text, types="1=Li,2=Cl").masses_u, [6.015, 6.015, 35.45, 35.45])
    heavy = dump("type mass", "1 2.014", "1 3.024", "2 15.999", "2 15.999")
    assert read(heavy, types="1=H,2=O").numbers.tolist() == [1, 1, 8, 8]


@pytest.mark.parametrize(
    ("text", "types", "fault"),
    [
        (dump("type", *TYPED), None, "state --types 1=ELEMENT,2=ELEMENT"),
        (dump("type mass", "1 6.94", "1 6.94", "2 35.45", "2 35.45"), None, "6.94, 35.45.* 1=Li,2=Cl"),
        (dump("type mass", "1 6.94", "1 6.94", "2 35.45", "2 35.45"), "1=Li,2=Na", "35.45 are called Na: Cl"),
        (dump("type element", "1 Li", "1 Li", "2 Cl", "2 Cl"), "1=Li,2=Br", "says Br .* says Cl"),
        (dump("type element", "1 C", "1 C", "2 C", "2 C"), None, "every element is C.*1=ELEMENT"),
        (dump("type", *TYPED), "1=Li", "type 2"),
        (dump("type", *TYPED), "1=Li,2=Xx", "'Xx'"),
        (dump("q", *TYPED), "1=Li,2=Cl", "no column 'type'"),
        (dump("q", *TYPED), None, "column 'element'"),
        (dump("type", "Li", "Li", "OW", "OW"), None, "'OW'"),
        (dump("element mass", *["Li 0"] * 4), None, "mass 0"),
        (dump("element", *["Li"] * 4).replace("0 6\n", "6\n"), None, "box .* incomplete"),
        (dump("element", *["Li"] * 4).replace("0 6\n", "6 6\n"), None, "no cell|volume"),
        (dump("element", "Li", "Li", "Cl", "Cl", flags="pp ff pp"), None, "not periodic along b"),
        (dump("element", "Li", "Li", "Cl", "Cl", flags="fs pp mm"), None, "not periodic along a, c"),
    ],
)
def test_what_a_dump_leaves_open_is_asked_for(read, text, types, fault):
    with error_in_one_line(InputError, fault):
        read(text, types=types)


@pytest.mark.parametrize("stated", ["1", "1=", "=Li", "1=Li,1=Cl", ""])
def test_statements_of_types_in_another_form_are_refused(stated):
    with error_in_one_line(InputError, "1=Li,2=Cl"):
        parse_options(stated, None)


def test_masses_of_a_data_file_are_a_hint_and_no_more(tmp_path):
    data = tmp_path / "data.lammps"
    data.write_text(
        "salt\n\n4 atoms\n2 atom types\n\nMasses\n\n1 6.941 # Li\n2 35.453\n\nAtoms # charge\n\n1 1 1 0 0 0\n"
    )
    with error_in_one_line(InputError, "6.941, 35.453.* 1=Li,2=Cl"):
        parse_options(str(data), None)


@pytest.mark.parametrize("name", ["dump.0", "dump.custom.100", "run"])
def test_names_of_dumps_need_a_format(read, name):
    text = dump("element", "Li", "Li", "Cl", "Cl")
    with error_in_one_line(InputError, "--format.*lammps-dump"):
        read(text, name=name)
    assert len(read(text, name=name, file_format="lammps-dump")) == 3
    with error_in_one_line(InputError, "'dump'.*lammps-dump"):
        read(text, name=name, file_format="dump")


def test_a_binary_dump_is_refused(tmp_path):
    (tmp_path / "run.dump").write_bytes(np.arange(100, dtype=np.int64).tobytes())
    with error_in_one_line(InputError, "text"):
        read_trajectory(tmp_path / "run.dump", frame_interval_ps=0.1)


def test_dumps_are_ingested_by_the_same_reader(tmp_path):
    (tmp_path / "run.dump").write_text(dump("type", *TYPED))
    first, *_, last = read_structures(tmp_path / "run.dump", options=parse_options("1=Li,2=Cl", None))
    assert first.composition.reduced_formula == "LiCl"
    np.testing.assert_allclose(last.cart_coords - first.cart_coords, 0.02, atol=1e-6)
