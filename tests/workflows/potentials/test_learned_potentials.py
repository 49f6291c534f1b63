"""NEP89 against the calculator that its evaluator ships; the graph networks' own checks."""

import numpy as np
import pytest
from model_force_fields import assert_same_forces, calculated, nep89_or_skip, rock_salt

from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials.weights.package import weights_folder


def cells():
    yield rock_salt(noise_A=0.15)
    generator = np.random.default_rng(3)
    lattice = np.array([[7.0, 0.4, 0], [-0.3, 6.5, 0.8], [0.2, 0.5, 7.4]])
    grid = np.stack(np.meshgrid(*[np.arange(2)] * 3), axis=-1).reshape(-1, 3) / 2 + 0.1
    # Atoms outside the cell and elements in no order.
    positions = (grid + generator.integers(-2, 3, (8, 3))) @ lattice + generator.normal(scale=0.1, size=(8, 3))
    yield AtomicSystem([3, 16, 15, 3, 8, 16, 3, 16], positions, lattice)


@pytest.mark.nep
def test_nep89_is_its_ase_calculator():
    field = nep89_or_skip()
    from nep_adapters.ase import NepAseCalculator

    calculator = NepAseCalculator(weights_folder() / "nep89.txt")
    for system in cells():
        ours = field.evaluate(system, stress=True)
        expected = calculated(system, calculator)
        assert_same_forces(ours, expected, energy_eV=1e-9, force_eV_per_A=1e-9, stress_eV_per_A3=1e-9)
        without = field.evaluate(system)
        assert without.stress_eV_per_A3 is None
        np.testing.assert_allclose(without.forces_eV_per_A, ours.forces_eV_per_A, atol=1e-9)


@pytest.mark.nep
def test_nep89_names_what_its_file_names():
    field = nep89_or_skip()
    assert field.elements == potentials.find("nep89")[0].elements
    assert field.weights_sha256 == potentials.find("nep89")[0].weights_sha256


@pytest.mark.nep
def test_nep89_is_the_same_at_every_call():
    field = nep89_or_skip()
    system = rock_salt(noise_A=0.1, repeats=2)
    first = field.evaluate(system).forces_eV_per_A
    for _ in range(5):
        np.testing.assert_array_equal(field.evaluate(system).forces_eV_per_A, first)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", ["chgnet", "diep"])
def test_graph_potentials_pass_their_checks(name):
    assert all(report.passed for report in potentials.check(name))
