"""LAMMPS's text dumps against the path they were written from, in every form that LAMMPS has for it."""

import io
import re

import numpy as np
import pytest
from ase.io import read
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows.trajectories.reading import read_trajectory

# Restricted triclinic, tilted by nearly half as LAMMPS allows, with an origin.
CELL = np.array([[9.0, 0.0, 0.0], [4.0, 8.0, 0.0], [-3.0, 3.5, 7.0]])
ORIGIN = np.array([-2.0, 1.0, 5.0])
ELEMENTS = ["Li", "Cl", "Li"]
FORMS = {"x": "x y z", "xu": "xu yu zu", "xs": "xs ys zs", "xsu": "xsu ysu zsu", "image": "x y z ix iy iz"}


@pytest.fixture
def path_A():
    rng = np.random.default_rng(0)
    return ORIGIN + rng.random((3, 3)) @ CELL + np.cumsum(rng.normal(scale=0.4, size=(40, 3, 3)), axis=0)


def rows_of(positions, cell, form):
    fractional = (positions - ORIGIN) @ np.linalg.inv(cell)
    inside = np.mod(fractional, 1.0)
    return {
        "x": inside @ cell + ORIGIN,
        "xu": positions,
        "xs": inside,
        "xsu": fractional,
        "image": np.hstack([inside @ cell + ORIGIN, np.round(fractional - inside)]),
    }[form]


def bounds(cell, *, length=1.0):
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = cell
    low, high = ORIGIN, ORIGIN + np.array([lx, ly, lz])
    rows = (
        (low[0] + min(0, xy, xz, xy + xz), high[0] + max(0, xy, xz, xy + xz), xy),
        (low[1] + min(0, yz), high[1] + max(0, yz), xz),
        (low[2], high[2], yz),
    )
    return [" ".join(f"{length * x:.14g}" for x in row) for row in rows]


def dump(path_A, form, *, cells=None, units=None, time_factor=None, order=True, box="tilted", length=1.0, moving=()):
    """Text of a dump; `length` and `time_factor` are an Angstrom and a femtosecond in its units, as `moving` is."""
    rng = np.random.default_rng(1)
    lines = []
    for frame, positions in enumerate(path_A):
        cell = CELL if cells is None else cells[frame]
        if units:
            lines += ["ITEM: UNITS", units] * (frame == 0)
        if time_factor:
            lines += ["ITEM: TIME", f"{(5000 + 20 * frame) * time_factor}"]
        lines += ["ITEM: TIMESTEP", str(1000 + 20 * frame), "ITEM: NUMBER OF ATOMS", "3"]
        if box == "general":
            vectors = [
                " ".join(f"{length * x:.14g}" for x in (*row, low)) for row, low in zip(cell, ORIGIN, strict=True)
            ]
            lines += ["ITEM: BOX BOUNDS abc origin pp pp pp", *vectors]
        else:
            lines += ["ITEM: BOX BOUNDS xy xz yz pp pp pp", *bounds(cell, length=length)]
        lines.append(f"ITEM: ATOMS id type element {FORMS[form]}{' vx vy vz' * bool(len(moving))}")
        rows = rows_of(positions, cell, form) * (1.0 if form.startswith("xs") else length)
        if len(moving):
            rows = np.hstack([rows, moving[frame]])
        for atom in rng.permutation(3) if order else range(3):
            lines.append(f"{atom + 1} 1 {ELEMENTS[atom]} " + " ".join(f"{x:.14g}" for x in rows[atom]))
    return "\n".join(lines) + "\n"


