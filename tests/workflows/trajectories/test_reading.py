"""Trajectories in every format, whole and broken."""

import gzip
import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from vitrion_models.errors import InputError
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.reading import read_trajectory, with_thermostat
from vitrion_workflows.trajectories.trajectory import Trajectory

CELL = np.array([[9.0, 0.0, 0.0], [1.0, 8.0, 0.0], [0.0, -1.0, 7.0]])
SYMBOLS = ["Li", "Li", "Cl"]


@pytest.fixture
def path_A():
    rng = np.random.default_rng(0)
    start = rng.random((3, 3)) @ CELL
    return start + np.cumsum(rng.normal(scale=0.4, size=(40, 3, 3)), axis=0)


def images(path_A, *, wrap):
    frames = []
    for index, positions in enumerate(path_A):
        atoms = Atoms(SYMBOLS, positions=positions, cell=CELL, pbc=True, info={"time_fs": 5.0 * index})
        atoms.set_momenta(np.full((3, 3), 0.1) * [[1], [-1], [2]])
        if wrap:
            atoms.wrap()
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0 - index, forces=np.zeros((3, 3)))
        frames.append(atoms)
    return frames


def xdatcar_text(path_A, *, header="Li Cl\n2 1", lattice=CELL, wrap=True):
    rows = "\n".join(" ".join(f"{x:.8f}" for x in vector) for vector in lattice)
    fractional = path_A @ np.linalg.inv(lattice)
    if wrap:
        fractional = np.mod(fractional, 1.0)
    frames = [
        f"Direct configuration= {index + 1}\n" + "\n".join(" ".join(f"{x:.8f}" for x in atom) for atom in frame)
        for index, frame in enumerate(fractional)
    ]
    return "\n".join([f"title\n1.0\n{rows}\n{header}", *frames]) + "\n"


def same_motion(trajectory, path_A, tolerance=1e-6):
    assert trajectory.numbers.tolist() == [3, 3, 17]
    moved = trajectory.positions_A - trajectory.positions_A[0]
    np.testing.assert_allclose(moved, path_A - path_A[0], atol=tolerance)


def test_wrapped_h5md_is_unwrapped(tmp_path, path_A):
    wrapped = np.mod(path_A @ np.linalg.inv(CELL), 1.0) @ CELL
    file = tmp_path / "run.h5md"
    h5md.write(file, Trajectory(np.array([3, 3, 17]), wrapped, CELL, 0.1))
    same_motion(read_trajectory(file), path_A)


def test_h5md_with_image_flags_keeps_its_long_steps(tmp_path, path_A):
    """What the file says of images decides: a step of more than half a cell is no guess there."""
    path_A[20:, 0] += 0.7 * CELL[0]
    inside = np.mod(path_A @ np.linalg.inv(CELL), 1.0)
    file = tmp_path / "run.h5md"
    h5md.write(file, Trajectory(np.array([3, 3, 17]), inside @ CELL, CELL, 0.1))
    with h5py.File(file, "a") as content:
        group = content[h5md.PARTICLES].create_group("image")
        group["value"] = np.round(path_A @ np.linalg.inv(CELL) - inside).astype(int)
    same_motion(read_trajectory(file), path_A)


@pytest.mark.parametrize("count", ["99999999999", "-3"])
def test_xyz_that_announces_atoms_it_does_not_have(tmp_path, count):
    file = tmp_path / "run.xyz"
    file.write_text(f'{count}\nLattice="9 0 0 0 9 0 0 0 9"\nLi 0 0 0\n')
    with pytest.raises(InputError, match="announces"):
        read_trajectory(file, frame_interval_ps=0.1)


@pytest.mark.parametrize("name", ["XDATCAR", "XDATCAR_600K.gz", "run1_XDATCAR"])
def test_xdatcar(tmp_path, path_A, name):
    file = tmp_path / name
    text = xdatcar_text(path_A).encode()
    file.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    trajectory = read_trajectory(file, frame_interval_ps=0.1)
    same_motion(trajectory, path_A)
    assert trajectory.frame_interval_ps == 0.1
    assert trajectory.source == str(file)


