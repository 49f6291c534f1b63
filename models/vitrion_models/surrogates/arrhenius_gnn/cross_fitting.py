"""Cross-fitting: heads and networks trained without each fold, and their out-of-sample predictions.

Groups are divided into folds; for each fold a head is fitted on the others, networks learn there the residual of the
head (its predictions being cross-fitted once more inside), and the fold's labels are predicted by both. These
predictions fix the share of the networks and the scores of the conformal interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vitrion_models.heads.arrhenius import ArrheniusHead, ArrheniusPosterior, fit_head, refit_head
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig
from vitrion_models.surrogates.arrhenius_gnn.dataset import LabelSet
from vitrion_models.surrogates.arrhenius_gnn.model import ArrheniusSurrogate
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.contract import Progress
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_models.training.splits import grouped_folds

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
INNER_FOLDS = 4
MIN_GROUPS = 2
MIN_GROUPS_FOR_GRAPHS = 4


@dataclass(frozen=True, eq=False)
class Fold:
    """Models trained without one fold of groups, and their predictions.

    Attributes:
        rows: held-out labels, shape (m,).
        posterior: of the head trained without them, at all S materials.
        noise: model noise of that head, decades.
        correction: mean correction of the networks at all materials, shape (S, 2).
        networks: trained without the held-out labels.
        groups: training groups of that head and of the networks.
    """

    rows: IntArray
    posterior: ArrheniusPosterior
    noise: float
    correction: FloatArray
    networks: tuple[Any, ...]
    groups: tuple[str, ...]

    def moments(self, data: LabelSet, share: float) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of the held-out labels, decades, both (m,)."""
        labels = data.labels.subset(self.rows)
        mean, variance = self.posterior.shifted(share * self.correction).moments(labels.material, labels.x)
        return mean, np.sqrt(variance + self.noise**2 + labels.stderr**2)


def cross_fit(
    data: LabelSet,
    config: SurrogateConfig,
    *,
    mobile_number: int,
    seed: int,
    parent: ArrheniusSurrogate | None,
    on_progress: Progress,
) -> tuple[Fold, ...]:
    """Train head and networks without each fold of groups; no fold with fewer than two groups.

    Args:
        data: training labels.
        config: hyper-parameters.
        mobile_number: atomic number of the mobile species.
        seed: of folds, initial weights and order of batches.
        parent: surrogate whose networks to start from.
        on_progress: called before each fold.
    """
    count = min(config.members, len(set(data.groups)))
    if count < MIN_GROUPS:
        return ()
    fold_of = grouped_folds(data.groups, folds=count, seed=seed)
    graphs = _graphs(data, config, mobile_number)
    folds = []
    for fold in range(count):
        on_progress(0.05 + 0.9 * fold / count, f"held-out groups, part {fold + 1} of {count}")
        inside, outside = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        head = fit_head(data.embeddings, data.labels.subset(inside), config.prior, compound_errors=data.compound_errors)
        # Members beyond the number of folds repeat a fold from another start.
        seeds = [seed * 1000 + member for member in range(fold, config.members, count)]
        networks = _fit_networks(data, config, graphs, head, inside=inside, outside=outside, seeds=seeds, parent=parent)
        folds.append(
            Fold(
                rows=outside,
                posterior=head.posterior(data.embeddings, data.compound_errors),
                noise=head.noise,
                correction=_mean_correction(networks, data, config, mobile_number),
                networks=networks,
                groups=tuple(sorted({data.groups[row] for row in inside})),
            ),
        )
    return tuple(folds)


def best_share(data: LabelSet, folds: tuple[Fold, ...]) -> float:
    """Return the factor on the networks' corrections with the best likelihood on held-out groups, 0 to 1."""
    if not any(fold.networks for fold in folds):
        return 0.0

    def misfit(share: float) -> float:
        total = 0.0
        for fold in folds:
            mean, deviation = fold.moments(data, share)
            value = data.labels.censored[fold.rows] == 0
            z = ((data.labels.y[fold.rows] - mean) / deviation)[value]
            total += float(0.5 * (z**2).sum() + np.log(deviation[value]).sum())
        return total

    return min(SHARES, key=lambda share: (misfit(share), share))


