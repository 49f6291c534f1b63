"""Contract of a generator, whatever its architecture."""

from collections.abc import Callable, Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.generators.request import GenerationRequest
from vitrion_models.system import AtomicSystem, FloatArray


class TrainingProgress(BaseModel):
    """Progress of a training run: step of steps, smoothed training loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    steps: int
    loss: float


ProgressCallback = Callable[[TrainingProgress], None]


class LossBand(BaseModel):
    """Denoising loss in one band of noise.

    Attributes:
        sigma_A: mean noise of the band.
        loss: mean squared error of the scaled score.
        target_power: mean square of the target: the loss of a denoiser that always returns zero.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma_A: float
    loss: float
    target_power: float


class TrainingMetrics(BaseModel):
    """Denoising losses of a generator and what it was trained on.

    Attributes:
        training: bands over the training cells.
        validation: bands over the cells of the held-out compositions; empty where there were too few to hold any out.
        training_cells: number of training cells.
        training_groups: reduced compositions of the training cells.
        validation_groups: reduced compositions held out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    training: tuple[LossBand, ...]
    validation: tuple[LossBand, ...]
    training_cells: int
    training_groups: tuple[str, ...]
    validation_groups: tuple[str, ...]


class TrainedGenerator(Protocol):
    """A generator that can be sampled, stored and trained further."""

    config: GeneratorConfig
    metrics: TrainingMetrics
    training_hash: str
    artefact_sha256: str

    @property
    def architecture(self) -> str:
        """Name in the registry."""

    def sample(self, request: GenerationRequest) -> list[AtomicSystem]:
        """Draw the requested cells."""

    def denoising_losses(self, systems: Sequence[AtomicSystem], *, seed: int) -> FloatArray:
        """Return the relative denoising loss of each cell, shape (n,): paired between generators at one seed."""