@pytest.mark.parametrize("header", ["Li_sv Cl\n2 1", "Li_sv/2c0a74d2 Cl/5f1c9a\n2 1"])
@pytest.mark.parametrize("scale", ["1.0", "1.0 1.0 1.0", f"{-np.linalg.det(CELL):.12f}"])
def test_xdatcar_as_vasp_may_write_it(tmp_path, path_A, header, scale):
    file = tmp_path / "XDATCAR"
    file.write_text(xdatcar_text(path_A, header=header).replace("title\n1.0\n", f"title\n{scale}\n"))
    same_motion(read_trajectory(file, frame_interval_ps=0.005), path_A, tolerance=1e-5)


def test_one_cell_unlike_the_others_is_refused(tmp_path, path_A):
    file = tmp_path / "XDATCAR"
    cells = [CELL * (10 if index == 4 else 1) for index in range(len(path_A))]
    file.write_text("".join(xdatcar_text(frame[None], lattice=cell) for frame, cell in zip(path_A, cells, strict=True)))
    with pytest.raises(InputError, match=r"frame 5 .*1e\+03 .*volume"):
        read_trajectory(file, frame_interval_ps=0.005)
    frames = images(path_A, wrap=False)
    frames[4].set_cell(10 * CELL)
    write(tmp_path / "run.extxyz", frames)
    with pytest.raises(InputError, match=r"frame 5 .*volume"):
        read_trajectory(tmp_path / "run.extxyz")


def test_xdatcar_of_a_changing_cell(tmp_path, path_A):
    """Header before each frame; fractional paths are mapped to the mean cell."""
    file = tmp_path / "XDATCAR"
    fractional = path_A @ np.linalg.inv(CELL)
    scales = 1 + 0.01 * np.sin(np.arange(len(path_A)))
    blocks = [
        xdatcar_text(frame[None] @ (CELL * scale), lattice=CELL * scale)
        for frame, scale in zip(fractional, scales, strict=True)
    ]
    file.write_text("".join(blocks))
    trajectory = read_trajectory(file, frame_interval_ps=0.1)
    same_motion(trajectory, fractional @ (CELL * scales.mean()), 1e-5)
    np.testing.assert_allclose(trajectory.volumes_A3, np.linalg.det(CELL) * scales**3, rtol=1e-6)
    again = read_trajectory(h5md.write(tmp_path / "again.h5", trajectory))
    np.testing.assert_allclose(again.volumes_A3, trajectory.volumes_A3)


@pytest.mark.parametrize("wrap", [True, False])
@pytest.mark.parametrize("name", ["run.extxyz", "run.traj"])
def test_ase_formats_wrapped_and_not(tmp_path, path_A, name, wrap):
    file = tmp_path / name
    write(file, images(path_A, wrap=wrap))
    trajectory = read_trajectory(file)
    same_motion(trajectory, path_A)
    assert trajectory.frame_interval_ps == pytest.approx(0.005)
    np.testing.assert_allclose(trajectory.potential_energies_eV, -1.0 - np.arange(40))
    assert trajectory.temperatures_K is not None
    assert len(trajectory.temperatures_K) == 40


def test_h5md(tmp_path, path_A):
    file = tmp_path / "XDATCAR"
    file.write_text(xdatcar_text(path_A))
    first = read_trajectory(file, frame_interval_ps=0.1)
    h5md.write(tmp_path / "run.h5", first)
    same_motion(read_trajectory(tmp_path / "run.h5"), path_A)
    with pytest.raises(InputError, match=r"0\.1 ps.* 0\.2 ps"):
        read_trajectory(tmp_path / "run.h5", frame_interval_ps=0.2)


def analyzer(path_A, **changes):
    fractional = path_A[0] @ np.linalg.inv(CELL)
    content = {
        "structure": {
            "lattice": {"matrix": CELL.tolist()},
            "sites": [
                {"abc": abc.tolist(), "species": [{"element": symbol, "occu": 1}]}
                for abc, symbol in zip(fractional, ["Li+", "Li+", "Cl-"], strict=True)
            ],
        },
        "displacements": (path_A - path_A[0]).transpose(1, 0, 2).tolist(),
        "time_step": 2,
        "step_skip": 10,
    }
    return content | changes


