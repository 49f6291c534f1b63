"""What a potential is off by, compound by compound, from everything that was compared: AIMD and the referee's pairs.

The error of a label is statistical (it falls with the length of a run) and systematic (the potential's own; it stays).
This is the one place that gives the second: mean offset and deviation for a compound at a temperature, with where they
come from. The model is `vitrion_models.uncertainty.offsets`; docs/design/model-error.md has its equations and numbers.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vitrion_models.uncertainty.disagreement import FEWEST_PAIRS, disagreement
from vitrion_models.uncertainty.offsets import Comparison, PriorDeviations, Subject, posterior_offsets
from vitrion_workflows.model_error.benchmark_errors import EVERY_CLASS, ModelError, anion_class, model_errors

# Before any comparison, in decades: of a potential everywhere, in a class of compounds, for one compound. NEP89 lies
# +0.17 over seven classes whose medians scatter by 0.14 and whose compounds by 0.10; CHGNet, on four, +0.18.
POTENTIAL_DECADES, CHEMISTRY_DECADES, COMPOUND_DECADES = 0.2, 0.15, 0.1
# How many compounds the last of these counts for beside measured ones.
PRIOR_COMPOUNDS = 4.0
# Decades per 1000/K by which an offset may change outside the temperatures of the comparisons, 0.04 eV of activation
# energy: NEP89's medians fall by 0.11 decades from 1000 to 2500 K.
SLOPE_DECADES = 0.2
MEDIAN_STDERR = math.sqrt(math.pi / 2)
NOT_KNOWN = "assumed"
AIMD = "aimd"


@dataclass(frozen=True, kw_only=True)
class PotentialPair:
    """One question answered by the potential and by a referee.

    Attributes:
        compound: reduced formula.
        elements: its chemical symbols.
        temperature_K: of both labels.
        referee: registry name of the other potential.
        referee_weights: sha256 of its weights.
        log10_ratio: log10 of the potential's D over the referee's.
        stderr: statistical standard error of that, decades.
    """

    compound: str
    elements: frozenset[str]
    temperature_K: float
    referee: str
    referee_weights: str
    log10_ratio: float
    stderr: float


@dataclass(frozen=True, kw_only=True)
class SystematicError:
    """What a potential is off by for one compound at one temperature, in decades of D.

    Attributes:
        chemistry: class of the compound.
        offset_decades: mean of log10(D / D of nature); positive where the potential is too fast.
        shared_decades: deviation of the part that the class shares.
        compound_decades: deviation of the compound's own part, which other compounds do not tell.
        extrapolation_decades: what a temperature outside of the comparisons adds.
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
        """Deviation of the whole about the offset: no longer run makes it smaller."""
        return math.hypot(self.shared_decades, self.compound_decades, self.extrapolation_decades)

    @property
    def known(self) -> bool:
        """Whether anything was compared; otherwise the figures are those of the potentials that were."""
        return not self.evidence.startswith(NOT_KNOWN)

    def corrected(self, log10_value: float, log10_stderr: float) -> tuple[float, float]:
        """What nature would give for a number of the potential: mean and standard deviation of log10 D.

        Args:
            log10_value: log10 of the potential's D.
            log10_stderr: its own standard error, decades.
        """
        return log10_value - self.offset_decades, math.hypot(log10_stderr, self.stderr_decades)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for documents."""
        return {**vars(self), "stderr_decades": self.stderr_decades}


@dataclass(frozen=True)
class SystematicErrors:
    """The systematic errors of one potential.

    Attributes:
        potential: registry name.
        weights_sha256: identity of its weights; figures measured with others are not used.
        pairs: questions that a referee answered too.
        table: comparisons with ab initio molecular dynamics, of any potential.
    """

    potential: str
    weights_sha256: str
    pairs: tuple[PotentialPair, ...] = ()
    table: tuple[ModelError, ...] = ()

    @classmethod
    def of(cls, potential: str, weights_sha256: str, *, pairs: Iterable[PotentialPair] = ()) -> "SystematicErrors":
        """With the table that Vitrion brings.

        Args:
            potential: registry name.
            weights_sha256: identity of its weights.
            pairs: questions that a referee answered too.
        """
        ordered = tuple(sorted(pairs, key=lambda pair: (pair.compound, pair.temperature_K, pair.referee, pair.stderr)))
        names = {potential, *(pair.referee for pair in ordered)}
        table = tuple(error for name in sorted(names) for error in model_errors(name))
        return cls(potential, weights_sha256, ordered, table)

    @classmethod
    def of_method(cls, method: str) -> "SystematicErrors | None":
        """With the table alone, for what `method_of` gave; None where a line names no potential.

        Args:
            method: for example `Observation.source` of the labels that a surrogate learned from.
        """
        potential, _, weights_sha256 = method.rpartition(" ")
        return cls.of(potential, weights_sha256) if potential else None

    def ask(self, compound: str, elements: Collection[str], *, temperature_K: float) -> SystematicError:
        """The error for one compound at one temperature.

        Args:
            compound: reduced formula.
            elements: its chemical symbols.
            temperature_K: of the label, or of the question.
        """
        return self.ask_all([(compound, elements, temperature_K)])[0]

    def ask_all(self, asked: Sequence[tuple[str, Collection[str], float]]) -> list[SystematicError]:
        """The errors for (reduced formula, chemical symbols, temperature in K) of each, from one posterior."""
        subjects = [Subject(self._own, anion_class(elements), compound) for compound, elements, _ in asked]
        found = posterior_offsets(self._comparisons, subjects, prior=self._prior)
        return [
            SystematicError(
                chemistry=subject.chemistry,
                offset_decades=offset.mean,
                # Where the compound itself was compared the two are anticorrelated; squared they make up the whole.
                shared_decades=min(offset.shared_stderr, offset.stderr),
                compound_decades=math.sqrt(max(offset.stderr**2 - offset.shared_stderr**2, 0.0)),
                extrapolation_decades=self._extrapolation(subject.chemistry, kelvin),
                evidence=self._evidence(subject.chemistry),
            )
            for subject, offset, (_, _, kelvin) in zip(subjects, found, asked, strict=True)
        ]

    def scatter_decades(self, elements: Collection[str]) -> float:
        """Deviation of what the potential is off by from compound to compound of one class, in decades.

        Args:
            elements: chemical symbols of one of them.
        """
        return self._prior.of(("compound", self._own, anion_class(elements)))

    @property
    def _own(self) -> str:
        return method_of(self.potential, self.weights_sha256)

    @cached_property
    def _tables(self) -> dict[str, list[ModelError]]:
        """Comparisons with AIMD by potential and weights; its classes where there are such, else all in one."""
        found: dict[str, list[ModelError]] = {}
        for error in self.table:
            found.setdefault(method_of(error.potential, error.weights_sha256), []).append(error)
        return {name: [one for one in rows if one.chemistry != EVERY_CLASS] or rows for name, rows in found.items()}

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
        """Scatter of the pairs beside their statistical errors; half its square is laid to each potential."""
        if len(self.pairs) < FEWEST_PAIRS:
            return []
        found = disagreement([pair.log10_ratio for pair in self.pairs], [pair.stderr for pair in self.pairs])
        return [(len({pair.compound for pair in self.pairs}), found.spread_decades / math.sqrt(2))]

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
                Subject(method_of(pair.referee, pair.referee_weights), anion_class(pair.elements), pair.compound),
            )
            for pair in self.pairs
        ]
        return by_table + by_pairs

    def _extrapolation(self, chemistry: str, temperature_K: float) -> float:
        rows = self._tables.get(self._own, [])
        of_class = [row for row in rows if row.chemistry in (chemistry, EVERY_CLASS)] or rows
        # A pair brings its temperature into what is known where its referee was held against nature.
        akin = [
            pair.temperature_K
            for pair in self.pairs
            if anion_class(pair.elements) == chemistry and method_of(pair.referee, pair.referee_weights) in self._tables
        ]
        compared = [kelvin for row in of_class for kelvin in row.temperatures_K] + akin
        if not compared:
            return 0.0  # the prior is of no temperature
        colder = 1000 / temperature_K - 1000 / min(compared)
        hotter = 1000 / max(compared) - 1000 / temperature_K
        return SLOPE_DECADES * max(colder, hotter, 0.0)

    def _evidence(self, chemistry: str) -> str:
        rows = self._tables.get(self._own, [])
        of_class = [row for row in rows if row.chemistry in (chemistry, EVERY_CLASS)]
        words = [f"{AIMD}: {row.formulas} compounds" for row in of_class]
        if rows and not of_class:
            words.append(f"{AIMD}: {sum(row.formulas for row in rows)} compounds of other classes")
        for referee in sorted({pair.referee for pair in self.pairs}):
            mine = [pair for pair in self.pairs if pair.referee == referee]
            akin = sum(anion_class(pair.elements) == chemistry for pair in mine)
            words.append(
                f"{referee}: {_counted(akin)}" if akin else f"{referee}: {_counted(len(mine))} of other classes"
            )
        return "; ".join(words) or f"{NOT_KNOWN}: {self.potential} was never compared"


def method_of(potential: str, weights_sha256: str) -> str:
    """What made a label, in one line: the potential's name and the sha256 of its weights."""
    return f"{potential} {weights_sha256}"


def _counted(pairs: int) -> str:
    return "1 pair" if pairs == 1 else f"{pairs} pairs"


def _shrunk(measured: Iterable[tuple[int, float]]) -> float:
    """Spread over compounds: the measured ones, (compounds, spread), and the prior's as if of `PRIOR_COMPOUNDS`."""
    squares, weight = PRIOR_COMPOUNDS * COMPOUND_DECADES**2, PRIOR_COMPOUNDS
    for compounds, spread in measured:
        squares += (compounds - 1) * spread**2
        weight += compounds - 1
    return math.sqrt(squares / weight)
