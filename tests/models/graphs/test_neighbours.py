import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list as ase_neighbours
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from vitrion_models.errors import InputError
from vitrion_models.graphs import neighbour_list
from vitrion_models.system import AtomicSystem


def random_system(seed, atoms, edge_A):
    """A skewed cell, atoms also outside of it."""
    rng = np.random.default_rng(seed)
    lattice = edge_A * (np.eye(3) + rng.uniform(-0.3, 0.3, (3, 3)))
    positions = rng.uniform(-1.5, 2.5, (atoms, 3)) @ lattice
    return AtomicSystem(rng.choice([3, 8, 16], atoms), positions, lattice)


def rows(first, second, shifts):
    return sorted(map(tuple, np.column_stack([first, second, shifts]).astype(int).tolist()))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), atoms=st.integers(1, 9), edge=st.floats(2.5, 9.0), cutoff=st.floats(0.5, 7.0))
def test_agrees_with_ase_also_in_cells_smaller_than_the_cutoff(seed, atoms, edge, cutoff):
    system = random_system(seed, atoms, edge)
    ours = neighbour_list(system, cutoff)
    first, second, shifts, vectors = ase_neighbours(
        "ijSD", Atoms(numbers=system.numbers, positions=system.positions_A, cell=system.lattice_A, pbc=True), cutoff
    )
    assert rows(*ours.edge_index, ours.shifts) == rows(first, second, shifts)
    assert np.sort(ours.distances_A) == pytest.approx(np.sort(np.linalg.norm(vectors, axis=1)), abs=1e-10)


@pytest.mark.parametrize(("atoms", "edge"), [(1, 3.0), (2, 3.5), (12, 8.0)])
def test_agrees_with_pymatgen(atoms, edge):
    system = random_system(7, atoms, edge)
    ours = neighbour_list(system, 5.0)
    structure = Structure(
        Lattice(system.lattice_A), system.numbers, system.positions_A, coords_are_cartesian=True, to_unit_cell=False
    )
    first, second, images, distances = structure.get_neighbor_list(5.0, exclude_self=True)
    assert rows(*ours.edge_index, ours.shifts) == rows(first, second, images)
    assert np.sort(ours.distances_A) == pytest.approx(np.sort(distances), abs=1e-10)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), atoms=st.integers(1, 8), cutoff=st.floats(2.0, 6.0))
def test_each_edge_has_its_reverse_and_its_vector(seed, atoms, cutoff):
    system = random_system(seed, atoms, 4.0)
    found = neighbour_list(system, cutoff)
    forward = {tuple(row) for row in np.column_stack([*found.edge_index, found.shifts]).tolist()}
    backward = {tuple(row) for row in np.column_stack([*found.edge_index[::-1], -found.shifts]).tolist()}
    assert forward == backward
    first, second = found.edge_index
    expected = system.positions_A[second] - system.positions_A[first] + found.shifts @ system.lattice_A
    assert found.vectors_A == pytest.approx(expected)
    assert len(found) == 0 or found.distances_A.max() <= cutoff


def test_rocksalt_coordination_shells():
    # LiCl, a = 5.13 A: 6 anions at a/2, 12 cations at a/sqrt2, 8 anions at a sqrt3/2.
    a = 5.13
    lattice = a / 2 * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]])
    system = AtomicSystem(np.array([3, 17]), np.array([[0.0, 0, 0], [a / 2, 0, 0]]), lattice)
    found = neighbour_list(system, 0.9 * a)
    of_lithium = np.sort(found.distances_A[found.edge_index[0] == 0])
    assert of_lithium == pytest.approx([a / 2] * 6 + [a / 2**0.5] * 12 + [a * 3**0.5 / 2] * 8)


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf])
def test_refuses_a_cutoff_that_is_no_radius(cutoff):
    with pytest.raises(InputError, match="cutoff"):
        neighbour_list(random_system(0, 2, 4.0), cutoff)


def test_refuses_coinciding_atoms():
    system = AtomicSystem(np.array([3, 3]), np.zeros((2, 3)), 4 * np.eye(3))
    with pytest.raises(InputError, match="lie on one another"):
        neighbour_list(system, 3.0)
