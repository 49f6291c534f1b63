"""MACE models of any kind by mace-torch's own code: energy and its gradient with respect to the bond vectors.

What the model's calculator adds to each step is left out: the graph comes from our neighbour list, nothing is converted
or copied, no stress is differentiated, and single precision does the sums (energies of isolated atoms are added in
double). The model takes bond vectors in place of positions: all atoms are put at the origin and each edge's vector is
given as its periodic shift.

Importing this module imports torch.
"""

from typing import Any

import torch
from torch import Tensor

from vitrion_workflows.potentials.graph.neighbours import Edges


def types_by_number(numbers: Tensor) -> Tensor:
    """A model's own index of each element, -1 for those that it lacks, shape (largest atomic number + 1,).

    Args:
        numbers: its elements' atomic numbers in its order.
    """
    known = torch.as_tensor(numbers, dtype=torch.int64).cpu()
    types = torch.full((int(known.max()) + 1,), -1, dtype=torch.int64)
    types[known] = torch.arange(len(known))
    return types


class PlainMaceNetwork:
    """A loaded model on one device."""

    def __init__(self, model: Any, *, head: int, device: str, precision: torch.dtype = torch.float32) -> None:
        """Bring the model to a precision.

        Args:
            model: a `MACE` or `ScaleShiftMACE` of mace-torch, in any precision.
            head: which of its heads is asked.
            device: ``cpu`` or ``cuda``.
            precision: of all but the energies of isolated atoms.
        """
        self.cutoff_A = float(model.r_max)
        self._types = types_by_number(model.atomic_numbers).to(device)
        self._one_hot = torch.eye(len(model.atomic_numbers), device=device, dtype=precision)
        exact = torch.atleast_2d(model.atomic_energies_fn.atomic_energies)[head].double().to(device)
        self._precision = precision
        self._model = model.to(precision).to(device).eval()
        rounded = torch.atleast_2d(self._model.atomic_energies_fn.atomic_energies)[head].double()
        self._lost_eV = exact - rounded
        self._head = torch.tensor([head], device=device)
        for parameter in self._model.parameters():
            parameter.requires_grad_(False)

    def energies(self, numbers: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """Energy of each atom and the gradient of their sum.

        Args:
            numbers: atomic numbers, shape (N,).
            edges: pairs within `cutoff_A`.

        Returns:
            Energies in eV, double precision, shape (N,), and gradient with respect to the bond vectors in eV/A, shape
            (B, 3).
        """
        species = self._types.index_select(0, numbers)
        # An edge comes from its second atom and ends at its first, so that edges stand in the order of their ends.
        signed = edges.bond_vectors_A.index_select(0, edges.bond) * -edges.sign[:, None]
        with torch.enable_grad():
            vectors = signed.to(self._precision).requires_grad_()
            atoms = self._model(self._graph(species, vectors, edges), compute_force=False)["node_energy"]
            along = (
                torch.autograd.grad(atoms, vectors, torch.ones_like(atoms))[0]
                if len(vectors)
                else torch.zeros_like(vectors)
            )
        energies = atoms.detach() + self._lost_eV.index_select(0, species)
        return energies, along.index_select(0, edges.backward) - along.index_select(0, edges.forward)

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
