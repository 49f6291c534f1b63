"""Retraining: both models learn from all that is known, and take their parents' places if they are not worse."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from vitrion.database import Database
from vitrion.learning.acquisition.knowledge import Knowledge
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.retraining import model_registry as shelf
from vitrion.learning.seeds import derive_seed
from vitrion_models import generators, surrogates
from vitrion_models.surrogates import ArrheniusGNNConfig, Observation, TrainedSurrogate
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_models.training.promotion import PromotionDecision, compare_on_frozen_test

TextCallback = Callable[[str], None]
Model = TypeVar("Model")


@dataclass(frozen=True)
class Learned:
    """One retraining.

    Attributes:
        artefact_sha256: the new version.
        promoted: whether it is in force now.
        reason: why, or why not.
        seconds: time it took.
    """

    artefact_sha256: str
    promoted: bool
    reason: str
    seconds: float


def retrain_surrogate(
    db: Database,
    configuration: CampaignConfiguration,
    knowledge: Knowledge,
    *,
    cycle: int,
    on_progress: TextCallback,
) -> Learned:
    """Train a surrogate on everything but the frozen test, store it, and promote it if it is not worse there."""
    begun = time.monotonic()
    seed = derive_seed(configuration.root_seed, "surrogate", cycle)
    # Not simply the one in force: a run that was killed after storing its child must not become its own parent.
    parent = shelf.promoted_surrogate(db, configuration.name, before_cycle=cycle)
    trained = surrogates.train(
        [*knowledge.observations, *knowledge.twins],
        test_keys=knowledge.test_keys,
        config=ArrheniusGNNConfig(members=configuration.surrogate.members, steps=configuration.surrogate.steps),
        seed=seed,
        parent=None if parent is None else parent[1],
        on_progress=lambda fraction, what: on_progress(f"surrogate: {what} {100 * fraction:.0f} %"),
    )
    scored = [entry for entry in knowledge.testing if not entry.censored]
    decision = _decide(
        None if parent is None else parent[1],
        trained,
        score=lambda model: _errors(model, scored),
        groups=[entry.group for entry in scored],
        what="uncensored label",
        seed=seed,
    )
    seconds = time.monotonic() - begun
    lineage = _lineage(configuration, cycle, seed, seconds, parent=parent, decision=decision)
    split = {"grouped_by": "chemsys", "test_keys": sorted(knowledge.test_keys)}
    sha256 = shelf.keep_surrogate(db, trained, lineage=lineage, split=split, errors=knowledge.given_errors())
    return Learned(sha256, decision.promote, decision.reason, seconds)


def retrain_generator(
    db: Database,
    configuration: CampaignConfiguration,
    cells: Sequence[tuple[str, AtomicSystem]],
    test_cells: Sequence[tuple[str, AtomicSystem]],
    *,
    cycle: int,
    on_progress: TextCallback,
) -> Learned:
    """Train a generator on accepted melt-quenched cells; the cells of the frozen test's compositions judge it.

    Args:
        db: where models are kept.
        configuration: the campaign's.
        cells: fingerprint and arrays of the training cells, sorted by fingerprint.
        test_cells: the same of the frozen test's compositions; never trained on.
        cycle: index of the cycle.
        on_progress: takes one line.
    """
    begun = time.monotonic()
    seed = derive_seed(configuration.root_seed, "generator", cycle)
    parent = shelf.promoted_generator(db, configuration.name, before_cycle=cycle)
    trained = generators.train(
        [system for _, system in cells],
        # The frozen test's compositions are held out already; holding out more would only cost training cells.
        config=generators.AmorphousDiffusionConfig(
            training_steps=configuration.generator.steps, validation_fraction=0.0
        ),
        seed=seed,
        parent=None if parent is None else parent[1],
        on_progress=lambda at: on_progress(f"generator: step {at.step} of {at.steps}, loss {at.loss:.3f}"),
    )
    systems = [system for _, system in test_cells]
    decision = _decide(
        None if parent is None else parent[1],
        trained,
        # The decision squares what it is given; a denoising loss is a square already.
        score=lambda model: np.sqrt(model.denoising_losses(systems, seed=seed)),
        groups=[_formula(system) for system in systems],
        what="accepted cell",
        seed=seed,
    )
    seconds = time.monotonic() - begun
    lineage = _lineage(configuration, cycle, seed, seconds, parent=parent, decision=decision)
    sha256 = shelf.keep_generator(db, trained, lineage=lineage, cells=[name for name, _ in cells])
    return Learned(sha256, decision.promote, decision.reason, seconds)


def _decide(
    parent: Model | None,
    child: Model,
    *,
    score: Callable[[Model], FloatArray],
    groups: Sequence[str],
    what: str,
    seed: int,
) -> PromotionDecision:
    """Whether a child takes its parent's place: always where there is no parent, or nothing to compare them on."""
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
) -> shelf.Lineage:
    return shelf.Lineage(
        campaign=configuration.name,
        cycle=cycle,
        seed=seed,
        wall_seconds=seconds,
        parent=None if parent is None else parent[0],
        decision=decision,
    )


def _errors(surrogate: TrainedSurrogate, rows: Sequence[Observation]) -> FloatArray:
    answer = surrogate.predict([row.material for row in rows], [row.temperature_K for row in rows])
    errors: FloatArray = answer.mean - np.array([row.log10_D for row in rows])
    return errors


def _formula(system: AtomicSystem) -> str:
    counts = np.bincount(system.numbers)
    return "-".join(f"{number}:{counts[number]}" for number in np.flatnonzero(counts))
