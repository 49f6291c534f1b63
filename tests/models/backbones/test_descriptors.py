import numpy as np
import pytest
from ase.data import atomic_masses
from hypothesis import given
from hypothesis import strategies as st

from vitrion_models.backbones import DESCRIPTOR_NAMES, DescriptorBackbone, descriptors
from vitrion_models.errors import InputError
from vitrion_models.graphs import ELEMENT_FEATURE_NAMES, element_table
from vitrion_models.materials import composition_of
from vitrion_models.system import AtomicSystem

PAULING = {3: 0.98, 9: 3.98, 16: 2.58, 17: 3.16}  # Pauling electronegativities, CRC Handbook


def named(values, name):
    return values[DESCRIPTOR_NAMES.index(name)]


def test_table_is_finite_standardised_and_read_only():
    table = element_table()
    assert table.shape == (119, len(ELEMENT_FEATURE_NAMES))
    assert np.isfinite(table).all()
    assert table[1:104].mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert table[1:104].std(axis=0) == pytest.approx(1)
    with pytest.raises(ValueError, match="read-only"):
        table[3] = 0


def test_table_orders_electronegativities_as_pauling_did():
    column = element_table()[:, ELEMENT_FEATURE_NAMES.index("electronegativity")]
    numbers = list(PAULING)
    slope, intercept = np.polyfit([PAULING[n] for n in numbers], column[numbers], 1)
    assert [slope * PAULING[n] + intercept for n in numbers] == pytest.approx(column[numbers])


def test_table_masses_are_standard_weights():
    column = element_table()[1:104, ELEMENT_FEATURE_NAMES.index("log_mass")]
    logarithm = np.log(atomic_masses[1:104])
    assert column == pytest.approx((logarithm - logarithm.mean()) / logarithm.std())


@given(
    amounts=st.dictionaries(st.integers(1, 103), st.floats(0.1, 10), min_size=1, max_size=5), scale=st.floats(0.1, 50)
)
def test_descriptors_are_intensive(amounts, scale):
    amounts = {**amounts, 3: 1.0}
    one = descriptors(amounts, mobile_number=3, volume_A3=20.0)
    scaled = {number: scale * amount for number, amount in amounts.items()}
    other = descriptors(scaled, mobile_number=3, volume_A3=20.0 * scale)
    assert one.shape == (len(DESCRIPTOR_NAMES),)
    assert np.isfinite(one).all()
    assert other == pytest.approx(one, abs=1e-9)


def test_descriptors_by_hand():
    table = element_table()
    values = descriptors({3: 2, 8: 1}, mobile_number=3)
    assert named(values, "mobile_fraction") == pytest.approx(2 / 3)
    assert values[: len(ELEMENT_FEATURE_NAMES)] == pytest.approx((2 * table[3] + table[8]) / 3)
    assert named(values, "host_electronegativity") == pytest.approx(table[8, 0])
    assert named(values, "electronegativity_range") == pytest.approx(table[8, 0] - table[3, 0])
    assert named(values, "spacing") == named(values, "packing") == 0.0


def test_denser_cells_pack_more_and_are_spaced_less():
    dense, loose = (descriptors({3: 1, 17: 1}, mobile_number=3, volume_A3=volume) for volume in (30.0, 45.0))
    assert named(dense, "packing") > named(loose, "packing")
    assert named(dense, "spacing") < named(loose, "spacing")


def test_composition_counts_atoms():
    system = AtomicSystem(np.array([8, 3, 3]), np.eye(3), 5 * np.eye(3))
    assert composition_of(system) == {3: 2.0, 8: 1.0}


def test_a_molecule_has_the_descriptors_of_its_composition():
    molecule = AtomicSystem.molecule(np.array([8, 3, 3]), np.eye(3))
    cell = AtomicSystem(molecule.numbers, molecule.positions_A, 5 * np.eye(3))
    rows = DescriptorBackbone(3)([molecule, cell, {3: 2.0, 8: 1.0}])
    assert rows[0] == pytest.approx(rows[2], abs=1e-12)
    assert named(rows[1], "packing") != 0.0


@pytest.mark.parametrize(
    ("composition", "message"),
    [
        ({}, "amounts"),
        ({3: -1.0, 8: 2.0}, "amounts"),
        ({3: 1.0, 200: 1.0}, "between 1 and 118"),
        ({11: 1.0, 17: 1.0}, "mobile species"),
    ],
)
def test_refuses_impossible_compositions(composition, message):
    with pytest.raises(InputError, match=message):
        descriptors(composition, mobile_number=3)
