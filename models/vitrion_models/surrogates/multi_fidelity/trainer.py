"""Training of the multi-fidelity surrogate: head, interval of the highest fidelity, frozen test."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from vitrion_models.heads.arrhenius import ArrheniusHead
from vitrion_models.heads.multi_fidelity import FidelityLink, MultiFidelityPrior, fit_multi_fidelity_head
from vitrion_models.materials import atomic_number
from vitrion_models.samples import Sample
from vitrion_models.surrogates.arrhenius_gnn.cross_fitting import MIN_GROUPS
from vitrion_models.surrogates.arrhenius_gnn.dataset import common_species, label_set
from vitrion_models.surrogates.arrhenius_gnn.evaluation import frozen_test_metrics
from vitrion_models.surrogates.arrhenius_gnn.trainer import LEVEL, PRIOR_SCORE, divide, domain_of
from vitrion_models.surrogates.contract import Progress, TrainedSurrogate
from vitrion_models.surrogates.multi_fidelity.config import MultiFidelityConfig
from vitrion_models.surrogates.multi_fidelity.dataset import NodeSet, node_set
from vitrion_models.surrogates.multi_fidelity.model import MultiFidelitySurrogate
from vitrion_models.system import FloatArray
from vitrion_models.training.splits import grouped_folds
from vitrion_models.uncertainty import score_quantile


def train(
    samples: Sequence[Sample],
    *,
    test_keys: Collection[str],
    config: MultiFidelityConfig,
    seed: int,
    parent: TrainedSurrogate | None = None,  # noqa: ARG001 - the fit has no starting point
    on_progress: Progress | None = None,
) -> MultiFidelitySurrogate:
    """Train a surrogate; see `vitrion_models.surrogates.train`.

    The interval rests on labels of the highest fidelity, each predicted without the labels of its group at any
    fidelity.
    """
    training, test = divide(samples, test_keys)
    fidelities = config.fidelities or (training[0].source,)
    species = common_species(training)
    number = atomic_number(species)
    ordered = sorted(training, key=lambda sample: sample.key)
    reference_K = 1000.0 / float(np.mean([1000.0 / sample.temperature_K for sample in ordered]))
    data = node_set(training, fidelities, mobile_number=number, reference_K=reference_K)
    if on_progress is not None:
        on_progress(0.0, "fitting the multi-fidelity head")
    prior = config.multi_prior([FidelityLink()] * (len(fidelities) - 1))
    head = fit_multi_fidelity_head(data.rows, data.labels, prior, compound_errors=data.compound_errors)
    scores, groups = _held_out_scores(data, head, config, seed=seed)
    highest = [sample for sample in training if sample.source == fidelities[-1]]
    domain = domain_of(training)
    model = MultiFidelitySurrogate(
        config=config,
        species=species,
        source=fidelities[-1],
        reference_K=reference_K,
        head=head,
        networks=(),
        network_groups=(),
        graph_share=0.0,
        scores=scores,
        score_groups=groups,
        quantile=score_quantile(scores, groups, level=LEVEL, prior_scale=PRIOR_SCORE),
        domain=replace(domain, label_stderr=domain_of(highest or training).label_stderr),
        compound_errors=data.error_by_compound,
        training_keys=data.keys,
        test_keys=tuple(sorted(test_keys)),
        metrics={},
        seed=seed,
        parent_sha256=None,
    )
    return _with_metrics(model, training, test)


def _held_out_scores(
    data: NodeSet, fitted: ArrheniusHead, config: MultiFidelityConfig, *, seed: int
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return residuals over deviations of the highest fidelity's labels, predicted without their groups, and these.

    The heads without a group start from the hyper-parameters of the whole fit, and settle on their own.
    """
    folds = min(config.members, len(set(data.groups)))
    scores: list[float] = []
    groups: list[str] = []
    if folds < MIN_GROUPS:
        return np.array(scores), ()
    fold_of = grouped_folds(data.groups, folds=folds, seed=seed)
    highest = data.fidelity == max(len(config.fidelities) - 1, 0)
    prior = fitted.prior if isinstance(fitted.prior, MultiFidelityPrior) else config.multi_prior(())
    for fold in range(folds):
        outside = np.flatnonzero((fold_of == fold) & highest)
        if not len(outside):
            continue
        head = fit_multi_fidelity_head(
            data.rows,
            data.labels.subset(np.flatnonzero(fold_of != fold)),
            prior,
            amplitude=fitted.amplitude,
            noise=fitted.noise,
            compound_errors=data.compound_errors,
        )
        labels = data.labels.subset(outside)
        mean, variance = head.posterior(data.rows, data.compound_errors).moments(labels.material, labels.x)
        residual = mean - labels.y
        # Below its bound a label scores zero.
        size = np.where(labels.censored > 0, np.maximum(residual, 0.0), np.abs(residual))
        scores.extend((size / np.sqrt(variance + head.noise**2 + labels.stderr**2)).tolist())
        groups.extend(data.groups[row] for row in outside)
    return np.array(scores), tuple(groups)


def _with_metrics(
    model: MultiFidelitySurrogate, training: Sequence[Sample], test: Sequence[Sample]
) -> MultiFidelitySurrogate:
    """Return the model with metrics on the frozen test labels of the highest fidelity that has any."""
    for source in reversed(model.fidelities):
        tested = [sample for sample in test if sample.source == source]
        learned = [sample for sample in training if sample.source == source]
        if tested and learned:
            data = label_set(learned, mobile_number=atomic_number(model.species), reference_K=model.reference_K)
            return replace(model, metrics=frozen_test_metrics(model.of_source(source), data, tested).metrics)
    return model
