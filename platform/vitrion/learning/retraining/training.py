"""Training of the next model versions, and their promotion on the frozen test."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from vitrion.database import Database
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.retraining import model_registry
from vitrion.learning.retraining.model_registry import Lineage
from vitrion.learning.seeds import derive_seed
from vitrion.learning.training_data import TrainingData
from vitrion_models import generators, surrogates
from vitrion_models.surrogates import (
    DIFFUSIVITY,
    MultiFidelityConfig,
    Sample,
    SurrogateConfig,
    TrainedSurrogate,
)
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_models.training.promotion import PromotionDecision, compare_on_frozen_test

TextCallback = Callable[[str], None]
Model = TypeVar("Model")


@dataclass(frozen=True)
class TrainingResult:
    """Result of one retraining.

    Attributes:
        artefact_sha256: the new version.
        promoted: True if it replaces its parent.
        reason: why, or why not.
        seconds: wall time.
    """

    artefact_sha256: str
    promoted: bool
    reason: str
    seconds: float


def retrain_surrogate(
    db: Database,
    configuration: CampaignConfiguration,
    data: TrainingData,
    *,
    cycle: int,
    on_progress: TextCallback,
) -> TrainingResult:
    """Train a surrogate on all labels but the frozen test, store it, and promote it if it is not worse there."""
    begun = time.monotonic()
    seed = derive_seed(configuration.root_seed, "surrogate", cycle)
    # Not the presently promoted one: a run killed after storing its child must not become its own parent.
    parent = model_registry.promoted_surrogate(db, configuration.name, before_cycle=cycle)
    trained = surrogates.train(
        [*data.observations, *data.twins],
        test_keys=data.test_keys,
        config=_with_fidelities(configuration.surrogate, data.fidelities),
        seed=seed,
        parent=None if parent is None else parent[1],
        on_progress=lambda fraction, what: on_progress(f"surrogate: {what} {100 * fraction:.0f} %"),
    )
    test = [entry for entry in data.testing if not entry[DIFFUSIVITY].censored]
    decision = _decide(
        None if parent is None else parent[1],
        trained,
        score=lambda model: _residuals(model, test),
        groups=[entry.group for entry in test],
        what="uncensored label",
        seed=seed,
    )
    seconds = time.monotonic() - begun
    lineage = _lineage(configuration, cycle, seed, seconds, parent=parent, decision=decision)
    split = {"grouped_by": "chemsys", "test_keys": sorted(data.test_keys)}
    sha256 = model_registry.store_surrogate(db, trained, lineage=lineage, split=split, errors=data.error_record())
    return TrainingResult(sha256, decision.promote, decision.reason, seconds)


def _with_fidelities(config: SurrogateConfig, fidelities: tuple[str, ...]) -> SurrogateConfig:
    is_multi = isinstance(config, MultiFidelityConfig)
    return config.model_copy(update={"fidelities": fidelities}) if is_multi else config


def retrain_generator(
    db: Database,
    configuration: CampaignConfiguration,
    cells: Sequence[tuple[str, AtomicSystem]],
    test_cells: Sequence[tuple[str, AtomicSystem]],
    *,
    cycle: int,
    on_progress: TextCallback,
) -> TrainingResult:
    """Train a generator on accepted melt-quenched cells, store it, and promote it if it is not worse on the test cells.

    Args:
        db: database of the campaign.
        configuration: its configuration.
        cells: fingerprint and arrays of the training cells, sorted by fingerprint.
        test_cells: the same of the compositions of the frozen test; never trained on.
        cycle: index of the cycle.
        on_progress: called with one line of text.
    """
    begun = time.monotonic()
    seed = derive_seed(configuration.root_seed, "generator", cycle)
    parent = model_registry.promoted_generator(db, configuration.name, before_cycle=cycle)
    trained = generators.train(
        [system for _, system in cells],
        config=configuration.generator,
        seed=seed,
        parent=None if parent is None else parent[1],
        on_progress=lambda at: on_progress(f"generator: step {at.step} of {at.steps}, loss {at.loss:.3f}"),
    )
    systems = [system for _, system in test_cells]
    decision = _decide(
        None if parent is None else parent[1],
        trained,
        # The comparison squares its input; a denoising loss is a square already.
        score=lambda model: np.sqrt(model.denoising_losses(systems, seed=seed)),
        groups=[_formula(system) for system in systems],
        what="accepted cell",
        seed=seed,
    )
    seconds = time.monotonic() - begun
    lineage = _lineage(configuration, cycle, seed, seconds, parent=parent, decision=decision)
    sha256 = model_registry.store_generator(db, trained, lineage=lineage, cells=[name for name, _ in cells])
    return TrainingResult(sha256, decision.promote, decision.reason, seconds)


def _decide(
    parent: Model | None,
    child: Model,
    *,
    score: Callable[[Model], FloatArray],
    groups: Sequence[str],
    what: str,
    seed: int,
) -> PromotionDecision:
    """Decide on the promotion of a child; promote it where there is no parent, or nothing to compare them on."""
    if parent is not None and groups:
        return compare_on_frozen_test(score(parent), score(child), groups=groups, seed=seed)
    reason = "the first of its line" if parent is None else f"no {what} in the frozen test to compare on"
    return PromotionDecision(promote=True, reason=reason, mean_difference=0.0, interval=(0.0, 0.0))


def _lineage(
    configuration: CampaignConfiguration,
    cycle: int,
    seed: int,
    seconds: float,
    *,
    parent: tuple[str, object] | None,
    decision: PromotionDecision,
) -> Lineage:
    return Lineage(
        campaign=configuration.name,
        cycle=cycle,
        seed=seed,
        wall_seconds=seconds,
        parent=None if parent is None else parent[0],
        decision=decision,
    )


def _residuals(surrogate: TrainedSurrogate, rows: Sequence[Sample]) -> FloatArray:
    """Return predicted minus measured log10 D, each label predicted as one of its source, decades, shape (N,)."""
    residuals = np.empty(len(rows))
    for source in sorted({row.source for row in rows}):
        places = [place for place, row in enumerate(rows) if row.source == source]
        mine = [rows[place] for place in places]
        prediction = surrogate.of_source(source).predict(
            [row.input for row in mine], [row.temperature_K for row in mine]
        )
        residuals[places] = prediction.mean - np.array([float(row[DIFFUSIVITY].value) for row in mine])
    return residuals


def _formula(system: AtomicSystem) -> str:
    counts = np.bincount(system.numbers)
    return "-".join(f"{number}:{counts[number]}" for number in np.flatnonzero(counts))
