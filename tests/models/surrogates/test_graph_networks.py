"""What descriptors cannot know and the crystal graph network can: the arrangement of the atoms."""

from dataclasses import replace

import numpy as np
import pytest

from vitrion_models.graphs import neighbour_list
from vitrion_models.surrogates import ArrheniusGNNConfig, ArrheniusKernelConfig, diffusivity_sample, train
from vitrion_models.system import AtomicSystem


def arranged(seed):
    """One halide of lithium, anything from ordered to mixed; volume and composition are the same for all."""
    rng = np.random.default_rng(seed)
    edge = (17.0 * 32) ** (1 / 3)
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[rng.choice(64, 32, replace=False)]
    order = rng.uniform()
    weight = np.where(grid.sum(axis=1) % 2 == 0, order, 1 - order) + 0.02
    numbers = np.full(32, 17)
    numbers[rng.choice(32, 16, replace=False, p=weight / weight.sum())] = 3
    return AtomicSystem(numbers, grid * edge / 4 + rng.normal(0, 0.15, grid.shape), edge * np.eye(3))


def like_neighbours(system):
    edges = neighbour_list(system, 2.6)
    first, second = system.numbers[edges.edge_index]
    return ((first == 3) & (second == 3)).sum() / 16


@pytest.fixture(scope="module", name="labels")
def make_labels():
    cells = [arranged(seed) for seed in range(40)]
    signal = np.array([like_neighbours(cell) for cell in cells])
    shift = 0.3 * (signal - signal.mean()) / signal.std()
    return [
        diffusivity_sample(
            cell,
            species="Li",
            temperature_K=1200.0,
            log10_D=-4.4 + shift[k],
            stderr=0.05,
            group=f"{k:02d}",
            key=f"{k:02d}",
        )
        for k, cell in enumerate(cells)
    ]


def test_networks_learn_the_arrangement_and_earn_their_share(labels):
    test = [label.key for label in labels if int(label.group) % 5 == 0]
    config = ArrheniusGNNConfig(cutoff_A=3.5, width=12)
    graph = train(labels, test_keys=test, config=config, seed=0)
    head = train(labels, test_keys=test, config=ArrheniusKernelConfig(), seed=0)
    assert graph.graph_share > 0
    assert graph.metrics["surrogate"].rmse < 0.7 * head.metrics["surrogate"].rmse


def test_networks_get_no_share_where_there_is_nothing_to_learn(labels):
    order = np.random.default_rng(0).permutation(len(labels))
    shuffled = [replace(label, targets=labels[row].targets) for label, row in zip(labels, order, strict=True)]
    model = train(shuffled, test_keys=(), config=ArrheniusGNNConfig(cutoff_A=3.5, width=8), seed=0)
    assert model.graph_share <= 0.25
