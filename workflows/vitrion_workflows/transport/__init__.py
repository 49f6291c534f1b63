"""Transport beyond the tracer diffusivity: tensor, collective motion, Haven ratio, conductivity, velocities."""

from vitrion_workflows.transport.collective import (
    CollectiveDiffusivity,
    Haven,
    collective_diffusivity,
    haven_ratio,
    in_host_frame,
)
from vitrion_workflows.transport.conductivity import (
    ChargeCarriers,
    Conductivity,
    charges_of,
    collective_conductivity,
    nernst_einstein,
)
from vitrion_workflows.transport.tensor import DiffusivityTensor, diffusivity_tensor
from vitrion_workflows.transport.van_hove import NonGaussian, VanHove, non_gaussian, van_hove
from vitrion_workflows.transport.velocity import GreenKubo, VelocityCorrelation, green_kubo, velocity_correlation

__all__ = [
    "ChargeCarriers",
    "CollectiveDiffusivity",
    "Conductivity",
    "DiffusivityTensor",
    "GreenKubo",
    "Haven",
    "NonGaussian",
    "VanHove",
    "VelocityCorrelation",
    "charges_of",
    "collective_conductivity",
    "collective_diffusivity",
    "diffusivity_tensor",
    "green_kubo",
    "haven_ratio",
    "in_host_frame",
    "nernst_einstein",
    "non_gaussian",
    "van_hove",
    "velocity_correlation",
]
