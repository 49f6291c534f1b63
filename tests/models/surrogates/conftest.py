"""Labels on small made-up cells: enough to train a whole surrogate in a second or two."""

import numpy as np
import pytest

from vitrion_models.surrogates import ArrheniusGNNConfig, diffusivity_sample, train
from vitrion_models.system import AtomicSystem

# Amounts by atomic number and volume per atom in A^3, near those of the lithium compounds.
COMPOUNDS = {
    "Cl-Li": ({3: 1, 17: 1}, 17.0),
    "F-Li": ({3: 1, 9: 1}, 9.0),
    "Br-Li": ({3: 1, 35: 1}, 21.0),
    "I-Li": ({3: 1, 53: 1}, 27.0),
    "Li-O": ({3: 2, 8: 1}, 9.0),
    "Li-S": ({3: 2, 16: 1}, 16.0),
    "Li-P": ({3: 3, 15: 1}, 15.0),
    "Li-N": ({3: 3, 7: 1}, 11.0),
}


@pytest.fixture(scope="session")
def make_cell():
    """Jittered grid of atoms; the same compound and seed give the same cell."""

    def cell(group, seed, *, jitter_A=0.3):
        amounts, volume = COMPOUNDS[group]
        rng = np.random.default_rng(seed)
        numbers = np.repeat(list(amounts), [4 * amount for amount in amounts.values()])
        edge = (volume * len(numbers)) ** (1 / 3)
        grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)[: len(numbers)]
        positions = grid * edge / 3 + rng.normal(0, jitter_A, (len(numbers), 3))
        return AtomicSystem(rng.permutation(numbers), positions, edge * np.eye(3))

    return cell


@pytest.fixture(scope="session")
def labels(make_cell):
    """Sixteen labels on eight cells: one Arrhenius law a compound."""
    rng = np.random.default_rng(0)
    samples = []
    for row, group in enumerate(COMPOUNDS):
        cell, shift = make_cell(group, row), rng.normal(0, 0.3)
        for temperature in (1000.0, 1600.0):
            value = -3.0 - 1800.0 / temperature + shift + rng.normal(0, 0.05)
            samples.append(
                diffusivity_sample(
                    cell,
                    species="Li",
                    temperature_K=temperature,
                    log10_D=value,
                    stderr=0.05,
                    group=group,
                    key=f"{group}-{temperature:g}",
                )
            )
    return samples


@pytest.fixture(scope="session")
def config():
    """Small and quick."""
    return ArrheniusGNNConfig(members=3, width=8, basis_count=5, steps=15, cutoff_A=4.0)


@pytest.fixture(scope="session")
def test_keys(labels):
    """Two compounds held out for good."""
    return [label.key for label in labels if label.group in ("Cl-Li", "Li-S")]


@pytest.fixture(scope="session")
def model(labels, config, test_keys):
    """The surrogate trained on them."""
    return train(labels, test_keys=test_keys, config=config, seed=1)


@pytest.fixture(scope="session")
def graph_model(model):
    """The same with full weight on its graph networks, whatever they have earned on made-up labels."""
    from dataclasses import replace

    assert model.networks
    return replace(model, graph_share=1.0)