def same_motion(trajectory, path_A):
    assert trajectory.numbers.tolist() == [3, 17, 3]
    np.testing.assert_allclose(trajectory.positions_A - trajectory.positions_A[0], path_A - path_A[0], atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("box", ["tilted", "general"])
def test_every_form_of_a_position_is_the_same_path(tmp_path, path_A, form, box):
    file = tmp_path / "run.lammpstrj"
    file.write_text(dump(path_A, form, box=box))
    trajectory = read_trajectory(file, frame_interval_ps=0.02)
    same_motion(trajectory, path_A)
    np.testing.assert_allclose(trajectory.lattice_A, CELL, atol=1e-6)
    assert trajectory.volumes_A3 is None


def test_the_box_is_the_one_that_ase_reads(path_A):
    (frame,) = read(io.StringIO(dump(path_A[:1], "x", order=False)), format="lammps-dump-text", index=":")
    np.testing.assert_allclose(frame.cell.array, CELL, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_a_box_that_breathes_is_mapped_to_its_mean(tmp_path, path_A, form):
    cells = CELL * (1 + 0.01 * np.sin(np.arange(40)))[:, None, None]
    fractional = (path_A - ORIGIN) @ np.linalg.inv(CELL)
    file = tmp_path / "npt.dump"
    file.write_text(dump(fractional @ cells + ORIGIN, form, cells=cells))
    trajectory = read_trajectory(file, frame_interval_ps=0.02)
    same_motion(trajectory, fractional @ cells.mean(axis=0))
    np.testing.assert_allclose(trajectory.volumes_A3, np.linalg.det(cells), rtol=1e-6)


# An Angstrom and a femtosecond in each style (LAMMPS manual, command units); velocities are lengths over times.
STYLES = {"metal": (1.0, 1e-3), "real": (1.0, 1.0), "nano": (0.1, 1e-6), "si": (1e-10, 1e-15)}


@pytest.mark.parametrize("form", ["xu", "xs"])
@pytest.mark.parametrize("units", STYLES)
def test_every_style_of_units_is_the_same_run(tmp_path, path_A, units, form):
    length, time = STYLES[units]
    velocities_A_per_ps = np.random.default_rng(3).normal(scale=5.0, size=path_A.shape)
    moving = velocities_A_per_ps * (length / (1000 * time))
    file = tmp_path / "run.lammpstrj"
    file.write_text(dump(path_A, form, units=units, time_factor=time, length=length, moving=moving))
    trajectory = read_trajectory(file)
    assert trajectory.frame_interval_ps == pytest.approx(0.02)
    same_motion(trajectory, path_A)
    np.testing.assert_allclose(trajectory.lattice_A, CELL, atol=1e-9)
    np.testing.assert_allclose(trajectory.velocities_A_per_ps, velocities_A_per_ps, rtol=1e-9)


def broken(path_A):
    whole = dump(path_A, "x")
    blocks = whole.split("ITEM: TIMESTEP\n")
    return {
        "no interval": (whole, "frame interval"),
        "times without units": (dump(path_A, "x", time_factor=0.001), "frame interval"),
        "lj": (dump(path_A, "x", units="lj"), "units 'lj'"),
        "electron": (dump(path_A, "x", units="electron"), "units 'electron'"),
        "one id twice": (re.sub("(?m)^3 1 Li ", "1 1 Li ", whole), "id 1 "),
        "endless id": (whole.replace("3 1 Li ", "9" * 30 + " 1 Li "), "whole number"),
        "shrink-wrapped": (whole.replace("pp pp pp", "pp pp ss"), "not periodic along c"),
        "shrunk to a least size": (whole.replace("pp pp pp", "pp fm pp"), "not periodic along b"),
        "no element": (whole.replace("element", "mol"), "dump_modify element"),
        "no id": (whole.replace("id type", "tag type"), "column 'id'"),
        "no position": (whole.replace("x y z\n", "fx fy fz\n"), "positions"),
        "unknown element": (whole.replace(" Cl ", " Zz "), "'Zz'"),
        "missing frame": ("ITEM: TIMESTEP\n".join(blocks[:5] + blocks[6:]), "steps"),
        "missing atom": (whole.rstrip().rpartition("\n")[0] + "\n", "atoms"),
        "torn": (whole[: len(whole) - 8], "within a line"),
        "torn header": (whole + "ITEM: TIMESTEP\n9\n", "within a frame"),
        "a box twice": (
            whole.replace("ITEM: NUMBER", "ITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\nITEM: NUMBER"),
            "twice",
        ),
        "a step twice": (whole.replace("ITEM: NUMBER", "ITEM: TIMESTEP\n7\nITEM: NUMBER"), "twice"),
        "a column twice": (whole.replace("type element", "x element"), "twice"),
        "words": ("hello\n", "ITEM"),
        "stars": (whole.replace("1 1 Li ", "1 1 Li ***"), "number should be"),
    }


def test_a_frame_that_an_appended_run_repeats_is_left_out_with_a_remark(tmp_path, path_A):
    blocks = dump(path_A, "x").split("ITEM: TIMESTEP\n")
    file = tmp_path / "run.lammpstrj"
    file.write_text("ITEM: TIMESTEP\n".join([*blocks[:5], *blocks[4:]]))
    trajectory = read_trajectory(file, frame_interval_ps=0.02)
    same_motion(trajectory, path_A)
    assert "frame 5 repeats" in trajectory.remarks[0]
    # The same step with other coordinates is no repetition.
    file.write_text("ITEM: TIMESTEP\n".join([*blocks[:5], "1060\n" + blocks[5].partition("\n")[2], *blocks[5:]]))
    with error_in_one_line(InputError, "steps"):
        read_trajectory(file, frame_interval_ps=0.02)


@pytest.mark.parametrize("case", list(broken(np.zeros((8, 3, 3)))))
def test_broken_dumps_are_refused_in_one_line(tmp_path, path_A, case):
    text, fault = broken(path_A)[case]
    file = tmp_path / "run.lammpstrj"
    file.write_text(text)
    stated = None if fault == "frame interval" else 0.02
    with error_in_one_line(InputError, fault) as caught:
        read_trajectory(file, frame_interval_ps=stated)
    assert str(file) in str(caught.value)
