"""Structure files: round trips through other libraries' writers, and one line for every fault."""

import contextlib
import gzip
import json
import pickle
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import Trajectory, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp.inputs import Poscar
from pymatgen.io.vasp.outputs import Xdatcar

from vitrion_models.errors import InputError
from vitrion_workflows.formats.registry import FORMATS, file_format
from vitrion_workflows.formats.structures import read_structures
from vitrion_workflows.schemas import fingerprint

TRICLINIC = Lattice.from_parameters(5.1, 6.2, 7.3, 81, 95, 104)


def phosphate():
    species = ["Li", "Li", "Li", "P", "O", "O", "O", "O"]
    return Structure(TRICLINIC, species, np.random.default_rng(5).random((8, 3)))


def atoms_of(structure):
    return Atoms(structure.labels, positions=structure.cart_coords, cell=structure.lattice.matrix, pbc=True)


def write_cif(structure, path):
    path.write_text(str(CifWriter(structure)))


def write_poscar(structure, path):
    path.write_text(Poscar(structure).get_str(significant_figures=10))


def write_extxyz(structure, path):
    write(path, atoms_of(structure), format="extxyz")


def write_traj(structure, path):
    with Trajectory(path, "w") as writer:
        writer.write(atoms_of(structure))


def write_json(structure, path):
    path.write_text(json.dumps(structure.as_dict()))


def write_xdatcar(structure, path):
    lattice = "\n".join(" ".join(f"{value:.10f}" for value in row) for row in structure.lattice.matrix)
    rows = "\n".join(" ".join(f"{value:.10f}" for value in row) for row in structure.frac_coords)
    path.write_text(f"made\n1.0\n{lattice}\nLi P O\n3 1 4\nDirect configuration=     1\n{rows}\n")


WRITERS = {
    "cell.cif": write_cif,
    "POSCAR": write_poscar,
    "CONTCAR_relaxed": write_poscar,
    "cell.vasp": write_poscar,
    "cell.extxyz": write_extxyz,
    "cell.xyz": write_extxyz,
    "cell.traj": write_traj,
    "cell.json": write_json,
    "XDATCAR": write_xdatcar,
}


@pytest.mark.parametrize("name", ["POSCAR", "cell.extxyz", "cell.json"])
def test_two_atoms_on_one_point_are_refused(tmp_path, name):
    structure = phosphate()
    structure.translate_sites([1], structure[0].frac_coords - structure[1].frac_coords + [0, 1, 0])
    WRITERS[name](structure, tmp_path / name)
    with pytest.raises(InputError, match="on one point"):
        read_structures(tmp_path / name)


def test_atoms_that_share_a_point_are_read(tmp_path):
    shared = Structure(TRICLINIC, [{"Li": 0.5}, {"Na": 0.5}, "Cl"], [[0, 0, 0], [0, 0, 0], [0.5, 0.5, 0.5]])
    (tmp_path / "cell.json").write_text(json.dumps(shared.as_dict()))
    assert len(read_structures(tmp_path / "cell.json")[0]) == 3


@pytest.mark.parametrize("name", WRITERS)
def test_a_cell_survives_every_format_packed_or_not(name, tmp_path):
    path = tmp_path / name
    WRITERS[name](phosphate(), path)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for written in (path, packed)[: 1 if name == "cell.traj" else 2]:
        (structure,) = read_structures(written)
        assert fingerprint(structure) == fingerprint(phosphate())


