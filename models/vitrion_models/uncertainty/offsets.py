"""Systematic offsets of methods, correlated within classes of compounds: a joint Gaussian posterior of comparisons.

The offset of a method (a potential) from the truth for one compound is a sum of three independent Gaussian parts,

    b(method, class, compound) = m(method) + k(method, class) + c(method, compound),

with prior deviations for each. A comparison measures a difference of two such offsets, or an offset from the truth,
with its own error. Everything is linear and Gaussian, so the posterior has a closed form (Gelman et al., *Bayesian Data
Analysis*, 3rd edition, 2013, chapter 5): few comparisons shrink towards those of other classes and towards zero.
Without a comparison with the truth a difference of two methods is divided between both.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

_Part: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """A method applied to a compound or a class: the bearer of an offset.

    Attributes:
        method: name of the method.
        chemistry: class of compounds.
        compound: compound of that class; empty for the mean of the class.
    """

    method: str
    chemistry: str
    compound: str = ""


@dataclass(frozen=True)
class Comparison:
    """One measured difference of offsets.

    Attributes:
        value: offset of `first` minus that of `second`, decades.
        stderr: standard error, positive, decades.
        first: method and compound compared.
        second: reference; the truth if None.
    """

    value: float
    stderr: float
    first: Subject
    second: Subject | None = None


@dataclass(frozen=True)
class PriorDeviations:
    """Standard deviations of the parts of an offset before any comparison, in decades.

    Attributes:
        method: of the offset of a method common to all classes.
        chemistry: of the additional offset in one class.
        compound: of the additional offset for one compound.
        compound_of: the last one, by (method, class), where it has been estimated.
    """

    method: float
    chemistry: float
    compound: float
    compound_of: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def of(self, part: _Part) -> float:
        """Return the standard deviation of one part, decades."""
        kind, method, *rest = part
        if kind == "compound":
            return self.compound_of.get((method, rest[0]), self.compound)
        return self.method if kind == "method" else self.chemistry


@dataclass(frozen=True)
class Offset:
    """Posterior of one offset, in decades.

    Attributes:
        mean: posterior mean.
        stderr: standard deviation of the whole.
        shared_stderr: standard deviation of the part that compounds of a class share: more comparisons reduce it.
    """

    mean: float
    stderr: float
    shared_stderr: float


def posterior_offsets(
    comparisons: Sequence[Comparison], subjects: Sequence[Subject], *, prior: PriorDeviations
) -> tuple[Offset, ...]:
    """Return the posterior of offsets from all comparisons together.

    Args:
        comparisons: any number; without any the posterior is the prior.
        subjects: bearers of the wanted offsets.
        prior: deviations of the parts.

    Returns:
        One offset for each of `subjects`.

    Raises:
        InputError: a comparison that is not finite, or has an error that is not positive.
    """
    for entry in comparisons:
        if not (math.isfinite(entry.value) and math.isfinite(entry.stderr) and entry.stderr > 0):
            raise InputError(
                f"comparison {entry.value} +- {entry.stderr} decades: give a finite value, a positive error"
            )
    sides = [side for entry in comparisons for side in (entry.first, entry.second) if side is not None]
    # The posterior of a part without comparisons is its prior, independent of all others: solve for the rest alone.
    places = {part: place for place, part in enumerate(dict.fromkeys(part for side in sides for part in _parts(side)))}
    design = np.array([_row(entry.first, places) - _row(entry.second, places) for entry in comparisons])
    design = design.reshape(len(comparisons), len(places))
    weights = np.array([entry.stderr**-2 for entry in comparisons])
    precision = np.diag([prior.of(part) ** -2 for part in places]) + design.T @ (weights[:, None] * design)
    mean = np.linalg.solve(precision, design.T @ (weights * np.array([entry.value for entry in comparisons])))
    covariance = np.linalg.inv(precision)

    def moments(parts: Sequence[_Part]) -> tuple[float, float]:
        compared = [places[part] for part in parts if part in places]
        variance = covariance[np.ix_(compared, compared)].sum() + sum(
            prior.of(part) ** 2 for part in parts if part not in places
        )
        return float(mean[compared].sum()), math.sqrt(max(float(variance), 0.0))

    def offset(subject: Subject) -> Offset:
        _, shared_stderr = moments(_shared_parts(subject))
        return Offset(*moments(_parts(subject)), shared_stderr=shared_stderr)

    return tuple(map(offset, subjects))


def _shared_parts(subject: Subject) -> tuple[_Part, ...]:
    return ("method", subject.method), ("chemistry", subject.method, subject.chemistry)


def _parts(subject: Subject) -> tuple[_Part, ...]:
    if not subject.compound:
        return _shared_parts(subject)
    return (*_shared_parts(subject), ("compound", subject.method, subject.chemistry, subject.compound))


def _row(subject: Subject | None, places: Mapping[_Part, int]) -> FloatArray:
    row = np.zeros(len(places))
    if subject is not None:
        row[[places[part] for part in _parts(subject)]] = 1.0
    return row
