"""Label of a trajectory that was run by a protocol."""

from collections.abc import Iterator, Mapping

import numpy as np

from vitrion_workflows.labelling.analysis import analyse_trajectory
from vitrion_workflows.schemas.gate import Measurement
from vitrion_workflows.schemas.label import LabelOutcome, LabelProtocol, LabelState
from vitrion_workflows.schemas.method import MethodRecord
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.motion import summarize_motion
from vitrion_workflows.validation.continuity import measure_planned_interval
from vitrion_workflows.validation.temperature import Coupling

# Begins the message of a measurement that the trajectory does not allow.
NOT_CHECKED = "not checked"


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
    """Make the label of a trajectory that was run by a protocol.

    Stricter than `analyse_trajectory`: every measurement must be possible, the temperature recorded, and frame
    interval and thermostat the planned ones.

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
    analysis = analyse_trajectory(trajectory, species=species, temperature_K=temperature_K, coupling=coupling)
    checks = analysis.checks
    extra = [*_protocol_measurements(trajectory, protocol), *_not_checked(checks.not_checked)]
    state = analysis.checked_state if all(measurement.passed for measurement in extra) else LabelState.REJECTED
    estimate = analysis.estimate
    # The stored value of a censored label is a bound: an interval around the estimate would not belong to it. That of
    # a rejected one is the estimate, resolved or not, as are its intervals.
    censored = state is LabelState.CENSORED
    return LabelOutcome(
        structure_fingerprint=structure_fingerprint,
        species=species,
        temperature_K=temperature_K,
        state=state,
        value=analysis.value_cm2_per_s if censored else estimate.value_cm2_per_s or None,
        interval_68=None if censored else estimate.interval_68,
        interval_95=None if censored else estimate.interval_95,
        log10_stderr=None if censored else _finite(estimate.log10_stderr),
        n_eff=None if censored else estimate.n_eff,
        exponent=None if censored else _finite(estimate.exponent),
        exponent_stderr=None if censored else _finite(estimate.exponent_stderr),
        fit_window_ps=estimate.fit_window_ps,
        equilibration_ps=analysis.equilibration_ps,
        production_ps=analysis.production_ps,
        msd=estimate.msd,
        motion=summarize_motion(
            trajectory,
            species=species,
            discarded_frames=round(analysis.equilibration_ps / trajectory.frame_interval_ps),
            estimate=estimate,
            framework=analysis.framework,
        ),
        drift_A=checks.drift_A,
        haven_ratio=analysis.haven.ratio if analysis.haven else None,
        framework_state=analysis.framework.state,
        mean_temperature_K=checks.mean_temperature_K,
        gates=analysis.gates_with((*extra, *checks.measurements)),
        protocol=protocol,
        method=method,
        trajectory_sha256=trajectory_sha256,
        wall_seconds=wall_seconds,
        device=device,
    )


def _protocol_measurements(trajectory: Trajectory, protocol: LabelProtocol) -> Iterator[Measurement]:
    """Yield measurements of the run against its protocol."""
    yield measure_planned_interval(trajectory.frame_interval_ps, planned_ps=protocol.frame_interval_fs / 1000)
    actual, planned = (f"{one.thermostat} {one.friction_per_ps or 0.0:g}/ps" for one in (trajectory, protocol))
    if trajectory.thermostat and actual != planned:
        message = f"run under {actual}, planned {planned}"
        yield Measurement(name="planned_thermostat", passed=False, message=message)
    if trajectory.temperatures_K is None:
        yield Measurement(name="recorded_temperature", passed=False, message="no temperature was recorded")


def _not_checked(reasons: Mapping[str, str]) -> Iterator[Measurement]:
    """Yield a failed measurement for each that could not be made."""
    for name, reason in reasons.items():
        yield Measurement(name=name, passed=False, message=f"{NOT_CHECKED}: {reason}")


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
