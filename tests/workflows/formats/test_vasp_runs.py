"""vasprun.xml and OUTCAR of one run: the same path as the run, and what pymatgen and ASE read of them."""

import gzip

import numpy as np
import pytest
from ase.io import read as read_ase
from one_line import error_in_one_line
from pymatgen.io.vasp.outputs import Vasprun
from vasp_runs import CELL, outcar, vasprun

from vitrion_models.errors import InputError
from vitrion_workflows.formats.structures import read_structures
from vitrion_workflows.trajectories.reading import read_trajectory

BOLTZMANN_EV_PER_K = 8.617333262e-5


@pytest.fixture
def path_A():
    rng = np.random.default_rng(0)
    return rng.random((3, 3)) @ CELL + np.cumsum(rng.normal(scale=0.3, size=(20, 3, 3)), axis=0)


@pytest.fixture
def read(tmp_path):
    def written_and_read(text, name):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return read_trajectory(tmp_path / name)

    return written_and_read


def same_motion(run, path_A, tolerance):
    assert run.numbers.tolist() == [3, 3, 17]
    np.testing.assert_allclose(run.positions_A - run.positions_A[0], path_A - path_A[0], atol=tolerance)


@pytest.mark.parametrize("name", ["vasprun.xml", "vasprun_900K.xml.gz"])
def test_vasprun_holds_everything_of_a_run(read, path_A, name):
    run = read(vasprun(path_A), name)
    same_motion(run, path_A, 1e-6)
    assert run.frame_interval_ps == pytest.approx(0.002)
    np.testing.assert_allclose(run.potential_energies_eV, -20.0 - np.arange(20))
    # 3 N - 3 degrees of freedom: E = 3/2 (N - 1) k T.
    np.testing.assert_allclose(run.temperatures_K, (0.1 + 0.01 * np.arange(20)) / (3 * BOLTZMANN_EV_PER_K), rtol=1e-6)
    np.testing.assert_allclose(run.masses_u, [6.941, 6.941, 35.453])
    assert (run.set_temperature_K, run.thermostat) == (900.0, "")


@pytest.mark.parametrize("name", ["OUTCAR", "OUTCAR.900K.gz"])
def test_outcar_holds_everything_of_a_run(read, path_A, name):
    run = read(outcar(path_A), name)
    same_motion(run, path_A, 2e-5)  # five digits
    assert run.frame_interval_ps == pytest.approx(0.002)
    np.testing.assert_allclose(run.potential_energies_eV, -20.0 - np.arange(20))
    np.testing.assert_allclose(run.temperatures_K, 300.0 + np.arange(20))
    np.testing.assert_allclose(run.masses_u, [6.94, 6.94, 35.45])
    assert (run.set_temperature_K, run.thermostat) == (900.0, "")


def test_positions_that_are_written_every_tenth_step_are_ten_steps_apart(read, path_A):
    assert read(outcar(path_A, every=10, NBLOCK=10), "OUTCAR").frame_interval_ps == pytest.approx(0.02)
    # vasprun.xml has every step, whatever NBLOCK is.
    assert read(vasprun(path_A, NBLOCK=10), "vasprun.xml").frame_interval_ps == pytest.approx(0.002)


@pytest.mark.parametrize("write", [vasprun, outcar])
def test_a_changing_cell(read, path_A, write):
    cells = CELL * (1 + 0.01 * np.sin(np.arange(20)))[:, None, None]
    run = read(write(path_A, cells=cells), "vasprun.xml" if write is vasprun else "OUTCAR")
    np.testing.assert_allclose(run.volumes_A3, np.linalg.det(cells), rtol=1e-6)
    moved = (path_A - path_A[0]) @ np.linalg.inv(CELL) @ cells.mean(axis=0)
    np.testing.assert_allclose(run.positions_A - run.positions_A[0], moved, atol=3e-5)


@pytest.mark.parametrize("write", [vasprun, outcar])
@pytest.mark.parametrize(
    ("settings", "held"),
    [
        ({"MDALGO": 0, "SMASS": -3.0}, ("nve", None)),
        ({"TEEND": 300.0}, ("", None)),
        ({"MDALGO": 0, "SMASS": 0.5}, ("", 900.0)),
    ],
)
def test_thermostats(read, path_A, write, settings, held):
    run = read(write(path_A, **settings), "vasprun.xml" if write is vasprun else "OUTCAR")
    assert (run.thermostat, run.set_temperature_K) == held


