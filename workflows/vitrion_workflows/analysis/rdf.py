"""Radial distribution functions."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.analysis.bonds import members, neighbours

DEFAULT_BIN_A = 0.05
FIRST_PEAK_REACH = 1.5
FIRST_SHELL_REACH = 2.0
EMPTY = 1e-12
# A cutoff of 0.3 holds three shells of 0.1 although 0.3 / 0.1 < 3 in floating point.
EDGE_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class RadialDistribution:
    """Radial distribution g(r) on shells of equal width, averaged over cells.

    Attributes:
        r_A: middle of each shell, shape (B,).
        g: pairs in the shell over those of an ideal gas of the same density, shape (B,).
        coordination: mean number of neighbours up to the outer edge of each shell, shape (B,).
        bin_A: width of a shell.
    """

    r_A: FloatArray
    g: FloatArray
    coordination: FloatArray
    bin_A: float


def partial_rdf(
    cells: AtomicSystem | Iterable[AtomicSystem],
    *,
    centre: str,
    neighbour: str,
    cutoff_A: float,
    bin_A: float = DEFAULT_BIN_A,
) -> RadialDistribution:
    """Compute the radial distribution of one species around another.

    g_ab(r) = n_ab(r) / (N_a rho_b 4 pi r^2 dr), with rho_b = N_b / V and the exact volume of each shell. Distances
    beyond half the cell are counted over all images, so the cutoff is free; an atom's own images count as neighbours,
    as a crystal in its primitive cell requires.

    Args:
        cells: one cell or the frames of a run; the mean is over cells.
        centre: chemical symbol of a.
        neighbour: chemical symbol of b.
        cutoff_A: greatest distance.
        bin_A: width of the shells; only whole ones are counted.

    Raises:
        InputError: unknown or absent species, no cell, or a cutoff below one shell.
    """
    return _rdf(cells, centre=centre, neighbour=neighbour, cutoff_A=cutoff_A, bin_A=bin_A)


def total_rdf(
    cells: AtomicSystem | Iterable[AtomicSystem], *, cutoff_A: float, bin_A: float = DEFAULT_BIN_A
) -> RadialDistribution:
    """Compute the unweighted distribution of all atoms around all atoms, the sum of x_a x_b g_ab over species.

    Args:
        cells: one cell or the frames of a run.
        cutoff_A: greatest distance.
        bin_A: width of the shells.

    Raises:
        InputError: no cell, or a cutoff below one shell.
    """
    return _rdf(cells, centre=None, neighbour=None, cutoff_A=cutoff_A, bin_A=bin_A)


def first_minimum_A(rdf: RadialDistribution, *, smoothing_A: float = 0.2) -> float:
    """Return the distance in Angstrom of the first minimum after the first peak, the edge of the first shell.

    The peak is the highest value of the smoothed curve within the first 1.5 distances at which it exceeds one; the
    minimum is the lowest before it next exceeds half of that peak, or up to twice the peak's distance.

    Args:
        rdf: partial or total.
        smoothing_A: width of the running mean taken first.

    Raises:
        InputError: the curve never exceeds one, or ends before a minimum.
    """
    width = max(1, round(smoothing_A / rdf.bin_A))
    smooth = np.convolve(rdf.g, np.ones(width) / width, mode="same")
    above = np.flatnonzero(smooth > 1.0)
    if not len(above):
        raise InputError("this radial distribution has no first peak: its cutoff is too short or nothing is bonded")
    rise = rdf.r_A[above[0]]
    peak_region = np.flatnonzero((rdf.r_A >= rise) & (rdf.r_A <= FIRST_PEAK_REACH * rise))
    peak = int(peak_region[np.argmax(smooth[peak_region])])
    beyond = np.flatnonzero((rdf.r_A > rdf.r_A[peak]) & (rdf.r_A <= FIRST_SHELL_REACH * rdf.r_A[peak]))
    fallen = beyond[smooth[beyond] < smooth[peak] / 2]
    if not len(fallen):
        raise InputError("this radial distribution ends before its first minimum: give a longer cutoff")
    again = beyond[(beyond > fallen[0]) & (smooth[beyond] >= smooth[peak] / 2)]
    shell = np.arange(fallen[0], again[0] if len(again) else beyond[-1] + 1)
    lowest = shell[smooth[shell] <= smooth[shell].min() + EMPTY]
    # An empty gap between shells has many lowest points; its middle is the farthest from both.
    return float(rdf.r_A[lowest].mean())


def _rdf(
    cells: AtomicSystem | Iterable[AtomicSystem],
    *,
    centre: str | None,
    neighbour: str | None,
    cutoff_A: float,
    bin_A: float,
) -> RadialDistribution:
    if not 0 < bin_A <= cutoff_A:
        raise InputError(f"shells of {bin_A:g} A up to {cutoff_A:g} A: the cutoff must hold at least one shell")
    count = int(cutoff_A / bin_A + EDGE_TOLERANCE)
    edges = np.arange(count + 1) * bin_A
    volumes = 4 / 3 * np.pi * np.diff(edges**3)
    densities, numbers = [], []
    for cell in (cells,) if isinstance(cells, AtomicSystem) else cells:
        pairs = neighbours(cell, float(edges[-1]), centre=centre, neighbour=neighbour)
        per_centre = np.histogram(pairs.distances_A, bins=edges)[0] / members(cell, centre).sum()
        density = members(cell, neighbour).sum() / cell.volume_A3
        densities.append(per_centre / (density * volumes))
        numbers.append(np.cumsum(per_centre))
    if not densities:
        raise InputError("no cell was given: a radial distribution needs at least one")
    return RadialDistribution(
        r_A=(edges[1:] + edges[:-1]) / 2,
        g=np.mean(densities, axis=0),
        coordination=np.mean(numbers, axis=0),
        bin_A=bin_A,
    )
