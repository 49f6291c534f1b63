"""Training of the whole surrogate: head, cross-fitted graph networks, their share, and the scores of the interval.

Every number that judges the model is out of sample. Groups are dealt into folds; for each fold a head is fitted on the
others, graph networks learn there what the head cannot foresee (its expectations being cross-fitted once more inside),
and the fold's labels are predicted by both. From these predictions come the share of the networks and the scores of the
conformal interval. The head that answers is then fitted on all training labels.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig
from vitrion_models.surrogates.arrhenius_gnn.dataset import LabelSet, label_set, the_species
from vitrion_models.surrogates.arrhenius_gnn.evaluation import frozen_test_metrics
from vitrion_models.surrogates.arrhenius_gnn.head import ArrheniusHead, HeadPosterior, fit_head, refit_head
from vitrion_models.surrogates.arrhenius_gnn.model import ArrheniusSurrogate, Domain
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.contract import Progress, TrainedSurrogate
from vitrion_models.surrogates.observation import Observation, elements_of, species_number
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_models.training.splits import assert_disjoint, grouped_folds
from vitrion_models.uncertainty import score_quantile

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
INNER_FOLDS = 4
FEWEST_GROUPS = 2
FEWEST_GROUPS_FOR_GRAPHS = 4
# Score expected before any label: deviations are stated half again too small.
PRIOR_SCORE = 1.5
LEVEL = 0.95


def train(
    observations: Sequence[Observation],
    *,
    test_keys: Collection[str],
    config: SurrogateConfig,
    seed: int,
    parent: TrainedSurrogate | None = None,
    on_progress: Progress | None = None,
) -> ArrheniusSurrogate:
    """Train a surrogate; see `vitrion_models.surrogates.train`."""
    told = on_progress or _silent
    training, test = _divided(observations, test_keys)
    species = the_species(training)
    number = species_number(species)
    reference = 1000.0 / float(np.mean([1000.0 / one.temperature_K for one in sorted(training, key=_key)]))
    data = label_set(training, mobile_number=number, reference_K=reference)
    told(0.0, "fitting the Arrhenius head")
    head = fit_head(data.descriptors, data.labels, config, own=data.own)
    warm = parent if isinstance(parent, ArrheniusSurrogate) else None
    folds = _cross_fitted(data, config, number=number, seed=seed, parent=warm, on_progress=told)
    share = _share(data, folds)
    scores, score_groups = _scores(data, folds, share)
    model = ArrheniusSurrogate(
        config=config,
        species=species,
        source=training[0].source,
        reference_K=reference,
        head=head,
        networks=tuple(network for fold in folds for network in fold.networks),
        network_groups=tuple(fold.groups for fold in folds for _ in fold.networks),
        graph_share=share,
        scores=scores,
        score_groups=score_groups,
        quantile=score_quantile(scores, score_groups, level=LEVEL, prior_scale=PRIOR_SCORE),
        domain=_domain(training),
        own_errors={name: float(data.own[:, place].max()) for place, name in enumerate(data.compounds)},
        training_keys=data.keys,
        test_keys=tuple(sorted(test_keys)),
        metrics={},
        seed=seed,
        parent_sha256=None if warm is None else warm.artefact_sha256,
    )
    told(1.0, "judging on the frozen test")
    return frozen_test_metrics(model, data, test)


@dataclass(frozen=True, eq=False)
class _Fold:
    """What one fold of held-out groups was predicted to be.

    Attributes:
        rows: held-out labels.
        posterior: of a head that did not see them, at all materials.
        noise: model noise of that head.
        correction: mean correction of its networks at all materials, shape (S, 2).
        networks: trained without them.
        groups: that head and networks were trained on.
    """

    rows: IntArray
    posterior: HeadPosterior
    noise: float
    correction: FloatArray
    networks: tuple[Any, ...]
    groups: tuple[str, ...]

    def moments(self, data: LabelSet, share: float) -> tuple[FloatArray, FloatArray]:
        """Mean and deviation of the held-out labels."""
        shifted = HeadPosterior(
            self.posterior.level + share * self.correction[:, 0],
            self.posterior.raw + share * self.correction[:, 1],
            self.posterior.covariance,
        )
        labels = data.labels.subset(self.rows)
        mean, variance = shifted.moments(labels.material, labels.x)
        return mean, np.sqrt(variance + self.noise**2 + labels.stderr**2)


def _cross_fitted(
    data: LabelSet,
    config: SurrogateConfig,
    *,
    number: int,
    seed: int,
    parent: ArrheniusSurrogate | None,
    on_progress: Progress,
) -> tuple[_Fold, ...]:
    count = min(config.members, len(set(data.groups)))
    if count < FEWEST_GROUPS:
        return ()
    fold_of = grouped_folds(data.groups, folds=count, seed=seed)
    graphs = _graphs(data, config, number)
    done = []
    for fold in range(count):
        on_progress(0.05 + 0.9 * fold / count, f"held-out groups, part {fold + 1} of {count}")
        inside, outside = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        head = fit_head(data.descriptors, data.labels.subset(inside), config, own=data.own)
        # Members beyond the number of folds repeat a fold from another start.
        seeds = [seed * 1000 + member for member in range(fold, config.members, count)]
        networks = _networks(data, graphs, head, inside, outside, seeds=seeds, parent=parent)
        done.append(
            _Fold(
                rows=outside,
                posterior=head.posterior(data.descriptors, data.own),
                noise=head.noise,
                correction=_mean_correction(networks, data, config, number),
                networks=networks,
                groups=tuple(sorted({data.groups[row] for row in inside})),
            ),
        )
    return tuple(done)


def _graphs(data: LabelSet, config: SurrogateConfig, number: int) -> tuple[Any, ...]:
    cells = any(isinstance(material, AtomicSystem) for material in data.materials)
    if not isinstance(config, ArrheniusGNNConfig) or not cells:
        return ()
    from vitrion_models.surrogates.arrhenius_gnn.fitting import graphs_of  # noqa: PLC0415 - torch_geometric

    return graphs_of(data.materials, cutoff_A=config.cutoff_A, mobile_number=number)


def _networks(
    data: LabelSet,
    graphs: tuple[Any, ...],
    head: ArrheniusHead,
    inside: IntArray,
    outside: IntArray,
    *,
    seeds: Sequence[int],
    parent: ArrheniusSurrogate | None,
) -> tuple[Any, ...]:
    groups = [data.groups[row] for row in inside]
    config = head.config
    if not isinstance(config, ArrheniusGNNConfig) or not graphs or len(set(groups)) < FEWEST_GROUPS_FOR_GRAPHS - 1:
        return ()
    from vitrion_models.surrogates.arrhenius_gnn import fitting  # noqa: PLC0415 - imports torch_geometric

    level, raw = _foreseen(data, head, inside, seed=seeds[0])
    # A network learns what compounds share: the compound's own error is noise to it.
    told = replace(data.labels, stderr=np.hypot(data.labels.stderr, data.own.sum(axis=1)[data.labels.material]))
    task = fitting.GraphTask(graphs, level, raw, told.subset(inside), head.noise)
    start = _start(parent, config, {data.groups[row] for row in outside})
    return tuple(fitting.fit_network(task, config, seed=one, start=start) for one in seeds)


def _foreseen(data: LabelSet, head: ArrheniusHead, rows: IntArray, *, seed: int) -> tuple[FloatArray, FloatArray]:
    """Level and raw slope of each material as foreseen without the labels of its own group."""
    groups = [data.groups[row] for row in rows]
    count = min(INNER_FOLDS, len(set(groups)))
    fold_of = grouped_folds(groups, folds=count, seed=seed)
    level, raw = np.zeros(len(data.materials)), np.zeros(len(data.materials))
    for fold in range(count):
        kept, left = rows[fold_of != fold], rows[fold_of == fold]
        inner = refit_head(
            data.descriptors,
            data.labels.subset(kept),
            head.config,
            amplitude=head.amplitude,
            noise=head.noise,
            own=data.own,
        )
        materials = np.unique(data.labels.material[left])
        posterior = inner.posterior(data.descriptors[materials], data.own[materials])
        level[materials], raw[materials] = posterior.level, posterior.raw
    return level, raw


def _start(parent: ArrheniusSurrogate | None, config: SurrogateConfig, held_out: set[str]) -> Any:
    """A network of the parent's that never saw the held-out groups, or None: a warm start must not leak them."""
    if parent is None or parent.config != config:
        return None
    for network, groups in zip(parent.networks, parent.network_groups, strict=True):
        if not held_out & set(groups):
            return network
    return None


