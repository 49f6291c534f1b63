"""Trajectories of GROMACS and AMBER, written by MDAnalysis."""

import sys
import warnings

import numpy as np
import pytest
from one_line import error_in_one_line

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows.formats.statements import parse_options
from vitrion_workflows.trajectories.reading import read_trajectory

BOX = [20.0, 18.0, 16.0, 90.0, 80.0, 70.0]
ATOMS = [("LI", "LI"), ("LI", "LI"), ("CL", "CL"), ("OW", "SOL"), ("HW1", "SOL"), ("HW2", "SOL")]
TYPES = "OW=O,HW1=H,HW2=H"


@pytest.fixture
def path_A():
    rng = np.random.default_rng(0)
    return rng.random((6, 3)) * 14 + np.cumsum(rng.normal(scale=0.3, size=(15, 6, 3)), axis=0)


@pytest.fixture
def written(tmp_path, path_A):
    """A function that writes a topology and a trajectory and returns their paths."""
    mda = pytest.importorskip("MDAnalysis")

    def write(ending, atoms=ATOMS):
        residues = list(range(len(atoms)))
        universe = mda.Universe.empty(
            len(atoms), n_residues=len(atoms), atom_resindex=residues, trajectory=True, velocities=True
        )
        universe.add_TopologyAttr("names", [name for name, _ in atoms])
        universe.add_TopologyAttr("resnames", [residue for _, residue in atoms])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of attributes that are not set
            universe.atoms.positions = path_A[0]
            universe.dimensions = BOX
            universe.atoms.write(tmp_path / "conf.gro")
            with mda.Writer(str(tmp_path / f"run.{ending}"), n_atoms=len(atoms), dt=0.5) as writer:
                for index, positions in enumerate(path_A):
                    universe.atoms.positions = positions
                    universe.dimensions = BOX
                    universe.trajectory.ts.time = 0.5 * index
                    universe.trajectory.ts.frame = index
                    writer.write(universe.atoms)
        return tmp_path / f"run.{ending}", tmp_path / "conf.gro"

    return write


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("ending", "precision_A"), [("xtc", 0.011), ("trr", 1e-5), ("nc", 1e-5)])
def test_the_path_is_the_one_that_was_written(written, path_A, ending, precision_A):
    trajectory, topology = written(ending)
    run = read_trajectory(trajectory, options=parse_options(TYPES, None, topology))
    assert run.numbers.tolist() == [3, 3, 17, 8, 1, 1]
    np.testing.assert_allclose(run.positions_A - run.positions_A[0], path_A - path_A[0], atol=precision_A)
    assert run.frame_interval_ps == pytest.approx(0.5)
    np.testing.assert_allclose(np.linalg.norm(run.lattice_A, axis=1), BOX[:3], rtol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("atoms", "types", "fault"),
    [
        (ATOMS, None, "'OW' is unclear.*OW=ELEMENT"),
        ([("CA", "ALA"), *ATOMS[1:]], TYPES, "'CA' is unclear"),
        (ATOMS, "OW=Xx,HW1=H,HW2=H", "'Xx'"),
    ],
)
def test_names_that_can_mean_two_elements_are_asked_for(written, atoms, types, fault):
    trajectory, topology = written("trr", atoms)
    with error_in_one_line(InputError, fault):
        read_trajectory(trajectory, options=parse_options(types, None, topology))


@pytest.mark.filterwarnings("ignore")
def test_a_topology_is_needed_and_must_be_of_the_run(written, tmp_path):
    trajectory, topology = written("trr")
    with error_in_one_line(InputError, "--topology"):
        read_trajectory(trajectory)
    with error_in_one_line(InputError, "no such file"):
        parse_options(None, None, tmp_path / "absent.gro")
    lines = topology.read_text().splitlines()
    (tmp_path / "fewer.gro").write_text("\n".join([lines[0], " 5", *lines[2:7], lines[-1]]) + "\n")
    with error_in_one_line(InputError, "cannot be read with"):
        read_trajectory(trajectory, options=parse_options(TYPES, None, tmp_path / "fewer.gro"))
    trajectory.write_bytes(b"hello" * 100)
    with error_in_one_line(InputError, "run.trr"):
        read_trajectory(trajectory, options=parse_options(TYPES, None, topology))


def test_the_extra_is_named_where_it_is_absent(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "MDAnalysis", None)
    (tmp_path / "run.xtc").write_bytes(b"\x00\x00\x07\xcb and more")
    (tmp_path / "conf.gro").write_text("content")
    with error_in_one_line(MissingDependencyError, r"vitrion\[md\]"):
        read_trajectory(tmp_path / "run.xtc", options=parse_options(None, None, tmp_path / "conf.gro"))
