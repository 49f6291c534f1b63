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
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows.formats.structures import read_structures
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


@pytest.fixture
def read(tmp_path):
    """A function that writes text, bytes or ASE's images to a file and reads it as a trajectory."""

    def written_and_read(content, name="XDATCAR", *, frame_interval_ps=None):
        file = tmp_path / name
        if isinstance(content, list):
            write(file, content)
        else:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_trajectory(file, frame_interval_ps=frame_interval_ps)

    return written_and_read


def images(path_A, *, wrap=False):
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


@pytest.mark.parametrize("name", ["XDATCAR", "XDATCAR_600K.gz", "run1_XDATCAR"])
def test_xdatcar(tmp_path, path_A, read, name):
    text = xdatcar_text(path_A).encode()
    trajectory = read(gzip.compress(text) if name.endswith(".gz") else text, name, frame_interval_ps=0.1)
    same_motion(trajectory, path_A)
    assert trajectory.frame_interval_ps == 0.1
    assert trajectory.source == str(tmp_path / name)


@pytest.mark.parametrize("header", ["Li_sv Cl\n2 1", "Li_sv/2c0a74d2 Cl/5f1c9a\n2 1"])
@pytest.mark.parametrize("scale", ["1.0", "1.0 1.0 1.0", f"{-np.linalg.det(CELL):.12f}"])
def test_xdatcar_as_vasp_may_write_it(read, path_A, header, scale):
    text = xdatcar_text(path_A, header=header).replace("title\n1.0\n", f"title\n{scale}\n")
    same_motion(read(text, frame_interval_ps=0.005), path_A, tolerance=1e-5)


def test_xdatcar_of_a_changing_cell(tmp_path, read, path_A):
    """Header before each frame; fractional paths are mapped to the mean cell."""
    fractional = path_A @ np.linalg.inv(CELL)
    scales = 1 + 0.01 * np.sin(np.arange(len(path_A)))
    blocks = [
        xdatcar_text(frame[None] @ (CELL * scale), lattice=CELL * scale)
        for frame, scale in zip(fractional, scales, strict=True)
    ]
    trajectory = read("".join(blocks), frame_interval_ps=0.1)
    same_motion(trajectory, fractional @ (CELL * scales.mean()), 1e-5)
    np.testing.assert_allclose(trajectory.volumes_A3, np.linalg.det(CELL) * scales**3, rtol=1e-6)
    again = read_trajectory(h5md.write(tmp_path / "again.h5", trajectory))
    np.testing.assert_allclose(again.volumes_A3, trajectory.volumes_A3)


@pytest.mark.parametrize("wrap", [True, False])
@pytest.mark.parametrize("name", ["run.extxyz", "run.traj"])
def test_ase_formats_wrapped_and_not(read, path_A, name, wrap):
    trajectory = read(images(path_A, wrap=wrap), name)
    same_motion(trajectory, path_A)
    assert trajectory.frame_interval_ps == pytest.approx(0.005)
    np.testing.assert_allclose(trajectory.potential_energies_eV, -1.0 - np.arange(40))
    assert trajectory.temperatures_K is not None
    assert len(trajectory.temperatures_K) == 40


def test_h5md(tmp_path, read, path_A):
    h5md.write(tmp_path / "run.h5", read(xdatcar_text(path_A), frame_interval_ps=0.1))
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


def test_diffusion_analyzer_holds_its_interval(read, path_A):
    trajectory = read(json.dumps(analyzer(path_A)), "DiffusionAnalyzer.json")
    same_motion(trajectory, path_A)
    assert trajectory.frame_interval_ps == pytest.approx(0.02)


def broken_files(path_A):
    whole = xdatcar_text(path_A)
    lines = whole.splitlines()
    nan = "\n".join([*lines[:9], "nan 0.1 0.2", *lines[10:]])
    cells = [CELL * (10 if index == 4 else 1) for index in range(len(path_A))]
    other_cell = "".join(xdatcar_text(frame[None], lattice=cell) for frame, cell in zip(path_A, cells, strict=True))
    jump = np.zeros((30, 3, 3))
    jump[15:, 0, 0] = 4.3
    announced = '{count}\nLattice="9 0 0 0 9 0 0 0 9"\nLi 0 0 0\n'
    return {
        "another cell": ("XDATCAR", other_cell, r"frame 5 .*1e\+03 .*volume"),
        "step of half a cell": ("XDATCAR", xdatcar_text(jump), "unwrapped"),
        "more atoms announced": ("run.xyz", announced.format(count="99999999999"), "number of atoms"),
        "negative atoms announced": ("run.xyz", announced.format(count=-3), "number of atoms"),
        "no cell": ("run.extxyz", "2\n\nLi 0 0 0\nLi 0 0 0\n" * 5, "no cell"),
        "empty XDATCAR": ("XDATCAR", "", "empty"),
        "one frame": ("XDATCAR", xdatcar_text(path_A[:1]), "two frames"),
        "no frame": ("XDATCAR", "\n".join(lines[:7]), "no frame"),
        "truncated": ("XDATCAR", "\n".join(lines[:-2]), "3 atoms"),
        "truncated number": ("XDATCAR", whole[:-20], "3 atoms|could not convert"),
        "overflow": ("XDATCAR", whole.replace(lines[9], "*** *** ***"), "number should be"),
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
        "no JSON": ("run.json", "{", "not JSON"),
        "no HDF5": ("run.h5", "hello", "HDF5"),
        "torn gzip": ("XDATCAR.gz", gzip.compress(whole.encode())[:-30], "archive"),
        "no gzip": ("XDATCAR.gz", whole, "archive"),
    }


