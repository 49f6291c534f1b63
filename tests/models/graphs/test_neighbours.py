import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list as ase_neighbours
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from vitrion_models.errors import InputError
from vitrion_models.graphs.neighbours import neighbour_list, pairs_within
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
    edges = neighbour_list(system, cutoff)
    forward = {tuple(row) for row in np.column_stack([*edges.edge_index, edges.shifts]).tolist()}
    backward = {tuple(row) for row in np.column_stack([*edges.edge_index[::-1], -edges.shifts]).tolist()}
    assert forward == backward
    first, second = edges.edge_index
    expected = system.positions_A[second] - system.positions_A[first] + edges.shifts @ system.lattice_A
    assert edges.vectors_A == pytest.approx(expected)
    assert len(edges) == 0 or edges.distances_A.max() <= cutoff


def test_rocksalt_coordination_shells():
    # LiCl, a = 5.13 A: 6 anions at a/2, 12 cations at a/sqrt2, 8 anions at a sqrt3/2.
    a = 5.13
    lattice = a / 2 * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]])
    system = AtomicSystem(np.array([3, 17]), np.array([[0.0, 0, 0], [a / 2, 0, 0]]), lattice)
    edges = neighbour_list(system, 0.9 * a)
    of_lithium = np.sort(edges.distances_A[edges.edge_index[0] == 0])
    assert of_lithium == pytest.approx([a / 2] * 6 + [a / 2**0.5] * 12 + [a * 3**0.5 / 2] * 8)


def all_images(positions, lattice, cutoff):
    """Names (i, j, shift) of every pair within the cutoff, from all images that can be near."""
    heights = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    spread = np.ptp(positions @ np.linalg.inv(lattice), axis=0)
    ranges = [np.arange(-n, n + 1) for n in np.ceil(cutoff / heights + spread).astype(int)]
    shifts = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    distances = np.linalg.norm(
        positions[None, :, None] + (shifts @ lattice)[None, None] - positions[:, None, None], axis=-1
    )
    near = (distances <= cutoff) & ((distances > 0) | ~np.eye(len(positions), dtype=bool)[:, :, None])
    first, second, image = np.nonzero(near)
    return rows(first, second, shifts[image])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), atoms=st.integers(1, 6), edge=st.floats(2.0, 6.0), cutoff=st.floats(0.5, 6.0))
def test_half_and_full_lists_are_those_of_a_search_through_all_images(seed, atoms, edge, cutoff):
    system = random_system(seed, atoms, edge)
    expected = all_images(system.positions_A, system.lattice_A, cutoff)
    full = pairs_within(system.positions_A, system.lattice_A, cutoff)
    assert [(*edge, *shift) for edge, shift in zip(full.edge_index.T.tolist(), full.shifts.tolist(), strict=True)] == (
        expected
    )
    half = pairs_within(system.positions_A, system.lattice_A, cutoff, half=True)
    first, second = half.edge_index
    names = rows(first, second, half.shifts)
    assert all(i < j or (i == j and tuple(shift) > (0, 0, 0)) for i, j, *shift in names)
    assert sorted(names + rows(second, first, -half.shifts)) == expected


def test_a_table_of_cutoffs_holds_for_each_pair_of_elements():
    system = random_system(3, 8, 6.0)
    table = np.zeros((17, 17))
    table[3, 8] = table[8, 3] = 4.0
    table[8, 8] = 5.0
    wanted = neighbour_list(system, 5.0)
    limits = table[tuple(system.numbers[wanted.edge_index])]
    edges = neighbour_list(system, table)
    assert rows(*edges.edge_index, edges.shifts) == rows(
        *wanted.edge_index[:, wanted.distances_A <= limits], wanted.shifts[wanted.distances_A <= limits]
    )
    assert 0 < len(edges) < len(wanted)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    atoms=st.integers(1, 8),
    cutoff=st.floats(0.5, 7.0),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_slabs_chains_and_molecules_agree_with_ase(seed, atoms, cutoff, pbc):
    cell = random_system(seed, atoms, 4.0)
    lattice = np.where(np.array(pbc)[:, None], cell.lattice_A, 0.0)
    ours = neighbour_list(AtomicSystem(cell.numbers, cell.positions_A, lattice, pbc=pbc), cutoff)
    first, second, shifts = ase_neighbours(
        "ijS", Atoms(numbers=cell.numbers, positions=cell.positions_A, cell=cell.lattice_A, pbc=pbc), cutoff
    )
    assert rows(*ours.edge_index, ours.shifts) == rows(first, second, shifts)


def test_a_molecule_has_the_pairs_of_a_brute_force_search():
    rng = np.random.default_rng(2)
    molecule = AtomicSystem.molecule(rng.choice([1, 6, 8], 20), rng.uniform(0, 6, (20, 3)))
    distances = np.linalg.norm(molecule.positions_A[:, None] - molecule.positions_A, axis=-1)
    first, second = np.nonzero((distances < 3.0) & ~np.eye(20, dtype=bool))
    edges = neighbour_list(molecule, 3.0)
    assert np.array_equal(edges.edge_index, [first, second])
    assert edges.distances_A == pytest.approx(distances[first, second])
    assert not edges.shifts.any()


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf])
def test_refuses_a_cutoff_that_is_no_radius(cutoff):
    with pytest.raises(InputError, match="cutoff"):
        neighbour_list(random_system(0, 2, 4.0), cutoff)


def test_coincident_atoms_are_neighbours_that_can_be_refused():
    system = AtomicSystem(np.array([3, 3]), np.zeros((2, 3)), 4 * np.eye(3))
    edges = neighbour_list(system, 3.0)
    assert edges.distances_A.tolist() == [0.0, 0.0]
    with pytest.raises(InputError, match="duplicate"):
        edges.require_distinct_atoms()


def test_a_search_imports_no_torch_and_leaves_it_importable():
    code = (
        "import sys, importlib.util, numpy as np\n"
        "from vitrion_models.graphs.neighbours import pairs_within\n"
        "assert len(pairs_within(np.zeros((1, 3)), np.eye(3), 1.1)) == 6\n"
        "assert 'torch' not in sys.modules and importlib.util.find_spec('torch')"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("atoms", "edge_A", "crowded"),
    [(2, 1e300, 1.0), (2, 1e5, 1.0), (2, np.inf, 1.0), (2, 1e-2, 1.0), (6000, 50.0, 1e-2), (200_000, 20.0, 1.0)],
)
def test_a_search_that_no_memory_holds_is_refused(atoms, edge_A, crowded):
    positions = crowded * min(edge_A, 1e9) * np.random.default_rng(0).random((atoms, 3))
    with pytest.raises(InputError, match=r"lattice vector|pairs"):
        pairs_within(positions, np.diag([edge_A] * 3), 3.0)
