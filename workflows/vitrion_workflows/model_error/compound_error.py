"""Systematic error of a potential per compound, inferred from AIMD and a reference potential.

The error of a label has a statistical part, which decreases with the length of the run, and that of the potential,
which does not. This module gives the second: mean offset and deviation for a compound at a temperature, with its
evidence. The model is `vitrion_models.uncertainty.offsets`; docs/design/model-error.md has its equations and figures.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vitrion_models.uncertainty.disagreement import FEWEST_PAIRS, disagreement
from vitrion_models.uncertainty.offsets import Comparison, PriorDeviations, Subject, posterior_offsets
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.model_error.benchmark_errors import EVERY_CLASS, BenchmarkError, benchmark_errors

# Prior deviations in decades: of a potential everywhere, in a class of compounds, for one compound. NEP89 lies +0.17
# over seven classes whose medians scatter by 0.14 and whose compounds by 0.10; CHGNet, on four, +0.18.
POTENTIAL_DECADES, CHEMISTRY_DECADES, COMPOUND_DECADES = 0.2, 0.15, 0.1
# Weight of the last of these, in compounds, beside measured ones.
PRIOR_COMPOUNDS = 4.0
# Decades per 1000/K by which an offset may change outside the temperatures of the comparisons, 0.04 eV of activation
# energy: NEP89's medians fall by 0.11 decades from 1000 to 2500 K.
SLOPE_DECADES = 0.2
MEDIAN_STDERR = math.sqrt(math.pi / 2)
ASSUMED = "assumed"
AIMD = "aimd"


@dataclass(frozen=True, kw_only=True)
class PotentialPair:
    """Labels of one compound at one temperature by the potential and by a reference potential.

    Attributes:
        compound: reduced formula.
        elements: its chemical symbols.
        temperature_K: of both labels.
        reference: registry name of the other potential.
        reference_sha256: of its weights.
        log10_ratio: log10 of the potential's D over the reference's.
        stderr: statistical standard error of that, decades.
    """

    compound: str
    elements: frozenset[str]
    temperature_K: float
    reference: str
    reference_sha256: str
    log10_ratio: float
    stderr: float


@dataclass(frozen=True, kw_only=True)
class CompoundError:
    """Systematic error of a potential for one compound at one temperature, in decades of D.

    Attributes:
        chemistry: class of the compound.
        offset_decades: mean of log10(D / D of AIMD); positive where the potential is too fast.
        shared_decades: deviation of the part that the class shares.
        compound_decades: deviation of the compound's own part, which is independent of other compounds.
        extrapolation_decades: addition for a temperature outside of the comparisons.
        evidence: in words: ``aimd: 6 compounds; diep: 2 pairs``, or that it is assumed.
    """

    chemistry: str
    offset_decades: float
    shared_decades: float
    compound_decades: float
    extrapolation_decades: float
    evidence: str

    @property
    def stderr_decades(self) -> float:
        """Deviation about the offset; a longer run does not reduce it."""
        return math.hypot(self.shared_decades, self.compound_decades, self.extrapolation_decades)

    @property
    def is_measured(self) -> bool:
        """True if the potential was compared; otherwise the figures are those of other potentials."""
        return not self.evidence.startswith(ASSUMED)

    def corrected(self, log10_value: float, log10_stderr: float) -> tuple[float, float]:
        """Correct a value of the potential for its error: mean and standard deviation of log10 D.

        Args:
            log10_value: log10 of the potential's D.
            log10_stderr: its statistical standard error, decades.
        """
        return log10_value - self.offset_decades, math.hypot(log10_stderr, self.stderr_decades)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for documents."""
        return {**vars(self), "stderr_decades": self.stderr_decades}


