"""Amorphous diffusion: coordinates of a glass denoised from uniform noise in a given cell, composition known."""

from vitrion_models.generators.amorphous_diffusion.guidance import CoreGuidance, Guidance, HardCores
from vitrion_models.generators.amorphous_diffusion.model import AmorphousDiffusion, loads, train
from vitrion_models.generators.amorphous_diffusion.sampler import sample_cells
from vitrion_models.generators.amorphous_diffusion.schedule import NoiseSchedule

__all__ = [
    "AmorphousDiffusion",
    "CoreGuidance",
    "Guidance",
    "HardCores",
    "NoiseSchedule",
    "loads",
    "sample_cells",
    "train",
]
