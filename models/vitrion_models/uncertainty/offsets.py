"""Systematic offsets of methods, shared by what is akin: one Gaussian posterior from comparisons of any kind.

The offset of a method (a potential) from the truth for one compound is a sum of three independent Gaussian parts,

    b(method, class, compound) = m(method) + k(method, class) + c(method, compound),

with prior deviations for each. A comparison is a difference of two such offsets, or an offset beside the truth, plus
its own error. Everything being linear and Gaussian the posterior is closed (Gelman et al., *Bayesian Data Analysis*,
3rd edition, 2013, chapter 5): few comparisons are drawn towards those of akin classes and towards no offset, many
speak for themselves. Where neither of two methods is known, their difference is laid to both alike.
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
    """What has an offset.

    Attributes:
        method: its name.
        chemistry: class of compounds.
        compound: one of them; empty for the middle of the class.
    """

    method: str
    chemistry: str
    compound: str = ""


@dataclass(frozen=True)
class Comparison:
    """One measured difference of offsets.

    Attributes:
        value: offset of `first` minus that of `second`, decades.
        stderr: its own standard error, positive.
        first: what is compared.
        second: what with; the truth when None.
    """

    value: float
    stderr: float
    first: Subject
    second: Subject | None = None


@dataclass(frozen=True)
class PriorDeviations:
    """Standard deviations of the parts of an offset before any comparison, in decades.

    Attributes:
        method: of what a method is off everywhere.
        chemistry: of what it is off in one class beside that.
        compound: of what it is off for one compound beside both.
        compound_of: the last one where it is known better, by (method, class).
    """

    method: float
    chemistry: float
    compound: float
    compound_of: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def of(self, part: _Part) -> float:
        """Deviation of one part."""
        kind, method, *rest = part
        if kind == "compound":
            return self.compound_of.get((method, rest[0]), self.compound)
        return self.method if kind == "method" else self.chemistry


@dataclass(frozen=True)
class Offset:
    """What is known of one offset, in decades.

    Attributes:
        mean: posterior mean.
        stderr: deviation of the whole.
        shared_stderr: deviation of the part that compounds of a class share: more comparisons make it smaller.
    """

    mean: float
    stderr: float
    shared_stderr: float


def posterior_offsets(
    comparisons: Sequence[Comparison], asked: Sequence[Subject], *, prior: PriorDeviations
) -> tuple[Offset, ...]:
    """Posterior of offsets from all comparisons together.

    Args:
        comparisons: any number; without one the prior comes back.
        asked: whose offsets are wanted.
        prior: deviations of the parts.

    Returns:
        One offset for each of `asked`.

    Raises:
        InputError: a comparison that is no number, or whose error is not positive.
    """
    for one in comparisons:
        if not (math.isfinite(one.value) and math.isfinite(one.stderr) and one.stderr > 0):
            raise InputError(f"an offset of {one.value} +- {one.stderr} decades is no comparison")
    sides = [side for one in comparisons for side in (one.first, one.second) if side is not None]
    # Of a part that no comparison holds the posterior is the prior, independent of all others: the pool is never solved
    # for, only what was compared.
    places = {part: place for place, part in enumerate(dict.fromkeys(part for side in sides for part in _parts(side)))}
    design = np.array([_row(one.first, places) - _row(one.second, places) for one in comparisons])
    design = design.reshape(len(comparisons), len(places))
    weights = np.array([one.stderr**-2 for one in comparisons])
    precision = np.diag([prior.of(part) ** -2 for part in places]) + design.T @ (weights[:, None] * design)
    mean = np.linalg.solve(precision, design.T @ (weights * np.array([one.value for one in comparisons])))
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

    return tuple(map(offset, asked))


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
