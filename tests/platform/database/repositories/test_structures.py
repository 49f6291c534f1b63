"""Structures on both back ends: stored once, found again, compared, refused."""

import numpy as np
import pytest
from ase.build import bulk
from pymatgen.core import Lattice, Structure

from vitrion.database import NotFoundError
from vitrion.database.repositories.new_structures import NewStructure
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import GateOutcome, fingerprint
from vitrion_workflows.schemas.identity import FRACTIONAL_GRID, GRID_SHIFT


@pytest.fixture
def licl():
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def glass(seed, *, atoms=24, length_A=8.0):
    """Atoms put down one after another, none nearer than 2.1 A to another."""
    rng = np.random.default_rng(seed)
    placed = []
    while len(placed) < atoms:
        place = rng.uniform(0, length_A, 3)
        away = (np.array(placed or [place + length_A / 2]) - place + length_A / 2) % length_A - length_A / 2
        if np.linalg.norm(away, axis=1).min() > 2.1:
            placed.append(place)
    return AtomicSystem(np.repeat([3, 17], atoms // 2), np.array(placed), np.eye(3) * length_A)


def test_the_same_cell_is_stored_once_whatever_it_comes_as(db, licl):
    first = db.structures.add(licl, kind="crystal", source="licl.cif")
    assert first.created
    assert first.fingerprint == fingerprint(licl)
    atoms = bulk("LiCl", "rocksalt", a=5.13, cubic=True)
    shuffled = Structure.from_sites([licl[place] for place in (5, 0, 7, 2, 1, 3, 6, 4)])
    images = Structure(licl.lattice, licl.species, licl.frac_coords + np.arange(24).reshape(8, 3))
    charged = licl.copy().add_oxidation_state_by_element({"Li": 1, "Cl": -1})
    for again in (licl, atoms, shuffled, images, charged):
        assert db.structures.add(again, kind="crystal").fingerprint == first.fingerprint
        assert not db.structures.add(again, kind="crystal").created
    assert db.structures.count() == 1
    assert db.structures.get(first.fingerprint).source == "licl.cif"


def test_facts_of_a_known_crystal_are_right(db, licl):
    row = db.structures.get(db.structures.add(licl, kind="crystal").fingerprint[:10])
    assert (row.formula, row.reduced_formula, row.chemsys) == ("Li4 Cl4", "LiCl", "Cl-Li")
    assert row.elements == ("Cl", "Li")
    assert row.density_g_cm3 == pytest.approx(2.07, abs=0.02)  # CRC handbook: 2.07 g/cm3
    assert row.density_g_cm3 == pytest.approx(float(licl.density), rel=1e-6)
    assert (row.mobile_ion, row.mobile_ion_fraction) == ("Li", 0.5)


def test_a_coordinate_on_a_rounding_boundary_makes_no_second_structure(db):
    boundary = (1000 - GRID_SHIFT) * FRACTIONAL_GRID
    cells = [
        Structure(Lattice.cubic(6), ["Li", "Cl"], [[boundary + side, 0.2, 0.3], [0.7, 0.6, 0.9]])
        for side in (-1e-9, 1e-9)
    ]
    assert fingerprint(cells[0]) != fingerprint(cells[1])
    first = db.structures.add(cells[0], kind="crystal")
    second = db.structures.add(cells[1], kind="crystal")
    assert (second.fingerprint, second.created) == (first.fingerprint, False)
    # Who asks by the other fingerprint, in this session or the next, is led to the stored cell.
    for name in map(fingerprint, cells):
        assert db.structures.resolve(name) == first.fingerprint
        assert db.structures.get(name).fingerprint == first.fingerprint
        assert len(db.structures.structure(name)) == len(db.structures.structures([name])[name]) == 2
    db.structures.add(cells[1], kind="crystal")
    assert db.collection("aliases").count({}) == 1
    assert db.structures.resolve("0" * 64) is None
    both = db.structures.add_many([NewStructure(cell=cell.copy().scale_lattice(200), kind="crystal") for cell in cells])
    assert [result.created for result in both] == [True, False]


def test_a_bulk_addition_says_for_each_whether_it_was_new(db):
    items = [NewStructure(cell=glass(seed), kind="amorphous") for seed in (1, 2, 1, 3)]
    results = db.structures.add_many(items)
    assert [result.created for result in results] == [True, True, False, True]
    assert db.structures.count(kind="amorphous") == 3
    assert not any(result.created for result in db.structures.add_many(items))
    assert set(db.structures.structures([result.fingerprint for result in results])) == {r.fingerprint for r in results}


def test_what_comes_back_is_the_cell_that_went_in(db):
    cell = glass(5)
    name = db.structures.add(cell, kind="amorphous").fingerprint
    back = db.structures.system(name)
    assert np.array_equal(back.numbers, cell.numbers)
    assert np.allclose(back.lattice_A, cell.lattice_A)
    shift = (back.positions_A - cell.positions_A) @ np.linalg.inv(cell.lattice_A)
    assert np.allclose(shift, np.round(shift), atol=1e-9)
    assert fingerprint(db.structures.structure(name)) == name


def test_partial_occupancy_is_kept_and_marked(db):
    argyrodite_like = Structure(
        Lattice.cubic(5), [{"Li": 0.5}, {"S": 0.75, "Cl": 0.25}, "P"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]]
    )
    name = db.structures.add(argyrodite_like, kind="crystal").fingerprint
    assert db.structures.get(name).disordered
    assert db.structures.count(disordered=True) == 1
    back = db.structures.structure(name)
    assert back.composition.almost_equals(argyrodite_like.composition)
    assert fingerprint(back) == name
    with pytest.raises(InputError, match="partially occupied"):
        db.structures.system(name)


def test_twins_are_found_from_both_sides(db, licl):
    crystal = db.structures.add(licl, kind="crystal").fingerprint
    cells = [db.structures.add(glass(seed), kind="amorphous", twin=crystal).fingerprint for seed in (1, 2)]
    assert {row.fingerprint for row in db.structures.twins(crystal)} == set(cells)
    assert [row.fingerprint for row in db.structures.twins(cells[0])] == [crystal]
    assert db.structures.count(twin=crystal) == 2


@pytest.mark.parametrize(("kind", "accepted"), [("amorphous", False), ("melt", False), ("crystal", True)])
def test_a_glass_or_melt_that_nobody_judged_is_not_accepted(db, kind, accepted):
    """Written from Python into a campaign it would be labelled: atoms on top of each other for all anyone knows."""
    assert db.structures.get(db.structures.add(glass(1), kind=kind, campaign="c").fingerprint).accepted is accepted


def test_gates_decide_whether_it_counts_as_accepted(db):
    gates = [GateOutcome(name="density", passed=False, value=9.0, upper=3.0, unit="g/cm3", message="a gas")]
    name = db.structures.add(glass(1), kind="amorphous", gates=gates).fingerprint
    row = db.structures.get(name)
    assert not row.accepted
    assert row.gates == tuple(gates)
    assert db.structures.count(accepted=True) == 0


def test_near_duplicates_of_a_glass_are_its_thermal_copies_and_not_another_glass(db):
    cell = glass(1, atoms=64, length_A=11.0)
    name = db.structures.add(cell, kind="amorphous").fingerprint
    noise = np.random.default_rng(0).normal(scale=0.02, size=cell.positions_A.shape)
    turned = AtomicSystem(cell.numbers, cell.positions_A + noise + 1.7, cell.lattice_A)
    copy = db.structures.add(turned, kind="amorphous").fingerprint
    other = db.structures.add(glass(2, atoms=64, length_A=11.0), kind="amorphous").fingerprint
    assert len({name, copy, other}) == 3
    found = db.structures.near_duplicates(name)
    assert [duplicate.fingerprint for duplicate in found] == [copy]
    assert found[0].distance < 0.005


def test_near_duplicates_of_a_crystal_are_its_supercell_and_its_strained_copy(db, licl):
    name = db.structures.add(licl, kind="crystal").fingerprint
    supercell = db.structures.add(licl * (2, 1, 1), kind="crystal").fingerprint
    strained = db.structures.add(licl.copy().scale_lattice(licl.volume * 1.02), kind="crystal").fingerprint
    cesium_chloride_type = Structure(Lattice.cubic(3.2), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    db.structures.add(cesium_chloride_type, kind="crystal")
    assert {duplicate.fingerprint for duplicate in db.structures.near_duplicates(name)} == {supercell, strained}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Structure(Lattice.cubic(5), ["Li"], [[np.nan, 0, 0]]), "not finite"),
        (lambda: Structure(Lattice.cubic(5), ["X"], [[0, 0, 0]]), "element"),
        (lambda: Structure(Lattice.cubic(5), [], []), "empty"),
        (lambda: bulk("LiCl", "rocksalt", a=5.13).__class__("Li", positions=[[0, 0, 0]]), "no cell"),
        (lambda: {"lattice": 1}, "dict"),
    ],
)
def test_no_structure_is_refused_in_one_line_and_nothing_is_stored(db, make, message):
    with pytest.raises(InputError, match=message) as refused:
        db.structures.add(make(), kind="crystal")
    assert "\n" not in str(refused.value)
    assert db.structures.count() == 0
    assert db.collection("geometries").count({}) == 0


def test_a_field_or_kind_that_does_not_exist_is_refused(db, licl):
    with pytest.raises(InputError, match="no field 'colour'"):
        db.structures.add(licl, kind="crystal", colour="red")
    with pytest.raises(InputError, match="kind"):
        db.structures.add(licl, kind="plasma")
    with pytest.raises(NotFoundError, match="no structure"):
        db.structures.get("0" * 64)
    assert db.structures.count() == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mobile_ion": "Xx"}, "mobile_ion"),
        ({"band_gap_eV": -1.0}, "-1"),
        ({"band_gap_eV": float("nan")}, "nan"),
    ],
)
def test_what_cannot_be_of_a_cell_is_refused(db, licl, fields, said):
    with pytest.raises(InputError, match=said):
        db.structures.add(licl, kind="crystal", **fields)
    assert db.structures.count() == 0
