import subprocess
import sys

import numpy as np
import pytest
from ase.data import covalent_radii
from hypothesis import given, settings
from hypothesis import strategies as st
from one_line import error_in_one_line
from pymatgen.core import Lattice, Structure

from vitrion_models.errors import InputError
from vitrion_models.graphs import neighbour_list
from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous import pack, push_apart
from vitrion_workflows.amorphous import packing as packing_module
from vitrion_workflows.structure.composition import cell_contents, parse_formula
from vitrion_workflows.structure.contacts import closest_contact
from vitrion_workflows.structure.homonuclear import count_homonuclear_bonds
from vitrion_workflows.structure.volume_estimate import VolumeSource, estimate_volume, likely_charges


@pytest.mark.parametrize(
    ("formula", "atoms", "expected"),
    [
        ("LiCl", 56, {"Li": 28, "Cl": 28}),
        ("Li3PS4", 56, {"Li": 21, "P": 7, "S": 28}),
        ("Li2O", 64, {"Li": 42, "O": 21}),
        ("Li0.5CoO2", 56, {"Li": 8, "Co": 16, "O": 32}),
        ("Li10GeP2S12", 48, {"Li": 20, "Ge": 2, "P": 4, "S": 24}),
    ],
)
def test_a_cell_holds_whole_formula_units(formula, atoms, expected):
    assert cell_contents(formula, n_atoms=atoms) == expected


@pytest.mark.parametrize("formula", ["", "Xx2O", "Li+Cl-", "lithium", "Li--"])
def test_no_formula_is_refused_in_one_line(formula):
    with error_in_one_line(InputError, "chemical formula"):
        cell_contents(formula, n_atoms=56)


def test_a_formula_unit_larger_than_the_cell_is_refused():
    with pytest.raises(InputError, match="ask for more atoms"):
        cell_contents("Li20Ge2P4S24", n_atoms=10)


@given(formula=st.sampled_from(["LiCl", "Li2O", "Li3PS4", "Li7La3Zr2O12", "Li0.9CoO2"]), atoms=st.integers(24, 200))
def test_any_cell_keeps_the_composition(formula, atoms):
    contents = cell_contents(formula, n_atoms=atoms)
    whole = parse_formula(formula)
    for element, amount in contents.items():
        assert amount / sum(contents.values()) == pytest.approx(whole.get_atomic_fraction(element))


# Volumes an atom from the lattice parameters of the compounds' crystals (NBS Circular 539; ICSD): LiF 4.027,
# Li2O 4.619, NaCl 5.640 A; quartz 37.7 A3 a formula unit; beta-Li3PS4 645 A3 for 4 formula units.
@pytest.mark.parametrize(
    ("formula", "known_A3"),
    [("LiF", 8.16), ("Li2O", 8.21), ("NaCl", 22.4), ("SiO2", 12.6), ("Li3PS4", 20.2)],
)
def test_ionic_estimate_is_within_a_fifth_of_the_crystal(formula, known_A3):
    estimate = estimate_volume(formula)
    assert estimate.source is VolumeSource.IONS
    assert estimate.volume_A3_per_atom == pytest.approx(known_A3, rel=0.2)


def test_alloys_take_the_volumes_of_their_elements():
    # Zen's rule; Li15Si4 has 16.1 A3 an atom (a = 10.69 A, 76 atoms).
    estimate = estimate_volume("Li15Si4")
    assert estimate.source is VolumeSource.ELEMENTS
    assert 13 < estimate.volume_A3_per_atom < 25


def test_the_twin_decides_where_there_is_one():
    twin = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5] * 3])
    assert estimate_volume("LiCl", twin).volume_A3_per_atom == pytest.approx(5.13**3 / 8)
    with pytest.raises(InputError, match="twin is LiCl"):
        estimate_volume("LiF", twin)


