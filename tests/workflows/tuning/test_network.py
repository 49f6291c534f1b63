"""Descriptors, energies, forces and stress of neuroevolution potentials in torch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from model_force_fields import assert_same_forces, nep89_or_skip
from numpy.polynomial import chebyshev, legendre
from small_nep import scattered_cell, small_nep

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.potentials import weights_folder
from vitrion_workflows.tuning.descriptors import expand, radial_functions
from vitrion_workflows.tuning.harmonics import DEGREES, WEIGHTS, harmonics
from vitrion_workflows.tuning.nep_file import read_nep
from vitrion_workflows.tuning.network import NepNetwork, evaluate, invariants


def directions(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_products_of_harmonics_obey_the_addition_theorem(degree):
    left, right = directions(20), directions(20, seed=1)
    chosen = degree == DEGREES
    sums = (harmonics(left)[0] * harmonics(right)[0] * WEIGHTS)[:, chosen].sum(axis=1)
    cosines = (left * right).sum(axis=1)
    expected = (2 * degree + 1) / (4 * np.pi) * legendre.legval(cosines, [0] * degree + [1])
    np.testing.assert_allclose(sums, expected, atol=1e-12)


def test_radial_functions_are_chebyshev_polynomials_times_a_cosine_cutoff():
    distances = np.linspace(0.5, 4.4, 30)
    values, slopes = radial_functions(distances, 4.5, 5)
    x = 2 * (distances / 4.5 - 1) ** 2 - 1
    cut = 0.5 * (1 + np.cos(np.pi * distances / 4.5))
    for order in range(5):
        expected = 0.5 * (chebyshev.chebval(x, [0] * order + [1]) + 1) * cut
        np.testing.assert_allclose(values[:, order], expected, atol=1e-12)
    after, before = radial_functions(distances + 1e-6, 4.5, 5)[0], radial_functions(distances - 1e-6, 4.5, 5)[0]
    np.testing.assert_allclose(slopes, (after - before) / 2e-6, atol=1e-8)


def test_descriptors_do_not_change_with_a_rotation():
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    weights = np.random.default_rng(4).normal(size=(8, 6))
    neighbours = directions(6, seed=5)

    def described(vectors):
        expansion = torch.as_tensor(weights @ harmonics(vectors)[0])[None]
        return invariants(torch.zeros(1, 0), expansion).numpy()

    np.testing.assert_allclose(described(neighbours @ rotation.T), described(neighbours), rtol=1e-10)


def test_energy_forces_and_stress_are_those_of_the_native_library():
    nep89 = nep89_or_skip()
    model = read_nep(weights_folder() / "nep89.txt").reduced_to(["Li", "P"])
    # Atoms closer than 2 A feel the screened repulsion, and the cell is smaller than the cutoff.
    for cell in (scattered_cell(), scattered_cell(edge_A=4.0)):
        assert_same_forces(
            evaluate(model, cell),
            nep89.evaluate(cell, stress=True),
            energy_eV=1e-9,
            force_eV_per_A=1e-9,
            stress_eV_per_A3=1e-9,
        )


def test_forces_and_stress_are_derivatives_of_the_energy():
    model, cell, step = small_nep(), scattered_cell(edge_A=5.0), 1e-5
    result = evaluate(model, cell)
    for atom, axis in ((0, 0), (2, 1), (4, 2)):
        moved = np.zeros_like(cell.positions_A)
        moved[atom, axis] = step
        slope = (shifted(model, cell, moved) - shifted(model, cell, -moved)) / (2 * step)
        assert result.forces_eV_per_A[atom, axis] == pytest.approx(-slope, abs=1e-6)
    strain = np.zeros((3, 3))
    strain[0, 1] = strain[1, 0] = step / 2
    slope = (strained(model, cell, strain) - strained(model, cell, -strain)) / (2 * step)
    assert result.stress_eV_per_A3[0, 1] * cell.volume_A3 == pytest.approx(slope, abs=1e-6)


def shifted(model, cell, by):
    return evaluate(model, AtomicSystem(cell.numbers, cell.positions_A + by, cell.lattice_A)).energy_eV


def strained(model, cell, strain):
    deformation = np.eye(3) + strain
    return evaluate(
        model, AtomicSystem(cell.numbers, cell.positions_A @ deformation, cell.lattice_A @ deformation)
    ).energy_eV


def test_an_isolated_atom_has_the_energy_of_its_network_alone():
    model = small_nep()
    single = AtomicSystem(np.array([3]), np.zeros((1, 3)), np.eye(3) * 20)
    expected = np.tanh(-model.hidden_biases[0]) @ model.output_weights[0] - model.output_bias_eV
    assert evaluate(model, single).energy_eV == pytest.approx(expected, abs=1e-12)


def test_structures_of_a_group_do_not_feel_each_other():
    model, cells = small_nep(), [scattered_cell(), scattered_cell(numbers=(15, 3, 3), seed=7)]
    together = NepNetwork(model, dtype=torch.float64)(expand(cells, model, dtype=torch.float64))
    for place, cell in enumerate(cells):
        alone = evaluate(model, cell)
        atoms = (np.repeat([0, 1], [5, 3]) == place).nonzero()[0]
        assert float(together.energies_eV.detach()[place]) == pytest.approx(alone.energy_eV, abs=1e-12)
        forces = together.forces_eV_per_A.detach().numpy()[atoms]
        np.testing.assert_allclose(forces, alone.forces_eV_per_A, atol=1e-12)
        virial = together.virials_eV[place].detach().numpy() / cell.volume_A3
        np.testing.assert_allclose(virial, alone.stress_eV_per_A3, atol=1e-12)


@pytest.mark.parametrize("name", ["hidden_weights", "output_weights", "radial_coefficients", "angular_coefficients"])
def test_forces_can_be_differentiated_with_respect_to_the_parameters(name):
    model, cell, step = small_nep(), scattered_cell(), 1e-5
    network = NepNetwork(model, dtype=torch.float64)
    result = network(expand([cell], model, dtype=torch.float64))
    weights = torch.as_tensor(np.random.default_rng(2).normal(size=(5, 3)))
    (result.forces_eV_per_A * weights).sum().backward()
    gradient = dict(network.named_parameters())[name].grad.numpy()
    place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)

    def weighted(by):
        changed = getattr(model, name).copy()
        changed[place] += by
        return float((evaluate(replace(model, **{name: changed}), cell).forces_eV_per_A * weights.numpy()).sum())

    assert gradient[place] == pytest.approx((weighted(step) - weighted(-step)) / (2 * step), rel=1e-5)


def test_an_element_that_is_not_covered_is_refused():
    with pytest.raises(InputError, match="16"):
        evaluate(small_nep(), scattered_cell(numbers=(3, 16)))
