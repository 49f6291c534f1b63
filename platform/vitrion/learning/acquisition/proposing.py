"""Proposals of a cycle: the initial design, or a batch from the pool."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from vitrion.database import Database
from vitrion.database.records import Arm, CycleRecord, Proposal, ProposalState
from vitrion.learning.acquisition.design import first_proposals
from vitrion.learning.acquisition.fidelity_proposals import fidelity_proposals, identities
from vitrion.learning.acquisition.forecast import forecast
from vitrion.learning.acquisition.label_costs import label_costs
from vitrion.learning.acquisition.pool import Candidate, build_pool, elements_of
from vitrion.learning.acquisition.reference_check import reference_proposals
from vitrion.learning.acquisition.selection import choose_proposals, resolvable_log10_D
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.given_labels import given_labels
from vitrion.learning.plan import Plan
from vitrion.learning.retraining import model_registry
from vitrion.learning.seeds import derive_seed
from vitrion.learning.tasks import TaskFactory
from vitrion.learning.training_data import TrainingData, gather
from vitrion_models.errors import InputError
from vitrion_models.surrogates import TrainedSurrogate
from vitrion_models.surrogates.multi_fidelity.model import MultiFidelitySurrogate
from vitrion_workflows.model_error.effects import case_of

# States of a proposal whose cell failed its gates, or could not be made.
WITHOUT_CELL = (ProposalState.REFUSED, ProposalState.FAILED)


def propose(
    db: Database, configuration: CampaignConfiguration, plan: Plan, factory: TaskFactory, *, index: int
) -> tuple[Proposal, ...]:
    """Return the proposals of a cycle; the same documents and configuration give the same ones.

    Args:
        db: database of the campaign.
        configuration: its configuration.
        plan: its plan.
        factory: names the production potential and its weights.
        index: of the cycle, from 0.

    Raises:
        InputError: no candidate is left, or there is no surrogate.
    """
    if index == 0:
        return first_proposals(
            plan.crystals,
            test_formulas=plan.test_formulas,
            temperatures_K=configuration.labels.temperatures_K,
            initial=configuration.initial,
            seed=configuration.root_seed,
        )
    cycles = [cycle for cycle in db.cycles.list(configuration.name) if cycle.index < index]
    earlier = [entry for cycle in cycles for entry in cycle.proposals]
    chosen = _from_pool(db, configuration, plan, factory, cycles, index=index)
    return (*chosen, *reference_proposals(db, configuration, [*earlier, *chosen], cycles_before=index))


def _from_pool(
    db: Database,
    configuration: CampaignConfiguration,
    plan: Plan,
    factory: TaskFactory,
    cycles: Sequence[CycleRecord],
    *,
    index: int,
) -> tuple[Proposal, ...]:
    earlier = [entry for cycle in cycles for entry in cycle.proposals]
    promoted = model_registry.promoted_surrogate(db, configuration.name)
    if promoted is None:
        raise InputError(f"campaign {configuration.name} has no surrogate: its earlier cycles gave no label")
    surrogate = promoted[1]
    labels = configuration.labels
    pool = _pool(db, configuration, plan, earlier, proposed_K=proposed_temperatures(earlier))
    seed = derive_seed(configuration.root_seed, "proposals", index)
    data = gather(
        db,
        campaign=configuration.name,
        potential=factory.potential,
        weights_sha256=factory.weights_sha256,
        species=configuration.species,
        test_formulas=plan.test_formulas,
        dearer=configuration.dearer,
        given=given_labels(db, configuration, plan.test_formulas),
    )
    predictions = forecast(
        surrogate,
        pool,
        temperatures_K=labels.temperatures_K,
        target_K=labels.target_temperature_K,
        errors=data.errors,
        seed=seed,
    )
    acquisition = configuration.acquisition
    chosen = choose_proposals(
        pool,
        predictions,
        function=acquisition.function,
        exploration=acquisition.exploration,
        incumbent=_incumbent(surrogate, data, labels.target_temperature_K),
        label_noise=data.label_noise,
        batch=acquisition.random if configuration.fidelities else acquisition.batch,
        random=acquisition.random,
        floor_log10_D=resolvable_log10_D(labels.protocol.production_ps),
        seed=seed,
    )
    if not configuration.fidelities or not isinstance(surrogate, MultiFidelitySurrogate):
        return chosen
    # The random arm has chosen; the rest of the batch goes to the labels worth most for each second.
    names = [factory.potential, *configuration.dearer]
    by_value = fidelity_proposals(
        configuration,
        surrogate,
        _pool(db, configuration, plan, earlier, proposed_K={}),
        data,
        label_costs(db, configuration.name, cycles, names),
        production=factory.potential,
        proposed=identities([*earlier, *chosen], factory.potential),
        count=acquisition.batch - acquisition.random,
    )
    return (*chosen, *by_value)


def _pool(
    db: Database,
    configuration: CampaignConfiguration,
    plan: Plan,
    earlier: Sequence[Proposal],
    *,
    proposed_K: Mapping[str, frozenset[float]],
) -> list[Candidate]:
    """Return the candidates with a temperature left, without the compositions of which no cell could be made."""
    failed = {entry.formula for entry in earlier if entry.structure_fingerprint is None and entry.state in WITHOUT_CELL}
    pool = build_pool(
        db,
        campaign=configuration.name,
        crystals={name: crystal for name, crystal in plan.proposable.items() if name not in failed},
        proposed_K=proposed_K,
        temperatures_K=configuration.labels.temperatures_K,
    )
    if not pool:
        raise InputError(
            f"campaign {configuration.name}: no candidate is left to label; name more compounds or temperatures"
        )
    return pool


def proposed_temperatures(proposals: Sequence[Proposal]) -> dict[str, frozenset[float]]:
    """Return the temperatures proposed for the production potential, K, by fingerprint of the cell."""
    temperatures: defaultdict[str, set[float]] = defaultdict(set)
    for entry in proposals:
        if entry.structure_fingerprint is not None and entry.arm is not Arm.REFERENCE:
            temperatures[entry.structure_fingerprint].add(entry.temperature_K)
    return {fingerprint: frozenset(kelvins) for fingerprint, kelvins in temperatures.items()}


def _incumbent(surrogate: TrainedSurrogate, data: TrainingData, target_K: float) -> float | None:
    """Return the best corrected mean among the labelled materials at the target temperature, log10 D."""
    training = data.training
    if not training:
        return None
    formulas = [data.formulas[entry.key] for entry in training]
    errors = data.errors.of_cases([case_of(formula, elements_of(formula), target_K) for formula in formulas])
    mean = surrogate.predict([entry.input for entry in training], target_K).mean
    return float(np.max(mean - np.array([error.offset_decades for error in errors])))
