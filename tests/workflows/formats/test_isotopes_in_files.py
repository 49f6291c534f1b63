"""Isotopes in files: one answer in every format, whether a symbol or a mass states them."""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from pymatgen.core import Lattice, Structure

from vitrion_workflows.formats.structures import read_structures
from vitrion_workflows.schemas import fingerprint
from vitrion_workflows.schemas.geometry import explicit_isotopes, isotope_masses, system_from_structure, with_masses
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.trajectories.trajectory import Trajectory

D, LI6 = 2.014102, 6.015
PLACES = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.25, 0.5, 0], [0, 0.25, 0.625]])
DEUTERIDE = Structure(Lattice.orthorhombic(4, 4.5, 5), ["Li", "Li", "D", "D"], PLACES)
FRAMES = 3


def positions():
    return PLACES @ DEUTERIDE.lattice.matrix


def cif(path, symbol="D"):
    rows = "\n".join(
        f"{name}{index} {name} {x} {y} {z} 1"
        for index, (name, (x, y, z)) in enumerate(zip(["Li", "Li", symbol, symbol], PLACES, strict=True))
    )
    path.write_text(
        "data_x\n_cell_length_a 4\n_cell_length_b 4.5\n_cell_length_c 5\n"
        "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n_symmetry_space_group_name_H-M 'P 1'\n"
        f"loop_\n_atom_site_label\n_atom_site_type_symbol\n{COORDINATES}\n_atom_site_occupancy\n{rows}\n"
    )


COORDINATES = "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z"


def poscar(path):
    rows = "\n".join(" ".join(map(str, row)) for row in PLACES)
    path.write_text(f"deuteride\n1.0\n4 0 0\n0 4.5 0\n0 0 5\nLi D\n2 2\nDirect\n{rows}\n")


def xdatcar(path):
    rows = "\n".join(" ".join(map(str, row)) for row in PLACES)
    frames = "".join(f"Direct configuration= {index}\n{rows}\n" for index in range(1, FRAMES + 1))
    path.write_text(f"deuteride\n1.0\n4 0 0\n0 4.5 0\n0 0 5\nLi D\n2 2\n{frames}")


def xyz_symbols(path):
    rows = "\n".join(f"{name} {x} {y} {z}" for name, (x, y, z) in zip(["Li", "Li", "D", "D"], positions(), strict=True))
    path.write_text(f'4\nLattice="4 0 0 0 4.5 0 0 0 5" Properties=species:S:1:pos:R:3 pbc="T T T"\n{rows}\n' * FRAMES)


def atoms():
    return Atoms(
        "Li2H2", positions=positions(), cell=DEUTERIDE.lattice.matrix, pbc=True, masses=[6.941] * 2 + [2.014] * 2
    )


def lammps(path):
    rows = "\n".join(
        f"{index} {name} {x} {y} {z}"
        for index, (name, (x, y, z)) in enumerate(zip(["Li", "Li", "D", "D"], positions(), strict=True), start=1)
    )
    box = "ITEM: BOX BOUNDS pp pp pp\n0 4\n0 4.5\n0 5\n"
    path.write_text(
        "".join(
            f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n4\n{box}ITEM: ATOMS id element xu yu zu\n{rows}\n"
            for step in range(FRAMES)
        )
    )


def h5(path):
    system = system_from_structure(DEUTERIDE)
    frames = np.repeat(system.positions_A[None], FRAMES, axis=0)
    run = Trajectory(system.numbers, frames, system.lattice_A, frame_interval_ps=0.01, masses_u=system.masses_u)
    h5md.write(path, run, steps_per_frame=1, provenance={})


FILES = {
    "a.cif": cif,
    "POSCAR": poscar,
    "XDATCAR": xdatcar,
    "symbols.xyz": xyz_symbols,
    "masses.xyz": lambda path: write(path, [atoms()] * FRAMES, format="extxyz"),
    "a.traj": lambda path: write(path, [atoms()] * FRAMES),
    "a.json": lambda path: path.write_text(json.dumps(explicit_isotopes(DEUTERIDE).as_dict())),
    "a.lammpstrj": lammps,
    "a.h5": h5,
}
TRAJECTORIES = ["XDATCAR", "symbols.xyz", "masses.xyz", "a.traj", "a.lammpstrj", "a.h5"]


@pytest.mark.parametrize("name", FILES)
def test_a_deuteride_is_one_structure_in_every_format(tmp_path, name):
    FILES[name](tmp_path / name)
    structures = read_structures(tmp_path / name)
    assert {fingerprint(structure) for structure in structures} == {fingerprint(DEUTERIDE)}
    assert isotope_masses(structures[0]) == pytest.approx(np.where(np.array(DEUTERIDE.atomic_numbers) == 1, D, 6.94))


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_a_trajectory_of_a_deuteride_has_its_masses_in_every_format(tmp_path, name):
    FILES[name](tmp_path / name)
    trajectory = read_trajectory(tmp_path / name, frame_interval_ps=0.01)
    assert trajectory.masses_u == pytest.approx([6.94, 6.94, D, D], rel=5e-4)


def test_other_isotopes_are_read_where_masses_are_written(tmp_path):
    light = with_masses(DEUTERIDE, np.array([LI6, LI6, 1.008, D]))
    expected = fingerprint(light)
    mixed = atoms()
    mixed.set_masses([6.0151, 6.0151, 1.00794, 2.0141])
    write(tmp_path / "a.xyz", mixed, format="extxyz")
    write(tmp_path / "a.traj", mixed)
    (tmp_path / "a.json").write_text(json.dumps(light.as_dict()))
    for name in ("a.xyz", "a.traj", "a.json"):
        (back,) = read_structures(tmp_path / name)
        assert fingerprint(back) == expected
