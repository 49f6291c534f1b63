"""The sampler with denoisers in closed form, and the hard cores."""

import numpy as np
import pytest
from scipy.stats import kstest

from vitrion_models.errors import InputError
from vitrion_models.generators.amorphous_diffusion.guidance import CoreGuidance, HardCores
from vitrion_models.generators.amorphous_diffusion.sampler import sample_cells
from vitrion_models.generators.amorphous_diffusion.schedule import NoiseSchedule
from vitrion_models.generators.amorphous_diffusion.wrapped_normal import nearest_image, scaled_score
from vitrion_models.system import AtomicSystem

LATTICE = 6.0 * np.eye(3)
WIDTH_A = 0.3


def einstein_crystal(sites):
    """Exact score of atoms, each Gaussian about its own site: wrapped normal of the summed variances."""

    def score(cells, sigma):
        total = np.hypot(sigma, WIDTH_A)
        return [
            sigma / total * scaled_score(c.positions_A - sites, sigma_A=total, lattice_A=c.lattice_A) for c in cells
        ]

    return score


def two_sites(first, second, share):
    """Exact score of one atom that sits on either of two sites, on the first with the given probability."""

    images = range(-2, 3)
    shifts = np.array([[i, j, k] for i in images for j in images for k in images]) @ LATTICE
    prior = np.repeat(np.log([share, 1 - share]), len(shifts))

    def score(cells, sigma):
        total = np.hypot(sigma, WIDTH_A)
        positions = np.concatenate([cell.fractional @ LATTICE for cell in cells])
        vectors = np.concatenate([positions[:, None] - site + shifts for site in (first, second)], axis=1)
        logs = prior - 0.5 * np.sum(vectors**2, axis=-1) / total**2
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        return list(-sigma / total**2 * np.einsum("cr,crx->cx", weights, vectors)[:, None])

    return score


def draw(score, numbers, *, steps, churn, count, seed=1, guidance=()):
    schedule = NoiseSchedule.for_lattice(LATTICE, sigma_min_A=0.02, end_residual=0.01)
    return sample_cells(
        score,
        numbers=np.asarray(numbers),
        lattice_A=LATTICE,
        schedule=schedule,
        steps=steps,
        churn=churn,
        guidance=guidance,
        count=count,
        seed=seed,
    )


@pytest.mark.parametrize("churn", [0.0, 0.1], ids=["flow", "stochastic"])
def test_einstein_crystal_comes_out_with_its_width(churn):
    sites = np.random.default_rng(0).random((200, 3)) @ LATTICE
    cells = draw(einstein_crystal(sites), np.full(200, 3), steps=300, churn=churn, count=2)
    spread = np.concatenate([nearest_image(cell.positions_A - sites, LATTICE) for cell in cells])
    # 1200 normal deviates: relative error of the width 2 %; first-order steps cost about another percent.
    assert spread.std() == pytest.approx(WIDTH_A, rel=0.08)
    assert kstest(spread.ravel() / spread.std(), "norm").pvalue > 1e-3


def test_two_sites_are_taken_as_often_as_they_should():
    first, second = np.array([1.0, 1.0, 1.0]), np.array([4.0, 3.5, 4.0])
    cells = draw(two_sites(first, second, 0.3), [3], steps=60, churn=0.2, count=300)
    positions = np.concatenate([cell.positions_A for cell in cells])
    near = [np.linalg.norm(nearest_image(positions - site, LATTICE), axis=1) for site in (first, second)]
    assert np.minimum(*near).max() < 5 * WIDTH_A
    # Binomial: deviation 0.026; 0.1 is 3.8 of them, false alarms 1.5e-4; seeded.
    assert np.mean(near[0] < near[1]) == pytest.approx(0.3, abs=0.1)


def test_a_cell_depends_on_seed_and_index_alone():
    sites = np.random.default_rng(0).random((5, 3)) @ LATTICE
    few = draw(einstein_crystal(sites), np.full(5, 3), steps=10, churn=0.5, count=2, seed=4)
    many = draw(einstein_crystal(sites), np.full(5, 3), steps=10, churn=0.5, count=3, seed=4)
    other = draw(einstein_crystal(sites), np.full(5, 3), steps=10, churn=0.5, count=2, seed=5)
    np.testing.assert_array_equal(few[1].positions_A, many[1].positions_A)
    assert np.abs(few[0].positions_A - few[1].positions_A).max() > 1e-3
    assert np.abs(few[0].positions_A - other[0].positions_A).max() > 1e-3


def test_guidance_moves_every_estimate_and_the_last_cell():
    pair = AtomicSystem(np.array([3, 17]), np.array([[0.0, 0, 0], [1.0, 0, 0]]), LATTICE)
    cores = HardCores({(3, 17): 2.0})

    def drawn_together(cells, sigma):
        # A denoiser that wants both atoms all but on the origin.
        sites = np.array([[0.02, 0.0, 0.0], [-0.02, 0.0, 0.0]])
        return [-nearest_image(cell.positions_A - sites, LATTICE) / sigma for cell in cells]

    free = draw(drawn_together, pair.numbers, steps=20, churn=0.1, count=1)[0]
    guided = draw(drawn_together, pair.numbers, steps=20, churn=0.1, count=1, guidance=[CoreGuidance(cores, 1.0)])[0]
    distance = [np.linalg.norm(nearest_image(np.diff(cell.positions_A, axis=0), LATTICE)) for cell in (free, guided)]
    assert distance[0] < 0.1
    assert distance[1] == pytest.approx(2.0, abs=1e-6)


def test_cores_are_the_shortest_distances_of_the_training_cells():
    cells = [
        AtomicSystem(np.array([3, 17, 17]), np.array([[0.0, 0, 0], [d, 0, 0], [0, 3.4, 0]]), 20 * np.eye(3))
        for d in (2.3, 2.1)
    ]
    cores = HardCores.learn(cells)
    assert cores.distance_A((17, 3)) == pytest.approx(2.1)
    assert cores.distance_A((17, 17)) == pytest.approx(np.hypot(2.1, 3.4))
    assert HardCores.from_rows(cores.as_rows(), cores.default_ratio) == cores
    # Not a pair of the training: a fraction of the covalent radii (Cordero 2008: O 0.66, Si 1.11).
    assert cores.distance_A((8, 14)) == pytest.approx(0.75 * (0.66 + 1.11))
    assert cores.merged(HardCores({(3, 17): 1.9})).distance_A((3, 17)) == pytest.approx(1.9)


def test_an_isolated_overlap_is_taken_away_whole_and_momentum_kept():
    pair = AtomicSystem(np.array([3, 17]), np.array([[0.1, 0, 0], [5.9, 0.5, 0]]), LATTICE)
    push = CoreGuidance(HardCores({(3, 17): 2.0}), 1.0)(pair, 0.1)
    np.testing.assert_allclose(push.sum(axis=0), 0.0, atol=1e-12)
    after = pair.positions_A + push
    assert np.linalg.norm(nearest_image(after[1] - after[0], LATTICE)) == pytest.approx(2.0)
    with pytest.raises(InputError, match="strength"):
        CoreGuidance(HardCores(), 1.5)
