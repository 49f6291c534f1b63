"""Descriptors of neuroevolution potentials as constants of a structure, for cheap training.

The expansion of a neighbourhood is linear in the coefficients of a potential, so the sums over neighbours and their
derivatives are computed once for each structure. A training step is then a few matrix products.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase.data import atomic_numbers

from vitrion_models.errors import InputError
from vitrion_models.graphs.neighbours import NeighbourList, pairs_within
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_workflows.tuning.harmonics import harmonics
from vitrion_workflows.tuning.nep_file import NepModel
from vitrion_workflows.tuning.repulsion import Repulsion, repulsion


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Expansion of the neighbours of one element around all A atoms, padded to M neighbours.

    Attributes:
        indices: neighbouring atom, shape (A, M); the atom itself where padded.
        vectors_A: from the atom to its neighbour, shape (A, M, 3); zero where padded.
        gradients: of the F basis functions with respect to these vectors in 1/A, shape (A, F, 3 M).
    """

    indices: torch.Tensor
    vectors_A: torch.Tensor
    gradients: torch.Tensor


@dataclass(frozen=True, eq=False)
class Expansion:
    """All that a potential of given cutoffs and basis sizes needs of C structures with A atoms in all.

    Attributes:
        types: element of each atom, shape (A,).
        cells: structure of each atom, shape (A,).
        counts: atoms of each structure, shape (C,).
        radial: sums of radial functions over neighbours, shape (A, T K).
        angular: sums of radial times angular functions, shape (A, T L, 24).
        radial_neighbours: of each element, F = K.
        angular_neighbours: of each element, F = 24 L.
        repulsion: screened repulsion of nuclei, which is not trained.
    """

    types: torch.Tensor
    cells: torch.Tensor
    counts: torch.Tensor
    radial: torch.Tensor
    angular: torch.Tensor
    radial_neighbours: tuple[Neighbours, ...]
    angular_neighbours: tuple[Neighbours, ...]
    repulsion: Repulsion