def _mean_correction(networks: tuple[Any, ...], data: LabelSet, config: SurrogateConfig, number: int) -> FloatArray:
    if not networks or not isinstance(config, ArrheniusGNNConfig):
        return np.zeros((len(data.materials), 2))
    from vitrion_models.surrogates.arrhenius_gnn import fitting  # noqa: PLC0415 - imports torch_geometric

    graphs = fitting.double_graphs(data.materials, cutoff_A=config.cutoff_A, mobile_number=number)
    found = [fitting.corrections(network, graphs, at_once=config.batch_structures) for network in networks]
    mean: FloatArray = np.mean(found, axis=0)
    return mean


def _share(data: LabelSet, folds: tuple[_Fold, ...]) -> float:
    """Share of the networks' corrections with the best likelihood on held-out groups; ties go to the smaller."""
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


def _scores(data: LabelSet, folds: tuple[_Fold, ...], share: float) -> tuple[FloatArray, tuple[str, ...]]:
    """Held-out residuals over deviations; what lies below its bound scores zero."""
    scores: list[float] = []
    groups: list[str] = []
    for fold in folds:
        mean, deviation = fold.moments(data, share)
        residual = mean - data.labels.y[fold.rows]
        bound = data.labels.censored[fold.rows] > 0
        scores.extend((np.where(bound, np.maximum(residual, 0.0), np.abs(residual)) / deviation).tolist())
        groups.extend(data.groups[row] for row in fold.rows)
    return np.array(scores), tuple(groups)


def _divided(
    observations: Sequence[Observation],
    test_keys: Collection[str],
) -> tuple[list[Observation], list[Observation]]:
    counts = Counter(observation.key for observation in observations)
    repeated = sorted(key for key, count in counts.items() if count > 1)
    if repeated:
        raise InputError(f"label {repeated[0]} is given twice")
    wanted = set(test_keys)
    test = [observation for observation in observations if observation.key in wanted]
    training = [observation for observation in observations if observation.key not in wanted]
    missing = wanted - set(counts)
    if missing:
        raise InputError(f"the frozen test names label {min(missing)}, which is not among the observations")
    if not training:
        raise InputError("a surrogate needs at least one label outside of the frozen test")
    assert_disjoint((one.group for one in training), {one.group for one in test})
    return training, test


def _domain(training: Sequence[Observation]) -> Domain:
    temperatures = [observation.temperature_K for observation in training]
    elements = frozenset[int]().union(*(elements_of(observation.material) for observation in training))
    return Domain(
        lowest_K=min(temperatures),
        highest_K=max(temperatures),
        elements=tuple(sorted(elements)),
        label_stderr=float(np.median([observation.log10_stderr for observation in training])),
    )


def _key(observation: Observation) -> str:
    return observation.key


def _silent(_fraction: float, _message: str) -> None:
    """Progress that nobody watches."""
