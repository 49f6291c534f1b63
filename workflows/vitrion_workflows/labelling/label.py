"""From a trajectory to a label: equilibration, drift, estimate, gates, verdict."""

import numpy as np

from vitrion_workflows.labelling.analysis import TrajectoryAnalysis, analyse_trajectory
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.schemas.label import LabelOutcome, LabelProtocol, LabelState
from vitrion_workflows.schemas.method import MethodRecord
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.motion import summarize_motion
from vitrion_workflows.validation.gates import planned_interval_gate
from vitrion_workflows.validation.temperature import Coupling


def label_trajectory(
    trajectory: Trajectory,
    *,
    species: str,
    temperature_K: float,
    protocol: LabelProtocol,
    method: MethodRecord,
    structure_fingerprint: str,
    trajectory_sha256: str | None = None,
    wall_seconds: float = 0.0,
    device: str = "cpu",
) -> LabelOutcome:
    """Label of a trajectory that was run by a protocol.

    Stricter than `analyse_trajectory`: every gate must have been judged, the temperature recorded, and the frame
    interval the planned one.

    Args:
        trajectory: unwrapped, with its frame interval, temperatures and potential energies.
        species: chemical symbol of the mobile ions.
        temperature_K: set temperature.
        protocol: numbers of the run.
        method: engine, potential and code.
        structure_fingerprint: identity of the cell that the run started from.
        trajectory_sha256: of the stored trajectory.
        wall_seconds: time the run took.
        device: what it ran on.

    Raises:
        InputError: as `analyse_trajectory`.
    """
    coupling = Coupling.under(protocol.thermostat, rate_per_ps=protocol.friction_per_ps)
    found = analyse_trajectory(trajectory, species=species, temperature_K=temperature_K, coupling=coupling)
    extra = _further_gates(trajectory, found, protocol=protocol)
    state = found.judged if all(gate.passed for gate in extra) else LabelState.REJECTED
    estimate = found.estimate
    # The stored value of a censored label is a bound: an interval around the estimate would not belong to it. That of
    # a rejected one is the estimate, resolved or not, as are its intervals.
    known = state is not LabelState.CENSORED
    value = (estimate.value_cm2_per_s or None) if known else found.value_cm2_per_s
    return LabelOutcome(
        structure_fingerprint=structure_fingerprint,
        species=species,
        temperature_K=temperature_K,
        state=state,
        value=value,
        interval_68=estimate.interval_68 if known else None,
        interval_95=estimate.interval_95 if known else None,
        log10_stderr=_finite(estimate.log10_stderr) if known else None,
        n_eff=estimate.n_eff if known else None,
        exponent=_finite(estimate.exponent) if known else None,
        exponent_stderr=_finite(estimate.exponent_stderr) if known else None,
        fit_window_ps=estimate.fit_window_ps,
        equilibration_ps=found.equilibration_ps,
        production_ps=found.production_ps,
        msd=estimate.msd,
        motion=summarize_motion(
            trajectory,
            species=species,
            discarded_frames=round(found.equilibration_ps / trajectory.frame_interval_ps),
            estimate=estimate,
            framework=found.framework,
        ),
        drift_A=found.drift_A,
        haven_ratio=found.haven.ratio if found.haven else None,
        framework_state=found.framework.state,
        mean_temperature_K=found.mean_temperature_K,
        gates=(*extra, *found.gates),
        protocol=protocol,
        method=method,
        trajectory_sha256=trajectory_sha256,
        wall_seconds=wall_seconds,
        device=device,
    )


def _further_gates(trajectory: Trajectory, found: TrajectoryAnalysis, *, protocol: LabelProtocol) -> list[GateOutcome]:
    """What a label needs beyond an analysis: what was planned, and nothing left unjudged."""
    extra = [
        planned_interval_gate(trajectory.frame_interval_ps, planned_ps=protocol.frame_interval_fs / 1000),
        *(
            GateOutcome(name=name, passed=False, message=f"not judged: {reason}")
            for name, _, reason in (entry.partition(": ") for entry in found.not_checked)
        ),
    ]
    carried, planned = (f"{one.thermostat} {one.friction_per_ps or 0.0:g}/ps" for one in (trajectory, protocol))
    if trajectory.thermostat and carried != planned:
        message = f"run under {carried}, planned {planned}"
        extra.append(GateOutcome(name="planned_thermostat", passed=False, message=message))
    if trajectory.temperatures_K is None:
        extra.append(GateOutcome(name="recorded_temperature", passed=False, message="no temperature was recorded"))
    return extra


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