def test_charges_of_textbook_compounds():
    assert likely_charges(parse_formula("Li3PS4")) == {"Li": 1, "P": 5, "S": -2}
    assert likely_charges(parse_formula("Li2SiO3")) == {"Li": 1, "Si": 4, "O": -2}
    assert likely_charges(parse_formula("LiAl")) is None


@pytest.mark.parametrize(("formula", "volume_A3"), [("LiCl", 19.0), ("Li3PS4", 22.0), ("Li2O", 9.4)])
def test_packing_is_seeded_has_the_wanted_volume_and_no_overlap(formula, volume_A3):
    one, same, other = (pack(formula, n_atoms=56, volume_A3_per_atom=volume_A3, seed=s) for s in (3, 3, 4))
    assert one.packer == "packmol"
    np.testing.assert_array_equal(one.system.positions_A, same.system.positions_A)
    assert not np.allclose(one.system.positions_A, other.system.positions_A)
    assert one.system.volume_A3 / len(one.system) == pytest.approx(volume_A3)
    assert closest_contact(one.system).ratio > 1.0


@pytest.mark.parametrize("formula", ["Li3N", "Li3P", "Li3PS4", "Li6Zr2O7", "Li2SiO3"])
def test_no_packing_begins_with_a_bond_between_like_atoms(formula):
    volume_A3 = 1.15 * estimate_volume(formula).volume_A3_per_atom
    for seed in range(3):
        packed = pack(formula, n_atoms=100, volume_A3_per_atom=volume_A3, seed=seed)
        assert count_homonuclear_bonds(packed.system) == {}
        assert closest_contact(packed.system).ratio > 1.0


def test_a_packmol_that_takes_too_long_is_as_one_that_finds_nothing(monkeypatch):
    def slow(*_, **__):
        raise subprocess.TimeoutExpired(["packmol"], 30)

    monkeypatch.setattr("atomate2.common.jobs.mpmorph.get_random_packed_structure", slow)
    assert pack("LiCl", n_atoms=16, volume_A3_per_atom=19.0, seed=1).packer == "soft-sphere"


def test_where_packmol_finds_nothing_soft_spheres_are_packed(monkeypatch):
    monkeypatch.setattr(packing_module, "_pack_with_packmol", lambda *_: None)
    packed = pack("BeO", n_atoms=56, volume_A3_per_atom=8.0, seed=1)
    assert packed.packer == "soft-sphere"
    assert closest_contact(packed.system).ratio > 0.95
    again = pack("BeO", n_atoms=56, volume_A3_per_atom=8.0, seed=1)
    np.testing.assert_array_equal(packed.system.positions_A, again.system.positions_A)


@pytest.mark.parametrize("volume", [0.0, -3.0, float("nan")])
def test_no_volume_is_refused(volume):
    with pytest.raises(InputError, match="volume per atom"):
        pack("LiCl", n_atoms=8, volume_A3_per_atom=volume, seed=1)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_push_apart_ends_overlaps_and_leaves_the_rest_alone(seed):
    rng = np.random.default_rng(seed)
    numbers = np.array([3] * 12 + [17] * 12)
    overlapping = AtomicSystem(numbers, rng.uniform(0, 8.5, (24, 3)), 8.5 * np.eye(3))
    apart = push_apart(overlapping, seed=seed)
    pairs = neighbour_list(apart, 3.0)
    assert (pairs.distances_A / covalent_radii[numbers[pairs.edge_index]].sum(axis=0)).min() >= 0.85 - 1e-9
    np.testing.assert_array_equal(push_apart(apart).positions_A, apart.positions_A)
    np.testing.assert_array_equal(apart.lattice_A, overlapping.lattice_A)


def test_coincident_atoms_part():
    system = AtomicSystem([3, 3], np.ones((2, 3)), 10 * np.eye(3))
    moved = push_apart(system)
    assert np.linalg.norm(moved.positions_A[0] - moved.positions_A[1]) >= 0.85 * 2 * covalent_radii[3] - 1e-9


def test_gates_and_makers_do_without_torch():
    code = "import sys, vitrion_workflows.flows; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0
