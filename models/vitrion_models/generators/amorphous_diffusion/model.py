"""A trained amorphous diffusion model: weights, hard cores, metrics; sampled, stored, trained further."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig
from vitrion_models.generators.amorphous_diffusion.denoiser import Denoiser
from vitrion_models.generators.amorphous_diffusion.graph import noisy_batch
from vitrion_models.generators.amorphous_diffusion.guidance import CoreGuidance, Guidance, HardCores
from vitrion_models.generators.amorphous_diffusion.sampler import sample_cells
from vitrion_models.generators.amorphous_diffusion.schedule import NoiseSchedule
from vitrion_models.generators.amorphous_diffusion.training import band_losses, fit
from vitrion_models.generators.contract import KIND, SCHEMA_VERSION, LossBand, ProgressCallback, TrainingMetrics
from vitrion_models.generators.grouping import cell_sha256, composition_group, held_out_groups
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_models.training import checkpoint

METRIC_SEED = 20_260


class Description(BaseModel):
    """Everything beside the weights that a stored generator needs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["generator"] = KIND
    schema_version: int = SCHEMA_VERSION
    config: AmorphousDiffusionConfig
    metrics: TrainingMetrics
    training_hash: str
    parent_sha256: str | None
    cores: tuple[tuple[int, int, float], ...]
    unseen_share: float


@dataclass(frozen=True, eq=False)
class AmorphousDiffusion:
    """A generator of amorphous cells of given composition and lattice.

    Attributes:
        denoiser: network with the averaged weights.
        cores: least distances learned from the training cells.
        config: hyper-parameters.
        metrics: denoising losses by band.
        training_hash: sha256 over training cells, configuration, seed and parent.
        parent_sha256: artefact of the generator it was warm-started from.
    """

    denoiser: Denoiser
    cores: HardCores
    config: AmorphousDiffusionConfig
    metrics: TrainingMetrics
    training_hash: str
    parent_sha256: str | None = None

    @property
    def artefact_sha256(self) -> str:
        """sha256 of the artefact that `dumps` gives and `save` writes: the generator's identity."""
        return checkpoint.sha256_of(self.dumps())

    def sample(
        self,
        numbers: IntArray | Sequence[int],
        lattice_A: FloatArray,
        *,
        count: int,
        seed: int,
        guidance: Sequence[Guidance] = (),
    ) -> list[AtomicSystem]:
        """Draw cells of a given composition and lattice.

        Args:
            numbers: atomic numbers, shape (N,); their order is kept.
            lattice_A: lattice vectors as rows, in Angstrom, shape (3, 3).
            count: cells to draw.
            seed: cell k depends on (seed, k) alone.
            guidance: further moves of the clean estimate, applied before the hard cores.

        Returns:
            Cells with positions wrapped into the lattice.

        Raises:
            InputError: no atoms, unknown elements, a degenerate or too small lattice, or no cell asked for.
        """
        kinds, lattice = np.asarray(numbers, dtype=np.int64), np.asarray(lattice_A, dtype=np.float64)
        if count < 1:
            raise InputError(f"{count} cells were asked for: give at least 1")
        AtomicSystem(kinds, np.zeros((len(kinds), 3)), lattice)  # refuses what is no cell
        schedule = NoiseSchedule.for_lattice(
            lattice, sigma_min_A=self.config.sigma_min_A, end_residual=self.config.end_residual
        )
        return sample_cells(
            self._scores,
            numbers=kinds,
            lattice_A=lattice,
            schedule=schedule,
            steps=self.config.sampling_steps,
            churn=self.config.churn,
            guidance=[*guidance, CoreGuidance(self.cores, self.config.core_strength)],
            count=count,
            seed=seed,
        )

    def denoising_losses(self, systems: Sequence[AtomicSystem], *, seed: int) -> FloatArray:
        """Mean over bands of loss / target power of each cell, shape (n,); 1 is a denoiser that says nothing.

        The noise depends on the seed and the cell alone, so differences between two generators are paired.
        """
        losses = [band_losses(self.denoiser, system, config=self.config, seed=seed) for system in systems]
        return np.array([np.mean([band.loss / band.target_power for band in bands]) for bands in losses])

    def dumps(self) -> bytes:
        """Bytes of the artefact: equal generators give equal bytes."""
        arrays = {name: tensor.numpy() for name, tensor in self.denoiser.state_dict().items()}
        description = Description(
            config=self.config,
            metrics=self.metrics,
            training_hash=self.training_hash,
            parent_sha256=self.parent_sha256,
            cores=tuple(self.cores.as_rows()),
            unseen_share=self.cores.unseen_share,
        )
        return checkpoint.pack(arrays, description.model_dump(mode="json"))

    def save(self, folder: Path) -> Path:
        """Write ``model.safetensors`` and, for people, ``model.json`` into a folder; returns the first's path."""
        return checkpoint.write(folder, self.dumps())

    def _scores(self, cells: Sequence[AtomicSystem], sigma_A: float) -> list[FloatArray]:
        # One by one: the last bit of single precision depends on what else is in a batch, and the steps of the sampler
        # make an Angstrom of it. Eight cells of 54 atoms take 1.7 times as long as together.
        return [self._score(cell, sigma_A) for cell in cells]

    def _score(self, cell: AtomicSystem, sigma_A: float) -> FloatArray:
        batch = noisy_batch([cell], [sigma_A], cutoff_A=self.config.cutoff_A, max_neighbours=self.config.max_neighbours)
        with torch.no_grad():
            field: FloatArray = self.denoiser(batch).double().numpy()
        return field


