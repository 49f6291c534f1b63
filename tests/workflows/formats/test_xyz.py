"""XYZ files with a cell in them or stated, and the comment lines of CP2K and GPUMD."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import write
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows.formats.statements import parse_options
from vitrion_workflows.formats.structures import read_structures
from vitrion_workflows.trajectories.reading import read_trajectory

HARTREE_EV = 27.211386245988  # CODATA 2018
SYMBOLS = ["Li", "Li", "Cl"]
CELL = np.diag([8.0, 8.5, 9.0])


@pytest.fixture
def path_A():
    rng = np.random.default_rng(0)
    return rng.random((3, 3)) * 8 + np.cumsum(rng.normal(scale=0.2, size=(12, 3, 3)), axis=0)


def xyz(path_A, comment):
    """Text of an XYZ file; the comment is formatted with the index of the frame."""
    text = ""
    for index, frame in enumerate(path_A):
        text += f"3\n{comment.format(index=index, time=0.5 * index)}\n"
        text += "".join(
            f"{s} " + " ".join(f"{x:.8f}" for x in row) + "\n" for s, row in zip(SYMBOLS, frame, strict=True)
        )
    return text


@pytest.fixture
def read(tmp_path):
    def written_and_read(text, name="run.xyz", *, cell=None, frame_interval_ps=None, file_format=None):
        (tmp_path / name).write_text(text)
        return read_trajectory(
            tmp_path / name,
            frame_interval_ps=frame_interval_ps,
            file_format=file_format,
            options=parse_options(None, cell),
        )

    return written_and_read


@pytest.mark.parametrize("comment", ["made by hand", "=== E = -3 Ha ===", ""])
@pytest.mark.parametrize("cell", ["8 8.5 9", "8, 8.5, 9", "8 8.5 9 90 90 90", "8 0 0 0 8.5 0 0 0 9"])
def test_a_plain_file_gets_the_cell_that_is_stated(read, path_A, cell, comment):
    run = read(xyz(path_A, comment), cell=cell, frame_interval_ps=0.1)
    np.testing.assert_allclose(run.lattice_A, CELL, atol=1e-12)
    np.testing.assert_allclose(run.positions_A - run.positions_A[0], path_A - path_A[0], atol=1e-6)


def test_cell_parameters_are_those_of_crystallography(read, path_A):
    run = read(xyz(path_A, ""), cell="8 9 10 70 80 100", frame_interval_ps=0.1)
    a, b, c = run.lattice_A
    np.testing.assert_allclose([np.linalg.norm(vector) for vector in (a, b, c)], [8, 9, 10])
    assert np.degrees(np.arccos(b @ c / 90)) == pytest.approx(70)
    assert np.degrees(np.arccos(a @ c / 80)) == pytest.approx(80)
    assert np.degrees(np.arccos(a @ b / 72)) == pytest.approx(100)


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("8 8", "2 numbers"),
        ("8 8 eight", "'eight'"),
        ("8 8 -8", "impossible"),
        ("8 8 8 10 20 170", "impossible"),
        ("8 8 8 90 90 180", "impossible"),
        ("8 0 0 16 0 0 0 0 9", "no volume"),
        ("nan 8 8", "not finite"),
    ],
)
def test_impossible_cells_are_refused(cell, fault):
    with error_in_one_line(InputError, fault):
        parse_options(None, cell)


CP2K = " i = {index:8d}, time = {time:12.3f}, E =       -17.1646447508"


def test_positions_of_cp2k_have_their_time_step_and_energy(read, path_A):
    """i, time in fs and E in Hartree: the manual of MOTION/PRINT/TRAJECTORY."""
    run = read(xyz(path_A, CP2K), "salt-pos-1.xyz", cell="8 8.5 9")
    assert run.frame_interval_ps == pytest.approx(0.0005)
    np.testing.assert_allclose(run.potential_energies_eV, -17.1646447508 * HARTREE_EV)
    with error_in_one_line(InputError, r"0\.0005 ps apart, not 0\.001"):
        read(xyz(path_A, CP2K), "salt-pos-1.xyz", cell="8 8.5 9", frame_interval_ps=0.001)


def test_the_cell_file_of_cp2k_gives_each_frame_its_cell(tmp_path, read, path_A):
    cells = CELL * (1 + 0.01 * np.sin(np.arange(12)))[:, None, None]
    rows = [
        f"{index} {0.5 * index} " + " ".join(f"{x:.10f}" for x in cell.ravel()) + f" {np.linalg.det(cell):.6f}"
        for index, cell in enumerate(cells)
    ]
    (tmp_path / "salt-1.cell").write_text("#   Step   Time [fs]       Ax [Angstrom] ...\n" + "\n".join(rows) + "\n")
    fractional = path_A @ np.linalg.inv(CELL)
    run = read(xyz(fractional @ cells, CP2K), "salt-pos-1.xyz", cell=str(tmp_path / "salt-1.cell"))
    np.testing.assert_allclose(run.volumes_A3, np.linalg.det(cells), rtol=1e-8)
    moved = (fractional - fractional[0]) @ cells.mean(axis=0)
    np.testing.assert_allclose(run.positions_A - run.positions_A[0], moved, atol=1e-6)
    (tmp_path / "short-1.cell").write_text("\n".join(rows[:5]) + "\n")
    with error_in_one_line(InputError, "step 5"):
        read(xyz(path_A, CP2K), "salt-pos-1.xyz", cell=str(tmp_path / "short-1.cell"))


@pytest.mark.parametrize("kind", ["vel", "frc"])
def test_velocities_and_forces_of_cp2k_are_no_positions(read, path_A, kind):
    with error_in_one_line(InputError, "not positions"):
        read(xyz(path_A, CP2K), f"salt-{kind}-1.xyz", cell="8 8.5 9")


GPUMD = 'Time={time} pbc="T T T" Lattice="8 0 0 0 8.5 0 0 0 9" energy=-3.5 Properties=species:S:1:pos:R:3'


def test_gpumd_has_times_in_femtoseconds(read, path_A):
    run = read(xyz(path_A, GPUMD), "dump.xyz", file_format="gpumd")
    assert run.frame_interval_ps == pytest.approx(0.0005)
    np.testing.assert_allclose(run.potential_energies_eV, -3.5)
    # Time has no unit in the extended format itself.
    with error_in_one_line(InputError, "state the frame interval"):
        read(xyz(path_A, GPUMD), "dump.xyz")
    assert "--format gpumd" in read(xyz(path_A, GPUMD), "dump.xyz", frame_interval_ps=0.1).remarks[0]


def test_velocities_and_unwrapped_positions_of_gpumd(read, path_A):
    velocities = np.random.default_rng(1).normal(scale=0.01, size=path_A.shape)  # Angstrom per fs
    wrapped = np.mod(path_A, np.diag(CELL))
    properties = "species:S:1:pos:R:3:vel:R:3:unwrapped_position:R:3"
    text = ""
    for index, rows in enumerate(np.concatenate([wrapped, velocities, path_A], axis=2)):
        text += f'3\nTime={index}.0 pbc="T T T" Lattice="8 0 0 0 8.5 0 0 0 9" Properties={properties}\n'
        text += "".join(f"{s} " + " ".join(map(str, row)) + "\n" for s, row in zip(SYMBOLS, rows, strict=True))
    run = read(text, "dump.xyz", file_format="gpumd")
    np.testing.assert_allclose(run.velocities_A_per_ps, 1e3 * velocities)
    np.testing.assert_allclose(run.positions_A, path_A, atol=1e-9)
    # 1/2 m v2 about the centre of mass over 3 N - 3 degrees of freedom.
    masses = run.masses_u
    relative = 1e3 * (velocities - (masses @ velocities / masses.sum())[:, None])
    kinetic_eV = 0.5 * np.einsum("n,fnd,fnd->f", masses, relative, relative) * 1.0364269574e-4  # u A2/ps2 in eV
    np.testing.assert_allclose(run.temperatures_K, 2 * kinetic_eV / (6 * units.kB), rtol=1e-6)


LATTICE = 'Lattice="8 0 0 0 8.5 0 0 0 9"'


@pytest.mark.parametrize(
    ("comment", "fault"),
    [
        (LATTICE + ' pbc="F F F"', "not periodic along a, b, c"),
        (LATTICE + ' pbc="T T F"', "not periodic along c"),
        (LATTICE + " pbc=F", "pbc"),
        (LATTICE + ' pbc="1 2 3"', "pbc"),
        ('pbc="T T T"', "no cell"),
        ("", "no cell.*--cell"),
        ('Lattice="8 0 0 8"', "comment line"),
        ("energy=low " + LATTICE, "energy"),
        (LATTICE + " Properties=species:S:1:pos:R:1000000000", "columns"),
        (LATTICE + " Properties=species:S:1:pos:Q:3", "pos:Q:3"),
        (LATTICE + " Properties=species:S:1:forces:R:3", "positions"),
        (LATTICE + " Properties=pos:R:3:species:S:1", "number should be"),
        (LATTICE + " Properties=species:S:1:pos:R:3:forces:R:3", "columns"),
    ],
)
def test_what_has_no_volume_or_no_meaning_is_refused_by_both_commands(tmp_path, read, path_A, comment, fault):
    text = xyz(path_A, comment)
    with error_in_one_line(InputError, fault):
        read(text, frame_interval_ps=0.1)
    with error_in_one_line(InputError, fault):
        read_structures(tmp_path / "run.xyz")


def test_a_file_that_holds_its_cell_takes_no_other(read, path_A):
    assert len(read(xyz(path_A, LATTICE), frame_interval_ps=0.1)) == 12
    with error_in_one_line(InputError, "leave --cell out"):
        read(xyz(path_A, LATTICE), cell="8 8 8", frame_interval_ps=0.1)


def test_deuterium_and_stated_masses_enter_with_their_mass(tmp_path, read, path_A):
    text = xyz(path_A, LATTICE).replace("Cl ", "D ")
    np.testing.assert_allclose(read(text, frame_interval_ps=0.1).masses_u, [6.94, 6.94, 2.014102])
    atoms = [Atoms("Li2Cl", positions=frame, cell=CELL, pbc=True, masses=[6.015, 7.016, 35.45]) for frame in path_A]
    write(tmp_path / "masses.extxyz", atoms, columns=["symbols", "positions", "masses"])
    run = read_trajectory(tmp_path / "masses.extxyz", frame_interval_ps=0.1)
    np.testing.assert_allclose(run.masses_u, [6.015, 7.016, 35.45])
    assert read_structures(tmp_path / "masses.extxyz")[0].site_properties["mass_u"][0] == pytest.approx(6.015)


@pytest.mark.parametrize(
    ("columns", "row", "fault"),
    [
        ("Z:R:1:pos:R:3", "3.7 0 0 0", "not whole"),
        ("species:S:1:Z:I:1:pos:R:3", "Li 11 0 0 0", "different elements"),
        ("species:S:1:pos:R:3:pos:R:3", "Li 0 0 0 1 1 1", "twice"),
    ],
)
def test_columns_that_name_no_one_element_or_position_are_refused(tmp_path, columns, row, fault):
    (tmp_path / "a.xyz").write_text(f'1\nLattice="5 0 0 0 5 0 0 0 5" Properties={columns}\n{row}\n')
    with pytest.raises(InputError, match=fault):
        read_structures(tmp_path / "a.xyz")


def test_a_type_is_named_by_an_element():
    with pytest.raises(InputError, match="Qq"):
        parse_options("1=Li,2=Qq", None)


@pytest.mark.parametrize(
    "comment",
    [
        f"{LATTICE} {LATTICE}",
        f'{LATTICE} Lattice="9 0 0 0 9 0 0 0 9"',
        f"Lattice = {{{{9 0 0 0 9 0 0 0 9}}}} pbc='T T T' {LATTICE}",
        f"{LATTICE} Properties=species:S:1:pos:R:3 Properties=species:S:1:pos:R:3",
        f'{LATTICE} pbc="T T F" pbc="T T T"',
        f"{LATTICE} time_ps={{index}} time_ps=3",
        f"{LATTICE} Time=1 Time=2",
        f"{LATTICE} energy=-1 energy=-2",
    ],
)
def test_a_key_that_is_given_twice_is_refused(read, path_A, comment):
    with error_in_one_line(InputError, "twice"):
        read(xyz(path_A, comment), frame_interval_ps=0.1)


@pytest.mark.parametrize(
    "comment",
    [
        LATTICE,
        "Lattice = '8 0 0 0 8.5 0 0 0 9'",
        "Lattice={{8, 0, 0, 0, 8.5, 0, 0, 0, 9}}",
        "Lattice=[8 0 0 0 8.5 0 0 0 9] pbc={{T T T}}",
        LATTICE + " pbc=[True, TRUE, true] name=a name=b note='Lattice=\"1 2 3\"' flag",
        'note="it says \\"Lattice=\\" twice" ' + LATTICE,
    ],
)
def test_the_spellings_of_the_extended_format(read, path_A, comment):
    np.testing.assert_allclose(read(xyz(path_A, comment), frame_interval_ps=0.1).lattice_A, CELL)


def test_a_comment_of_many_open_brackets_is_refused_at_once(read, path_A):
    with error_in_one_line(InputError, "comment line"):
        read(xyz(path_A, "Lattice={{" + "a={{" * 200_000))
