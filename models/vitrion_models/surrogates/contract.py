"""Contract of a trained surrogate, whatever its architecture."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, Self, TypeAlias

from vitrion_models.materials import Material
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.diffusivity import DiffusivityPrediction
from vitrion_models.system import FloatArray
from vitrion_models.training.metrics import RegressionMetrics

# Called with the completed fraction (0 to 1) and the present step.
Progress: TypeAlias = Callable[[float, str], None]


class TrainedSurrogate(Protocol):
    """Material and temperature -> log10 D with its uncertainty.

    Attributes:
        config: architecture and hyper-parameters.
        artefact_sha256: identity: sha256 of the artefact it was stored as or read from.
        species: symbol of the mobile species.
        source: source of the training labels, see `Sample.source`; empty where it was not stated.
        training_keys: keys of the training labels, sorted.
        test_keys: keys of the frozen test, sorted.
        metrics: on the frozen test, of the surrogate and of its baselines; empty without a test.
    """

    config: SurrogateConfig
    artefact_sha256: str
    species: str
    source: str
    training_keys: tuple[str, ...]
    test_keys: tuple[str, ...]
    metrics: Mapping[str, RegressionMetrics]

    @property
    def architecture(self) -> str:
        """Name in the registry."""

    def of_source(self, source: str) -> Self:
        """Return the surrogate that predicts labels of a source: itself where it learned from one source."""

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
