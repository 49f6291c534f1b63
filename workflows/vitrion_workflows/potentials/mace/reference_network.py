"""MACE models of any kind by mace-torch's own code: energy and its gradient with respect to the bond vectors.

The overhead of mace-torch's calculator is avoided: the graph comes from our neighbour list, nothing is converted or
copied, no stress is differentiated, and sums are in single precision (energies of isolated atoms are added in double).
The model gets bond vectors instead of positions: all atoms lie at the origin, and the vector of each edge is given as
its periodic shift.

Importing this module imports torch.
"""

from typing import Any

import torch
from torch import Tensor

from vitrion_workflows.potentials.graph.edge_sums import bond_gradient
from vitrion_workflows.potentials.graph.neighbours import Edges


def types_by_number(numbers: Tensor) -> Tensor:
    """Return the index of each element in a model, -1 for missing ones, shape (largest atomic number + 1,).

    Args:
        numbers: atomic numbers of the elements of the model, in its order, shape (K,).
    """
    elements = torch.as_tensor(numbers, dtype=torch.int64).cpu()
    types = torch.full((int(elements.max()) + 1,), -1, dtype=torch.int64)
    types[elements] = torch.arange(len(elements))
    return types


class ReferenceMaceNetwork:
    """A loaded model of mace-torch on one device."""

    def __init__(self, model: Any, *, head: int, device: str, precision: torch.dtype = torch.float32) -> None:
        """Convert the model to a precision.

        Args:
            model: a `MACE` or `ScaleShiftMACE` of mace-torch, in any precision.
            head: index of the head that is evaluated.
            device: ``cpu``, ``cuda`` or ``cuda:1``.
            precision: precision of all but the energies of isolated atoms.
        """
        self.cutoff_A = float(model.r_max)
        self._types = types_by_number(model.atomic_numbers).to(device)
        self._one_hot = torch.eye(len(model.atomic_numbers), device=device, dtype=precision)
        exact = torch.atleast_2d(model.atomic_energies_fn.atomic_energies)[head].double().to(device)
        self._precision = precision
        self._model = model.to(precision).to(device).eval()
        rounded = torch.atleast_2d(self._model.atomic_energies_fn.atomic_energies)[head].double()
        self._rounding_eV = exact - rounded
        self._head = torch.tensor([head], device=device)
        for parameter in self._model.parameters():
            parameter.requires_grad_(False)

    def energies(self, numbers: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """Compute the energy of each of N atoms, and the gradient of their sum.

        Args:
            numbers: atomic numbers, shape (N,).
            edges: pairs within `cutoff_A`.

        Returns:
            Energies in eV, double precision, shape (N,), and gradient with respect to the bond vectors in eV/A, shape
            (B, 3).
        """
        species = self._types.index_select(0, numbers)
        # Edges start at their second atom and end at their first: they are sorted by the atom at which they end.
        signed = edges.bond_vectors_A.index_select(0, edges.bond) * -edges.sign[:, None]
        with torch.enable_grad():
            vectors = signed.to(self._precision).requires_grad_()
            atoms = self._model(self._graph(species, vectors, edges), compute_force=False)["node_energy"]
            gradient = bond_gradient(atoms, vectors)
        energies = atoms.detach() + self._rounding_eV.index_select(0, species)
        return energies, gradient.index_select(0, edges.backward) - gradient.index_select(0, edges.forward)

    def _graph(self, species: Tensor, vectors: Tensor, edges: Edges) -> dict[str, Tensor]:
        atoms = len(species)
        origin = vectors.new_zeros(atoms, 3)
        return {
            "positions": origin,
            "node_attrs": self._one_hot.index_select(0, species),
            "edge_index": torch.stack([edges.second, edges.first]),
            "shifts": vectors,
            "unit_shifts": vectors.detach(),
            "cell": vectors.new_zeros(3, 3),
            "batch": torch.zeros_like(species),
            "ptr": torch.tensor([0, atoms], device=species.device),
            "head": self._head,
        }
