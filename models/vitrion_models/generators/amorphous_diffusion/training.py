"""Denoising score matching on the cells at hand, repeatable from its seed."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig
from vitrion_models.generators.amorphous_diffusion.denoiser import Denoiser
from vitrion_models.generators.amorphous_diffusion.graph import noisy_batch
from vitrion_models.generators.amorphous_diffusion.schedule import NoiseSchedule
from vitrion_models.generators.amorphous_diffusion.wrapped_normal import scaled_score
from vitrion_models.generators.contract import LossBand, ProgressCallback, TrainingProgress
from vitrion_models.system import AtomicSystem, FloatArray

PROGRESS_EVERY = 10
BANDS = 5
DRAWS_PER_BAND = 2


@dataclass(frozen=True, eq=False)
class NoisyCell:
    """A noised training cell and what the denoiser should say about it."""

    cell: AtomicSystem
    sigma_A: float
    target: FloatArray


def noised(cell: AtomicSystem, share: float, config: AmorphousDiffusionConfig, rng: np.random.Generator) -> NoisyCell:
    """Noise a cell at a share of its logarithmic noise range.

    No random rotation: the denoiser is exactly equivariant, so a turned cell would give the same gradient.
    """
    schedule = NoiseSchedule.for_lattice(
        cell.lattice_A, sigma_min_A=config.sigma_min_A, end_residual=config.end_residual
    )
    sigma_A = float(schedule.at(share))
    displacements = sigma_A * rng.standard_normal(cell.positions_A.shape)
    return NoisyCell(
        cell=replace(cell, positions_A=cell.positions_A + displacements),
        sigma_A=sigma_A,
        target=scaled_score(displacements, sigma_A=sigma_A, lattice_A=cell.lattice_A),
    )


def fit(
    denoiser: Denoiser,
    cells: Sequence[AtomicSystem],
    *,
    config: AmorphousDiffusionConfig,
    seed: int,
    on_progress: ProgressCallback | None,
) -> Denoiser:
    """Train in place and return the exponential average of the weights, which sampling uses.

    Each step draws cells at random and as many noise levels, one from each of equal slices of the logarithmic range.
    The loss is the mean squared error of the scaled score over atoms and components.

    Args:
        denoiser: the network, fresh or warm.
        cells: training cells.
        config: hyper-parameters.
        seed: of the choice of cells and of the noise.
        on_progress: called every few steps.
    """
    rng = np.random.default_rng(seed)
    average = copy.deepcopy(denoiser).requires_grad_(requires_grad=False)
    optimiser = torch.optim.AdamW(denoiser.parameters(), lr=config.learning_rate, weight_decay=1e-4)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=config.learning_rate, total_steps=config.training_steps + 1, pct_start=0.1
    )
    smooth_loss = math.nan
    for step in range(1, config.training_steps + 1):
        loss = _loss(denoiser, _draw(cells, config, rng), config)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(denoiser.parameters(), config.gradient_clip)
        optimiser.step()
        rates.step()
        _average(average, denoiser, decay=min(config.ema_decay, step / (step + 10)))
        smooth_loss = loss.item() if math.isnan(smooth_loss) else 0.9 * smooth_loss + 0.1 * loss.item()
        if on_progress and (step % PROGRESS_EVERY == 0 or step == config.training_steps):
            on_progress(TrainingProgress(step=step, steps=config.training_steps, loss=smooth_loss))
    return average


def band_losses(
    denoiser: Denoiser, cell: AtomicSystem, *, config: AmorphousDiffusionConfig, seed: int
) -> tuple[LossBand, ...]:
    """Denoising loss of one cell for each slice of the logarithmic noise range.

    The noise depends on the seed and the cell alone, so two denoisers compared at one seed see the same draws.
    """
    rng = np.random.default_rng(seed)
    bands = []
    for band in range(BANDS):
        shares = [(band + (draw + 0.5) / DRAWS_PER_BAND) / BANDS for draw in range(DRAWS_PER_BAND)]
        draws = [noised(cell, share, config, rng) for share in shares]
        with torch.no_grad():
            loss = float(_loss(denoiser, draws, config))
        target = float(np.mean([np.mean(draw.target**2) for draw in draws]))
        bands.append(LossBand(sigma_A=float(np.mean([d.sigma_A for d in draws])), loss=loss, target_power=target))
    return tuple(bands)


def _draw(cells: Sequence[AtomicSystem], config: AmorphousDiffusionConfig, rng: np.random.Generator) -> list[NoisyCell]:
    mean_atoms = sum(map(len, cells)) / len(cells)
    count = max(1, round(config.atoms_per_step / mean_atoms))
    shares = (np.arange(count) + rng.random(count)) / count
    chosen = rng.integers(len(cells), size=count)
    return [noised(cells[index], float(share), config, rng) for index, share in zip(chosen, shares, strict=True)]


def _loss(denoiser: Denoiser, draws: Sequence[NoisyCell], config: AmorphousDiffusionConfig) -> torch.Tensor:
    batch = noisy_batch(
        [draw.cell for draw in draws],
        [draw.sigma_A for draw in draws],
        cutoff_A=config.cutoff_A,
        max_neighbours=config.max_neighbours,
    )
    target = torch.as_tensor(np.concatenate([draw.target for draw in draws]), dtype=torch.float32)
    loss: torch.Tensor = (denoiser(batch) - target).square().mean()
    return loss


def _average(average: Denoiser, denoiser: Denoiser, *, decay: float) -> None:
    with torch.no_grad():
        for held, fresh in zip(average.parameters(), denoiser.parameters(), strict=True):
            held.lerp_(fresh, 1.0 - decay)
