"""Radial distributions, coordination and angles against lattices, gases and ASE."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry.rdf import get_rdf
from ase.neighborlist import neighbor_list

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.analysis import bond_angles, coordination_numbers, first_minimum_A, partial_rdf, total_rdf
from vitrion_workflows.schemas.geometry import system_from_atoms

# fcc: shells at a sqrt(k / 2) with 12, 6, 24, 12, 24 neighbours.
FCC_SHELLS = [(1, 12), (2, 6), (3, 24), (4, 12), (5, 24)]


@pytest.mark.parametrize("repeat", [1, 2])
def test_fcc_shells_in_the_primitive_cell_and_beyond(repeat):
    crystal = system_from_atoms(bulk("Cu", "fcc", a=3.6) * (repeat, 1, repeat))
    rdf = total_rdf(crystal, cutoff_A=6.0, bin_A=0.01)
    expected = 0
    for index, neighbours in FCC_SHELLS:
        expected += neighbours
        edge = 3.6 * np.sqrt(index / 2) + 0.05
        assert rdf.coordination[np.searchsorted(rdf.r_A, edge)] == pytest.approx(expected)


def test_ideal_gas_is_flat_beyond_half_the_cell():
    """g = 1 (exactly 1 - 1/N below one cell); 20 gases of 200: 0.5 % in a mean over shells, limit four sigma."""
    rng = np.random.default_rng(0)
    cell = np.array([[10.0, 0, 0], [2.0, 9.0, 0], [0, 1.0, 11.0]])
    gases = [AtomicSystem(np.full(200, 3), rng.random((200, 3)) @ cell, cell) for _ in range(20)]
    g = partial_rdf(gases, centre="Li", neighbour="Li", cutoff_A=9.0, bin_A=0.5).g
    assert g[4:].mean() == pytest.approx(1 - 1 / 200, abs=0.02)
    assert np.abs(g[4:] - 1).max() < 0.06


@pytest.fixture
def salt():
    rng = np.random.default_rng(1)
    atoms = bulk("LiCl", "rocksalt", a=5.14, cubic=True) * 3
    atoms.positions += rng.normal(scale=0.15, size=atoms.positions.shape)
    return atoms


def test_partial_equals_ase(salt):
    g, r = get_rdf(salt, 7.0, 70, elements=[3, 17])
    ours = partial_rdf(system_from_atoms(salt), centre="Li", neighbour="Cl", cutoff_A=7.0, bin_A=0.1)
    np.testing.assert_allclose(ours.r_A, r, atol=1e-9)
    np.testing.assert_allclose(ours.g[5:], g[5:], rtol=5e-3, atol=1e-9)


def test_total_is_the_weighted_sum_of_partials(salt):
    system = system_from_atoms(salt)
    options = {"cutoff_A": 6.0, "bin_A": 0.1}
    partial = sum(
        0.25 * partial_rdf(system, centre=a, neighbour=b, **options).g for a in ("Li", "Cl") for b in ("Li", "Cl")
    )
    np.testing.assert_allclose(total_rdf(system, **options).g, partial, atol=1e-12)


def test_partial_is_symmetric(salt):
    system = system_from_atoms(salt)
    there = partial_rdf(system, centre="Li", neighbour="Cl", cutoff_A=6.0).g
    back = partial_rdf(system, centre="Cl", neighbour="Li", cutoff_A=6.0).g
    np.testing.assert_allclose(there, back)


def test_first_shell_of_rocksalt(salt):
    system = system_from_atoms(salt)
    edge = first_minimum_A(partial_rdf(system, centre="Li", neighbour="Cl", cutoff_A=6.0))
    assert 2.57 * 1.2 < edge < 4.45  # between first (a / 2) and second (a sqrt(3) / 2) shell
    assert (coordination_numbers(system, centre="Li", neighbour="Cl", cutoff_A=edge) == 6).all()


def test_coordination_equals_ase(salt):
    counts = coordination_numbers(system_from_atoms(salt), centre="Cl", neighbour="Cl", cutoff_A=4.3)
    i, j = neighbor_list("ij", salt, 4.3)
    chlorine = salt.numbers == 17
    expected = np.bincount(i[chlorine[i] & chlorine[j]], minlength=len(salt))[chlorine]
    np.testing.assert_array_equal(counts, expected)


def test_angles_of_diamond_and_rocksalt():
    tetrahedral = np.degrees(np.arccos(-1 / 3))
    diamond = bond_angles(system_from_atoms(bulk("C", "diamond", a=3.57)), centre="C", ends=("C", "C"), cutoff_A=1.7)
    np.testing.assert_allclose(diamond, np.full(2 * 6, tetrahedral), atol=1e-6)
    salt = system_from_atoms(bulk("LiCl", "rocksalt", a=5.14))
    angles = np.round(bond_angles(salt, centre="Li", ends=("Cl", "Cl"), cutoff_A=2.7), 3)
    assert np.unique(angles, return_counts=True)[0].tolist() == [90.0, 180.0]
    assert len(angles) == 15
    assert (angles == 180).sum() == 3


def test_angle_between_two_species():
    """Water: the angle at O between one kind of end, and between two kinds."""
    half = np.radians(104.5 / 2)
    positions = [[0, 0, 0], [np.sin(half), np.cos(half), 0], [-np.sin(half), np.cos(half), 0]]
    cell = np.eye(3) * 20
    water = AtomicSystem(np.array([8, 1, 1]), np.array(positions), cell)
    mixed = AtomicSystem(np.array([8, 1, 3]), np.array(positions), cell)
    assert bond_angles(water, centre="O", ends=("H", "H"), cutoff_A=1.2) == pytest.approx([104.5])
    assert bond_angles(mixed, centre="O", ends=("H", "Li"), cutoff_A=1.2) == pytest.approx([104.5])
    assert len(bond_angles(water, centre="H", ends=("O", "O"), cutoff_A=1.2)) == 0


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"centre": "Zz", "neighbour": "Li", "cutoff_A": 5.0}, "Zz"),
        ({"centre": "Li", "neighbour": "Na", "cutoff_A": 5.0}, "Na"),
        ({"centre": "Li", "neighbour": "Cl", "cutoff_A": 0.01}, "shell"),
        ({"centre": "Li", "neighbour": "Cl", "cutoff_A": -1.0}, "shell"),
    ],
)
def test_wrong_questions(salt, options, fault):
    with pytest.raises(InputError, match=fault):
        partial_rdf(system_from_atoms(salt), **options)


def test_nothing_to_average_and_no_minimum(salt):
    with pytest.raises(InputError, match="no cell"):
        total_rdf([], cutoff_A=5.0)
    with pytest.raises(InputError, match="first peak"):
        first_minimum_A(partial_rdf(system_from_atoms(salt), centre="Li", neighbour="Cl", cutoff_A=1.5))
    with pytest.raises(InputError, match="positive"):
        coordination_numbers(system_from_atoms(salt), centre="Li", neighbour="Cl", cutoff_A=0.0)


def test_image_pairs_are_counted_in_a_tiny_cell():
    tiny = system_from_atoms(Atoms("Li", positions=[[0, 0, 0]], cell=np.eye(3) * 2.0, pbc=True))
    assert coordination_numbers(tiny, centre="Li", neighbour="Li", cutoff_A=2.1).tolist() == [6]