@dataclass(frozen=True)
class ModelErrors:
    """Systematic errors of one potential.

    Attributes:
        potential: registry name.
        weights_sha256: of its weights; figures of others are not used.
        pairs: labels that a reference potential repeated.
        table: comparisons with ab initio molecular dynamics, of any potential.
    """

    potential: str
    weights_sha256: str
    pairs: tuple[PotentialPair, ...] = ()
    table: tuple[BenchmarkError, ...] = ()

    @classmethod
    def of(cls, potential: str, weights_sha256: str, *, pairs: Iterable[PotentialPair] = ()) -> "ModelErrors":
        """Combine pairs with the table that Vitrion brings.

        Args:
            potential: registry name.
            weights_sha256: of its weights.
            pairs: labels that a reference potential repeated.
        """
        ordered = tuple(
            sorted(pairs, key=lambda pair: (pair.compound, pair.temperature_K, pair.reference, pair.stderr))
        )
        names = {potential, *(pair.reference for pair in ordered)}
        table = tuple(error for name in sorted(names) for error in benchmark_errors(name))
        return cls(potential, weights_sha256, ordered, table)

    @classmethod
    def of_method(cls, method: str) -> "ModelErrors | None":
        """Use the table alone, for a method as `method_of` names it; None where it names no potential.

        Args:
            method: for example `Sample.source` of the labels that a surrogate learned from.
        """
        potential, _, weights_sha256 = method.rpartition(" ")
        return cls.of(potential, weights_sha256) if potential else None

    def of_compound(self, compound: str, elements: Collection[str], *, temperature_K: float) -> CompoundError:
        """Return the error for one compound at one temperature.

        Args:
            compound: reduced formula.
            elements: its chemical symbols.
            temperature_K: of the label, or of the prediction.
        """
        return self.of_compounds([(compound, elements, temperature_K)])[0]

    def of_compounds(self, compounds: Sequence[tuple[str, Collection[str], float]]) -> list[CompoundError]:
        """Return the errors for (reduced formula, chemical symbols, temperature in K) of each, from one posterior."""
        subjects = [Subject(self._own, anion_class(elements), compound) for compound, elements, _ in compounds]
        offsets = posterior_offsets(self._comparisons, subjects, prior=self._prior)
        return [
            CompoundError(
                chemistry=subject.chemistry,
                offset_decades=offset.mean,
                # Where the compound itself was compared the two are anticorrelated; their squares add to the total.
                shared_decades=min(offset.shared_stderr, offset.stderr),
                compound_decades=math.sqrt(max(offset.stderr**2 - offset.shared_stderr**2, 0.0)),
                extrapolation_decades=self._extrapolation(subject.chemistry, kelvin),
                evidence=self._evidence(subject.chemistry),
            )
            for subject, offset, (_, _, kelvin) in zip(subjects, offsets, compounds, strict=True)
        ]

    def scatter_decades(self, elements: Collection[str]) -> float:
        """Return the deviation of the error from compound to compound of one class, in decades.

        Args:
            elements: chemical symbols of one of them.
        """
        return self._prior.of(("compound", self._own, anion_class(elements)))

    @property
    def _own(self) -> str:
        return method_of(self.potential, self.weights_sha256)

    @cached_property
    def _tables(self) -> dict[str, list[BenchmarkError]]:
        """Comparisons with AIMD by potential and weights: by class, or over all compounds where there is no class."""
        tables: dict[str, list[BenchmarkError]] = {}
        for error in self.table:
            tables.setdefault(method_of(error.potential, error.weights_sha256), []).append(error)
        return {name: [row for row in rows if row.chemistry != EVERY_CLASS] or rows for name, rows in tables.items()}

    @cached_property
    def _prior(self) -> PriorDeviations:
        measured = {
            (name, row.chemistry): _shrunk([(row.formulas, row.spread_log10)])
            for name, rows in self._tables.items()
            for row in rows
        }
        rows = self._tables.get(self._own, [])
        pooled = [(row.formulas, row.spread_log10) for row in rows] or self._spread_of_pairs()
        return PriorDeviations(POTENTIAL_DECADES, CHEMISTRY_DECADES, _shrunk(pooled), measured)

    def _spread_of_pairs(self) -> list[tuple[int, float]]:
        """Return the scatter of the pairs beyond their statistical errors, half its square for each potential."""
        if len(self.pairs) < FEWEST_PAIRS:
            return []
        scatter = disagreement([pair.log10_ratio for pair in self.pairs], [pair.stderr for pair in self.pairs])
        return [(len({pair.compound for pair in self.pairs}), scatter.spread_decades / math.sqrt(2))]

    @cached_property
    def _comparisons(self) -> list[Comparison]:
        prior = self._prior
        by_table = [
            Comparison(
                row.median_log10,
                MEDIAN_STDERR * prior.compound_of[name, row.chemistry] / math.sqrt(row.formulas),
                Subject(name, row.chemistry),
            )
            for name, rows in self._tables.items()
            for row in rows
        ]
        by_pairs = [
            Comparison(
                pair.log10_ratio,
                pair.stderr,
                Subject(self._own, anion_class(pair.elements), pair.compound),
                Subject(method_of(pair.reference, pair.reference_sha256), anion_class(pair.elements), pair.compound),
            )
            for pair in self.pairs
        ]
        return by_table + by_pairs

    def _extrapolation(self, chemistry: str, temperature_K: float) -> float:
        rows = self._tables.get(self._own, [])
        of_class = [row for row in rows if row.chemistry in (chemistry, EVERY_CLASS)] or rows
        # A pair adds its temperature where its reference was compared with AIMD.
        of_pairs = [
            pair.temperature_K
            for pair in self.pairs
            if anion_class(pair.elements) == chemistry
            and method_of(pair.reference, pair.reference_sha256) in self._tables
        ]
        compared = [kelvin for row in of_class for kelvin in row.temperatures_K] + of_pairs
        if not compared:
            return 0.0  # the prior does not depend on temperature
        colder = 1000 / temperature_K - 1000 / min(compared)
        hotter = 1000 / max(compared) - 1000 / temperature_K
        return SLOPE_DECADES * max(colder, hotter, 0.0)

    def _evidence(self, chemistry: str) -> str:
        rows = self._tables.get(self._own, [])
        of_class = [row for row in rows if row.chemistry in (chemistry, EVERY_CLASS)]
        words = [f"{AIMD}: {row.formulas} compounds" for row in of_class]
        if rows and not of_class:
            words.append(f"{AIMD}: {sum(row.formulas for row in rows)} compounds of other classes")
        for reference in sorted({pair.reference for pair in self.pairs}):
            pairs = [pair for pair in self.pairs if pair.reference == reference]
            same_class = sum(anion_class(pair.elements) == chemistry for pair in pairs)
            count = _counted(same_class) if same_class else f"{_counted(len(pairs))} of other classes"
            words.append(f"{reference}: {count}")
        return "; ".join(words) or f"{ASSUMED}: {self.potential} was never compared"


def method_of(potential: str, weights_sha256: str) -> str:
    """Return the method of a label in one line: the potential's name and the sha256 of its weights."""
    return f"{potential} {weights_sha256}"


def _counted(pairs: int) -> str:
    return "1 pair" if pairs == 1 else f"{pairs} pairs"


def _shrunk(measured: Iterable[tuple[int, float]]) -> float:
    """Combine measured spreads, (compounds, spread), with the prior's, weighted as `PRIOR_COMPOUNDS`."""
    squares, weight = PRIOR_COMPOUNDS * COMPOUND_DECADES**2, PRIOR_COMPOUNDS
    for compounds, spread in measured:
        squares += (compounds - 1) * spread**2
        weight += compounds - 1
    return math.sqrt(squares / weight)
