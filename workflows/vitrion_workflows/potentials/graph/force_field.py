"""Force field of a graph network: neighbour lists with a skin, and no objects of other packages in the loop."""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.force_field import BatchForces, Cells, ForceField, ForceResult
from vitrion_workflows.potentials.graph.allocator import keep_freed_memory
from vitrion_workflows.potentials.graph.neighbours import Edges, SkinLists

if TYPE_CHECKING:
    from torch import Tensor


class Network(Protocol):
    """Interface of a network.

    Attributes:
        cutoff_A: greatest distance of a pair.
    """

    cutoff_A: float

    def energies(self, numbers: "Tensor", edges: Edges) -> "tuple[Tensor, Tensor]":
        """Return energies in eV in double precision, shape (N,), and their gradient by bonds in eV/A, shape (B, 3)."""


class GraphForceField(ForceField):
    """A network whose energy depends on the vectors between neighbours."""

    def __init__(
        self,
        network: Network,
        *,
        name: str,
        version: str,
        weights_sha256: str,
        elements: frozenset[str],
        device: str,
    ) -> None:
        super().__init__(name=name, version=version, weights_sha256=weights_sha256, elements=elements)
        self._network = network
        self._device = device
        if device == "cpu":
            keep_freed_memory()
        self._lists = SkinLists(network.cutoff_A, device=device)

    def compute(
        self,
        numbers: IntArray,
        positions_A: FloatArray,
        lattice_A: FloatArray,
        *,
        stress: bool = False,
    ) -> ForceResult:
        """See `ForceField.compute`."""
        edges = self._lists.edges([(positions_A, lattice_A)])
        energies, forces, gradient = self._evaluate(numbers, edges)
        tensor: FloatArray | None = None
        if stress:
            virial = (edges.bond_vectors_A.T @ gradient).cpu().numpy()
            tensor = 0.5 * (virial + virial.T) / abs(np.linalg.det(lattice_A))
        return ForceResult(float(energies.sum()), forces, tensor)

    def compute_batch(self, cells: Cells, positions_A: FloatArray) -> BatchForces:
        """See `ForceField.compute_batch`.

        On a CPU larger matrices save no time, and their products round differently: the cells are evaluated one after
        the other. On a GPU they are one graph.
        """
        parts = [(positions_A[atoms], lattice) for atoms, lattice in zip(cells.slices, cells.lattices_A, strict=True)]
        if self._device != "cpu":
            energies, forces, _ = self._evaluate(cells.numbers, self._lists.edges(parts))
            return BatchForces(np.add.reduceat(energies, cells.starts), forces)
        totals, all_forces = np.empty(len(cells)), np.empty_like(positions_A)
        for slot, (atoms, part) in enumerate(zip(cells.slices, parts, strict=True)):
            edges = self._lists.edges([part], slots=[slot], kept=len(cells))
            energies, all_forces[atoms], _ = self._evaluate(cells.numbers[atoms], edges)
            totals[slot] = energies.sum()
        return BatchForces(totals, all_forces)

    def _evaluate(self, numbers: IntArray, edges: Edges) -> "tuple[FloatArray, FloatArray, Tensor]":
        import torch  # noqa: PLC0415 - the network has imported it

        energies, gradient = self._network.energies(torch.from_numpy(numbers).to(self._device), edges)
        gradient = gradient.double()
        forces = gradient.new_zeros(len(numbers), 3)
        forces.index_add_(0, edges.bond_first, gradient)
        forces.index_add_(0, edges.bond_second, -gradient)
        return energies.cpu().numpy(), forces.cpu().numpy(), gradient