def test_langevin_friction_is_kept_where_all_atoms_have_one(read, path_A):
    run = read(vasprun(path_A, MDALGO=3, LANGEVIN_GAMMA="10.0 10.0"), "vasprun.xml")
    assert (run.thermostat, run.friction_per_ps) == ("langevin", 10.0)
    mixed = read(vasprun(path_A, MDALGO=3, LANGEVIN_GAMMA="10.0 5.0"), "vasprun.xml")
    assert (mixed.thermostat, mixed.friction_per_ps) == ("", None)


@pytest.mark.filterwarnings("ignore")
def test_vasprun_is_what_pymatgen_reads(tmp_path, path_A):
    (tmp_path / "vasprun.xml").write_text(vasprun(path_A))
    theirs = Vasprun(tmp_path / "vasprun.xml", parse_dos=False, parse_eigen=False, parse_potcar_file=False)
    ours = read_structures(tmp_path / "vasprun.xml")
    assert len(ours) == len(theirs.structures) == 20
    for mine, other, step in zip(ours, theirs.structures, theirs.ionic_steps, strict=True):
        np.testing.assert_allclose(mine.frac_coords, other.frac_coords, atol=1e-12)
        np.testing.assert_allclose(mine.lattice.matrix, other.lattice.matrix, atol=1e-12)
        assert step["e_fr_energy"] < 0


@pytest.mark.filterwarnings("ignore")
def test_outcar_is_what_ase_reads(tmp_path, path_A):
    (tmp_path / "OUTCAR").write_text(outcar(path_A))
    theirs = read_ase(tmp_path / "OUTCAR", format="vasp-out", index=":")
    ours = read_structures(tmp_path / "OUTCAR")
    assert len(ours) == len(theirs) == 20
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.cart_coords, other.positions, atol=1e-9)
        assert mine.atomic_numbers == tuple(other.numbers)


@pytest.mark.parametrize(("write", "name"), [(vasprun, "vasprun.xml"), (outcar, "OUTCAR")])
def test_a_killed_run_is_read_up_to_its_last_complete_frame(read, path_A, write, name):
    text = write(path_A)
    whole = read(text, name)
    assert not whole.remarks
    for share in (0.45, 0.7, 0.9):
        part = read(text[: int(share * len(text))], name)
        assert 0 < len(part) < 20
        np.testing.assert_array_equal(part.positions_A, whole.positions_A[: len(part)])
        assert ["complete frames" in remark for remark in part.remarks] == [True]


def broken(path_A):
    xml, out = vasprun(path_A), outcar(path_A)
    return {
        "no dynamics": ("vasprun.xml", vasprun(path_A, IBRION=2), "frame interval"),
        "relaxation": ("OUTCAR", outcar(path_A, IBRION=2), "frame interval"),
        "no xml": ("vasprun.xml", "hello\n", "vasprun.xml"),
        "other xml": ("vasprun.xml", "<html><body/></html>", "no frame|modeling"),
        "entities": (
            "vasprun.xml",
            '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><modeling>&lol;</modeling>',
            "document type",
        ),
        "damaged": ("vasprun.xml", xml.replace("</structure>", "</structre>", 5), "damaged"),
        "unknown element": ("vasprun.xml", xml.replace("<c>Cl</c>", "<c>X</c>"), "'X'"),
        "stars": ("vasprun.xml", xml.replace("<v>0.", "<v>***", 30), "number"),
        "ml output": ("vasprun.xml", vasprun(path_A, ML_OUTBLOCK=10), "frame interval"),
        "no ions": ("OUTCAR", out.replace("ions per type", "ions"), "TITEL"),
        "no element": ("OUTCAR", out.replace("TITEL", "TITLE"), "TITEL"),
        "text": ("OUTCAR", "hello\n", "no frame"),
        "lost step": ("OUTCAR", out.replace("Iteration     10(", "Iteration     11("), "equally"),
    }


@pytest.mark.parametrize("case", list(broken(np.zeros((20, 3, 3)))))
def test_what_is_no_run_of_dynamics_is_refused_in_one_line(read, path_A, case):
    name, text, fault = broken(path_A)[case]
    with error_in_one_line(InputError, fault):
        read(text, name)
