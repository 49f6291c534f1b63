"""Training of a whole Arrhenius surrogate: head, cross-fitted networks, their share, the interval, the frozen test."""

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.heads.arrhenius import fit_head
from vitrion_models.materials import atomic_number, elements_of
from vitrion_models.samples import Sample
from vitrion_models.surrogates.arrhenius_gnn.cross_fitting import best_share, cross_fit, held_out_scores
from vitrion_models.surrogates.arrhenius_gnn.dataset import common_species, label_set
from vitrion_models.surrogates.arrhenius_gnn.evaluation import frozen_test_metrics
from vitrion_models.surrogates.arrhenius_gnn.model import ArrheniusSurrogate, Domain
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.contract import Progress, TrainedSurrogate
from vitrion_models.surrogates.diffusivity import DIFFUSIVITY
from vitrion_models.training.splits import assert_disjoint
from vitrion_models.uncertainty import score_quantile

# Score expected before any label: deviations are assumed to be half again too small.
PRIOR_SCORE = 1.5
LEVEL = 0.95


def train(
    samples: Sequence[Sample],
    *,
    test_keys: Collection[str],
    config: SurrogateConfig,
    seed: int,
    parent: TrainedSurrogate | None = None,
    on_progress: Progress | None = None,
) -> ArrheniusSurrogate:
    """Train a surrogate; see `vitrion_models.surrogates.train`.

    The share of the networks and the interval rest on out-of-sample predictions alone; the head that predicts is then
    fitted on all training labels.
    """
    report = on_progress or _ignore
    training, test = divide(samples, test_keys)
    species = common_species(training)
    number = atomic_number(species)
    ordered = sorted(training, key=lambda sample: sample.key)
    reference_K = 1000.0 / float(np.mean([1000.0 / sample.temperature_K for sample in ordered]))
    data = label_set(training, mobile_number=number, reference_K=reference_K)
    report(0.0, "fitting the Arrhenius head")
    head = fit_head(data.embeddings, data.labels, config.prior, compound_errors=data.compound_errors)
    warm = parent if isinstance(parent, ArrheniusSurrogate) else None
    folds = cross_fit(data, config, mobile_number=number, seed=seed, parent=warm, on_progress=report)
    share = best_share(data, folds)
    scores, score_groups = held_out_scores(data, folds, share)
    model = ArrheniusSurrogate(
        config=config,
        species=species,
        source=training[0].source,
        reference_K=reference_K,
        head=head,
        networks=tuple(network for fold in folds for network in fold.networks),
        network_groups=tuple(fold.groups for fold in folds for _ in fold.networks),
        graph_share=share,
        scores=scores,
        score_groups=score_groups,
        quantile=score_quantile(scores, score_groups, level=LEVEL, prior_scale=PRIOR_SCORE),
        domain=domain_of(training),
        compound_errors=data.error_by_compound(),
        training_keys=data.keys,
        test_keys=tuple(sorted(test_keys)),
        metrics={},
        seed=seed,
        parent_sha256=None if warm is None else warm.artefact_sha256,
    )
    report(1.0, "evaluating on the frozen test")
    return frozen_test_metrics(model, data, test)


def divide(samples: Sequence[Sample], test_keys: Collection[str]) -> tuple[list[Sample], list[Sample]]:
    """Return the training samples and those of the frozen test.

    Raises:
        InputError: a label given twice, a missing test label, no training label, or a group on both sides.
    """
    counts = Counter(sample.key for sample in samples)
    repeated = sorted(key for key, count in counts.items() if count > 1)
    if repeated:
        raise InputError(f"label {repeated[0]} is given twice: remove one")
    held_out = set(test_keys)
    test = [sample for sample in samples if sample.key in held_out]
    training = [sample for sample in samples if sample.key not in held_out]
    missing = held_out - set(counts)
    if missing:
        raise InputError(f"label {min(missing)} of the frozen test is not among the samples: add it")
    if not training:
        raise InputError("a surrogate needs at least one label outside the frozen test")
    assert_disjoint((sample.group for sample in training), {sample.group for sample in test})
    return training, test


def domain_of(training: Sequence[Sample]) -> Domain:
    """Return the domain of training samples."""
    temperatures = [sample.temperature_K for sample in training]
    elements = frozenset[int]().union(*(elements_of(sample.input) for sample in training))
    return Domain(
        lowest_K=min(temperatures),
        highest_K=max(temperatures),
        elements=tuple(sorted(elements)),
        label_stderr=float(np.median([float(sample[DIFFUSIVITY].stderr) for sample in training])),
    )


def _ignore(_fraction: float, _message: str) -> None:
    """Discard the progress."""
