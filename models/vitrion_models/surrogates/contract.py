"""Contract of a trained surrogate, whatever its architecture."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from vitrion_models.materials import Material
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.diffusivity import DiffusivityPrediction
from vitrion_models.system import FloatArray
from vitrion_models.training.metrics import RegressionMetrics

# Called with the completed fraction (0 to 1) and the present step.
Progress: TypeAlias = Callable[[float, str], None]


class TrainedSurrogate(Protocol):
    """Material and temperature -> log10 D with its uncertainty."""

    @property
    def config(self) -> SurrogateConfig:
        """Architecture and hyper-parameters."""

    @property
    def architecture(self) -> str:
        """Name in the registry."""

    @property
    def artefact_sha256(self) -> str:
        """Identity: sha256 of the artefact it was stored as or read from."""

    @property
    def species(self) -> str:
        """Symbol of the mobile species."""

    @property
    def source(self) -> str:
        """Source of the training labels, see `Sample.source`; empty where it was not stated."""

    @property
    def training_keys(self) -> tuple[str, ...]:
        """Keys of the training labels, sorted."""

    @property
    def test_keys(self) -> tuple[str, ...]:
        """Keys of the frozen test, sorted."""

    @property
    def metrics(self) -> Mapping[str, RegressionMetrics]:
        """Metrics on the frozen test, of the surrogate and of its baselines; empty without a test."""

    def predict(
        self, materials: Sequence[Material], temperatures_K: float | Sequence[float] | FloatArray
    ) -> DiffusivityPrediction:
        """Predict the diffusivity of each of n materials at its temperature, shape (n,), or at one for all."""

    def predict_members(
        self,
        materials: Sequence[Material],
        temperatures_K: float | Sequence[float] | FloatArray,
        *,
        samples: int,
        seed: int,
    ) -> FloatArray:
        """Draw log10 D from the epistemic distribution, shape (samples, n), for Thompson sampling."""
