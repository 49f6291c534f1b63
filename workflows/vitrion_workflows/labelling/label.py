"""Label of a trajectory that was run by a protocol, with a summary of the motion of its ions."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from ase.data import atomic_numbers

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate
from vitrion_workflows.force_check.check import CheckedForces
from vitrion_workflows.labelling.analysis import analyse_trajectory
from vitrion_workflows.schemas.gate import Measurement, failed_gates
from vitrion_workflows.schemas.label import LabelOutcome, LabelProtocol, LabelState, Motion
from vitrion_workflows.schemas.method import MethodRecord
from vitrion_workflows.structure.homonuclear import summarize_bonds
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.collective import collective_diffusivity, haven_from_estimates, in_host_frame
from vitrion_workflows.transport.framework import Framework
from vitrion_workflows.transport.tensor import diffusivity_tensor
from vitrion_workflows.transport.van_hove import non_gaussian
from vitrion_workflows.transport.velocity import green_kubo, relative_velocities, velocity_correlation
from vitrion_workflows.validation.continuity import measure_planned_interval
from vitrion_workflows.validation.temperature import Coupling

FRAMES_OF_BONDS = 20
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
    cell_masses_u: FloatArray | None = None,
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
        cell_masses_u: masses of that cell, shape (N,); None for the standard weights.
        trajectory_sha256: of the stored trajectory.
        wall_seconds: time the run took.
        device: what it ran on.

    Raises:
        InputError: as `analyse_trajectory`.
    """
    coupling = Coupling.under(protocol.thermostat, rate_per_ps=protocol.friction_per_ps)
    analysis = analyse_trajectory(
        trajectory, species=species, temperature_K=temperature_K, coupling=coupling, cell_masses_u=cell_masses_u
    )
    checks = analysis.checks
    extra = [*_protocol_measurements(trajectory, protocol), *_not_checked(checks.not_checked)]
    state = analysis.checked_state if all(measurement.passed for measurement in extra) else LabelState.REJECTED
    estimate = analysis.estimate
    # The stored value of a censored label is a bound: an interval around the estimate would not belong to it. That of
    # a rejected one is the estimate, resolved or not, as are its intervals.
    censored = state is LabelState.CENSORED
    discarded_frames = round(analysis.equilibration_ps / trajectory.frame_interval_ps)
    bonds = summarize_bonds(trajectory.spread_frames(FRAMES_OF_BONDS, first=discarded_frames))
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
            discarded_frames=discarded_frames,
            estimate=estimate,
            framework=analysis.framework,
        ),
        drift_A=checks.drift_A,
        haven_ratio=analysis.haven.ratio if analysis.haven else None,
        framework_state=analysis.framework.state,
        mean_temperature_K=checks.mean_temperature_K,
        homonuclear_bonds=bonds,
        unexpected_bonds=sum(record.unexpected for record in bonds),
        gates=analysis.gates_with((*extra, *checks.measurements)),
        protocol=protocol,
        method=method,
        trajectory_sha256=trajectory_sha256,
        wall_seconds=wall_seconds,
        device=device,
    )


def with_checked_forces(outcome: LabelOutcome, checked: CheckedForces) -> LabelOutcome:
    """Return the label with the result of its force check, rejected where that failed.

    Args:
        outcome: label of the run.
        checked: forces on its frames against those of a reference potential.
    """
    changes: dict[str, Any] = {"force_check": checked.record, "gates": (*outcome.gates, *checked.gates)}
    if failed_gates(checked.gates):
        # The value of a censored label is a bound, which a rejected label does not state.
        value = None if outcome.state is LabelState.CENSORED else outcome.value
        changes |= {"state": LabelState.REJECTED, "value": value}
    return outcome.model_copy(update=changes)


def summarize_motion(
    trajectory: Trajectory, *, species: str, discarded_frames: int, estimate: DiffusivityEstimate, framework: Framework
) -> Motion:
    """Summarise tensor, collective motion, velocity integral and non-Gaussian parameter of the mobile ions.

    Args:
        trajectory: unwrapped, with its frame interval.
        species: chemical symbol of the mobile ions.
        discarded_frames: frames of equilibration at the start, left out.
        estimate: tracer diffusivity of the remaining frames.
        framework: state of the other species.
    """
    mobile = trajectory.numbers == atomic_numbers[species]
    all_atoms = remove_drift(trajectory.positions_A[discarded_frames:], trajectory.masses_u)
    displacements = all_atoms[:, mobile]
    velocities = relative_velocities(trajectory, discarded_frames=discarded_frames)
    interval = estimate.frame_interval_ps
    tensor = diffusivity_tensor(displacements, estimate)
    collective = collective_diffusivity(
        in_host_frame(all_atoms, trajectory.masses_u, mobile), np.ones(displacements.shape[1]), interval
    )
    haven = haven_from_estimates(collective, estimate, ions=displacements.shape[1])
    correlation = velocity_correlation(
        displacements, interval, velocities_A_per_ps=None if velocities is None else velocities[:, mobile]
    )
    integral = green_kubo(displacements, correlation)
    alpha2, lag = non_gaussian(displacements, interval).peak
    first, second, third = tensor.principal_cm2_per_s.tolist()
    return Motion(
        principal=(first, second, third),
        isotropic_p=tensor.isotropic_p,
        collective=collective.value_cm2_per_s,
        collective_stderr=collective.stderr_cm2_per_s,
        haven_interval_95=haven.interval_95 if haven else None,
        green_kubo=integral.value_cm2_per_s if integral else None,
        green_kubo_stderr=integral.stderr_cm2_per_s if integral else None,
        alpha2=alpha2,
        alpha2_ps=lag,
        turned=framework.orientation.turned if framework.orientation else None,
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
