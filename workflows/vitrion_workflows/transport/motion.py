"""Summary of the ions' motion in a label."""

import numpy as np
from ase.data import atomic_numbers

from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate
from vitrion_workflows.schemas.label import Motion
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.collective import collective_diffusivity, haven_from_estimates, in_host_frame
from vitrion_workflows.transport.framework import Framework
from vitrion_workflows.transport.tensor import diffusivity_tensor
from vitrion_workflows.transport.van_hove import non_gaussian
from vitrion_workflows.transport.velocity import green_kubo, relative_velocities, velocity_correlation


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
