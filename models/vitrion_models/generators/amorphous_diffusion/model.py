"""A trained amorphous diffusion model: weights, hard cores, metrics; sampled for cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vitrion_models.errors import InputError
from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig
from vitrion_models.generators.amorphous_diffusion.denoiser import Denoiser
from vitrion_models.generators.amorphous_diffusion.graph import noisy_batch
from vitrion_models.generators.amorphous_diffusion.guidance import CoreGuidance, Guidance, HardCores
from vitrion_models.generators.amorphous_diffusion.losses import band_losses
from vitrion_models.generators.amorphous_diffusion.sampler import sample_cells
from vitrion_models.generators.amorphous_diffusion.schedule import NoiseSchedule
from vitrion_models.generators.contract import TrainingMetrics
from vitrion_models.generators.request import GenerationRequest
from vitrion_models.system import AtomicSystem, FloatArray


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
        artefact_sha256: identity: sha256 of the artefact it was stored as or read from.
    """

    denoiser: Denoiser
    cores: HardCores
    config: AmorphousDiffusionConfig
    metrics: TrainingMetrics
    training_hash: str
    parent_sha256: str | None = None
    artefact_sha256: str = ""

    @property
    def architecture(self) -> str:
        """Name in the registry."""
        return self.config.architecture

    def sample(self, request: GenerationRequest, *, guidance: Sequence[Guidance] = ()) -> list[AtomicSystem]:
        """Draw cells of a given composition and lattice.

        Args:
            request: composition (N,) and cell (3, 3) in Angstrom must be given; conditions are not supported.
            guidance: further moves of the clean estimate, applied before the hard cores.

        Returns:
            Cells with positions wrapped into the lattice.

        Raises:
            InputError: no composition or cell, a condition, unknown elements, or a degenerate or too small lattice.
        """
        if request.composition is None or request.cell_A is None:
            raise InputError("amorphous_diffusion needs composition and cell: give both in the request")
        if request.conditions:
            raise InputError(f"amorphous_diffusion takes no conditions: leave out {', '.join(request.conditions)}")
        numbers, lattice_A = np.asarray(request.composition), request.cell_A
        AtomicSystem(numbers, np.zeros((len(numbers), 3)), lattice_A)  # refuses unknown elements and flat lattices
        schedule = NoiseSchedule.for_lattice(
            lattice_A, sigma_min_A=self.config.sigma_min_A, end_residual=self.config.end_residual
        )
        return sample_cells(
            self._scores,
            numbers=numbers,
            lattice_A=lattice_A,
            schedule=schedule,
            steps=self.config.sampling_steps,
            churn=self.config.churn,
            guidance=[*guidance, CoreGuidance(self.cores, self.config.core_strength)],
            count=request.count,
            seed=request.seed,
        )

    def denoising_losses(self, systems: Sequence[AtomicSystem], *, seed: int) -> FloatArray:
        """Return the mean over bands of loss / target power of each cell, shape (n,).

        A denoiser that always returns zero has 1. The noise depends on the seed and the cell alone, so differences
        between two generators are paired.
        """
        losses = [band_losses(self.denoiser, system, config=self.config, seed=seed) for system in systems]
        return np.array([np.mean([band.loss / band.target_power for band in bands]) for bands in losses])

    def _scores(self, cells: Sequence[AtomicSystem], sigma_A: float) -> list[FloatArray]:
        # One by one: the last bit of single precision depends on the rest of a batch, and the steps of the sampler
        # amplify it to an Angstrom. Eight cells of 54 atoms take 1.7 times as long as together.
        return [self._score(cell, sigma_A) for cell in cells]

    def _score(self, cell: AtomicSystem, sigma_A: float) -> FloatArray:
        batch = noisy_batch([cell], [sigma_A], cutoff_A=self.config.cutoff_A, max_neighbours=self.config.max_neighbours)
        with torch.no_grad():
            score: FloatArray = self.denoiser(batch).double().numpy()
        return score
