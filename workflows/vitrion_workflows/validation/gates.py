"""Gates on a trajectory: measured numbers against limits, each with a message."""

from collections.abc import Sequence

import numpy as np
from ase.data import chemical_symbols
from scipy import stats

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_workflows.diffusivity.gates import SIGMAS
from vitrion_workflows.schemas.gate import GateOutcome, gate_of
from vitrion_workflows.trajectories.displacements import WRAPPED_STEP
from vitrion_workflows.validation.continuity import Continuity
from vitrion_workflows.validation.equilibration import Equilibration
from vitrion_workflows.validation.species_motion import SpeciesMotion
from vitrion_workflows.validation.sublattice_drift import SublatticeFlow

# Free flight is a strict bound in equilibrium; the temperature gate leaves a twentieth, the rest is slack.
BALLISTIC_LIMIT = 1.25


# Standard errors of short correlated series are themselves uncertain, known with some seven degrees of freedom.
DRIFT_LIMIT_SIGMAS = float(stats.t.isf(stats.norm.sf(SIGMAS), 7))


# On top, few atoms have a temperature of their own: it forgets itself about once a ps.
BALLISTIC_SIGMAS = 4.0


TEMPERATURE_MEMORY_PS = 1.0


# Speed of a body in units of sqrt(k_B T / M) that thermal motion exceeds once in a thousand (Maxwell).
FASTEST_CELL = float(stats.chi.isf(1e-3, 3))


def equilibrated_gate(found: Equilibration, *, frames: int) -> GateOutcome:
    """Whether energy and temperature stand still in what is left after equilibration."""
    return gate_of(
        "equilibrated",
        found.drift_sigmas if found.drift_sigmas is not None else float("nan"),
        upper=DRIFT_LIMIT_SIGMAS,
        message=f"{found.frames / frames:.0%} of the run discarded for {found.series}; "
        f"the rest drifts by {found.drift_sigmas or 0.0:.1f} standard errors",
    )


def ballistic_gate(motion: Sequence[SpeciesMotion], *, duration_ps: float) -> GateOutcome:
    """Whether no species moves further between frames than its thermal velocity carries it."""
    windows = max(1.0, duration_ps / TEMPERATURE_MEMORY_PS)

    def limit(one: SpeciesMotion) -> float:
        return BALLISTIC_LIMIT + BALLISTIC_SIGMAS * float(np.sqrt(2 / (3 * one.atoms * windows)))

    worst = max(motion, key=lambda one: one.ballistic_ratio / limit(one))
    ratio, upper = worst.ballistic_ratio, limit(worst)
    return gate_of(
        "ballistic_bound",
        ratio,
        upper=upper,
        message=f"squared step {ratio:.2g} of free flight"
        + (": interval stated too short, positions wrapped, or too hot" if ratio > upper else ""),
    )


def planned_interval_gate(frame_interval_ps: float, *, planned_ps: float) -> GateOutcome:
    """Whether the trajectory carries the frame interval of the protocol."""
    passed = bool(np.isclose(frame_interval_ps, planned_ps, rtol=1e-6, atol=0.0))
    return GateOutcome(
        name="planned_interval",
        passed=passed,
        value=frame_interval_ps,
        lower=planned_ps,
        upper=planned_ps,
        unit="ps",
        message=f"frames {frame_interval_ps:g} ps apart, planned {planned_ps:g} ps",
    )


def unwrapped_gate(largest_step: float) -> GateOutcome:
    """Whether positions are continuous: no atom jumps by nearly a cell."""
    return gate_of(
        "unwrapped",
        largest_step,
        upper=WRAPPED_STEP,
        message=f"longest step {largest_step:.2g} of a cell vector"
        + (": positions are wrapped" if largest_step > WRAPPED_STEP else ""),
    )


def missing_frame_gate(steps: Continuity) -> GateOutcome:
    """Whether every step fits those before and after it: log odds of an interruption over the run's own limit."""
    return gate_of(
        "missing_frame",
        steps.log_odds - steps.limit,
        upper=0.0,
        message=f"step to frame {steps.at}: log odds {steps.log_odds:.0f} of an interruption, limit {steps.limit:.0f}"
        + (": frames are missing before it, or it goes back" if steps.log_odds > steps.limit else ""),
    )


def repeated_frame_gate(steps: Continuity) -> GateOutcome:
    """Whether no frame is a copy of an earlier one."""
    count = len(steps.copies)
    return gate_of(
        "repeated_frame",
        float(count),
        upper=0.0,
        message=f"{count} frames repeat an earlier one" + (f", first {steps.copies[0]}" if count else ""),
    )


def drift_gate(drift_A: float, *, mass_u: float, temperature_K: float, flight_ps: float) -> GateOutcome:
    """Whether the cell as a whole moves no faster than a body of its mass would by heat, but once in a thousand.

    Args:
        drift_A: path of the centre of mass; it is taken out, and changes nothing.
        mass_u: of the cell.
        temperature_K: of the run.
        flight_ps: time for which it flies at its thermal speed, see `Coupling.flight_ps`.
    """
    speed = float(np.sqrt(BOLTZMANN_u_A2_PER_PS2_K * temperature_K / mass_u))
    return gate_of(
        "drift",
        drift_A,
        upper=FASTEST_CELL * speed * flight_ps,
        unit="A",
        message=f"centre of mass moved {drift_A:.2g} A; removed",
    )


def flow_gate(flow: SublatticeFlow) -> GateOutcome:
    """Whether every sublattice stays with the others, but for what diffusion does."""
    return gate_of(
        "sublattice_flow",
        flow.ratio,
        upper=flow.limit,
        message=f"{chemical_symbols[flow.number]} as a whole moves at {flow.speed_A_per_frame:.2g} A a frame"
        + (": its sublattice drifts" if flow.ratio > flow.limit else ""),
    )
