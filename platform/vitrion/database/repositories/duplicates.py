"""Near-duplicates: cells that nearly coincide, by comparisons that do not enter the identity."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vitrion.database.repositories.cells import CellArrays
from vitrion_models.graphs.neighbours import pairs_within
from vitrion_models.system import FloatArray
from vitrion_workflows.schemas.isotopes import element_of

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

CUTOFF_A = 8.0
BIN_A = 0.05
SMEARING_A = 0.1

# Measured on 64 atoms: copies with every atom moved by 0.05 A (deviation) lie at 0.004-0.006, independent packings of
# one composition at 0.019-0.041.
AMORPHOUS_DISTANCE = 0.01


@dataclass(frozen=True)
class NearDuplicate:
    """A structure that nearly coincides with another.

    Attributes:
        fingerprint: of the structure.
        distance: for crystals the root mean square displacement of pymatgen's StructureMatcher, in units of the cube
            root of the volume of an atom; for other cells the cosine distance of their pair distributions (0 to 1).
    """

    fingerprint: str
    distance: float


def crystal_distance(one: "Structure", other: "Structure") -> float | None:
    """Return the root mean square displacement after the best mapping of two crystals; None without one.

    Primitive cells are compared, volumes scaled: supercells, origins and small strains count as the same.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher  # noqa: PLC0415 - a second, for this alone

    matched = StructureMatcher().get_rms_dist(one, other)
    return None if matched is None else float(matched[0])


def pair_distance(one: CellArrays, other: CellArrays) -> float:
    """Return the cosine distance (0 to 1) of the pair distributions of two cells of the same elements.

    D = (1 - F1.F2 / |F1||F2|) / 2 with F_AB(R) = g_AB(R) - 1 smeared by a Gaussian and each pair of elements weighted
    by its number of pairs (Oganov and Valle, J. Chem. Phys. 130, 104504 (2009)). It depends on neither order, image,
    origin nor orientation.
    """
    first, second = pair_fingerprint(one), pair_fingerprint(other)
    if first.keys() != second.keys():
        return 1.0
    overlap = _weighted(first, second, one)
    norm = np.sqrt(_weighted(first, first, one) * _weighted(second, second, one))
    return float((1.0 - overlap / norm) / 2.0)


def pair_fingerprint(cell: CellArrays) -> dict[tuple[str, str], FloatArray]:
    """Return g_AB(R) - 1 of each pair of elements on a grid up to `CUTOFF_A`, smeared by `SMEARING_A`.

    Sites count as their first element, isotopes as their element; partially occupied crystals are compared as crystals.
    """
    pairs = pairs_within(cell.fractional @ cell.lattice_A, cell.lattice_A, CUTOFF_A + 3.0 * SMEARING_A)
    centres, neighbours = pairs.edge_index
    symbols = np.array([element_of(site[0][0]) for site in cell.species])
    names = sorted(set(symbols.tolist()))
    grid = np.arange(BIN_A / 2.0, CUTOFF_A, BIN_A)
    distributions = {}
    for place, first in enumerate(names):
        for second in names[place:]:
            chosen = pairs.distances_A[(symbols[centres] == first) & (symbols[neighbours] == second)]
            count = float((symbols == first).sum() * (symbols == second).sum())
            distributions[first, second] = (
                _smeared(chosen, grid) * cell.volume_A3 / (4.0 * np.pi * grid**2 * count) - 1.0
            )
    return distributions


def _smeared(distances: FloatArray, grid: FloatArray) -> FloatArray:
    edges = np.arange(0.0, CUTOFF_A + 3.0 * SMEARING_A + BIN_A, BIN_A)
    counts, _ = np.histogram(distances, bins=edges)
    offsets = np.arange(-3.0 * SMEARING_A, 3.0 * SMEARING_A + BIN_A / 2, BIN_A)
    kernel = np.exp(-0.5 * (offsets / SMEARING_A) ** 2)
    kernel /= kernel.sum() * BIN_A
    smeared: FloatArray = np.convolve(counts, kernel, mode="same")[: len(grid)]
    return smeared


def _weighted(
    first: dict[tuple[str, str], FloatArray],
    second: dict[tuple[str, str], FloatArray],
    cell: CellArrays,
) -> float:
    amounts = dict(cell.element_amounts)
    return float(sum(amounts[pair[0]] * amounts[pair[1]] * (first[pair] @ second[pair]) for pair in first))
