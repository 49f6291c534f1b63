"""Choice of material, temperature and fidelity of the next labels by expected improvement for each second.

The target of a candidate is its log10 D at the target temperature in the view of the highest fidelity, corrected by the
mean error of that potential. A label of any fidelity at any temperature changes the posterior mean of the target by a
random amount of standard deviation

    sigma_tilde = |c| / sqrt(v + t^2 + n^2),

c the posterior covariance of label and target, v the variance of the label's mean, n its noise (statistical error and
model noise), t the deviation of the error of the highest fidelity, which no label reduces (docs/design/acquisition.md
has the case of one fidelity, c = v = s^2). The label is worth the improvement of the best mean that this change can
show: with g the distance of the candidate's mean to the best of other compounds, sigma_tilde h(-g / sigma_tilde),
h(z) = z Phi(z) + phi(z). This is the knowledge gradient of one candidate (Frazier et al., INFORMS J. Comput. 21, 599
(2009); for several sources Poloczek, Wang, Frazier, NeurIPS 2017). Unlike the improvement over the best labelled
candidate it is zero for a label that tells nothing, so that it may be divided by the seconds that the label costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion.learning.acquisition.functions import mean_improvement
from vitrion_models.heads.arrhenius import ArrheniusPosterior
from vitrion_models.heads.arrhenius_law import inverse_temperature
from vitrion_models.materials import Material
from vitrion_models.surrogates.multi_fidelity.model import MultiFidelitySurrogate
from vitrion_models.system import FloatArray, IntArray

SMALLEST_VARIANCE = 1e-12


@dataclass(frozen=True, eq=False)
class LabelOptions:
    """n labels that can be made.

    Attributes:
        candidate: index of the candidate, shape (n,).
        fidelity: index of the fidelity, 0 for the lowest, shape (n,).
        temperature_K: temperature of the label, shape (n,).
        seconds: expected cost, shape (n,).
        stderr: expected statistical standard error, decades, shape (n,).
    """

    candidate: IntArray
    fidelity: IntArray
    temperature_K: FloatArray
    seconds: FloatArray
    stderr: FloatArray

    def __len__(self) -> int:
        return len(self.candidate)


@dataclass(frozen=True, eq=False)
class Target:
    """The quantity that candidates are ranked by, for C candidates.

    Attributes:
        temperature_K: target temperature.
        compounds: composition of each candidate; cells of one composition are no rivals.
        model_offset: mean error of the highest fidelity, decades, shape (C,).
        model_deviation: standard deviation of that error, decades, shape (C,).
    """

    temperature_K: float
    compounds: Sequence[str]
    model_offset: FloatArray
    model_deviation: FloatArray


@dataclass(frozen=True)
class Choice:
    """A chosen label.

    Attributes:
        option: index of the option.
        improvement: expected improvement when chosen, decades.
        value: improvement for each second, decades/s.
    """

    option: int
    improvement: float
    value: float


def choose_options(
    surrogate: MultiFidelitySurrogate,
    materials: Sequence[Material],
    options: LabelOptions,
    target: Target,
    *,
    count: int,
    budget_seconds: float = np.inf,
) -> list[Choice]:
    """Choose labels greedily by value for each second.

    After each choice the posterior covariance is that with the chosen label (its mean is not known yet), so that labels
    that tell the same are not chosen together.

    Args:
        surrogate: of all fidelities.
        materials: of the C candidates; those without an option compete for the best mean, too.
        options: labels that can be made.
        target: ranking of the candidates.
        count: number of labels.
        budget_seconds: the choice ends with the label that reaches this cost.

    Returns:
        At most `count` choices, all of different options, in order of choice.
    """
    posterior = surrogate.posterior_of_all(materials)
    top = (len(surrogate.fidelities) - 1) * len(materials)
    node, goal = options.fidelity * len(materials) + options.candidate, top + options.candidate
    x = inverse_temperature(options.temperature_K, surrogate.reference_K)
    goal_x = inverse_temperature(np.full(len(options), target.temperature_K), surrogate.reference_K)
    behind = -_distance_to_best_other(_corrected_means(surrogate, posterior, target), target.compounds)[
        options.candidate
    ]
    variance = posterior.covariances(node, x, node, x)
    shared = posterior.covariances(node, x, goal, goal_x)
    noise = options.stderr**2 + surrogate.head.noise**2 + target.model_deviation[options.candidate] ** 2
    chosen: list[Choice] = []
    spent = 0.0
    # Scaled covariances of all labels, and of all targets, with each chosen label.
    changes: list[tuple[FloatArray, FloatArray]] = []
    available = np.ones(len(options), dtype=bool)
    while len(chosen) < count and spent < budget_seconds and available.any():
        deviation = np.abs(shared) / np.sqrt(np.maximum(variance, 0.0) + noise + SMALLEST_VARIANCE)
        improvement = mean_improvement(behind, deviation)
        value = np.where(available, improvement / options.seconds, -np.inf)
        best = int(np.argmax(value))
        chosen.append(Choice(best, float(improvement[best]), float(value[best])))
        available[best] = False
        spent += float(options.seconds[best])
        by_label = posterior.covariances(node, x, node[best], x[best])
        by_target = posterior.covariances(goal, goal_x, node[best], x[best])
        for labels, targets in changes:
            by_label, by_target = by_label - labels * labels[best], by_target - targets * labels[best]
        scale = np.sqrt(max(float(by_label[best]), 0.0) + float(noise[best]) + SMALLEST_VARIANCE)
        changes.append((by_label / scale, by_target / scale))
        variance = variance - changes[-1][0] ** 2
        shared = shared - changes[-1][0] * changes[-1][1]
    return chosen


def _corrected_means(surrogate: MultiFidelitySurrogate, posterior: ArrheniusPosterior, target: Target) -> FloatArray:
    count = len(target.model_offset)
    x = inverse_temperature(np.full(count, target.temperature_K), surrogate.reference_K)
    mean, _ = posterior.moments(np.arange((len(surrogate.fidelities) - 1) * count, len(posterior.level)), x)
    return mean - target.model_offset


def _distance_to_best_other(mean: FloatArray, compounds: Sequence[str]) -> FloatArray:
    """Return the distance of each mean to the best mean of another compound, zero where there is none, shape (C,)."""
    names, place = np.unique(np.asarray(compounds, dtype=str), return_inverse=True)
    if len(names) == 1:
        return np.zeros(len(mean))
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, place, mean)
    second, first = np.sort(best)[-2:]
    distance: FloatArray = np.abs(mean - np.where(best[place] == first, second, first))
    return distance
