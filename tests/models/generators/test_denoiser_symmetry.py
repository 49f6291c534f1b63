"""The denoiser turns, mirrors, shifts and permutes with its cell, in double precision."""

import numpy as np
import pytest
import torch

from vitrion_models.generators import AmorphousDiffusionConfig
from vitrion_models.generators.amorphous_diffusion.denoiser import Denoiser
from vitrion_models.generators.amorphous_diffusion.graph import noisy_batch
from vitrion_models.system import AtomicSystem

CONFIG = AmorphousDiffusionConfig(channels=16, cutoff_A=5.0, max_neighbours=14)
TOLERANCE = 1e-8


@pytest.fixture(scope="module")
def denoiser():
    torch.manual_seed(3)
    network = Denoiser(CONFIG).double()
    for parameter in network.parameters():  # the zero-initialised ends too
        torch.nn.init.normal_(parameter, std=0.3)
    return network


@pytest.fixture(scope="module")
def cell():
    rng = np.random.default_rng(5)
    lattice = np.array([[7.5, 0.3, 0.0], [-1.2, 8.1, 0.4], [0.8, -0.6, 7.9]])
    return AtomicSystem(rng.choice([3, 15, 16], size=24), rng.random((24, 3)) @ lattice, lattice)


def field(denoiser, *cells, sigma=0.6, config=CONFIG):
    batch = noisy_batch(
        cells,
        [sigma] * len(cells),
        cutoff_A=config.cutoff_A,
        max_neighbours=config.max_neighbours,
        dtype=torch.float64,
    )
    with torch.no_grad():
        return denoiser(batch).numpy()


@pytest.mark.parametrize("sign", [1, -1], ids=["rotation", "reflection"])
def test_rotation_and_reflection(denoiser, cell, sign):
    turn, _ = np.linalg.qr(np.random.default_rng(8).normal(size=(3, 3)))
    turn *= sign * np.sign(np.linalg.det(turn))
    turned = AtomicSystem(cell.numbers, cell.positions_A @ turn, cell.lattice_A @ turn)
    expected = field(denoiser, cell) @ turn
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(field(denoiser, turned), expected, atol=TOLERANCE)


def test_permutation(denoiser, cell):
    order = np.random.default_rng(9).permutation(len(cell))
    shuffled = AtomicSystem(cell.numbers[order], cell.positions_A[order], cell.lattice_A)
    np.testing.assert_allclose(field(denoiser, shuffled), field(denoiser, cell)[order], atol=TOLERANCE)


def test_translation_wrapping_and_choice_of_lattice_vectors(denoiser, cell):
    expected = field(denoiser, cell)
    shifted = AtomicSystem(cell.numbers, cell.positions_A + np.array([1.3, -2.7, 11.0]), cell.lattice_A)
    wrapped = AtomicSystem(cell.numbers, shifted.fractional @ cell.lattice_A, cell.lattice_A)
    rebased = AtomicSystem(
        cell.numbers, cell.positions_A, np.array([[1, 1, 0], [0, 1, 0], [0, -1, 1]]) @ cell.lattice_A
    )
    for same in (shifted, wrapped, rebased):
        np.testing.assert_allclose(field(denoiser, same), expected, atol=TOLERANCE)


def test_supercell(denoiser, cell):
    doubled = AtomicSystem(
        np.tile(cell.numbers, 2),
        np.concatenate([cell.positions_A, cell.positions_A + cell.lattice_A[1]]),
        cell.lattice_A * np.array([[1], [2], [1]]),
    )
    np.testing.assert_allclose(field(denoiser, doubled), np.tile(field(denoiser, cell), (2, 1)), atol=TOLERANCE)


def test_company_in_a_batch_changes_nothing(denoiser, cell):
    other = AtomicSystem(np.array([3, 17]), np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0]]), 5.0 * np.eye(3))
    np.testing.assert_allclose(field(denoiser, other, cell)[2:], field(denoiser, cell), atol=TOLERANCE)


def test_no_net_score(denoiser, cell):
    np.testing.assert_allclose(field(denoiser, cell).sum(axis=0), 0.0, atol=TOLERANCE)


def test_noise_and_element_are_seen(denoiser, cell):
    assert np.abs(field(denoiser, cell, sigma=0.2) - field(denoiser, cell, sigma=0.6)).max() > 1e-3
    other = AtomicSystem(np.where(cell.numbers == 16, 34, cell.numbers), cell.positions_A, cell.lattice_A)
    assert np.abs(field(denoiser, other) - field(denoiser, cell)).max() > 1e-3


def test_before_training_the_score_is_zero(cell):
    assert np.abs(field(Denoiser(CONFIG).double(), cell)).max() == 0.0


def test_bound_on_neighbours_makes_no_jump(denoiser):
    # A ring of atoms around a centre; one of them crosses the distance at which it drops off the list of the nearest.
    angles = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    ring = 3.0 * np.stack([np.cos(angles), np.sin(angles), 0.1 * np.arange(9)], axis=1)
    config = CONFIG.model_copy(update={"max_neighbours": 6})

    def at(distance):
        positions = np.concatenate([np.zeros((1, 3)), ring * np.linspace(0.8, 1.2, 9)[:, None]])
        positions[4] *= distance / np.linalg.norm(positions[4])
        return field(denoiser, AtomicSystem(np.full(10, 3), positions, 40.0 * np.eye(3)), config=config)

    distances = np.linspace(2.6, 3.6, 401)
    values = np.array([at(distance) for distance in distances])
    steps = np.abs(np.diff(values, axis=0)).max(axis=(1, 2))
    assert steps.max() < 0.05 * np.ptp(values, axis=0).max() + 1e-6
    counts = (
        noisy_batch(
            [AtomicSystem(np.full(10, 3), np.concatenate([np.zeros((1, 3)), ring]), 40.0 * np.eye(3))],
            [0.5],
            cutoff_A=5.0,
            max_neighbours=6,
        )
        .edge_index[0]
        .bincount()
    )
    assert counts.max() <= 6
