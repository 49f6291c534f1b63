"""Choosing what a cycle labels: the first design, or the pool through the eyes of the surrogate."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from vitrion.database import Database
from vitrion.database.records import Arm, Proposal, ProposalState
from vitrion.learning.acquisition.design import first_proposals
from vitrion.learning.acquisition.knowledge import Knowledge, build_pool, elements_of, forecast, gather
from vitrion.learning.acquisition.pool import Candidate, choose_proposals, resolvable_log10_D
from vitrion.learning.acquisition.reference_check import second_opinions
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.plan import Plan
from vitrion.learning.retraining import model_registry as shelf
from vitrion.learning.seeds import derive_seed
from vitrion.learning.tasks import TaskFactory
from vitrion_models.errors import InputError
from vitrion_models.surrogates import TrainedSurrogate

# No cell passed the gates, or none could be made.
WITHOUT_CELL = (ProposalState.REFUSED, ProposalState.FAILED)


def propose(
    db: Database, configuration: CampaignConfiguration, plan: Plan, factory: TaskFactory, *, index: int
) -> tuple[Proposal, ...]:
    """Proposals of one cycle; the same database and configuration give the same ones.

    Raises:
        InputError: nothing is left to label.
    """
    if index == 0:
        return first_proposals(
            plan.crystals,
            test_formulas=plan.test_formulas,
            temperatures_K=configuration.labels.temperatures_K,
            initial=configuration.initial,
            seed=configuration.root_seed,
        )
    earlier = [entry for cycle in range(index) for entry in db.cycles.get(configuration.name, cycle).proposals]
    chosen = _from_pool(db, configuration, plan, factory, earlier, index=index)
    return (*chosen, *second_opinions(db, configuration, earlier, cycles_before=index))


def _from_pool(
    db: Database,
    configuration: CampaignConfiguration,
    plan: Plan,
    factory: TaskFactory,
    earlier: Sequence[Proposal],
    *,
    index: int,
) -> tuple[Proposal, ...]:
    found = shelf.promoted_surrogate(db, configuration.name)
    if found is None:
        raise InputError(f"campaign {configuration.name} has no surrogate: its earlier cycles brought no label")
    labels = configuration.labels
    pool = _open_questions(db, configuration, plan, earlier)
    seed = derive_seed(configuration.root_seed, "proposals", index)
    target = labels.target_temperature_K
    knowledge = gather(
        db,
        campaign=configuration.name,
        potential=factory.potential,
        weights_sha256=factory.weights_sha256,
        test_formulas=plan.test_formulas,
    )
    expected = forecast(
        found[1],
        pool,
        temperatures_K=labels.temperatures_K,
        target_K=target,
        errors=knowledge.errors,
        seed=seed,
    )
    return choose_proposals(
        pool,
        expected,
        function=configuration.acquisition.function,
        exploration=configuration.acquisition.exploration,
        incumbent=_incumbent(found[1], knowledge, target),
        label_noise=knowledge.label_noise,
        batch=configuration.acquisition.batch,
        random=configuration.acquisition.random,
        floor_log10_D=resolvable_log10_D(labels.protocol.production_ps),
        seed=seed,
    )


def _open_questions(
    db: Database, configuration: CampaignConfiguration, plan: Plan, earlier: Sequence[Proposal]
) -> list[Candidate]:
    """Compounds and temperatures that were not asked for yet, those left out that came to no cell."""
    hopeless = {
        entry.formula for entry in earlier if entry.structure_fingerprint is None and entry.state in WITHOUT_CELL
    }
    crystals = {name: crystal for name, crystal in plan.proposable.items() if name not in hopeless}
    pool = build_pool(
        db,
        campaign=configuration.name,
        crystals=crystals,
        asked=asked_temperatures(earlier),
        temperatures_K=configuration.labels.temperatures_K,
    )
    if not pool:
        raise InputError(
            f"campaign {configuration.name}: nothing is left to label; name more compounds or temperatures"
        )
    return pool


def asked_temperatures(proposals: Sequence[Proposal]) -> dict[str, frozenset[float]]:
    """Temperatures already asked for by the workhorse, by fingerprint of the cell."""
    asked: defaultdict[str, set[float]] = defaultdict(set)
    for entry in proposals:
        if entry.structure_fingerprint is not None and entry.arm is not Arm.REFERENCE:
            asked[entry.structure_fingerprint].add(entry.temperature_K)
    return {name: frozenset(temperatures) for name, temperatures in asked.items()}


def _incumbent(surrogate: TrainedSurrogate, knowledge: Knowledge, target_K: float) -> float | None:
    """The surrogate's best mean of nature among what was labelled, at the target temperature."""
    known = knowledge.training
    if not known:
        return None
    formulas = [knowledge.formulas[entry.key] for entry in known]
    off = knowledge.errors.ask_all([(formula, elements_of(formula), target_K) for formula in formulas])
    mean = surrogate.predict([entry.material for entry in known], target_K).mean
    return float(np.max(mean - np.array([error.offset_decades for error in off])))
