"""Training of one crystal graph network on what the head could not foresee.

A plain loop, not Lightning: with some twenty labels an epoch is one optimiser step, there is no checkpoint to keep and
no validation to run, and the trainer adds a sixth to each fit and seconds of import to each process
(docs/design/surrogate.md has the measurement).
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vitrion_models.graphs.batching import collate, crystal_graph
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig
from vitrion_models.surrogates.arrhenius_gnn.head import SHARPNESS, Labels
from vitrion_models.surrogates.arrhenius_gnn.network import CrystalNetwork
from vitrion_models.surrogates.observation import Material
from vitrion_models.system import AtomicSystem, FloatArray, IntArray

LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, eq=False)
class GraphTask:
    """What one network is trained on.

    Attributes:
        graphs: graph of each material, None where it has no cell.
        level: level that the head foresaw for each material without its group, shape (S,).
        raw: raw slope foreseen likewise, shape (S,).
        labels: labels to learn from.
        noise: model noise of the head, decades.
    """

    graphs: tuple[Any, ...]
    level: FloatArray
    raw: FloatArray
    labels: Labels
    noise: float


def graphs_of(
    materials: Sequence[Material],
    *,
    cutoff_A: float,
    mobile_number: int,
    dtype: torch.dtype = torch.float32,
) -> tuple[Any, ...]:
    """Graphs of the materials that are cells, None for bare compositions."""
    return tuple(
        crystal_graph(material, cutoff_A=cutoff_A, mobile_number=mobile_number, dtype=dtype)
        if isinstance(material, AtomicSystem)
        else None
        for material in materials
    )


def double_graphs(materials: Sequence[Material], *, cutoff_A: float, mobile_number: int) -> tuple[Any, ...]:
    """As `graphs_of`, in the double precision that predictions are made in."""
    return graphs_of(materials, cutoff_A=cutoff_A, mobile_number=mobile_number, dtype=torch.float64)


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Deterministic algorithms and a seeded generator inside; torch's global state as it was outside."""
    before = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(mode=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(mode=before)


def fit_network(
    task: GraphTask,
    config: ArrheniusGNNConfig,
    *,
    seed: int,
    start: CrystalNetwork | None = None,
) -> CrystalNetwork:
    """Train one network.

    Args:
        task: graphs, labels and the head's cross-fitted expectations.
        config: sizes and optimiser.
        seed: of initial weights and order of batches.
        start: network to start from, of the same sizes.

    Returns:
        The network, in evaluation mode.
    """
    with deterministic(seed):
        network = CrystalNetwork(config)
        if start is not None:
            network.load_state_dict(start.state_dict())
        batches = _batches(task, config.batch_structures)
        if not batches:
            return network.eval()
        optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        for step in range(config.steps):
            optimiser.zero_grad()
            _loss(network, batches[step % len(batches)], task.noise).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimiser.step()
    return network.eval()


def corrections(network: CrystalNetwork, graphs: Sequence[Any], *, at_once: int) -> FloatArray:
    """Corrections to level and raw slope, zero for materials without a graph, shape (S, 2), in double precision.

    Args:
        network: trained.
        graphs: in double precision, None where there is no cell.
        at_once: graphs in one batch; the answer does not depend on it.
    """
    found = np.zeros((len(graphs), 2))
    rows = [row for row, graph in enumerate(graphs) if graph is not None]
    twin = copy.deepcopy(network).double()
    with torch.no_grad():
        for begin in range(0, len(rows), at_once):
            part = rows[begin : begin + at_once]
            found[part] = twin(collate([graphs[row] for row in part])).numpy()
    return found


@dataclass(frozen=True, eq=False)
class _Batch:
    graphs: Any
    level: Tensor
    raw: Tensor
    material: Tensor
    x: Tensor
    y: Tensor
    stderr: Tensor
    censored: Tensor


def _batches(task: GraphTask, size: int) -> list[_Batch]:
    with_graph = np.array([graph is not None for graph in task.graphs], dtype=bool)
    used = np.unique(task.labels.material)
    used = used[with_graph[used]]
    # Shuffled once: neighbours in the order of keys are often of one campaign.
    order = used[torch.randperm(len(used)).numpy()]
    return [_batch(task, order[begin : begin + size]) for begin in range(0, len(order), size)]


def _batch(task: GraphTask, materials: IntArray) -> _Batch:
    local = np.full(len(task.graphs), -1)
    local[materials] = np.arange(len(materials))
    rows = np.flatnonzero(local[task.labels.material] >= 0)
    labels = task.labels.subset(rows)

    def single(values: FloatArray) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float32)

    return _Batch(
        graphs=collate([task.graphs[material] for material in materials]),
        level=single(task.level[materials]),
        raw=single(task.raw[materials]),
        material=torch.from_numpy(local[labels.material]),
        x=single(labels.x),
        y=single(labels.y),
        stderr=single(labels.stderr),
        censored=torch.from_numpy(labels.censored > 0),
    )


def _loss(network: CrystalNetwork, batch: _Batch, noise: float) -> Tensor:
    """Mean negative log likelihood: Gaussian for values, Tobit for upper bounds."""
    change = network(batch.graphs)
    level = (batch.level + change[:, 0])[batch.material]
    slope = torch.nn.functional.softplus((batch.raw + change[:, 1])[batch.material], beta=SHARPNESS)
    sigma = torch.sqrt(batch.stderr**2 + noise**2)
    z = (batch.y - (level - slope * batch.x)) / sigma
    gaussian = 0.5 * z**2
    bound = -torch.special.log_ndtr(z)
    return torch.where(batch.censored, bound, gaussian).mean()
