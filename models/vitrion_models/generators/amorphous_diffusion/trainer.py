"""Training of the denoiser by score matching, repeatable from its seed."""

import copy
import hashlib
import json
import math
from collections.abc import Sequence

import numpy as np
import torch

from vitrion_models.errors import InputError
from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig
from vitrion_models.generators.amorphous_diffusion.denoiser import Denoiser
from vitrion_models.generators.amorphous_diffusion.guidance import HardCores
from vitrion_models.generators.amorphous_diffusion.losses import NoisyCell, add_noise, denoising_loss, mean_band_losses
from vitrion_models.generators.amorphous_diffusion.model import AmorphousDiffusion
from vitrion_models.generators.contract import ProgressCallback, TrainingMetrics, TrainingProgress
from vitrion_models.generators.grouping import cell_sha256, composition_group, held_out_groups
from vitrion_models.system import AtomicSystem

METRIC_SEED = 20_260
PROGRESS_EVERY = 10


def train(
    systems: Sequence[AtomicSystem],
    *,
    config: AmorphousDiffusionConfig,
    seed: int,
    parent: AmorphousDiffusion | None = None,
    on_progress: ProgressCallback | None = None,
) -> AmorphousDiffusion:
    """Train a generator, afresh or from the weights of a parent.

    Whole compositions are held out for validation if there are at least four of them. Repeats exactly with equal
    cells, configuration, seed, parent and number of threads.

    Args:
        systems: amorphous cells.
        config: hyper-parameters.
        seed: of initial weights, noise and choice of cells.
        parent: generator to start from; its network must have the same shape.
        on_progress: called every few steps.

    Raises:
        InputError: no cells, a molecule or a slab, or a parent of another shape.
    """
    if not systems:
        raise InputError("a generator needs at least one training cell")
    if not all(all(system.pbc) for system in systems):
        raise InputError("amorphous_diffusion learns fully periodic cells: leave out molecules and slabs")
    groups = [composition_group(system.numbers) for system in systems]
    held_out = held_out_groups(
        groups,
        fraction=config.validation_fraction,
        inherited=parent.metrics.validation_groups if parent else (),
    )
    training = [system for system, group in zip(systems, groups, strict=True) if group not in held_out]
    validation = [system for system, group in zip(systems, groups, strict=True) if group in held_out]
    denoiser = fit(_initial(config, seed, parent), training, config=config, seed=seed, on_progress=on_progress)
    cores = HardCores.learn(training)
    return AmorphousDiffusion(
        denoiser=denoiser,
        cores=cores.merged(parent.cores) if parent else cores,
        config=config,
        metrics=TrainingMetrics(
            training=mean_band_losses(denoiser, training, config=config, seed=METRIC_SEED),
            validation=mean_band_losses(denoiser, validation, config=config, seed=METRIC_SEED),
            training_cells=len(training),
            training_groups=tuple(sorted(set(groups) - set(held_out))),
            validation_groups=held_out,
        ),
        training_hash=_training_hash(systems, config, seed, parent),
        parent_sha256=parent.artefact_sha256 if parent else None,
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

    Each step draws cells at random and as many noise levels, one from each of equal slices of the noise schedule.
    The loss is the mean squared error of the scaled score over atoms and components (Vincent, Neural Comput. 23,
    1661 (2011)).

    Args:
        denoiser: the network, with initial or inherited weights.
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
        loss = denoising_loss(denoiser, _draw(cells, config, rng), config)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(denoiser.parameters(), config.gradient_clip)
        optimiser.step()
        rates.step()
        _update_average(average, denoiser, decay=min(config.ema_decay, step / (step + 10)))
        smooth_loss = loss.item() if math.isnan(smooth_loss) else 0.9 * smooth_loss + 0.1 * loss.item()
        if on_progress and (step % PROGRESS_EVERY == 0 or step == config.training_steps):
            on_progress(TrainingProgress(step=step, steps=config.training_steps, loss=smooth_loss))
    return average


def _draw(cells: Sequence[AtomicSystem], config: AmorphousDiffusionConfig, rng: np.random.Generator) -> list[NoisyCell]:
    mean_atoms = sum(map(len, cells)) / len(cells)
    count = max(1, round(config.atoms_per_step / mean_atoms))
    quantiles = (np.arange(count) + rng.random(count)) / count
    chosen = rng.integers(len(cells), size=count)
    return [add_noise(cells[index], float(q), config, rng) for index, q in zip(chosen, quantiles, strict=True)]


def _update_average(average: Denoiser, denoiser: Denoiser, *, decay: float) -> None:
    with torch.no_grad():
        for averaged, current in zip(average.parameters(), denoiser.parameters(), strict=True):
            averaged.lerp_(current, 1.0 - decay)


def _initial(config: AmorphousDiffusionConfig, seed: int, parent: AmorphousDiffusion | None) -> Denoiser:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        denoiser = Denoiser(config)
    if parent is not None:
        try:
            denoiser.load_state_dict(parent.denoiser.state_dict())
        except RuntimeError as error:
            raise InputError("the parent generator has another shape: keep channels, blocks and bases") from error
    return denoiser


def _training_hash(
    systems: Sequence[AtomicSystem], config: AmorphousDiffusionConfig, seed: int, parent: AmorphousDiffusion | None
) -> str:
    content = {
        "cells": sorted(map(cell_sha256, systems)),
        "config": config.model_dump(mode="json"),
        "seed": seed,
        "parent": parent.artefact_sha256 if parent else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
