"""One run in several files: the same path as in one file, or refused with what does not fit."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.trajectories.trajectory import Trajectory

CELL = np.array([[9.0, 0.0, 0.0], [1.0, 8.0, 0.0], [0.0, -1.0, 7.0]])
NUMBERS = np.repeat([3, 17], 12)
INTERVAL_PS = 0.02


@pytest.fixture
def path_A():
    """Ions that leave the cell: 61 frames of 24 atoms."""
    rng = np.random.default_rng(0)
    start = rng.random((24, 3)) @ CELL
    return start + np.linspace(0, 14, 61)[:, None, None] + np.cumsum(rng.normal(scale=0.1, size=(61, 24, 3)), axis=0)


def write_xdatcar(file, path_A, _first):
    rows = "\n".join(" ".join(map(str, row)) for row in CELL)
    frames = np.mod(path_A @ np.linalg.inv(CELL), 1.0)
    text = "".join(
        f"Direct configuration= {number}\n" + "".join(" ".join(f"{x:.8f}" for x in atom) + "\n" for atom in frame)
        for number, frame in enumerate(frames, start=1)
    )
    file.write_text(f"title\n1.0\n{rows}\nLi Cl\n12 12\n{text}")


def write_xyz(file, path_A, first, *, times=True):
    frames = []
    for index, positions in enumerate(path_A, start=first):
        atoms = Atoms(NUMBERS, positions=positions, cell=CELL, pbc=True)
        atoms.info.update({"time_fs": 20.0 * index} if times else {})
        atoms.wrap()
        frames.append(atoms)
    write(file, frames)


def write_untimed_xyz(file, path_A, first):
    write_xyz(file, path_A, first, times=False)


def write_h5md(file, path_A, _first):
    h5md.write(file, Trajectory(NUMBERS, path_A, CELL, INTERVAL_PS))


def write_dump(file, path_A, first, *, columns="xu yu zu"):
    lattice = np.diag([9.0, 8.0, 7.0])
    with file.open("w") as out:
        for step, positions in enumerate(path_A, start=first):
            out.write(f"ITEM: TIMESTEP\n{10 * step}\nITEM: NUMBER OF ATOMS\n24\nITEM: BOX BOUNDS pp pp pp\n")
            out.write("".join(f"0 {length}\n" for length in np.diag(lattice)))
            out.write(f"ITEM: ATOMS id element {columns}\n")
            for index in np.random.default_rng(step).permutation(24):
                words = " ".join(f"{x:.9f}" for x in positions[index])
                out.write(f"{index + 1} {'Li' if index < 12 else 'Cl'} {words}\n")


WRITERS = {
    "XDATCAR": write_xdatcar,
    "run.xyz": write_xyz,
    "untimed.xyz": write_untimed_xyz,
    "run.h5": write_h5md,
    "run.dump": write_dump,
}


def parts(tmp_path, name, pieces):
    """Write pieces (frames, number of the first) to files and return their paths."""
    files = []
    for number, (path, first) in enumerate(pieces):
        (tmp_path / str(number)).mkdir()
        files.append(tmp_path / str(number) / name)
        WRITERS[name](files[-1], path, first)
    return files


def read(files, name):
    return read_trajectory(files, frame_interval_ps=None if name in {"run.h5", "run.xyz"} else INTERVAL_PS)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("doubled", [False, True])
def test_parts_are_the_run(tmp_path, path_A, name, doubled):
    """The second part starts in the home cell again, and may begin with the last frame of the first one."""
    begin = 30 if doubled else 31
    files = parts(tmp_path, name, [(path_A[:31], 0), (path_A[begin:], begin)])
    if name == "run.dump":  # a run continued from a data file: unwrapped positions begin inside the cell once more
        shift = np.array([9.0, 8.0, 7.0]) * np.round(path_A[begin] / [9.0, 8.0, 7.0])
        write_dump(files[1], path_A[begin:] - shift, begin)
    joined = read(files, name)
    np.testing.assert_allclose(joined.positions_A - joined.positions_A[0], path_A - path_A[0], atol=1e-6)
    assert joined.frame_interval_ps == pytest.approx(INTERVAL_PS)
    assert sum("left out" in remark for remark in joined.remarks) == doubled


@pytest.mark.parametrize("name", ["run.xyz", "run.dump"])
def test_steps_may_start_again(tmp_path, path_A, name):
    files = parts(tmp_path, name, [(path_A[:21], 0), (path_A[20:41], 0), (path_A[41:], 21)])
    joined = read(files, name)
    assert len(joined) == 61
    np.testing.assert_allclose(joined.positions_A - joined.positions_A[0], path_A - path_A[0], atol=1e-6)


def test_one_frame_in_each_file(tmp_path, path_A):
    files = parts(tmp_path, "run.dump", [(path_A[index : index + 1], index) for index in range(12)])
    np.testing.assert_allclose(
        np.ptp(read(files, "run.dump").positions_A, axis=0), np.ptp(path_A[:12], axis=0), atol=1e-6
    )
    with error_in_one_line(InputError, "order of the run"):
        read([files[0], files[2], files[1]], "run.dump")


@pytest.mark.parametrize(
    ("name", "second_part", "fault"),
    [
        ("run.dump", (35, 35), "frames are missing"),
        ("run.xyz", (35, 35), "frames are missing"),
        ("untimed.xyz", (45, 45), "frames are missing"),
        ("XDATCAR", (45, 45), "frames are missing"),
        ("run.dump", (31, 33), "equally"),
        ("run.dump", (20, 20), "before the last step"),
        ("run.dump", (40, 30), "another run"),
    ],
)
def test_parts_that_do_not_continue_each_other_are_refused(tmp_path, path_A, name, second_part, fault):
    begin, first = second_part  # of the frames, and of their numbers
    files = parts(tmp_path, name, [(path_A[:31], 0), (path_A[begin:], first)])
    with error_in_one_line(InputError, fault) as caught:
        read(files, name)
    assert str(tmp_path) in str(caught.value)


def test_other_atoms_cells_intervals_and_files_given_twice_are_refused(tmp_path, path_A):
    files = parts(tmp_path, "run.xyz", [(path_A[:31], 0), (path_A[31:], 31)])
    cases = {
        "atoms change": lambda atoms: atoms.set_atomic_numbers(NUMBERS[::-1]),
        "its cell differs": lambda atoms: atoms.set_cell(CELL @ np.diag([1.2, 1.0, 1 / 1.2]), scale_atoms=True),
        "equally spaced": lambda atoms: atoms.info.update(time_fs=2 * atoms.info["time_fs"] - 620.0),
    }
    from ase.io import read as read_ase

    for fault, change in cases.items():
        frames = read_ase(files[1], index=":")
        for frame in frames:
            change(frame)
        write(tmp_path / "changed.xyz", frames)
        with error_in_one_line(InputError, fault):
            read([files[0], tmp_path / "changed.xyz"], "run.xyz")
    with error_in_one_line(InputError, "twice"):
        read([files[0], files[0]], "run.xyz")