@pytest.mark.parametrize("case", list(broken_files(np.zeros((3, 3, 3)))))
def test_broken_files_are_refused_in_one_line(tmp_path, read, path_A, case):
    name, content, fault = broken_files(path_A)[case]
    with error_in_one_line(InputError, fault) as caught:
        read(content, name, frame_interval_ps=0.1)
    assert str(caught.value).count(str(tmp_path / name)) == 1


def fewer_atoms(frames):
    frames[4].calc = None
    del frames[4][0]


def state_times_ps(frames, factor):
    for frame in frames:
        frame.info["time_ps"] = factor * frame.info["time_fs"] / 1000


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda frames: frames[4].set_cell(10 * CELL), r"frame 5 .*volume"),
        (lambda frames: frames.pop(10), "not equally spaced"),
        (fewer_atoms, "atoms change"),
        (lambda frames: frames[3].info.update(time_fs="soon"), "time_fs"),
        (lambda frames: frames[3].info.update(time_fs=np.array([1.0, 2.0])), "time_fs"),
        (lambda frames: state_times_ps(frames, 2), r"0\.01 ps by time_ps, 0\.005 ps by time_fs"),
    ],
)
def test_frames_that_do_not_belong_together_are_refused(read, path_A, change, fault):
    frames = images(path_A)
    change(frames)
    with error_in_one_line(InputError, fault):
        read(frames, "run.extxyz")


def test_two_clocks_may_agree(read, path_A):
    frames = images(path_A)
    state_times_ps(frames, 1)
    assert read(frames, "run.extxyz").frame_interval_ps == pytest.approx(0.005)


@pytest.mark.parametrize("interval", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_frame_interval_is_never_assumed_and_must_be_possible(read, path_A, interval):
    with pytest.raises(InputError, match="frame interval"):
        read(xdatcar_text(path_A), frame_interval_ps=interval)


def test_absent_file(tmp_path):
    with pytest.raises(InputError, match="such file"):
        read_trajectory(tmp_path / "XDATCAR")


@pytest.mark.parametrize("behind", [" Li", "  T T T"])
def test_xdatcar_with_words_behind_its_rows(read, path_A, behind):
    """pymatgen writes the element there (pymatgen.core.Trajectory.write_Xdatcar)."""
    lines = xdatcar_text(path_A).splitlines()
    rows = [line + behind if number > 7 and "Direct" not in line else line for number, line in enumerate(lines, 1)]
    same_motion(read("\n".join(rows), frame_interval_ps=0.1), path_A)


@pytest.mark.parametrize("title", ["", "unknown system"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_titles_may_be_blank_and_lines_end_as_on_windows(read, path_A, title, end):
    blocks = [xdatcar_text(frame[None]).replace("title\n", f"{title}\n") for frame in path_A]
    same_motion(read("".join(blocks).replace("\n", end) + end, frame_interval_ps=0.1), path_A)


def test_title_may_begin_as_a_frame_does(read, path_A):
    text = xdatcar_text(path_A).replace("title\n", "Direct dynamics of LiCl\n")
    same_motion(read(text, frame_interval_ps=0.1), path_A)


@pytest.mark.parametrize("between", ["\n", "restart\n"])
def test_xyz_is_read_to_its_end_or_not_at_all(tmp_path, read, path_A, between):
    """ASE stops at a blank line: half of a run was taken for all of it."""
    parts = []
    for frames in (images(path_A[:20], wrap=True), images(path_A[20:], wrap=True)):
        write(tmp_path / "part.extxyz", frames)
        parts.append((tmp_path / "part.extxyz").read_text())
    with pytest.raises(InputError, match=r"line 100.* frame 21"):
        read(between.join(parts), "run.extxyz", frame_interval_ps=0.005)
    assert len(read(parts[0] + "\n\n", "run.extxyz")) == 20


def test_atoms_in_another_order_are_put_back_by_their_names(read, path_A):
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
    trajectory = read(frames, "run.extxyz")
    same_motion(trajectory, path_A)
    np.testing.assert_allclose(trajectory.potential_energies_eV, -1.0 - np.arange(40))
    frames[5].arrays["id"][0] = 99
    with pytest.raises(InputError, match="same atoms"):
        read(frames, "run.extxyz")


@pytest.mark.parametrize(("names", "fault"), [("abc", None), ("aab", "same atoms")])
def test_atoms_may_be_named_by_words(read, path_A, names, fault):
    frames = images(path_A, wrap=True)
    for number, frame in enumerate(frames):
        frame.set_array("id", np.array(list(names)))
        frames[number] = frame[[1, 2, 0]] if number % 2 else frame
    if fault:
        with pytest.raises(InputError, match=fault):
            read(frames, "run.extxyz")
    else:
        same_motion(read(frames, "run.extxyz"), path_A)


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
def test_diffusion_analyzer_knows_the_temperature_of_its_run(read, path_A, stated, held):
    """With it the thermal motion judges time_step and step_skip, by which D was ten times too small, unsaid."""
    content = json.dumps(analyzer(path_A, temperature=stated))
    assert read(content, "DiffusionAnalyzer.json").set_temperature_K == held


@pytest.mark.parametrize(("pbc", "axes"), [(False, "a, b, c"), ([True, False, True], "b")])
@pytest.mark.parametrize("name", ["run.extxyz", "run.traj"])
def test_a_cell_that_is_open_has_no_volume(tmp_path, read, name, pbc, axes):
    """A slab or a cluster in a box was given a diffusivity and a conductivity."""
    frames = images(np.random.default_rng(0).random((3, 3, 3)))
    for frame in frames:
        frame.set_pbc(pbc)
    with error_in_one_line(InputError, f"not periodic along {axes}"):
        read(frames, name)
    with error_in_one_line(InputError, f"not periodic along {axes}"):
        read_structures(tmp_path / name)