def held_out_scores(data: LabelSet, folds: tuple[Fold, ...], share: float) -> tuple[FloatArray, tuple[str, ...]]:
    """Return held-out residuals over deviations, shape (n,), and their groups; below its bound a label scores zero."""
    scores: list[float] = []
    groups: list[str] = []
    for fold in folds:
        mean, deviation = fold.moments(data, share)
        residual = mean - data.labels.y[fold.rows]
        bound = data.labels.censored[fold.rows] > 0
        scores.extend((np.where(bound, np.maximum(residual, 0.0), np.abs(residual)) / deviation).tolist())
        groups.extend(data.groups[row] for row in fold.rows)
    return np.array(scores), tuple(groups)


def _graphs(data: LabelSet, config: SurrogateConfig, mobile_number: int) -> tuple[Any, ...]:
    systems = any(isinstance(material, AtomicSystem) for material in data.materials)
    if not isinstance(config, ArrheniusGNNConfig) or not systems:
        return ()
    from vitrion_models.surrogates.arrhenius_gnn.ensemble import material_graphs  # noqa: PLC0415 - torch_geometric

    return material_graphs(data.materials, cutoff_A=config.cutoff_A, mobile_number=mobile_number)


def _fit_networks(
    data: LabelSet,
    config: SurrogateConfig,
    graphs: tuple[Any, ...],
    head: ArrheniusHead,
    *,
    inside: IntArray,
    outside: IntArray,
    seeds: Sequence[int],
    parent: ArrheniusSurrogate | None,
) -> tuple[Any, ...]:
    groups = [data.groups[row] for row in inside]
    if not isinstance(config, ArrheniusGNNConfig) or not graphs or len(set(groups)) < MIN_GROUPS_FOR_GRAPHS - 1:
        return ()
    from vitrion_models.surrogates.arrhenius_gnn.ensemble import GraphTask, fit_network  # noqa: PLC0415 - as above

    level, raw_slope = _inner_predictions(data, head, inside, seed=seeds[0])
    # The networks learn trends shared by compounds: the systematic error of a compound is noise to them.
    systematic = data.compound_errors.sum(axis=1)[data.labels.material]
    labels = replace(data.labels, stderr=np.hypot(data.labels.stderr, systematic)).subset(inside)
    task = GraphTask(graphs, level, raw_slope, labels, head.noise)
    start = _start(parent, config, {data.groups[row] for row in outside})
    return tuple(fit_network(task, config, seed=seed, start=start) for seed in seeds)


def _inner_predictions(
    data: LabelSet, head: ArrheniusHead, rows: IntArray, *, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Return level and raw slope of each material, predicted without the labels of its own group, both (S,)."""
    groups = [data.groups[row] for row in rows]
    count = min(INNER_FOLDS, len(set(groups)))
    fold_of = grouped_folds(groups, folds=count, seed=seed)
    level, raw_slope = np.zeros(len(data.materials)), np.zeros(len(data.materials))
    for fold in range(count):
        training, held_out = rows[fold_of != fold], rows[fold_of == fold]
        inner = refit_head(
            data.embeddings,
            data.labels.subset(training),
            head.prior,
            amplitude=head.amplitude,
            noise=head.noise,
            compound_errors=data.compound_errors,
        )
        materials = np.unique(data.labels.material[held_out])
        posterior = inner.posterior(data.embeddings[materials], data.compound_errors[materials])
        level[materials], raw_slope[materials] = posterior.level, posterior.raw_slope
    return level, raw_slope


def _start(parent: ArrheniusSurrogate | None, config: SurrogateConfig, held_out: set[str]) -> Any:
    """Return a network of the parent trained without the held-out groups, or None: a warm start must not leak them."""
    if parent is None or parent.config != config:
        return None
    for network, groups in zip(parent.networks, parent.network_groups, strict=True):
        if not held_out & set(groups):
            return network
    return None


def _mean_correction(
    networks: tuple[Any, ...], data: LabelSet, config: SurrogateConfig, mobile_number: int
) -> FloatArray:
    if not networks or not isinstance(config, ArrheniusGNNConfig):
        return np.zeros((len(data.materials), 2))
    from vitrion_models.surrogates.arrhenius_gnn.ensemble import ensemble_corrections  # noqa: PLC0415 - as above

    mean: FloatArray = ensemble_corrections(networks, data.materials, config, mobile_number=mobile_number).mean(axis=0)
    return mean