def test_a_thermostat_is_kept_by_the_file_and_stated_where_it_is_not(tmp_path, path_A):
    run = Trajectory(np.array([3, 3, 17]), path_A, CELL, 0.1, thermostat="langevin", friction_per_ps=5.0)
    kept = read_trajectory(h5md.write(tmp_path / "run.h5", run))
    assert (kept.thermostat, kept.friction_per_ps) == ("langevin", 5.0)
    bare = replace(run, thermostat="", friction_per_ps=None, source="bare")
    unknown = read_trajectory(h5md.write(tmp_path / "bare.h5", bare))
    assert (unknown.thermostat, unknown.friction_per_ps) == ("", None)
    # What older versions wrote: the plan of the run, and nothing else.
    plan = {"plan": {"thermostat": "nose-hoover", "friction_per_ps": 10.0}}
    older = read_trajectory(h5md.write(tmp_path / "older.h5", bare, provenance=plan))
    assert (older.thermostat, older.friction_per_ps) == ("nose-hoover", 10.0)
    assert with_thermostat(unknown, thermostat="nve", friction_per_ps=None).thermostat == "nve"
    for trajectory, name, rate, fault in (
        (kept, "langevin", 10.0, "langevin at 5 / ps.*langevin at 10 / ps"),
        (unknown, "langevin", None, "friction_per_ps"),
        (unknown, "nve", 1.0, "friction_per_ps"),
        (unknown, "", 1.0, "thermostat"),
        (unknown, "csvr", 1.0, "csvr"),
        (unknown, "langevin", -1.0, "positive"),
    ):
        with pytest.raises(InputError, match=fault):
            with_thermostat(trajectory, thermostat=name, friction_per_ps=rate)


def test_diffusion_analyzer_holds_its_interval(tmp_path, path_A):
    file = tmp_path / "DiffusionAnalyzer.json"
    file.write_text(json.dumps(analyzer(path_A)))
    trajectory = read_trajectory(file)
    same_motion(trajectory, path_A)
    assert trajectory.frame_interval_ps == pytest.approx(0.02)


def broken_files(path_A):
    whole = xdatcar_text(path_A)
    lines = whole.splitlines()
    nan = "\n".join([*lines[:9], "nan 0.1 0.2", *lines[10:]])
    return {
        "empty XDATCAR": ("XDATCAR", "", "empty"),
        "one frame": ("XDATCAR", xdatcar_text(path_A[:1]), "two frames"),
        "no frame": ("XDATCAR", "\n".join(lines[:7]), "no frame"),
        "truncated": ("XDATCAR", "\n".join(lines[:-2]), "3 atoms"),
        "truncated number": ("XDATCAR", whole[:-20], "3 atoms|could not convert"),
        "overflow": ("XDATCAR", whole.replace(lines[9], "*** *** ***"), "XDATCAR damaged"),
        "nan": ("XDATCAR", nan, "not finite"),
        "unknown element": ("XDATCAR", xdatcar_text(path_A, header="Li Zz\n2 1"), "'Zz'"),
        "no element line": ("XDATCAR", xdatcar_text(path_A, header="Li\n2 1"), "1 elements .*2 counts"),
        "changing atoms": ("XDATCAR", whole + xdatcar_text(path_A[:, :2], header="Li\n2"), "atoms change"),
        "missing configuration": ("XDATCAR", whole.replace("configuration= 7\n", "configuration= 8\n"), "8 .*6"),
        "scale": ("XDATCAR", whole.replace("title\n1.0\n", "title\n1.0 0.0 1.0\n"), "lattice"),
        "flat cell": ("XDATCAR", whole.replace(lines[4], "0.0 0.0 0.0"), "no cell"),
        "text": ("XDATCAR", "hello\n", "XDATCAR|header"),
        "unknown format": ("run.abc", "hello", "format unknown"),
        "no trajectory": ("run.extxyz", "hello", "cannot be read"),
        "no analyzer": ("run.json", "{}", "DiffusionAnalyzer of pymatgen"),
        "no JSON": ("run.json", "{", "DiffusionAnalyzer of pymatgen"),
        "no HDF5": ("run.h5", "hello", "H5MD"),
        "torn gzip": ("XDATCAR.gz", gzip.compress(whole.encode())[:-30], "cannot be read"),
        "no gzip": ("XDATCAR.gz", whole, "cannot be read"),
    }


