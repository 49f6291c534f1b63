"""A Lennard-Jones model of an ionic melt for tests and teaching: fast, any element, no real material.

The pair energy is 4 eps ((sigma/r)^12 - (sigma/r)^6) s(r). Its minimum lies at the sum of Shannon's crystal radii or,
if larger (mostly between ions of one sign), at the sum of covalent radii, so that the model passes the minimum-distance
gates of real potentials. s(r) is a smooth step, 1 below 80 % of the cutoff, 0 with two vanishing derivatives
at the cutoff: energy is conserved.
"""

import hashlib
import itertools
import json
from functools import lru_cache
from importlib.resources import files

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from vitrion_models.graphs.neighbours import pairs_within
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.entry import PotentialEntry
from vitrion_workflows.potentials.force_field import ForceField, ForceResult, wrapped

PARAMETERS_FILE = "lennard_jones.json"
LENNARD_JONES_SHA256 = "1b7dd6a450ba19abc5f323911878d7391942f9ae9cb74394cb87a4892a7bc50d"
SWITCH_ON = 0.8
MINIMUM_OVER_SIGMA = 2 ** (1 / 6)
# Up to this many atoms one matrix of all atoms against all images is faster than a cell list.
LARGEST_FOR_MATRIX = 200


class LennardJonesForceField(ForceField):
    """The Lennard-Jones model with the parameters of its JSON file."""

    def __init__(self) -> None:
        content = _parameters_bytes()
        parameters = json.loads(content)
        symbols = tuple(parameters["elements"])
        super().__init__(
            name="lennard-jones",
            version="1",
            weights_sha256=hashlib.sha256(content).hexdigest(),
            elements=frozenset(symbols),
        )
        self._cutoff_A = float(parameters["cutoff_A"])
        self._depth_eV = float(parameters["well_depth_eV"])
        table = np.array([parameters["elements"][symbol] for symbol in symbols])
        crystal_A, covalent_A = table[:, 0], table[:, 1]
        minimum_A = np.maximum(crystal_A[:, None] + crystal_A, covalent_A[:, None] + covalent_A)
        rows = [atomic_numbers[symbol] for symbol in symbols]
        self._sigma6 = np.zeros((len(chemical_symbols), len(chemical_symbols)))
        self._sigma6[np.ix_(rows, rows)] = (minimum_A / MINIMUM_OVER_SIGMA) ** 6

    def compute(
        self,
        numbers: IntArray,
        positions_A: FloatArray,
        lattice_A: FloatArray,
        *,
        stress: bool = False,
    ) -> ForceResult:
        """See `ForceField.compute`."""
        first, second, vectors_A = half_pairs(wrapped(positions_A, lattice_A), lattice_A, self._cutoff_A)
        squares = np.einsum("px,px->p", vectors_A, vectors_A)
        energies, slopes = self._pair(squares, self._sigma6[numbers[first], numbers[second]])
        pulls = slopes[:, None] * vectors_A
        forces = np.empty((len(numbers), 3))
        for axis in range(3):
            forces[:, axis] = np.bincount(first, pulls[:, axis], len(numbers))
            forces[:, axis] -= np.bincount(second, pulls[:, axis], len(numbers))
        tensor = (vectors_A.T @ pulls) / abs(np.linalg.det(lattice_A)) if stress else None
        return ForceResult(float(energies.sum()), forces, tensor)

    def _pair(self, squares_A2: FloatArray, sigma6_A6: FloatArray) -> tuple[FloatArray, FloatArray]:
        # Energy in eV and (dE/dr) / r in eV/A^2 of each pair, shape (P,) each; functions of r^2 need no square root.
        inverse = 1.0 / squares_A2
        attraction = sigma6_A6 * inverse**3
        bare = 4 * self._depth_eV * (attraction**2 - attraction)
        bare_slope = -24 * self._depth_eV * (2 * attraction**2 - attraction) * inverse
        outer = self._cutoff_A**2
        inner = (SWITCH_ON * self._cutoff_A) ** 2
        x = np.clip((squares_A2 - inner) / (outer - inner), 0.0, 1.0)
        step = 1 - x**3 * (10 - 15 * x + 6 * x**2)
        step_slope = -60 * x**2 * (1 - x) ** 2 / (outer - inner)
        return bare * step, bare_slope * step + bare * step_slope


def half_pairs(
    inside_A: FloatArray,
    lattice_A: FloatArray,
    cutoff_A: float,
) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    """Find each pair of atoms within the cutoff once, images of the same atom included.

    Args:
        inside_A: positions inside the cell, shape (N, 3).
        lattice_A: lattice vectors as rows, shape (3, 3).
        cutoff_A: greatest distance.

    Returns:
        First and second atom of each pair, shape (P,), and the vectors in A from the first to the image of the second,
        shape (P, 3).
    """
    count = len(inside_A)
    if count > LARGEST_FOR_MATRIX:
        pairs = pairs_within(inside_A, lattice_A, cutoff_A, half=True)
        return pairs.edge_index[0], pairs.edge_index[1], pairs.vectors_A
    shifts = _half_shifts(lattice_A.tobytes(), cutoff_A)
    images = (shifts[:, None, :] + inside_A).reshape(-1, 3)
    squares = np.einsum("ix,ix->i", inside_A, inside_A)[:, None] + np.einsum("ix,ix->i", images, images)
    squares -= 2.0 * (inside_A @ images.T)
    # Within the home cell (the first block of images) each pair stands twice, and each atom with itself.
    squares[:, :count][_lower_triangle(count)] = np.inf
    hits = np.flatnonzero(squares.ravel() < cutoff_A**2)
    first, image = np.divmod(hits, len(images))
    return first, image % count, images[image] - inside_A[first]


@lru_cache(maxsize=64)
def _half_shifts(lattice_bytes: bytes, cutoff_A: float) -> FloatArray:
    # The home cell, and one of each pair of opposite cells within reach of the cutoff.
    lattice = np.frombuffer(lattice_bytes).reshape(3, 3)
    heights = 1.0 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    reach = [range(-count, count + 1) for count in np.ceil(cutoff_A / heights).astype(int)]
    zero = (0, 0, 0)
    cells = [zero, *(cell for cell in itertools.product(*reach) if cell > zero)]
    shifts: FloatArray = np.array(cells, dtype=np.float64) @ lattice
    return shifts


@lru_cache(maxsize=64)
def _lower_triangle(count: int) -> NDArray[np.bool_]:
    return np.tri(count, dtype=bool)


@lru_cache(maxsize=1)
def _parameters_bytes() -> bytes:
    return files("vitrion_workflows.potentials").joinpath(PARAMETERS_FILE).read_bytes()


def load_lennard_jones(_argument: str, _device: str) -> LennardJonesForceField:
    """Return the model potential."""
    return LennardJonesForceField()


def probe_lennard_jones(_argument: str) -> Availability:
    """Return that it is available, as always."""
    return Availability(ok=True, reason="a model for tests and teaching, no real material")


ENTRIES = (
    PotentialEntry(
        name="lennard-jones",
        version="1",
        weights_sha256=LENNARD_JONES_SHA256,
        licence="MIT",
        functional="none: a model for tests and teaching, no real material",
        elements=frozenset(chemical_symbols[1:95]),
        speed="fast: about 5 microseconds an atom and step on one core",
        citation="J. E. Jones, Proc. R. Soc. A 106, 463 (1924)",
        how_to_install="part of Vitrion",
        loader=load_lennard_jones,
        probe=probe_lennard_jones,
        optional=False,
        gpu=False,
        real_materials=False,
    ),
)
