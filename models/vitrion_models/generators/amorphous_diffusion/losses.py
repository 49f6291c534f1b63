"""Denoising score matching: noised cells, their targets and the loss."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig
from vitrion_models.generators.amorphous_diffusion.denoiser import Denoiser
from vitrion_models.generators.amorphous_diffusion.graph import noisy_batch
from vitrion_models.generators.amorphous_diffusion.schedule import NoiseSchedule
from vitrion_models.generators.amorphous_diffusion.wrapped_normal import scaled_score
from vitrion_models.generators.contract import LossBand
from vitrion_models.system import AtomicSystem, FloatArray

BANDS = 5
DRAWS_PER_BAND = 2


@dataclass(frozen=True, eq=False)
class NoisyCell:
    """A noised training cell with its target.

    Attributes:
        cell: the noised cell.
        sigma_A: standard deviation of the noise for each Cartesian component.
        target: scaled score of the noise, dimensionless, shape (N, 3).
    """

    cell: AtomicSystem
    sigma_A: float
    target: FloatArray


def add_noise(
    cell: AtomicSystem, quantile: float, config: AmorphousDiffusionConfig, rng: np.random.Generator
) -> NoisyCell:
    """Noise a cell at a quantile (0 to 1) of its noise schedule.

    No random rotation: the denoiser is exactly equivariant, so a rotated cell would give the same gradient.
    """
    schedule = NoiseSchedule.for_lattice(
        cell.lattice_A, sigma_min_A=config.sigma_min_A, end_residual=config.end_residual
    )
    sigma_A = float(schedule.at(quantile))
    displacements = sigma_A * rng.standard_normal(cell.positions_A.shape)
    return NoisyCell(
        cell=replace(cell, positions_A=cell.positions_A + displacements),
        sigma_A=sigma_A,
        target=scaled_score(displacements, sigma_A=sigma_A, lattice_A=cell.lattice_A),
    )


def denoising_loss(denoiser: Denoiser, draws: Sequence[NoisyCell], config: AmorphousDiffusionConfig) -> torch.Tensor:
    """Return the mean squared error of the scaled score over atoms and components, a scalar."""
    batch = noisy_batch(
        [draw.cell for draw in draws],
        [draw.sigma_A for draw in draws],
        cutoff_A=config.cutoff_A,
        max_neighbours=config.max_neighbours,
    )
    target = torch.as_tensor(np.concatenate([draw.target for draw in draws]), dtype=torch.float32)
    loss: torch.Tensor = (denoiser(batch) - target).square().mean()
    return loss


def band_losses(
    denoiser: Denoiser, cell: AtomicSystem, *, config: AmorphousDiffusionConfig, seed: int
) -> tuple[LossBand, ...]:
    """Return the denoising loss of one cell in each of five equal slices of its noise schedule.

    The noise depends on the seed and the cell alone, so two denoisers compared at one seed get the same draws.
    """
    rng = np.random.default_rng(seed)
    bands = []
    for band in range(BANDS):
        quantiles = [(band + (draw + 0.5) / DRAWS_PER_BAND) / BANDS for draw in range(DRAWS_PER_BAND)]
        draws = [add_noise(cell, quantile, config, rng) for quantile in quantiles]
        with torch.no_grad():
            loss = float(denoising_loss(denoiser, draws, config))
        target_power = float(np.mean([np.mean(draw.target**2) for draw in draws]))
        sigma_A = float(np.mean([draw.sigma_A for draw in draws]))
        bands.append(LossBand(sigma_A=sigma_A, loss=loss, target_power=target_power))
    return tuple(bands)


def mean_band_losses(
    denoiser: Denoiser, cells: Sequence[AtomicSystem], *, config: AmorphousDiffusionConfig, seed: int
) -> tuple[LossBand, ...]:
    """Return the mean over cells of `band_losses`; empty without cells."""
    by_cell = [band_losses(denoiser, cell, config=config, seed=seed) for cell in cells]
    return tuple(
        LossBand(
            sigma_A=float(np.mean([band.sigma_A for band in bands])),
            loss=float(np.mean([band.loss for band in bands])),
            target_power=float(np.mean([band.target_power for band in bands])),
        )
        for bands in zip(*by_cell, strict=True)
    )
