"""What every generator offers, whatever is inside."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.system import AtomicSystem, FloatArray, IntArray

KIND: Literal["generator"] = "generator"
SCHEMA_VERSION = 1


class TrainingProgress(BaseModel):
    """Where a training run stands: step of steps, smoothed training loss."""

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
        target_power: mean square of the target: the loss of a denoiser that says nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma_A: float
    loss: float
    target_power: float


class TrainingMetrics(BaseModel):
    """How well a generator denoises.

    Attributes:
        training: bands over the training cells.
        validation: bands over the cells of the held-out compositions; empty where there were too few to hold any out.
        training_cells: number of cells trained on.
        training_groups: reduced compositions trained on.
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

    @property
    def artefact_sha256(self) -> str:
        """sha256 of `dumps`: the generator's identity."""

    def sample(
        self,
        numbers: IntArray | Sequence[int],
        lattice_A: FloatArray,
        *,
        count: int,
        seed: int,
    ) -> list[AtomicSystem]:
        """Draw cells of given composition and lattice."""

    def denoising_losses(self, systems: Sequence[AtomicSystem], *, seed: int) -> FloatArray:
        """Relative denoising loss of each cell, shape (n,): paired between generators at one seed."""

    def dumps(self) -> bytes:
        """Bytes of the artefact: equal generators give equal bytes."""

    def save(self, folder: Path) -> Path:
        """Write the artefact (safetensors) and its description (JSON) into a folder."""