@pytest.mark.parametrize("case", list(broken_files(np.zeros((3, 3, 3)))))
def test_broken_files_are_refused_in_one_line(tmp_path, path_A, case):
    name, content, fault = broken_files(path_A)[case]
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=fault) as caught:
        read_trajectory(file, frame_interval_ps=0.1)
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(str(file)) == 1


def test_frame_interval_is_never_assumed(tmp_path, path_A):
    file = tmp_path / "XDATCAR"
    file.write_text(xdatcar_text(path_A))
    with pytest.raises(InputError, match="frame interval"):
        read_trajectory(file)


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_interval(tmp_path, path_A, interval):
    file = tmp_path / "XDATCAR"
    file.write_text(xdatcar_text(path_A))
    with pytest.raises(InputError, match="frame interval"):
        read_trajectory(file, frame_interval_ps=interval)


def test_absent_file(tmp_path):
    with pytest.raises(InputError, match="such file"):
        read_trajectory(tmp_path / "XDATCAR")


def test_two_clocks_that_disagree_are_refused(tmp_path, path_A):
    file = tmp_path / "run.extxyz"
    frames = images(path_A, wrap=False)
    for frame in frames:
        frame.info["time_ps"] = frame.info["time_fs"] / 1000
    write(file, frames)
    assert read_trajectory(file).frame_interval_ps == pytest.approx(0.005)
    for frame in frames:
        frame.info["time_ps"] *= 2
    write(file, frames)
    with pytest.raises(InputError, match=r"0\.01 ps by time_ps, 0\.005 ps by time_fs"):
        read_trajectory(file)


def test_missing_frame_shows_in_stored_times(tmp_path, path_A):
    file = tmp_path / "run.extxyz"
    frames = images(path_A, wrap=False)
    del frames[10]
    write(file, frames)
    with pytest.raises(InputError, match="not equally spaced"):
        read_trajectory(file)


def test_steps_of_half_a_cell_are_refused(tmp_path):
    path = np.zeros((30, 3, 3))
    path[15:, 0, 0] = 4.3
    file = tmp_path / "XDATCAR"
    file.write_text(xdatcar_text(path))
    with pytest.raises(InputError, match="unwrapped"):
        read_trajectory(file, frame_interval_ps=0.1)


def test_cell_is_needed(tmp_path):
    file = tmp_path / "run.extxyz"
    write(file, [Atoms("Li2", positions=np.zeros((2, 3))) for _ in range(5)])
    with pytest.raises(InputError, match="no cell"):
        read_trajectory(file, frame_interval_ps=0.1)


def test_changing_atoms_in_xyz(tmp_path, path_A):
    file = tmp_path / "run.extxyz"
    frames = images(path_A, wrap=False)
    frames[4].calc = None
    del frames[4][0]
    write(file, frames)
    with pytest.raises(InputError, match="atoms change"):
        read_trajectory(file)


@pytest.mark.parametrize("behind", [" Li", "  T T T"])
def test_xdatcar_with_words_behind_its_rows(tmp_path, path_A, behind):
    """pymatgen writes the element there (pymatgen.core.Trajectory.write_Xdatcar)."""
    file = tmp_path / "XDATCAR"
    lines = xdatcar_text(path_A).splitlines()
    rows = [line + behind if number > 7 and "Direct" not in line else line for number, line in enumerate(lines, 1)]
    file.write_text("\n".join(rows))
    same_motion(read_trajectory(file, frame_interval_ps=0.1), path_A)


def test_title_may_begin_as_a_frame_does(tmp_path, path_A):
    file = tmp_path / "XDATCAR"
    file.write_text(xdatcar_text(path_A).replace("title\n", "Direct dynamics of LiCl\n"))
    same_motion(read_trajectory(file, frame_interval_ps=0.1), path_A)


@pytest.mark.parametrize("between", ["\n", "restart\n"])
def test_xyz_is_read_to_its_end_or_not_at_all(tmp_path, path_A, between):
    """ASE stops at a blank line: half of a run was taken for all of it."""
    parts = []
    for frames in (images(path_A[:20], wrap=True), images(path_A[20:], wrap=True)):
        write(tmp_path / "part.extxyz", frames)
        parts.append((tmp_path / "part.extxyz").read_text())
    file = tmp_path / "run.extxyz"
    file.write_text(between.join(parts))
    with pytest.raises(InputError, match=r"line 100.* frame 21"):
        read_trajectory(file, frame_interval_ps=0.005)
    file.write_text(parts[0] + "\n\n")
    assert len(read_trajectory(file)) == 20


