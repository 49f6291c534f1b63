"""Steady motion that is not diffusion: of the cell as a whole, and of one sublattice through the others."""

from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols
from scipy import stats

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.trajectories.displacements import centre_of_mass

# Speed of a body in units of sqrt(k_B T / M) that thermal motion exceeds once in a thousand (Maxwell).
LARGEST_CELL_SPEED = float(stats.chi.isf(1e-3, 3))
BLOCKS = 30
# One run in a thousand may be suspected wrongly.
FALSE_ALARM = 1e-3
AXES = 3


@dataclass(frozen=True)
class SublatticeDrift:
    """Motion of the centre of mass of one species against that of the cell.

    Attributes:
        number: atomic number.
        ratio: squared mean of its block displacements over their scatter, F distributed without drift.
        speed_A_per_frame: mean displacement of the sublattice in one frame.
    """

    number: int
    ratio: float
    speed_A_per_frame: float


def measure_cell_drift(drift_A: float, *, mass_u: float, temperature_K: float, flight_ps: float) -> Measurement:
    """Compare the path of the cell's centre of mass with that of a body of its mass in thermal motion.

    Args:
        drift_A: path of the centre of mass, which is subtracted and does not change D.
        mass_u: of the cell.
        temperature_K: of the run.
        flight_ps: time for which it flies at its thermal speed, see `Coupling.flight_ps`.
    """
    speed = float(np.sqrt(BOLTZMANN_u_A2_PER_PS2_K * temperature_K / mass_u))
    return measurement_of(
        "cell_drift",
        drift_A,
        upper=LARGEST_CELL_SPEED * speed * flight_ps,
        unit="A",
        message=f"centre of mass moved {drift_A:.2g} A; removed",
    )


def measure_sublattice_drift(
    displacements_A: FloatArray, numbers: IntArray, *, masses_u: FloatArray
) -> Measurement | None:
    """Test whether a sublattice moves steadily against the others.

    The path of each species' centre of mass is cut into thirty blocks. Without a driving force their displacements are
    random: thirty times the squared mean over the variance within is F distributed (3 and 87 degrees of freedom).

    Args:
        displacements_A: of all atoms from the first frame, drift of the cell removed, shape (F, N, 3), F > 3.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).

    Returns:
        The measurement on the species that stands out most; None where there is one only, whose drift is the cell's.
    """
    species = np.unique(numbers)
    if len(species) == 1:
        return None
    blocks = min(BLOCKS, len(displacements_A) - 1)
    # The cell is at rest: one of the sublattices moves as the others make it.
    limit = float(stats.f.isf(FALSE_ALARM / (len(species) - 1), AXES, AXES * (blocks - 1)))
    drifts = [
        sublattice_drift(displacements_A[:, numbers == number], int(number), masses_u=masses_u[numbers == number])
        for number in species
    ]
    worst = max(drifts, key=lambda drift: drift.ratio)
    return measurement_of(
        "sublattice_drift",
        worst.ratio,
        upper=limit,
        message=f"{chemical_symbols[worst.number]} as a whole moves at {worst.speed_A_per_frame:.2g} A a frame"
        + (": its sublattice drifts" if worst.ratio > limit else ""),
    )


def sublattice_drift(displacements_A: FloatArray, number: int, *, masses_u: FloatArray) -> SublatticeDrift:
    """Return the drift of one species.

    Args:
        displacements_A: of its atoms, shape (F, n, 3).
        number: its atomic number.
        masses_u: shape (n,).
    """
    increments = len(displacements_A) - 1
    blocks = min(BLOCKS, increments)
    edges = np.linspace(0, increments, blocks + 1).round().astype(int)
    moved = np.diff(centre_of_mass(displacements_A, masses_u)[edges], axis=0)
    mean = moved.mean(axis=0)
    scatter = float(moved.var(axis=0, ddof=1).mean())
    ratio = blocks * float(mean @ mean) / (AXES * scatter) if scatter > 0 else 0.0
    return SublatticeDrift(number, ratio, float(np.linalg.norm(mean)) * blocks / increments)
