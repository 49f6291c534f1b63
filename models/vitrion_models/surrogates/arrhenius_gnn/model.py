"""The trained surrogate: head, ensemble of graph networks, interval, and what it was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.surrogates.arrhenius import EV_PER_SLOPE, inverse_temperature, positive, prefactor_log10
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig
from vitrion_models.surrogates.arrhenius_gnn.dataset import distinct, material_descriptors, own_errors
from vitrion_models.surrogates.arrhenius_gnn.head import SHARPNESS, ArrheniusHead, HeadPosterior
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.observation import Material, check_temperature, elements_of, species_number
from vitrion_models.surrogates.prediction import Prediction
from vitrion_models.system import FloatArray, IntArray
from vitrion_models.training import checkpoint
from vitrion_models.training.metrics import RegressionMetrics
from vitrion_models.uncertainty import ScoreQuantile

# Materials whose joint covariance is held at once; draws are correlated within such a chunk.
CHUNK = 512
JITTER = 1e-9
TEMPERATURE_SLACK_K = 1.0


@dataclass(frozen=True)
class Domain:
    """What the training labels span.

    Attributes:
        lowest_K: lowest temperature.
        highest_K: highest temperature.
        elements: atomic numbers seen.
        label_stderr: median standard error of the labels, decades.
    """

    lowest_K: float
    highest_K: float
    elements: tuple[int, ...]
    label_stderr: float

    def reason(self, material: Material, temperature_K: float) -> str:
        """Why a question lies outside, or an empty text."""
        from ase.data import chemical_symbols  # noqa: PLC0415 - keeps the import of the package light

        found = []
        unseen = sorted(elements_of(material) - set(self.elements))
        if unseen:
            found.append(f"elements never seen: {', '.join(chemical_symbols[number] for number in unseen)}")
        if not self.lowest_K - TEMPERATURE_SLACK_K <= temperature_K <= self.highest_K + TEMPERATURE_SLACK_K:
            found.append(f"trained from {self.lowest_K:g} to {self.highest_K:g} K")
        return "; ".join(found)


@dataclass(frozen=True, eq=False)
class ArrheniusSurrogate:
    """A surrogate of the architectures ``arrhenius_gnn`` and ``arrhenius_kernel``.

    Attributes:
        config: hyper-parameters.
        species: symbol of the mobile species.
        source: what made the training labels.
        reference_K: temperature at which the head's level is log10 D.
        head: the Gaussian-process head, fitted on all training labels.
        networks: crystal graph networks; none for ``arrhenius_kernel`` or where there were too few groups.
        network_groups: groups that each network was trained on.
        graph_share: factor on the networks' corrections, 0 to 1: what earned its place on held-out groups.
        scores: cross-validated residuals over predicted deviations, one a training label.
        score_groups: their groups.
        quantile: factor of the interval.
        domain: what the training labels span.
        own_errors: deviation of what the labels' potential is off by for each compound alone, decades, by compound.
        training_keys: sorted.
        test_keys: sorted.
        metrics: on the frozen test.
        seed: of the training.
        parent_sha256: artefact the networks started from, if any.
    """

    config: SurrogateConfig
    species: str
    source: str
    reference_K: float
    head: ArrheniusHead
    networks: tuple[Any, ...]
    network_groups: tuple[tuple[str, ...], ...]
    graph_share: float
    scores: FloatArray
    score_groups: tuple[str, ...]
    quantile: ScoreQuantile
    domain: Domain
    own_errors: Mapping[str, float]
    training_keys: tuple[str, ...]
    test_keys: tuple[str, ...]
    metrics: Mapping[str, RegressionMetrics]
    seed: int
    parent_sha256: str | None

    @property
    def architecture(self) -> str:
        """Name in the registry."""
        return self.config.architecture

    def predict(self, systems: Sequence[Material], temperatures_K: float | Sequence[float] | FloatArray) -> Prediction:
        """Diffusivity of each material at its temperature.

        Args:
            systems: n cells, crystalline or amorphous, or compositions.
            temperatures_K: one for each, shape (n,), or one for all.

        Raises:
            InputError: an impossible temperature, numbers that do not match, or a material without the mobile species.
        """
        temperatures, materials, index = _questions(systems, temperatures_K)
        x = inverse_temperature(temperatures, self.reference_K)
        level, raw = np.empty(len(materials)), np.empty(len(materials))
        mean, variance = np.empty(len(x)), np.empty(len(x))
        for begin in range(0, len(materials), CHUNK):
            posterior, corrections = self._answers(materials[begin : begin + CHUNK])
            rows = np.flatnonzero((index >= begin) & (index < begin + CHUNK))
            local = index[rows] - begin
            shifted = _shifted(posterior, corrections.mean(axis=0))
            mean[rows], variance[rows] = shifted.moments(local, x[rows])
            each = [_shifted(posterior, correction).moments(local, x[rows])[0] for correction in corrections]
            variance[rows] += np.var(each, axis=0)
            level[begin : begin + CHUNK], raw[begin : begin + CHUNK] = shifted.level, shifted.raw
        slope, _ = positive(raw, sharpness=SHARPNESS)
        reasons = tuple(map(self.domain.reason, systems, temperatures.tolist()))
        noise = np.full(len(x), np.hypot(self.head.noise, self.domain.label_stderr))
        half = self.quantile.factor * np.sqrt(variance + noise**2)
        return Prediction(
            temperatures_K=temperatures,
            mean=mean,
            std=np.sqrt(variance),
            noise_std=noise,
            lower_95=mean - half,
            upper_95=mean + half,
            log10_D0=prefactor_log10(level, slope, self.reference_K)[index],
            Ea_eV=(slope * EV_PER_SLOPE)[index],
            extrapolating=np.array([bool(reason) for reason in reasons], dtype=bool),
            reasons=reasons,
        )

    def predict_members(
        self,
        systems: Sequence[Material],
        temperatures_K: float | Sequence[float] | FloatArray,
        *,
        samples: int,
        seed: int,
    ) -> FloatArray:
        """Draws of log10 D from the model's ignorance; each is an Arrhenius law for each material.

        Args:
            systems: n materials.
            temperatures_K: one for each, or one for all.
            samples: number of draws M.
            seed: of the draws.

        Returns:
            Shape (M, n). Rows are joint draws: similar materials move together.

        Raises:
            InputError: as `predict`.
        """
        temperatures, materials, index = _questions(systems, temperatures_K)
        x = inverse_temperature(temperatures, self.reference_K)
        random = np.random.default_rng(seed)
        drawn = np.empty((samples, len(x)))
        for begin in range(0, len(materials), CHUNK):
            posterior, corrections = self._answers(materials[begin : begin + CHUNK])
            rows = np.flatnonzero((index >= begin) & (index < begin + CHUNK))
            local = index[rows] - begin
            count = len(posterior.level)
            values, vectors = np.linalg.eigh(posterior.covariance + JITTER * np.eye(2 * count))
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            for sample, normal in enumerate(random.standard_normal((samples, 2 * count))):
                correction = corrections[sample % len(corrections)]
                deviation = root @ normal
                slope, _ = positive(posterior.raw + correction[:, 1] + deviation[count:], sharpness=SHARPNESS)
                level = posterior.level + correction[:, 0] + deviation[:count]
                drawn[sample, rows] = level[local] - slope[local] * x[rows]
        return drawn

    def dumps(self) -> bytes:
        """The artefact: safetensors with the manifest inside."""
        return self._artefact

    def save(self, folder: Path) -> Path:
        """Write the artefact and its manifest into a folder, each whole or not at all; returns the artefact's path."""
        return checkpoint.write(Path(folder), self.dumps())

    @property
    def artefact_sha256(self) -> str:
        """Identity of the model."""
        return checkpoint.sha256_of(self._artefact)

    @cached_property
    def _artefact(self) -> bytes:
        from vitrion_models.surrogates.arrhenius_gnn.persistence import artefact  # noqa: PLC0415 - it imports this

        return artefact(self)

    def _answers(self, materials: Sequence[Material]) -> tuple[HeadPosterior, FloatArray]:
        """Posterior of the head and scaled corrections of each network, shape (members, m, 2)."""
        number = species_number(self.species)
        own = own_errors(materials, list(self.own_errors), self.own_errors)
        posterior = self.head.posterior(material_descriptors(materials, mobile_number=number), own)
        if not isinstance(self.config, ArrheniusGNNConfig) or not self.networks or self.graph_share == 0.0:
            return posterior, np.zeros((1, len(materials), 2))
        from vitrion_models.surrogates.arrhenius_gnn import fitting  # noqa: PLC0415 - imports torch_geometric

        config = self.config
        graphs = fitting.double_graphs(materials, cutoff_A=config.cutoff_A, mobile_number=number)
        found = [fitting.corrections(one, graphs, at_once=config.batch_structures) for one in self.networks]
        return posterior, self.graph_share * np.stack(found)


def _shifted(posterior: HeadPosterior, correction: FloatArray) -> HeadPosterior:
    return HeadPosterior(posterior.level + correction[:, 0], posterior.raw + correction[:, 1], posterior.covariance)


def _questions(
    systems: Sequence[Material],
    temperatures_K: float | Sequence[float] | FloatArray,
) -> tuple[FloatArray, tuple[Material, ...], IntArray]:
    temperatures = np.asarray(temperatures_K, dtype=np.float64)
    if temperatures.ndim == 0:
        temperatures = np.full(len(systems), float(temperatures))
    if temperatures.shape != (len(systems),):
        raise InputError(f"{len(systems)} materials and {temperatures.size} temperatures: give one for each, or one")
    for temperature in temperatures.tolist():
        check_temperature(temperature)
    materials, index = distinct(systems)
    return temperatures, materials, index
