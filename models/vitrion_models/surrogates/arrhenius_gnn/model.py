"""A trained Arrhenius surrogate: head, ensemble of crystal networks, interval, and its training domain."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from vitrion_models.backbones import DescriptorBackbone
from vitrion_models.errors import InputError
from vitrion_models.heads.arrhenius import ArrheniusHead, ArrheniusPosterior
from vitrion_models.heads.arrhenius_law import EV_PER_SLOPE, inverse_temperature, prefactor_log10, softplus
from vitrion_models.heads.likelihood import SHARPNESS
from vitrion_models.materials import Material, atomic_number, elements_of
from vitrion_models.samples import check_temperature
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig
from vitrion_models.surrogates.arrhenius_gnn.dataset import compound_error_matrix, distinct
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.diffusivity import DIFFUSIVITY, DiffusivityPrediction
from vitrion_models.system import FloatArray, IntArray
from vitrion_models.training.metrics import RegressionMetrics
from vitrion_models.uncertainty import ScoreQuantile

# Materials whose joint covariance is held at once; draws are correlated within such a chunk.
CHUNK = 512
JITTER = 1e-9
TEMPERATURE_SLACK_K = 1.0


@dataclass(frozen=True)
class Domain:
    """Domain of the training labels.

    Attributes:
        lowest_K: lowest temperature.
        highest_K: highest temperature.
        elements: atomic numbers.
        label_stderr: median standard error of the labels, decades.
    """

    lowest_K: float
    highest_K: float
    elements: tuple[int, ...]
    label_stderr: float

    def reason_outside(self, material: Material, temperature_K: float) -> str:
        """Return why a material at a temperature lies outside the domain; empty inside."""
        from ase.data import chemical_symbols  # noqa: PLC0415 - keeps the import of the package light

        reasons = []
        absent = sorted(elements_of(material) - set(self.elements))
        if absent:
            reasons.append(f"elements without training labels: {', '.join(chemical_symbols[z] for z in absent)}")
        if not self.lowest_K - TEMPERATURE_SLACK_K <= temperature_K <= self.highest_K + TEMPERATURE_SLACK_K:
            reasons.append(f"trained from {self.lowest_K:g} to {self.highest_K:g} K")
        return "; ".join(reasons)


@dataclass(frozen=True, eq=False)
class ArrheniusSurrogate:
    """A surrogate of the architectures ``arrhenius_gnn`` and ``arrhenius_kernel``.

    Attributes:
        config: hyper-parameters.
        species: symbol of the mobile species.
        source: source of the training labels.
        reference_K: temperature at which the head's level is log10 D.
        head: Gaussian-process head on descriptors, fitted on all training labels.
        networks: crystal networks; none for ``arrhenius_kernel`` or with too few groups.
        network_groups: groups that each network was trained on.
        graph_share: factor on the networks' corrections, 0 to 1, with the best likelihood on held-out groups.
        scores: cross-validated residuals over predicted deviations, one for each training label, shape (n,).
        score_groups: their groups.
        quantile: factor of the interval.
        domain: domain of the training labels.
        compound_errors: standard deviation of the source's systematic error for each compound, decades.
        training_keys: sorted.
        test_keys: sorted.
        metrics: on the frozen test.
        seed: of the training.
        parent_sha256: artefact the networks started from, if any.
        artefact_sha256: identity: sha256 of the artefact it was stored as or read from.
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
    compound_errors: Mapping[str, float]
    training_keys: tuple[str, ...]
    test_keys: tuple[str, ...]
    metrics: Mapping[str, RegressionMetrics]
    seed: int
    parent_sha256: str | None
    artefact_sha256: str = ""

    @property
    def architecture(self) -> str:
        """Name in the registry."""
        return self.config.architecture

    def of_source(self, source: str) -> Self:  # noqa: ARG002 - it has one
        """Return this surrogate: it learned from one source."""
        return self

    def predict(
        self, materials: Sequence[Material], temperatures_K: float | Sequence[float] | FloatArray
    ) -> DiffusivityPrediction:
        """Predict the diffusivity of each material at its temperature.

        Args:
            materials: n systems, crystalline or amorphous, or compositions.
            temperatures_K: one for each, shape (n,), or one for all.

        Raises:
            InputError: an impossible temperature, numbers that do not match, or a material without the mobile species.
        """
        temperatures = _temperatures(materials, temperatures_K)
        unique, index = distinct(materials)
        x = inverse_temperature(temperatures, self.reference_K)
        level, raw_slope = np.empty(len(unique)), np.empty(len(unique))
        mean, variance = np.empty(len(x)), np.empty(len(x))
        for chunk, rows in _chunks(unique, index):
            posterior, corrections = self._posterior(unique[chunk])
            local = index[rows] - chunk.start
            shifted = posterior.shifted(corrections.mean(axis=0))
            mean[rows], variance[rows] = shifted.moments(local, x[rows])
            by_member = [posterior.shifted(correction).moments(local, x[rows])[0] for correction in corrections]
            variance[rows] += np.var(by_member, axis=0)
            level[chunk], raw_slope[chunk] = shifted.level, shifted.raw_slope
        slope, _ = softplus(raw_slope, sharpness=SHARPNESS)
        reasons = tuple(map(self.domain.reason_outside, materials, temperatures.tolist()))
        noise = np.full(len(x), np.hypot(self.head.noise, self.domain.label_stderr))
        half_width = self.quantile.factor * np.sqrt(variance + noise**2)
        return DiffusivityPrediction(
            target=DIFFUSIVITY,
            temperatures_K=temperatures,
            mean=mean,
            std=np.sqrt(variance),
            noise_std=noise,
            lower_95=mean - half_width,
            upper_95=mean + half_width,
            log10_D0=prefactor_log10(level, slope, self.reference_K)[index],
            Ea_eV=(slope * EV_PER_SLOPE)[index],
            extrapolating=np.array([bool(reason) for reason in reasons], dtype=bool),
            reasons=reasons,
        )

    def predict_members(
        self,
        materials: Sequence[Material],
        temperatures_K: float | Sequence[float] | FloatArray,
        *,
        samples: int,
        seed: int,
    ) -> FloatArray:
        """Draw log10 D from the epistemic distribution; each draw is an Arrhenius law for each material.

        Args:
            materials: n materials.
            temperatures_K: one for each, shape (n,), or one for all.
            samples: number of draws M.
            seed: of the draws.

        Returns:
            Shape (M, n). Rows are joint draws: similar materials are correlated.

        Raises:
            InputError: as `predict`.
        """
        temperatures = _temperatures(materials, temperatures_K)
        unique, index = distinct(materials)
        x = inverse_temperature(temperatures, self.reference_K)
        random = np.random.default_rng(seed)
        drawn = np.empty((samples, len(x)))
        for chunk, rows in _chunks(unique, index):
            posterior, corrections = self._posterior(unique[chunk])
            local = index[rows] - chunk.start
            count = len(posterior.level)
            values, vectors = np.linalg.eigh(posterior.covariance + JITTER * np.eye(2 * count))
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            for sample, normal in enumerate(random.standard_normal((samples, 2 * count))):
                correction = corrections[sample % len(corrections)]
                deviation = root @ normal
                slope, _ = softplus(posterior.raw_slope + correction[:, 1] + deviation[count:], sharpness=SHARPNESS)
                level = posterior.level + correction[:, 0] + deviation[:count]
                drawn[sample, rows] = level[local] - slope[local] * x[rows]
        return drawn

    def _posterior(self, materials: Sequence[Material]) -> tuple[ArrheniusPosterior, FloatArray]:
        """Return the posterior of the head and the scaled corrections of each network, shape (members, m, 2)."""
        number = atomic_number(self.species)
        errors = compound_error_matrix(materials, list(self.compound_errors), self.compound_errors)
        posterior = self.head.posterior(DescriptorBackbone(number)(materials), errors)
        config = self.config
        if not isinstance(config, ArrheniusGNNConfig) or not self.networks or self.graph_share == 0.0:
            return posterior, np.zeros((1, len(materials), 2))
        from vitrion_models.surrogates.arrhenius_gnn.ensemble import ensemble_corrections  # noqa: PLC0415 - torch

        corrections = ensemble_corrections(self.networks, materials, config, mobile_number=number)
        return posterior, self.graph_share * corrections


def _chunks(unique: Sequence[Material], index: IntArray) -> Iterator[tuple[slice, IntArray]]:
    """Yield slices of the distinct materials, and the rows of the question that belong to each."""
    for begin in range(0, len(unique), CHUNK):
        chunk = slice(begin, min(begin + CHUNK, len(unique)))
        yield chunk, np.flatnonzero((index >= chunk.start) & (index < chunk.stop))


def _temperatures(materials: Sequence[Material], temperatures_K: float | Sequence[float] | FloatArray) -> FloatArray:
    temperatures = np.asarray(temperatures_K, dtype=np.float64)
    if temperatures.ndim == 0:
        temperatures = np.full(len(materials), float(temperatures))
    if temperatures.shape != (len(materials),):
        raise InputError(f"{len(materials)} materials but {temperatures.size} temperatures: give one for each, or one")
    for temperature in temperatures.tolist():
        check_temperature(temperature)
    return temperatures
