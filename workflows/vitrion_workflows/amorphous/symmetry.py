"""Hidden symmetry: the best overlap of a cell with its image under a rotation, reflection or translation.

Bond-orientational order detects simple crystals, but not complex ones (LGPS, a borate), whose sites have many
orientations. Every crystal except the rare P1, and no glass, has an operation that maps it onto itself. For each
operation W of the point group of the lattice all translations t are tried at once: with rho the density of an element
(one Gaussian per atom), the overlap of rho with its image under (W, t) is a correlation, hence one fast Fourier
transform, and

    symmetry = max over (W, t) of  sum_elements overlap(W, t) / sum_elements overlap(1, 0)

is 1 for an ideal crystal, about (1 + u^2 / s^2)^(-3/2) with thermal displacements u along each axis, and for a glass
the best of all chance coincidences: 0.1-0.35 in cells of 50 atoms, less in larger ones. A mobile sublattice can be
molten within a crystal, so the measure is also taken with each element omitted in turn.
"""

import itertools
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vitrion_models.system import AtomicSystem, FloatArray, IntArray

GAUSSIAN_WIDTH_A = 0.35
GRID_A = 0.45
MOST_NODES = 64**3  # a larger cell has a coarser grid, compensated by its many atoms
METRIC_TOLERANCE = 0.04  # relative: a cell strained by less keeps the operations of its ideal shape
NO_TRANSLATION_A = 1.5  # a smaller translation maps each atom onto itself
FEWEST_ATOMS = 16
FRAMEWORK_SHARE = 0.4  # least share of the atoms that must remain without an element,
FRAMEWORK_ATOMS = 30  # and least number of them: chance coincidences stay unlikely


def hidden_symmetry(system: AtomicSystem) -> float | None:
    """Return the best overlap of the cell with itself under an operation other than the identity.

    Returns:
        A number between 0 and 1, or None for cells of fewer than 16 atoms, which overlap by chance alone.
    """
    if len(system) < FEWEST_ATOMS:
        return None
    fractional = system.fractional
    groups = [fractional[system.numbers == number] for number in np.unique(system.numbers)]
    correlation = _Correlation(system.lattice_A, groups)
    return max(correlation.best(operation) for operation in lattice_operations(system.lattice_A))


def lattice_operations(lattice_A: FloatArray) -> list[IntArray]:
    """Return the integer matrices W, f' = f W, that preserve the metric of the lattice within 4 %.

    Args:
        lattice_A: lattice vectors as rows, shape (3, 3).

    Returns:
        The point group of the lattice, shape (3, 3) each: 2 matrices for a triclinic cell, 48 for a cube.
    """
    metric = lattice_A @ lattice_A.T
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    return [W for W in _unimodular() if float((np.abs(W @ metric @ W.T - metric) / scale).max()) < METRIC_TOLERANCE]


@cache
def _unimodular() -> tuple[IntArray, ...]:
    matrices = (np.array(entries).reshape(3, 3) for entries in itertools.product((-1, 0, 1), repeat=9))
    return tuple(matrix for matrix in matrices if abs(round(float(np.linalg.det(matrix)))) == 1)


class _Correlation:
    """Overlap of each element with its image, for all translations on a grid."""

    def __init__(self, lattice_A: FloatArray, groups: list[FloatArray]) -> None:
        lengths = np.linalg.norm(lattice_A, axis=1)
        spacing_A = max(GRID_A, float((np.prod(lengths) / MOST_NODES) ** (1.0 / 3.0)))
        self._shape = tuple(int(2 * max(4, np.ceil(length / spacing_A / 2))) for length in lengths)
        waves = np.stack(
            np.meshgrid(
                np.fft.fftfreq(self._shape[0], 1 / self._shape[0]),
                np.fft.fftfreq(self._shape[1], 1 / self._shape[1]),
                np.fft.rfftfreq(self._shape[2], 1 / self._shape[2]),
                indexing="ij",
            ),
            axis=-1,
        )
        wave_vectors = 2 * np.pi * waves @ np.linalg.inv(lattice_A).T
        self._filter = np.exp(-(wave_vectors**2).sum(axis=-1) * GAUSSIAN_WIDTH_A**2)
        self._filter[0, 0, 0] = 0.0  # the mean density overlaps under every operation
        self._groups = groups
        self._spectra = [self._spectrum(group) for group in groups]
        self._near_identity = self._short_translations(lattice_A)
        itself = [float(self._overlap(s, s)[0, 0, 0]) for s in self._spectra]
        self._selections = [(chosen, sum(itself[index] for index in chosen)) for chosen in self._subsets()]

    def best(self, operation: IntArray) -> float:
        overlaps = [
            self._overlap(spectrum, self._spectrum(group @ operation))
            for spectrum, group in zip(self._spectra, self._groups, strict=True)
        ]
        if np.array_equal(operation, np.eye(3)):
            for overlap in overlaps:
                overlap[self._near_identity] = -np.inf
        return max(
            float(np.sum([overlaps[index] for index in chosen], axis=0).max()) / itself
            for chosen, itself in self._selections
        )

    def _subsets(self) -> list[list[int]]:
        every = list(range(len(self._groups)))
        sizes = np.array([len(group) for group in self._groups])
        subsets = [every]
        for left_out in every:
            rest = int(sizes.sum() - sizes[left_out])
            if rest >= FRAMEWORK_ATOMS and rest >= FRAMEWORK_SHARE * sizes.sum():
                subsets.append([index for index in every if index != left_out])
        return subsets

    def _spectrum(self, fractional: FloatArray) -> NDArray[np.complex128]:
        return np.fft.rfftn(spread(fractional, self._shape))

    def _overlap(self, first: NDArray[np.complex128], second: NDArray[np.complex128]) -> FloatArray:
        overlap: FloatArray = np.fft.irfftn(first.conj() * second * self._filter, s=self._shape, axes=(0, 1, 2))
        return overlap

    def _short_translations(self, lattice_A: FloatArray) -> NDArray[np.bool_]:
        steps = np.stack(np.meshgrid(*[np.arange(n) / n for n in self._shape], indexing="ij"), axis=-1)
        steps -= np.round(steps)
        near: NDArray[np.bool_] = np.linalg.norm(steps @ lattice_A, axis=-1) < NO_TRANSLATION_A
        return near


def spread(fractional: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Distribute points over a periodic grid, each linearly among its eight nearest nodes.

    Args:
        fractional: fractional coordinates in any range, shape (N, 3).
        shape: nodes along each lattice vector.

    Returns:
        Number of points at each node, of the given shape; the sum is N.
    """
    places = np.mod(fractional, 1.0) * np.array(shape)
    lower = np.floor(places).astype(np.int64)
    share = places - lower
    density = np.zeros(int(np.prod(shape)))
    for corner in itertools.product((0, 1), repeat=3):
        node = (lower + corner) % np.array(shape)
        weight = np.prod(np.where(np.array(corner) == 1, share, 1.0 - share), axis=1)
        density += np.bincount(np.ravel_multi_index(tuple(node.T), shape), weight, minlength=len(density))
    return density.reshape(shape)