def train(
    systems: Sequence[AtomicSystem],
    *,
    config: AmorphousDiffusionConfig,
    seed: int,
    parent: AmorphousDiffusion | None = None,
    on_progress: ProgressCallback | None = None,
) -> AmorphousDiffusion:
    """Train a generator, afresh or from a parent's weights.

    Whole compositions are held out for validation once there are four of them. Repeats exactly with equal cells,
    configuration, seed, parent and number of threads.

    Args:
        systems: amorphous cells.
        config: hyper-parameters.
        seed: of initial weights, noise and choice of cells.
        parent: generator to start from; its network must have the same shape.
        on_progress: called every few steps.

    Raises:
        InputError: no cells, or a parent of another shape.
    """
    if not systems:
        raise InputError("a generator needs at least one training cell")
    groups = [composition_group(system.numbers) for system in systems]
    held = held_out_groups(
        groups,
        fraction=config.validation_fraction,
        inherited=parent.metrics.validation_groups if parent else (),
    )
    fitting = [system for system, group in zip(systems, groups, strict=True) if group not in held]
    validation = [system for system, group in zip(systems, groups, strict=True) if group in held]
    denoiser = fit(_fresh(config, seed, parent), fitting, config=config, seed=seed, on_progress=on_progress)
    cores = HardCores.learn(fitting)
    return AmorphousDiffusion(
        denoiser=denoiser,
        cores=cores.merged(parent.cores) if parent else cores,
        config=config,
        metrics=TrainingMetrics(
            training=_mean_bands(denoiser, fitting, config),
            validation=_mean_bands(denoiser, validation, config),
            training_cells=len(fitting),
            training_groups=tuple(sorted(set(groups) - set(held))),
            validation_groups=held,
        ),
        training_hash=_training_hash(systems, config, seed, parent),
        parent_sha256=parent.artefact_sha256 if parent else None,
    )


def loads(content: bytes, *, source: str) -> AmorphousDiffusion:
    """Generator from the bytes of its artefact.

    Args:
        content: what `AmorphousDiffusion.dumps` gave.
        source: file or record they came from, for messages.

    Raises:
        CheckpointError: the weights or the description do not fit.
    """
    arrays, manifest = checkpoint.unpack(content, source=source)
    try:
        description = Description.model_validate(manifest)
        denoiser = Denoiser(description.config)
        denoiser.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    except (ValidationError, RuntimeError) as error:
        raise CheckpointError(f"{source}: the stored generator is damaged ({type(error).__name__})") from error
    return AmorphousDiffusion(
        denoiser=denoiser.requires_grad_(requires_grad=False),
        cores=HardCores.from_rows(description.cores, description.unseen_share),
        config=description.config,
        metrics=description.metrics,
        training_hash=description.training_hash,
        parent_sha256=description.parent_sha256,
    )


def _fresh(config: AmorphousDiffusionConfig, seed: int, parent: AmorphousDiffusion | None) -> Denoiser:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        denoiser = Denoiser(config)
    if parent is not None:
        try:
            denoiser.load_state_dict(parent.denoiser.state_dict())
        except RuntimeError as error:
            raise InputError("the parent generator has another shape: keep channels, blocks and bases") from error
    return denoiser


def _mean_bands(
    denoiser: Denoiser, cells: Sequence[AtomicSystem], config: AmorphousDiffusionConfig
) -> tuple[LossBand, ...]:
    by_cell = [band_losses(denoiser, cell, config=config, seed=METRIC_SEED) for cell in cells]
    return tuple(
        LossBand(
            sigma_A=float(np.mean([band.sigma_A for band in bands])),
            loss=float(np.mean([band.loss for band in bands])),
            target_power=float(np.mean([band.target_power for band in bands])),
        )
        for bands in zip(*by_cell, strict=True)
    )


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
