"""Crystal networks that correct the head: training of one, and corrections of the ensemble.

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

from vitrion_models.backbones.crystal_network import CrystalNetwork
from vitrion_models.graphs.batching import collate, crystal_graph
from vitrion_models.heads.correction import CorrectionNetwork
from vitrion_models.heads.likelihood import SHARPNESS, Labels
from vitrion_models.materials import Material
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig
from vitrion_models.system import AtomicSystem, FloatArray, IntArray

MAX_GRADIENT = 1.0
LEVEL_AND_SLOPE = 2


@dataclass(frozen=True, eq=False)
class GraphTask:
    """Training data of one network, on S materials.

    Attributes:
        graphs: graph of each material, None where it is a bare composition.
        level: level that the head predicts for each material without its group, shape (S,).
        raw_slope: raw slope predicted likewise, shape (S,).
        labels: labels to learn from.
        noise: model noise of the head, decades.
    """

    graphs: tuple[Any, ...]
    level: FloatArray
    raw_slope: FloatArray
    labels: Labels
    noise: float


def build_network(config: ArrheniusGNNConfig) -> CorrectionNetwork:
    """Return an untrained network: crystal backbone and linear head on level and raw slope."""
    backbone = CrystalNetwork(
        width=config.width, basis_count=config.basis_count, layers=config.layers, cutoff_A=config.cutoff_A
    )
    return CorrectionNetwork(backbone, width=config.width, outputs=LEVEL_AND_SLOPE)


def material_graphs(
    materials: Sequence[Material],
    *,
    cutoff_A: float,
    mobile_number: int,
    dtype: torch.dtype = torch.float32,
) -> tuple[Any, ...]:
    """Return the graphs of the materials that are systems, None for bare compositions."""
    return tuple(
        crystal_graph(material, cutoff_A=cutoff_A, mobile_number=mobile_number, dtype=dtype)
        if isinstance(material, AtomicSystem)
        else None
        for material in materials
    )


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Seed torch and use deterministic algorithms inside the block; restore its global state afterwards."""
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
    start: CorrectionNetwork | None = None,
) -> CorrectionNetwork:
    """Train one network; return it in evaluation mode.

    Args:
        task: graphs, labels and the head's cross-fitted predictions.
        config: sizes and optimiser.
        seed: of initial weights and order of batches.
        start: network to start from, of the same sizes.
    """
    with deterministic(seed):
        network = build_network(config)
        if start is not None:
            network.load_state_dict(start.state_dict())
        batches = _batches(task, config.batch_structures)
        if not batches:
            return network.eval()
        optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        for step in range(config.steps):
            optimiser.zero_grad()
            _loss(network, batches[step % len(batches)], task.noise).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
            optimiser.step()
    return network.eval()


def ensemble_corrections(
    networks: Sequence[CorrectionNetwork],
    materials: Sequence[Material],
    config: ArrheniusGNNConfig,
    *,
    mobile_number: int,
) -> FloatArray:
    """Return the corrections of each network to level and raw slope, in double precision, shape (members, S, 2).

    Zero for bare compositions. The size of the batches does not matter.
    """
    graphs = material_graphs(materials, cutoff_A=config.cutoff_A, mobile_number=mobile_number, dtype=torch.float64)
    return np.stack([_corrections(network, graphs, batch_size=config.batch_structures) for network in networks])


def _corrections(network: CorrectionNetwork, graphs: Sequence[Any], *, batch_size: int) -> FloatArray:
    corrections = np.zeros((len(graphs), LEVEL_AND_SLOPE))
    rows = [row for row, graph in enumerate(graphs) if graph is not None]
    double = copy.deepcopy(network).double()
    with torch.no_grad():
        for begin in range(0, len(rows), batch_size):
            part = rows[begin : begin + batch_size]
            corrections[part] = double(collate([graphs[row] for row in part])).numpy()
    return corrections


@dataclass(frozen=True, eq=False)
class _Batch:
    graphs: Any
    level: Tensor
    raw_slope: Tensor
    material: Tensor
    x: Tensor
    y: Tensor
    stderr: Tensor
    censored: Tensor


def _batches(task: GraphTask, size: int) -> list[_Batch]:
    with_graph = np.array([graph is not None for graph in task.graphs], dtype=bool)
    used = np.unique(task.labels.material)
    used = used[with_graph[used]]
    # Shuffled once: labels with neighbouring keys often belong to one campaign.
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
        raw_slope=single(task.raw_slope[materials]),
        material=torch.from_numpy(local[labels.material]),
        x=single(labels.x),
        y=single(labels.y),
        stderr=single(labels.stderr),
        censored=torch.from_numpy(labels.censored > 0),
    )


def _loss(network: CorrectionNetwork, batch: _Batch, noise: float) -> Tensor:
    """Return the mean negative log likelihood: Gaussian for values, Tobit for upper bounds."""
    change = network(batch.graphs)
    level = (batch.level + change[:, 0])[batch.material]
    slope = torch.nn.functional.softplus((batch.raw_slope + change[:, 1])[batch.material], beta=SHARPNESS)
    sigma = torch.sqrt(batch.stderr**2 + noise**2)
    z = (batch.y - (level - slope * batch.x)) / sigma
    gaussian = 0.5 * z**2
    bound = -torch.special.log_ndtr(z)
    return torch.where(batch.censored, bound, gaussian).mean()
