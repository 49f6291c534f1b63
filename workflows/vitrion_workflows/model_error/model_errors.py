"""Systematic errors of one potential, inferred from AIMD and from reference potentials.

The error of a label has a statistical part, which decreases with the length of the run, and others, which do not. This
module gives the latter for a compound at a temperature, with their evidence. `model_error.effects` has the equations,
`vitrion_models.uncertainty.mixed_effects` their solution, docs/design/model-error.md the figures.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_models.uncertainty.mixed_effects import Effects, MixedModel, Posterior
from vitrion_workflows.model_error.aimd_comparisons import (
    COMPARED_SPECIES,
    WEIGHTS_DIGITS,
    AimdComparison,
    aimd_comparisons,
    aimd_stderr_decades,
)
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.model_error.compound_error import ASSUMED, CompoundError
from vitrion_workflows.model_error.effects import Case, add, case_of, cell_growth, expansion, level, slope, tiers
from vitrion_workflows.model_error.finite_size import finite_size_decades
from vitrion_workflows.model_error.hyperparameters import Hyperparameters, fitted_hyperparameters
from vitrion_workflows.model_error.observations import (
    PotentialPair,
    case_of_comparison,
    method_of,
    observe_aimd,
    observe_expansion,
    observe_pair,
)
from vitrion_workflows.model_error.volume_sensitivity import sensitivity
from vitrion_workflows.schemas.error_budget import ErrorBudget

AIMD = "aimd"


@dataclass(frozen=True)
class ModelErrors:
    """Systematic errors of one potential in the diffusivity of one species.

    Attributes:
        potential: registry name.
        weights_sha256: of its weights; comparisons of others are not used.
        pairs: labels that a reference potential repeated.
        comparisons: with ab initio molecular dynamics, of this potential and of the references.
        parameters: prior deviations of the effects.
        volume: mean and standard deviation of ln(volume of a cell / true volume) where a case states none; None for
            cells of the potential's own zero pressure.
        species: mobile species; of any but lithium the comparisons with AIMD tell the volume alone.
    """

    potential: str
    weights_sha256: str
    pairs: tuple[PotentialPair, ...] = ()
    comparisons: tuple[AimdComparison, ...] = ()
    parameters: Hyperparameters = field(default_factory=fitted_hyperparameters)
    volume: tuple[float, float] | None = None
    species: str = COMPARED_SPECIES

    @classmethod
    def of(
        cls,
        potential: str,
        weights_sha256: str,
        *,
        pairs: Iterable[PotentialPair] = (),
        volume: tuple[float, float] | None = None,
        species: str = COMPARED_SPECIES,
    ) -> "ModelErrors":
        """Combine pairs with the comparisons that Vitrion brings.

        Args:
            potential: registry name.
            weights_sha256: of its weights.
            pairs: labels that a reference potential repeated.
            volume: see `ModelErrors`.
            species: mobile species, of the pairs as well.
        """
        ordered = tuple(
            sorted(pairs, key=lambda pair: (pair.compound, pair.temperature_K, pair.reference, pair.stderr))
        )
        methods = {(potential, weights_sha256), *((pair.reference, pair.reference_sha256) for pair in ordered)}
        rows = tuple(row for row in aimd_comparisons() if any(row.is_of(*method) for method in methods))
        return cls(potential, weights_sha256, ordered, rows, volume=volume, species=species)

    def of_compound(self, compound: str, elements: Collection[str], *, temperature_K: float) -> CompoundError:
        """Return the error for one compound of which no label is at hand, at one temperature.

        Args:
            compound: reduced formula.
            elements: its chemical symbols.
            temperature_K: of the prediction.
        """
        return self.of_case(case_of(compound, elements, temperature_K))

    def of_cases(self, cases: Sequence[Case]) -> list[CompoundError]:
        """Return the errors of several cases, from one posterior."""
        return [self.of_case(case) for case in cases]

    def of_case(self, case: Case) -> CompoundError:
        """Return the error for one compound at one temperature, with what is known of its label."""
        x, parameters = case.inverse_temperature, self.parameters
        ln_volume, ln_volume_stderr = self._volume(case)
        per_volume, per_volume_stderr = sensitivity(case.elements, case.temperature_K)
        mean, covariance = self._posterior.moments((self._level(case), slope(self._own, case)))
        variance = float(covariance[0, 0] + 2 * x * covariance[0, 1] + x**2 * covariance[1, 1])
        # Level and slope are independent at the temperature where their sum is known best.
        best_known = float(covariance[0, 0] - covariance[0, 1] ** 2 / covariance[1, 1])
        offset = float(mean[0] + x * mean[1]) + per_volume * ln_volume
        return CompoundError(
            chemistry=case.chemistry,
            offset_decades=offset,
            slope_decades=float(mean[1]),
            slope_stderr_decades=math.sqrt(covariance[1, 1]),
            budget=ErrorBudget(
                finite_size=finite_size_decades(case.atoms),
                protocol=parameters.cell * cell_growth(case.log10_D),
                level=math.sqrt(max(best_known, 0.0)),
                slope=math.sqrt(max(variance - best_known, 0.0)),
                volume=math.hypot(per_volume, per_volume_stderr) * ln_volume_stderr,
                reference=parameters.aimd * aimd_stderr_decades(case.log10_D - offset),
            ),
            evidence=self._evidence(case.chemistry),
        )

    def covariance(self, cases: Sequence[Case]) -> FloatArray:
        """Return the covariance of the errors of the potential itself, decades squared, shape (C, C).

        The errors of compounds of one class are nearly alike: most of them cancels from a ratio of two diffusivities.

        Args:
            cases: of compounds.
        """
        parts = [add((1.0, self._level(case)), (case.inverse_temperature, slope(self._own, case))) for case in cases]
        _, of_forces = self._posterior.moments(parts)
        _, of_volumes = self._volumes.moments([expansion(self._own, case) for case in cases])
        per_volume = np.array(
            [
                sensitivity(case.elements, case.temperature_K)[0]
                if case.ln_volume_ratio is None and self.volume is None
                else 0.0
                for case in cases
            ]
        )
        covariance: FloatArray = of_forces + per_volume[:, None] * of_volumes * per_volume
        return covariance

    def scatter_decades(self, case: Case) -> float:
        """Return the deviation of the error that other compounds of the class do not share, in decades.

        Args:
            case: compound and temperature.
        """
        level_stderr, slope_stderr = (
            self.parameters.deviation((quantity, "compound", self._own, case.chemistry, case.compound))
            for quantity in ("level", "slope")
        )
        cell = self.parameters.cell * cell_growth(case.log10_D)
        return math.hypot(level_stderr, slope_stderr * case.inverse_temperature, cell)

    @property
    def _own(self) -> str:
        return method_of(self.potential, self.weights_sha256[:WEIGHTS_DIGITS])

    @property
    def _of_species(self) -> tuple[AimdComparison, ...]:
        return self.comparisons if self.species == COMPARED_SPECIES else ()

    @cached_property
    def _posterior(self) -> Posterior:
        observations = [observe_aimd(row, self.parameters) for row in self._of_species]
        observations += [observe_pair(self._own, pair, self.parameters) for pair in self.pairs]
        return MixedModel(observations).infer(self.parameters.deviation)

    @cached_property
    def _volumes(self) -> Posterior:
        return MixedModel(observe_expansion(self.comparisons)).infer(self.parameters.deviation)

    def _level(self, case: Case) -> Effects:
        """Return the part of the error that does not depend on temperature, with that of the sensitivity to volume."""
        ln_volume, _ = self._volume(case)
        _, stderr = sensitivity(case.elements, case.temperature_K)
        of_volume = tiers("sensitivity", self._own, case)
        return add((1.0, level(self._own, case, self.parameters)), (stderr * ln_volume, of_volume))

    def _volume(self, case: Case) -> tuple[float, float]:
        """Return ln(volume of the cell / true volume) and its standard error."""
        if case.ln_volume_ratio is not None:
            return case.ln_volume_ratio, case.ln_volume_stderr
        if self.volume is not None:
            return self.volume
        mean, covariance = self._volumes.moments((expansion(self._own, case),))
        return float(mean[0]), math.sqrt(max(float(covariance[0, 0]), 0.0))

    def _evidence(self, chemistry: str) -> str:
        words, of_class = [], self._compared[chemistry]
        if self._compared:
            others = f"{self._compared.total()} compounds of other classes"
            words.append(f"{AIMD}: {_counted(of_class, 'compound') if of_class else others}")
        for reference in sorted({pair.reference for pair in self.pairs}):
            pairs = [pair for pair in self.pairs if pair.reference == reference]
            same_class = sum(anion_class(pair.elements) == chemistry for pair in pairs)
            count = _counted(same_class, "pair") if same_class else f"{_counted(len(pairs), 'pair')} of other classes"
            words.append(f"{reference}: {count}")
        return "; ".join(words) or f"{ASSUMED}: {self.potential} was never compared for {self.species}"

    @cached_property
    def _compared(self) -> Counter[str]:
        """Number of compounds of each class that were compared with AIMD."""
        own = [row for row in self._of_species if row.is_of(self.potential, self.weights_sha256)]
        return Counter({row.compound: case_of_comparison(row).chemistry for row in own}.values())


def _counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