def expand(
    systems: Sequence[AtomicSystem], model: NepModel, *, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> Expansion:
    """Expand the neighbourhoods of structures in the basis of a potential.

    Raises:
        InputError: an element is not covered.
    """
    types = np.concatenate([element_types(system, model) for system in systems])
    counts = np.array([len(system) for system in systems])
    pairs = [_offset(system, model.radial_cutoff_A, start) for system, start in _starts(systems, counts)]
    edges = np.concatenate([part.edge_index for part in pairs], axis=1)
    vectors = np.concatenate([part.vectors_A for part in pairs])
    owners = np.repeat(np.arange(len(systems)), counts)
    numbers = np.concatenate([system.numbers for system in systems])
    tensors = _Tensors(dtype, device)
    radial, radial_neighbours = _radial_part(edges, vectors, types, model, tensors)
    near = np.linalg.norm(vectors, axis=1) < model.angular_cutoff_A
    angular, angular_neighbours = _angular_part(edges[:, near], vectors[near], types, model, tensors)
    return Expansion(
        types=tensors.integers(types),
        cells=tensors.integers(owners),
        counts=tensors.integers(counts),
        radial=radial,
        angular=angular,
        radial_neighbours=radial_neighbours,
        angular_neighbours=angular_neighbours,
        repulsion=repulsion(edges, vectors, numbers, owners, (model.zbl_inner_A, model.zbl_outer_A)).to(dtype, device),
    )


def element_types(system: AtomicSystem, model: NepModel) -> IntArray:
    """Return the type of each atom in a potential, shape (N,).

    Raises:
        InputError: an element is not covered.
    """
    table = {atomic_numbers[symbol]: place for place, symbol in enumerate(model.elements)}
    if missing := sorted({int(number) for number in system.numbers} - set(table)):
        raise InputError(f"the potential has no elements of atomic numbers {missing}: it covers {model.elements}")
    return np.array([table[int(number)] for number in system.numbers])


def radial_functions(distances_A: FloatArray, cutoff_A: float, count: int) -> tuple[FloatArray, FloatArray]:
    """Return the basis functions of distance and their derivatives in 1/A, shapes (P, count).

    f_k = (T_k(x) + 1) / 2 * f_c, with Chebyshev polynomials of x = 2 (r / r_c - 1)^2 - 1 and
    f_c = (1 + cos(pi r / r_c)) / 2; f_0 = f_c (Fan et al., J. Chem. Phys. 157, 114801 (2022), equations 6 to 8).

    Args:
        distances_A: shape (P,), below the cutoff.
        cutoff_A: r_c.
        count: number of functions.
    """
    reduced = distances_A / cutoff_A
    cut, slope = 0.5 * (1 + np.cos(np.pi * reduced)), -0.5 * np.pi / cutoff_A * np.sin(np.pi * reduced)
    x, x_slope = 2 * (reduced - 1) ** 2 - 1, 4 * (reduced - 1) / cutoff_A
    orders = np.arange(count)
    angle = np.arccos(np.clip(x, -1, 1))[:, None]
    polynomials = np.cos(orders * angle)
    # The derivative of T_k is k U_(k-1).
    second = np.zeros((len(x), count))
    for order in range(1, count):
        second[:, order] = 2 * x * second[:, order - 1] - (second[:, order - 2] if order > 1 else 0) + (order == 1)
    derivatives = orders * second * x_slope[:, None]
    values = 0.5 * (polynomials + 1) * cut[:, None]
    return values, 0.5 * (derivatives * cut[:, None] + (polynomials + 1) * slope[:, None])


@dataclass(frozen=True)
class _Tensors:
    dtype: torch.dtype
    device: str

    def floats(self, array: FloatArray) -> torch.Tensor:
        return torch.as_tensor(array, dtype=self.dtype, device=self.device)

    def integers(self, array: IntArray) -> torch.Tensor:
        return torch.as_tensor(array, dtype=torch.int64, device=self.device)


def _starts(systems: Sequence[AtomicSystem], counts: IntArray) -> list[tuple[AtomicSystem, int]]:
    return list(zip(systems, (np.cumsum(counts) - counts).tolist(), strict=True))


def _offset(system: AtomicSystem, cutoff_A: float, start: int) -> NeighbourList:
    pairs = pairs_within(system.positions_A, system.lattice_A, cutoff_A)
    pairs.require_distinct_atoms()
    return NeighbourList(pairs.edge_index + start, pairs.shifts, pairs.vectors_A, pairs.distances_A)


def _radial_part(
    edges: IntArray, vectors: FloatArray, types: IntArray, model: NepModel, tensors: _Tensors
) -> tuple[torch.Tensor, tuple[Neighbours, ...]]:
    distances = np.linalg.norm(vectors, axis=1)
    count = model.radial_coefficients.shape[1]
    values, slopes = radial_functions(distances, model.radial_cutoff_A, count)
    gradients = slopes[:, :, None] * (vectors / distances[:, None])[:, None, :]
    sums, neighbours = _collect(edges, vectors, values, gradients, types=types, model=model, tensors=tensors)
    return sums, neighbours


def _angular_part(
    edges: IntArray, vectors: FloatArray, types: IntArray, model: NepModel, tensors: _Tensors
) -> tuple[torch.Tensor, tuple[Neighbours, ...]]:
    distances = np.linalg.norm(vectors, axis=1)
    directions = vectors / distances[:, None]
    count = model.angular_coefficients.shape[1]
    values, slopes = radial_functions(distances, model.angular_cutoff_A, count)
    angles, turns = harmonics(directions)
    products = values[:, :, None] * angles[:, None, :]
    gradients = (values / distances[:, None])[:, :, None, None] * turns[:, None]
    gradients += (slopes[:, :, None] * angles[:, None, :])[..., None] * directions[:, None, None, :]
    shape = (len(distances), count * angles.shape[1])
    sums, neighbours = _collect(
        edges, vectors, products.reshape(shape), gradients.reshape(*shape, 3), types=types, model=model, tensors=tensors
    )
    return sums.reshape(len(types), len(model.elements) * count, -1), neighbours


def _collect(
    edges: IntArray,
    vectors: FloatArray,
    values: FloatArray,
    gradients: FloatArray,
    *,
    types: IntArray,
    model: NepModel,
    tensors: _Tensors,
) -> tuple[torch.Tensor, tuple[Neighbours, ...]]:
    """Sum values, shape (P, F), over neighbours of each element, and pad gradients, shape (P, F, 3)."""
    atoms, functions = len(types), values.shape[1]
    sums = np.zeros((atoms, len(model.elements), functions))
    np.add.at(sums, (edges[0], types[edges[1]]), values)
    neighbours = []
    for element in range(len(model.elements)):
        chosen = np.flatnonzero(types[edges[1]] == element)
        centres = edges[0, chosen]
        # Pairs are sorted by their centre: the place of a neighbour is its distance from the first of the centre.
        places = np.arange(len(chosen)) - np.searchsorted(centres, centres)
        most = int(places.max(initial=-1)) + 1
        indices = np.repeat(np.arange(atoms)[:, None], most, axis=1)
        indices[centres, places] = edges[1, chosen]
        padded_vectors = np.zeros((atoms, most, 3))
        padded_vectors[centres, places] = vectors[chosen]
        padded = np.zeros(
            (atoms, functions, most, 3), dtype=np.float64 if tensors.dtype == torch.float64 else np.float32
        )
        padded[centres, :, places] = gradients[chosen]
        neighbours.append(
            Neighbours(
                indices=tensors.integers(indices),
                vectors_A=tensors.floats(padded_vectors),
                gradients=tensors.floats(padded.reshape(atoms, functions, 3 * most)),
            )
        )
    return tensors.floats(sums.reshape(atoms, -1)), tuple(neighbours)
