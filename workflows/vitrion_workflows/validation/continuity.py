"""Measurements on the continuity of frames: jumps across the cell, missing and repeated frames, free flight."""

from collections.abc import Mapping

import numpy as np
from ase.data import chemical_symbols
from scipy import spatial, stats

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.trajectories.displacements import WRAPPED_STEP
from vitrion_workflows.validation.interruptions import COPY_RATIO, Interruption

PROJECTIONS = 6
# One run in a thousand may be suspected wrongly. Instants within an interval at which an atom may be fastest, and by
# how much the run's own temperature may exceed its mean.
FALSE_ALARM, INSTANTS, TEMPERATURE_TOLERANCE = 1e-3, 10, 0.1


def repeated_frames(
    displacements_A: FloatArray, numbers: IntArray, *, squared_A2: Mapping[int, float]
) -> tuple[int, ...]:
    """Return the frames that lie on an earlier one.

    Candidates are neighbours in a few random directions; each is then compared in all coordinates, every species
    scaled by its own step.

    Args:
        displacements_A: shape (F, N, 3).
        numbers: atomic numbers, shape (N,).
        squared_A2: atomic number -> usual squared step, see `FrameSteps`.
    """
    scaled = np.empty((len(displacements_A), displacements_A.shape[1] * 3))
    columns = scaled.reshape(displacements_A.shape)
    for number, square in squared_A2.items():
        atoms = numbers == number
        columns[:, atoms] = displacements_A[:, atoms] / (np.sqrt(square) if square > 0 else 1.0)
    reach = np.sqrt(COPY_RATIO * displacements_A.shape[1])
    directions = np.random.default_rng(0).normal(size=(scaled.shape[1], PROJECTIONS)) / np.sqrt(scaled.shape[1])
    # The length of a projection on random directions seldom exceeds twice its mean.
    radius = 2 * reach * np.sqrt(PROJECTIONS / scaled.shape[1])
    pairs = spatial.cKDTree(scaled @ directions).query_pairs(radius, output_type="ndarray")
    near = ((scaled[pairs[:, 0]] - scaled[pairs[:, 1]]) ** 2).sum(axis=1) < reach**2
    return tuple(sorted({int(later) for later in pairs[near].max(axis=1)})) if near.any() else ()


def measure_wrapped_step(largest_step: float) -> Measurement:
    """Compare the longest step, in cell vectors, with that of wrapped positions, in which an atom jumps by a cell."""
    return measurement_of(
        "wrapped_step",
        largest_step,
        upper=WRAPPED_STEP,
        message=f"longest step {largest_step:.2g} of a cell vector"
        + (": positions are wrapped" if largest_step > WRAPPED_STEP else ""),
    )


def measure_missing_frame(interruption: Interruption) -> Measurement:
    """Compare the log odds of an interruption with the run's own limit."""
    return measurement_of(
        "missing_frame",
        interruption.log_odds - interruption.limit,
        upper=0.0,
        message=f"step to frame {interruption.frame}: log odds {interruption.log_odds:.0f} of an interruption, limit "
        f"{interruption.limit:.0f}"
        + (": frames are missing before it, or it goes back" if interruption.log_odds > interruption.limit else ""),
    )


def measure_repeated_frame(repeated: tuple[int, ...]) -> Measurement:
    """Count the frames that are copies of an earlier one."""
    return measurement_of(
        "repeated_frame",
        float(len(repeated)),
        upper=0.0,
        message=f"{len(repeated)} frames repeat an earlier one" + (f", first {repeated[0]}" if repeated else ""),
    )


def measure_longest_step(
    displacements_A: FloatArray,
    numbers: IntArray,
    *,
    masses_u: FloatArray,
    frame_interval_ps: float,
    temperature_K: float,
) -> Measurement:
    """Compare the longest step of any atom with the thermal velocities of all of them.

    Means over atoms hide one ion whose image was lost: it jumps by a cell vector, once.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3), F >= 2.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        frame_interval_ps: as stated.
        temperature_K: of the run.
    """
    steps = np.diff(displacements_A, axis=0)
    longest = np.sqrt(np.einsum("fni,fni->fn", steps, steps).max(axis=0))
    speeds = np.sqrt(BOLTZMANN_u_A2_PER_PS2_K * temperature_K / masses_u)
    ratios = longest / (speeds * frame_interval_ps)
    atom = int(ratios.argmax())
    limit = longest_thermal_step(len(numbers), steps=len(steps))
    name = chemical_symbols[numbers[atom]]
    return measurement_of(
        "longest_step",
        float(ratios[atom]),
        upper=limit,
        message=f"longest step {longest[atom]:.2g} A, of {name}, {ratios[atom]:.1f} thermal speeds"
        + (f": atom {atom} jumps, its path is not continuous" if ratios[atom] > limit else ""),
    )


def longest_thermal_step(atoms: int, *, steps: int) -> float:
    """Return the longest step in units of sqrt(k_B T / m) dt that one run in a thousand exceeds.

    A step is the mean velocity of one interval, each component of which is no wider spread than the velocity's own:
    speeds follow Maxwell's distribution (chi, three degrees of freedom). The number of draws is that of atoms and
    steps times ten, because the frames show one phase of each interval only.

    Args:
        atoms: of the cell.
        steps: between frames.
    """
    draws = INSTANTS * atoms * steps
    return float(stats.chi.isf(FALSE_ALARM / draws, 3) * np.sqrt(1 + TEMPERATURE_TOLERANCE))


def measure_planned_interval(frame_interval_ps: float, *, planned_ps: float) -> Measurement:
    """Compare the frame interval of the trajectory with that of the protocol."""
    passed = bool(np.isclose(frame_interval_ps, planned_ps, rtol=1e-6, atol=0.0))
    return Measurement(
        name="planned_interval",
        passed=passed,
        value=frame_interval_ps,
        lower=planned_ps,
        upper=planned_ps,
        unit="ps",
        message=f"frames {frame_interval_ps:g} ps apart, planned {planned_ps:g} ps",
    )
