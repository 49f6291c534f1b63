"""Summary of the ions' motion that every label carries."""

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.schemas.motion import Motion
from vitrion_workflows.transport.collective import collective_diffusivity
from vitrion_workflows.transport.estimate import DiffusivityEstimate
from vitrion_workflows.transport.framework import Framework
from vitrion_workflows.transport.haven import haven_of
from vitrion_workflows.transport.tensor import diffusivity_tensor
from vitrion_workflows.transport.van_hove import non_gaussian
from vitrion_workflows.transport.velocity import green_kubo, velocity_correlation


def motion_of(
    displacements_A: FloatArray,
    estimate: DiffusivityEstimate,
    *,
    framework: Framework,
    velocities_A_per_ps: FloatArray | None = None,
) -> Motion:
    """Tensor, collective motion, velocity integral and non-Gaussian parameter of the mobile ions.

    Args:
        displacements_A: drift-corrected displacements of the ions, shape (F, N, 3).
        estimate: their tracer diffusivity.
        framework: state of the other species.
        velocities_A_per_ps: of the same ions and frames, drift removed, where they are stored.
    """
    interval = estimate.frame_interval_ps
    tensor = diffusivity_tensor(displacements_A, estimate)
    collective = collective_diffusivity(displacements_A, np.ones(displacements_A.shape[1]), interval)
    haven = haven_of(estimate.value_cm2_per_s, estimate.stderr_cm2_per_s, collective)
    correlation = velocity_correlation(displacements_A, interval, velocities_A_per_ps=velocities_A_per_ps)
    integral = green_kubo(displacements_A, correlation)
    alpha2, lag = non_gaussian(displacements_A, interval).peak
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
