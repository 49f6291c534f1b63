"""What every trained surrogate can do, whatever its architecture."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from vitrion_models.surrogates.observation import Material
from vitrion_models.surrogates.prediction import Prediction
from vitrion_models.system import FloatArray
from vitrion_models.training.metrics import RegressionMetrics

# Called with the fraction done (0 to 1) and what is being done.
Progress: TypeAlias = Callable[[float, str], None]


class TrainedSurrogate(Protocol):
    """Material and temperature -> log10 D with its uncertainty."""

    @property
    def architecture(self) -> str:
        """Name in the registry."""

    @property
    def species(self) -> str:
        """Symbol of the mobile species."""

    @property
    def source(self) -> str:
        """What made the labels it was trained on, see `Observation.source`; empty where they did not say."""

    @property
    def training_keys(self) -> tuple[str, ...]:
        """Keys of the labels it was trained on, sorted."""

    @property
    def test_keys(self) -> tuple[str, ...]:
        """Keys of the frozen test, sorted."""

    @property
    def metrics(self) -> Mapping[str, RegressionMetrics]:
        """Metrics on the frozen test, of the surrogate and of its baselines; empty without a test."""

    @property
    def artefact_sha256(self) -> str:
        """Identity of the model: sha256 of `dumps`."""

    def predict(self, systems: Sequence[Material], temperatures_K: float | Sequence[float] | FloatArray) -> Prediction:
        """Diffusivity of each material at its temperature, or at one temperature for all."""

    def predict_members(
        self,
        systems: Sequence[Material],
        temperatures_K: float | Sequence[float] | FloatArray,
        *,
        samples: int,
        seed: int,
    ) -> FloatArray:
        """Draws of log10 D from the model's ignorance, shape (samples, n), for Thompson sampling."""

    def dumps(self) -> bytes:
        """The artefact."""

    def save(self, folder: Path) -> Path:
        """Write the artefact and its manifest into a folder; returns the path of the artefact."""