def test_partial_occupancies_are_kept(tmp_path):
    disordered = Structure(Lattice.cubic(4), [{"Li": 0.5, "Na": 0.25}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    for name in ("cell.cif", "cell.json"):
        WRITERS[name](disordered, tmp_path / name)
        (structure,) = read_structures(tmp_path / name)
        assert not structure.is_ordered
        assert structure.composition.almost_equals(disordered.composition)


def xdatcar_text(*, frames, repeated, lattices=(TRICLINIC.matrix,)):
    parts = []
    for index in range(frames):
        matrix = lattices[index % len(lattices)]
        if repeated or index == 0:
            rows = "\n".join(" ".join(map(str, row)) for row in matrix)
            parts.append(f"made\n1.0\n{rows}\nLi Cl\n1 1")
        shift = index / 10
        parts.append(f"Direct configuration= {index + 1:5d}\n{shift} 0 0\n0.5 {shift} 0.5")
    return "\n".join(parts) + "\n"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("repeated", [False, True])
def test_xdatcar_frames_are_those_pymatgen_reads(repeated, tmp_path):
    path = tmp_path / "XDATCAR"
    path.write_text(xdatcar_text(frames=4, repeated=repeated))
    ours, theirs = read_structures(path), Xdatcar(path).structures
    assert len(ours) == len(theirs) == 4
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.frac_coords, other.frac_coords, atol=1e-12)
        np.testing.assert_allclose(mine.lattice.matrix, other.lattice.matrix, atol=1e-12)


def test_structures_of_an_xdatcar_need_no_consecutive_numbers(tmp_path):
    """A selection of configurations is no trajectory, and still a set of structures."""
    path = tmp_path / "XDATCAR"
    path.write_text(xdatcar_text(frames=4, repeated=False).replace("=     4", "=     9"))
    assert len(read_structures(path)) == 4


def test_each_frame_of_an_xdatcar_at_changing_cell_has_its_own_lattice(tmp_path):
    path = tmp_path / "XDATCAR"
    path.write_text(xdatcar_text(frames=2, repeated=True, lattices=(4 * np.eye(3), 5 * np.eye(3))))
    assert [frame.volume for frame in read_structures(path)] == pytest.approx([64, 125])


def test_a_mark_that_editors_put_first_is_no_fault(tmp_path):
    path = tmp_path / "cell.cif"
    write_cif(phosphate(), path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert fingerprint(read_structures(path)[0]) == fingerprint(phosphate())


def test_frames_of_extended_xyz_may_differ(tmp_path):
    path = tmp_path / "set.extxyz"
    write(path, [atoms_of(phosphate()), Atoms("LiCl", [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True)])
    assert [len(structure) for structure in read_structures(path)] == [8, 2]


HEXAGONAL = (
    "data_x\n_cell_length_a 3.2\n_cell_length_b 3.2\n_cell_length_c 5.2\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
    "_cell_angle_gamma 120\n{symmetry}\nloop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n"
    "_atom_site_fract_y\n_atom_site_fract_z\nMg1 Mg 0.3333 0.6667 0.25\n"
)
P63 = "\n'x,y,z'\n'-x,-y,z+1/2'\n'-y,x-y,z'\n'y,-x+y,z+1/2'\n'-x+y,-x,z'\n'x-y,x,z+1/2'"


@pytest.mark.parametrize(
    "symmetry",
    [
        "_symmetry_space_group_name_H-M 'P 63/m m c'",
        "_symmetry_space_group_name_H_M 'P 63/m m c'",
        "_symmetry_space_group_name_H-M_ 'P 63/m m c'",
        "_symmetry_space_group_name_h-m 'P 63/m m c'",
        "_space_group_name_Hall 'P 63/m m c'",
        "_space_group_IT_number 194",
        "_space_group_IT_number_ 194",
        f"loop_\n_space_group_symop_operation_xyz{P63}",
        f"loop_\n_space_group_symop_operation_xyz_{P63}",
    ],
)
def test_whatever_states_the_symmetry_of_a_cif_rounded_thirds_are_thirds(tmp_path, symmetry):
    path = tmp_path / "magnesium.cif"
    path.write_text(HEXAGONAL.format(symmetry=symmetry))
    (found,) = read_structures(path)
    places = sorted(found.frac_coords.tolist())
    np.testing.assert_allclose(places, [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]], atol=1e-12)


@pytest.mark.parametrize("symmetry", ["", "_space_group_name_H-M_alt 'P 1'", "_symmetry_equiv_pos_as_xyz 'x,y,z'"])
def test_without_symmetry_a_cif_keeps_its_coordinates(tmp_path, symmetry):
    path = tmp_path / "glass.cif"
    path.write_text(HEXAGONAL.format(symmetry=symmetry))
    (found,) = read_structures(path)
    assert found.frac_coords.tolist() == [[0.3333, 0.6667, 0.25]]


CELL = "_cell_length_a {a}\n_cell_length_b 4\n_cell_length_c 4\n_cell_angle_alpha 90\n_cell_angle_beta {beta}\n"
SITES = (
    "_cell_angle_gamma 90\nloop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
    "_atom_site_fract_z\nLi1 {element} {x} 0 0\nCl1 Cl 0.5 0.5 0.5\n"
)


def cif_text(*, a="4", beta="90", element="Li", x="0.0", tail=""):
    return "data_x\n" + CELL.format(a=a, beta=beta) + SITES.format(element=element, x=x) + tail


POSCAR = "made\n{scale}\n4 0 0\n0 4 0\n0 0 {c}\n{symbols}\n{counts}\nDirect\n{x} 0 0\n0.5 0.5 0.5\n"


def poscar_text(*, scale="1.0", c="4", symbols="Li Cl", counts="1 1", x="0"):
    return POSCAR.format(scale=scale, c=c, symbols=symbols, counts=counts, x=x)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a file was unpickled",))


BAD = {
    "empty": ("a.cif", "", "empty"),
    "blank": ("a.cif", " \n\n", "empty"),
    "no cif": ("a.cif", "hello world\n", "no atom positions|damaged"),
    "cif cut in a row": ("a.cif", cif_text()[:-9], "damaged or truncated"),
    "cif cut between rows": (
        "a.cif",
        cif_text(tail="").replace("data_x", "data_x\n_chemical_formula_sum 'Li1 Cl2'"),
        "its formula says",
    ),
    "cif negative lattice": ("a.cif", cif_text(a="-4"), "lattice is impossible"),
    "cif zero lattice": ("a.cif", cif_text(a="0"), "lattice is impossible"),
    "cif flat angle": ("a.cif", cif_text(beta="180"), "lattice is impossible"),
    "cif without lattice": ("a.cif", cif_text().replace("_cell_length_b 4\n", ""), "lattice is absent"),
    "cif NaN": ("a.cif", cif_text(x="nan"), "not finite"),
    "cif unknown coordinate": ("a.cif", cif_text(x="?"), "not finite"),
    "cif unknown element": ("a.cif", cif_text(element="Xx").replace("Li1", "Xx1"), "a.cif"),
    "poscar NaN": ("POSCAR", poscar_text(x="nan"), "not finite"),
    "poscar scale zero": ("POSCAR", poscar_text(scale="0"), "lattice is impossible"),
    "poscar degenerate": ("POSCAR", poscar_text(c="0"), "degenerate|damaged"),
    "poscar unknown element": ("POSCAR", poscar_text(symbols="Xx Cl"), "Xx"),
    "poscar without symbols": ("POSCAR", poscar_text(symbols="1 1"), "no element symbols"),
    "poscar truncated": ("POSCAR", poscar_text(counts="1 7"), "truncated"),
    "poscar cut in the header": ("POSCAR", "made\n1.0\n4 0 0\n", "truncated"),
    "xdatcar changing atoms": ("XDATCAR", xdatcar_text(frames=3, repeated=False) + "0 0 0\n", "atoms change"),
    "xdatcar truncated": (
        "XDATCAR",
        xdatcar_text(frames=3, repeated=False).rsplit("\n", 2)[0] + "\n",
        "atoms",
    ),
    "xdatcar without frames": ("XDATCAR", "made\n1.0\n", "header"),
    "xyz without cell": ("a.xyz", "2\n\nLi 0 0 0\nCl 2 2 2\n", "no cell"),
    "xyz NaN": ("a.xyz", '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3\nLi nan 0 0\n', "finite"),
    "xyz flat cell": (
        "a.xyz",
        '1\nLattice="4 0 0 0 4 0 0 0 0" Properties=species:S:1:pos:R:3\nLi 0 0 0\n',
        "not periodic|degenerate|no cell",
    ),
    "xyz unknown element": (
        "a.xyz",
        '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3\nQq 0 0 0\n',
        "a.xyz",
    ),
    "xyz of a billion": ("a.xyz", "99999999999\n\nLi 0 0 0\n", "number of atoms"),
    "xyz of less than nothing": ("a.xyz", "-2\n\nLi 0 0 0\n", "number of atoms"),
    "xyz truncated": ("a.xyz", '3\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3\nLi 0 0 0\n', "a.xyz"),
    "json truncated": ("a.json", '{"sites": [', "JSON"),
    "json of something else": ("a.json", '{"name": 3}', "no pymatgen structure"),
    "json without lattice": ("a.json", '{"sites": [{}]}', "lattice is absent"),
    "json unknown element": (
        "a.json",
        json.dumps(
            {
                "lattice": {"matrix": (4 * np.eye(3)).tolist()},
                "sites": [{"species": [{"element": "Qq", "occu": 1}], "abc": [0, 0, 0]}],
            },
        ),
        "Qq",
    ),
    "unknown format": ("a.dat", "1", "supported formats"),
    "archive cut": ("POSCAR.gz", gzip.compress(poscar_text().encode())[:-12], "archive is damaged"),
    "traj of rubbish": ("a.traj", bytes(range(256)), "a.traj"),
    "traj with a pickle": ("old.traj", b"PickleTrajectory" + pickle.dumps(Bomb()), "old.traj"),
}


@pytest.mark.parametrize(("name", "content", "fault"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_gives_one_line_that_names_it(name, content, fault, tmp_path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=fault) as caught:
        read_structures(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < 400


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_structures(tmp_path / "no.cif")


def test_a_trajectory_whose_atoms_change_is_refused(tmp_path):
    path = tmp_path / "a.traj"
    with Trajectory(path, "w") as writer:
        writer.write(Atoms("LiCl", [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True))
        writer.write(Atoms("Li", [[0, 0, 0]], cell=[4, 4, 4], pbc=True))
    with pytest.raises(InputError, match="atoms change"):
        read_structures(path)


def test_json_may_not_name_classes_to_import(tmp_path):
    content = phosphate().as_dict()
    content["@module"], content["@class"] = "antigravity", "Bomb"
    content["sites"][0]["properties"] = {"x": {"@module": "antigravity", "@class": "Bomb"}}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    (structure,) = read_structures(path)
    assert not structure.site_properties


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0.05, 0.98), name=st.sampled_from(["cell.cif", "POSCAR", "cell.extxyz", "cell.json", "XDATCAR"]))
def test_a_file_cut_anywhere_is_refused_or_whole(cut, name, tmp_path):
    path = tmp_path / name
    WRITERS[name](phosphate(), path)
    text = path.read_text()
    path.write_text(text[: int(len(text) * cut)])
    with contextlib.suppress(InputError):
        (structure,) = read_structures(path)
        # A cut inside the last number leaves every atom; only its last digits may go.
        assert structure.composition == phosphate().composition


@pytest.mark.parametrize("name", ["notes.txt", "data.csv", "README"])
def test_other_files_belong_to_no_format(name, tmp_path):
    assert file_format(tmp_path / name) is None


@pytest.mark.data
def test_real_files(data_mirror):
    frames = read_structures(data_mirror / "structures/li_p_s/test_regularization.extxyz")
    assert len(frames) == 500
    assert sum(len(frame) for frame in frames) == 30785
    argyrodite = read_structures(data_mirror / "trajectories/argyrodite/Li6PS5Cl_0p_run1_XDATCAR.gz")
    assert len(argyrodite) == 140
    assert argyrodite[0].composition.reduced_formula == "Li6PS5Cl"
    with pytest.raises(InputError, match="no cell"):
        read_structures(data_mirror / "structures/a_li_si/Li13Si64.xyz")


@pytest.mark.data
def test_real_cifs_inside_a_table(data_mirror, tmp_path):
    import csv

    with (data_mirror / "crystals/perov_5/val.csv").open(newline="") as handle:
        rows = [row for _, row in zip(range(60), csv.DictReader(handle), strict=False)]
    for row in rows:
        path = tmp_path / f"{row['material_id']}.cif"
        path.write_text(row["cif"])
        (structure,) = read_structures(path)
        assert len(structure) == 5


def test_every_format_has_its_reader():
    for entry in FORMATS:
        names = [entry.structures] * bool(entry.structures) + [f"{entry.frames}.read_frames"] * bool(entry.frames)
        assert names
        for module, _, function in (name.rpartition(".") for name in names):
            assert callable(getattr(import_module(f"vitrion_workflows.formats.{module}"), function))


def test_every_format_is_in_the_table_of_the_documentation():
    table = (Path(__file__).parents[3] / "docs/formats.md").read_text()
    assert not [entry.name for entry in FORMATS if f"| `{entry.name}` |" not in table]
