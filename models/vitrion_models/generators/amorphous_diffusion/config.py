"""Hyper-parameters of the amorphous diffusion model."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AmorphousDiffusionConfig(BaseModel):
    """Hyper-parameters of the amorphous diffusion model; their JSON enters the training hash.

    Attributes:
        architecture: name in the registry of generators.
        channels: width of scalar and vector features of an atom.
        blocks: message-passing blocks.
        radial_functions: Bessel functions of a distance.
        cutoff_A: longest edge of the graph.
        max_neighbours: largest number of edges into one atom; with more within the cutoff, the cutoff of that atom
            shrinks smoothly to the distance of the first excluded neighbour.
        sigma_min_A: smallest noise, well below the spread of a bond length in a glass.
        end_residual: amplitude of the slowest density wave at the largest noise; sets sigma_max for each cell.
        training_steps: optimiser steps of one call of `train`.
        atoms_per_step: atoms in one optimiser step, split over cells and noise levels.
        learning_rate: peak of the one-cycle schedule.
        ema_decay: decay of the averaged weights that sampling uses.
        gradient_clip: largest norm of a step's gradient.
        validation_fraction: fraction of the compositions to hold out, at least one of four or more.
        sampling_steps: noise levels of the sampler, one evaluation of the network each.
        churn: relative increase of the noise by the stochastic sampler before each step down (0 is the deterministic
            flow).
        core_strength: fraction of an overlap of two hard cores that the guidance removes at each level (0 is off).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Literal["amorphous_diffusion"] = "amorphous_diffusion"
    channels: int = Field(default=40, ge=4, le=512)
    blocks: int = Field(default=2, ge=1, le=12)
    radial_functions: int = Field(default=12, ge=2, le=64)
    cutoff_A: float = Field(default=5.0, gt=1.0, le=12.0)
    max_neighbours: int = Field(default=20, ge=4, le=200)
    sigma_min_A: float = Field(default=0.05, gt=0, lt=1.0)
    end_residual: float = Field(default=0.01, gt=0, lt=0.5)
    training_steps: int = Field(default=800, ge=1)
    atoms_per_step: int = Field(default=224, ge=1)
    learning_rate: float = Field(default=8e-3, gt=0, lt=1)
    ema_decay: float = Field(default=0.99, ge=0, lt=1)
    gradient_clip: float = Field(default=1.0, gt=0)
    validation_fraction: float = Field(default=0.15, ge=0, lt=1)
    sampling_steps: int = Field(default=160, ge=2)
    churn: float = Field(default=0.6, ge=0, le=2)
    core_strength: float = Field(default=1.0, ge=0, le=1)