@pytest.mark.parametrize("time", ["soon", np.array([1.0, 2.0])], ids=str)
def test_times_that_are_no_numbers_are_refused(tmp_path, path_A, time):
    file = tmp_path / "run.extxyz"
    frames = images(path_A, wrap=False)
    frames[3].info["time_fs"] = time
    write(file, frames)
    with pytest.raises(InputError, match="time_fs") as caught:
        read_trajectory(file)
    assert "\n" not in str(caught.value)


def test_atoms_in_another_order_are_put_back_by_their_names(tmp_path, path_A):
    """What LAMMPS and OVITO write without sorting."""
    rng = np.random.default_rng(1)
    frames = images(path_A, wrap=True)
    names = np.array([7, 3, 5])
    for number, frame in enumerate(frames):
        frame.set_array("id", names)
        order = rng.permutation(3) if number else np.arange(3)
        energy = frame.get_potential_energy()
        frames[number] = frame[order]
        frames[number].calc = SinglePointCalculator(frames[number], energy=energy)
    file = tmp_path / "run.extxyz"
    write(file, frames)
    trajectory = read_trajectory(file)
    same_motion(trajectory, path_A)
    np.testing.assert_allclose(trajectory.potential_energies_eV, -1.0 - np.arange(40))
    frames[5].arrays["id"][0] = 99
    write(file, frames)
    with pytest.raises(InputError, match="same atoms"):
        read_trajectory(file)


@pytest.mark.parametrize(("names", "fault"), [("abc", None), ("aab", "same atoms")])
def test_atoms_may_be_named_by_words(tmp_path, path_A, names, fault):
    frames = images(path_A, wrap=True)
    for number, frame in enumerate(frames):
        frame.set_array("id", np.array(list(names)))
        frames[number] = frame[[1, 2, 0]] if number % 2 else frame
    file = tmp_path / "run.extxyz"
    write(file, frames)
    if fault:
        with pytest.raises(InputError, match=fault):
            read_trajectory(file)
    else:
        same_motion(read_trajectory(file), path_A)


@pytest.mark.parametrize("share", [0.48, 0.6])
def test_every_format_takes_the_same_steps(tmp_path, share):
    """Unwrapped coordinates that left the cell are what they are, up to what the gate on wrapped ones allows.

    XDATCAR unwrapped them once more: the step of 0.6 of a cell came out as one of -0.4.
    """
    rng = np.random.default_rng(2)
    path = np.cumsum(rng.normal(scale=0.3, size=(60, 3, 3)), axis=0)
    path[:, 0, 0] += np.linspace(0, 30, 60)
    path[30:, 1, 1] += share * 8.0 - (path[30, 1, 1] - path[29, 1, 1])
    cell = np.diag([9.0, 8.0, 7.0])
    numbers = np.array([3, 3, 17])
    write(tmp_path / "run.extxyz", [Atoms(numbers, positions=frame, cell=cell, pbc=True) for frame in path])
    h5md.write(tmp_path / "run.h5", Trajectory(numbers, path, cell, 0.1))
    (tmp_path / "XDATCAR").write_text(xdatcar_text(path, lattice=cell, wrap=False))
    for name in ("run.extxyz", "run.h5", "XDATCAR"):
        same_motion(read_trajectory(tmp_path / name, frame_interval_ps=0.1), path)


@pytest.mark.parametrize(("stated", "held"), [(600, 600.0), (0, None), (None, None), ("hot", None), ([600], None)])
def test_diffusion_analyzer_knows_the_temperature_of_its_run(tmp_path, path_A, stated, held):
    """With it the thermal motion judges time_step and step_skip, by which D was ten times too small, unsaid."""
    file = tmp_path / "DiffusionAnalyzer.json"
    file.write_text(json.dumps(analyzer(path_A, temperature=stated)))
    assert read_trajectory(file).set_temperature_K == held
