"""State of the immobile sublattice while the ions move, and the turning of the bonded groups (PS4, BH4 ...) in it."""

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray

from vitrion_models.graphs.neighbours import BOND_REACH, bonded_pairs
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.schemas.gate import GateOutcome, Measurement, gate_of
from vitrion_workflows.schemas.label import FrameworkState

BoolArray: TypeAlias = NDArray[np.bool_]

# Lindemann: solids melt when the amplitude is about a tenth of the spacing. A difference of two positions doubles the
# square of that, and a hot glass vibrates more than a crystal; no vibration reaches half the spacing.
MOLTEN_RATIO = 0.5
# Bounded motion (vibrating, turning anions) saturates; a flowing sublattice doubles its MSD from T/4 to T/2.
GROWING_RATIO = 1.25
# Groups turn where a tenth of them has, within half the run.
ROTATING_SHARE = 0.1
# A bond that is longer than this at the end of the run is broken.
BROKEN_REACH = 1.6
# A larger group is a piece of a network that happens to end inside the cell.
MOST_ATOMS = 20
# A tetrahedron turned by one of its symmetries overlaps with itself by 0 or -1/3, an octahedron by 1/3; one that only
# librates by 20 degrees by 0.96.
TURNED_OVERLAP = 0.5
LAGS = 24
SAME_PLACE_A = 0.1


@dataclass(frozen=True, eq=False)
class Orientation:
    """Orientational correlation of bonded groups.

    Attributes:
        groups: number of bonded groups that persisted through the run.
        lags: in frames, up to half the run, shape (L,).
        correlation: overlap of a group with itself that much later, mean over groups and origins, shape (L,): tr R / 3
            for a rotation R of a tetrahedron or octahedron, exp(-2 D_r t) under rotational diffusion.
        turned: share of groups and origins whose overlap at the last lag is below one half.
    """

    groups: int
    lags: IntArray
    correlation: FloatArray
    turned: float


@dataclass(frozen=True)
class Framework:
    """State of the sublattice of all other species.

    Attributes:
        state: vibrating, rotating, molten or absent.
        ratio: root mean squared displacement of the least mobile framework species over half the run, divided by the
            mean atomic spacing; None where there is no framework.
        growth: its MSD at half the run over that at a quarter; None where there is no framework.
        species: atomic number of that species.
        orientation: of the bonded groups in it; None where there are none that last.
    """

    state: FrameworkState
    ratio: float | None = None
    growth: float | None = None
    species: int | None = None
    orientation: Orientation | None = None


def framework(displacements_A: FloatArray, start: AtomicSystem, *, mobile: int) -> Framework:
    """Return the state of the framework by its least mobile species and the turning of the groups in it.

    The least mobile one, because anion groups that turn in place (PS4, BH4) carry their outer atoms far while the
    framework stands. A framework that stands is rotating where a tenth of its bonded groups overlaps with itself by
    less than half after half the run.

    Args:
        displacements_A: drift-corrected displacements of all atoms from the first frame, shape (F, N, 3).
        start: the first frame.
        mobile: atomic number of the mobile species.
    """
    others = sorted(set(start.numbers.tolist()) - {mobile})
    if not others:
        return Framework(FrameworkState.ABSENT)
    half = max(2, (len(displacements_A) - 1) // 2)
    spacing = (start.volume_A3 / len(start)) ** (1 / 3)
    msds = {
        number: mean_squared_displacements(displacements_A[:, start.numbers == number], largest_lag=half).mean(axis=1)
        for number in others
    }
    species = min(msds, key=lambda number: float(msds[number][half]))
    end, quarter = float(msds[species][half]), float(msds[species][half // 2])
    ratio = float(np.sqrt(end)) / spacing
    growth = end / quarter if quarter > 0 else 1.0
    rotation = orientation(displacements_A, bonded_groups(start, start.numbers != mobile), numbers=start.numbers)
    state = FrameworkState.VIBRATING
    if ratio > MOLTEN_RATIO and growth > GROWING_RATIO:
        state = FrameworkState.MOLTEN
    elif rotation is not None and rotation.turned >= ROTATING_SHARE:
        state = FrameworkState.ROTATING
    return Framework(state, ratio, growth, species, rotation)


def framework_gate(framework: Framework) -> GateOutcome:
    """Report the state of the framework; both a glass and a melt are labelled, so it always passes."""
    value, message = 0.0, "no framework: every atom is mobile"
    if framework.ratio is not None:
        value = framework.ratio
        message = f"framework {framework.state.value}: moved {value:.2f} spacings, growth {framework.growth:.2f}"
    return gate_of("framework", [Measurement(name="framework_displacement", passed=True, value=value, message=message)])


def bonded_groups(system: AtomicSystem, members: BoolArray) -> list[tuple[IntArray, FloatArray]]:
    """Find finite groups of two or more bonded atoms (`bonded_pairs`); networks are left out.

    Args:
        system: the cell.
        members: mask of the atoms considered, shape (N,).

    Returns:
        For each group the indices of its atoms, shape (n,), and their positions in Angstrom, not broken across the
        cell, shape (n, 3).
    """
    atoms = np.flatnonzero(members)
    if not len(atoms):
        return []
    pairs = bonded_pairs(system.numbers[atoms], system.positions_A[atoms], system.lattice_A)
    bonds: list[list[tuple[int, FloatArray]]] = [[] for _ in atoms]
    for (atom, other), vector in zip(pairs.edge_index.T.tolist(), pairs.vectors_A, strict=True):
        bonds[atom].append((other, vector))
    visited: set[int] = set()
    groups = []
    for start in range(len(atoms)):
        if start in visited:
            continue
        body, finite = _connected(start, bonds)
        visited |= set(body)
        if finite and 1 < len(body) <= MOST_ATOMS:
            places = system.positions_A[atoms[start]] + np.array(list(body.values()))
            groups.append((atoms[list(body)], places))
    return groups


def orientation(
    displacements_A: FloatArray, groups: list[tuple[IntArray, FloatArray]], *, numbers: IntArray
) -> Orientation | None:
    """Compute the autocorrelation of the orientation of bonded groups.

    A group is the 3n numbers of its atoms' positions from their centroid, scaled to unit length; its overlap with
    itself later is their scalar product.

    Args:
        displacements_A: of all atoms from the frame in which the groups were found, shape (F, N, 3).
        groups: from `bonded_groups`.
        numbers: atomic numbers, shape (N,).

    Returns:
        The correlation, or None where no group persists through the run.
    """
    half = max(1, (len(displacements_A) - 1) // 2)
    lags = np.unique(np.round(np.geomspace(1, half, LAGS)).astype(np.int64))
    curves, turned = [], []
    for atoms, places in groups:
        bodies = places + displacements_A[:, atoms]
        if _broken(bodies, places, covalent_radii[numbers[atoms]]):
            continue
        arms = (bodies - bodies.mean(axis=1, keepdims=True)).reshape(len(bodies), -1)
        arms /= np.linalg.norm(arms, axis=1, keepdims=True)
        overlaps = [np.einsum("fa,fa->f", arms[lag:], arms[:-lag]) for lag in lags.tolist()]
        curves.append([float(overlap.mean()) for overlap in overlaps])
        turned.append(float((overlaps[-1] < TURNED_OVERLAP).mean()))
    if not curves:
        return None
    return Orientation(
        groups=len(curves),
        lags=lags,
        correlation=np.mean(curves, axis=0),
        turned=float(np.mean(turned)),
    )


def _connected(start: int, bonds: list[list[tuple[int, FloatArray]]]) -> tuple[dict[int, FloatArray], bool]:
    """Return the atoms of a group with positions relative to one; False where the group meets its own image."""
    finite = True
    places: dict[int, FloatArray] = {start: np.zeros(3)}
    queue = deque([start])
    while queue:
        atom = queue.popleft()
        for other, vector in bonds[atom]:
            place = places[atom] + vector
            if other not in places:
                places[other] = place
                queue.append(other)
            elif np.abs(places[other] - place).max() > SAME_PLACE_A:
                finite = False
    return places, finite


def _broken(bodies: FloatArray, start: FloatArray, radii: FloatArray) -> bool:
    """Return True if a bond of the first frame is broken in the last."""
    reach = radii[:, None] + radii[None, :]

    def distances(body: FloatArray) -> FloatArray:
        lengths: FloatArray = np.linalg.norm(body[:, None] - body[None, :], axis=-1)
        return lengths

    bonds = distances(start) < BOND_REACH * reach
    return bool((distances(bodies[-1])[bonds] > BROKEN_REACH * reach[bonds]).any())
