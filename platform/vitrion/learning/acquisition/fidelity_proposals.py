"""Proposals of a campaign with several fidelities: the labels worth most for each second."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from vitrion.database.records import Arm, Proposal
from vitrion.learning.acquisition.fidelities import LabelOptions, Target, choose_options
from vitrion.learning.acquisition.label_costs import LabelCosts
from vitrion.learning.acquisition.pool import Candidate, elements_of
from vitrion.learning.acquisition.selection import resolvable_log10_D
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.training_data import TrainingData
from vitrion_models.surrogates.multi_fidelity.model import MultiFidelitySurrogate
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.model_error.effects import case_of

# Cell or formula, potential, temperature in K.
LabelIdentity = tuple[str, str, float]


@dataclass(frozen=True, eq=False)
class _Option:
    column: int
    place: int
    kelvin: float
    seconds: float
    mean: float
    std: float


def identities(proposals: Sequence[Proposal], production: str) -> frozenset[LabelIdentity]:
    """Return the labels that proposals ask for."""
    return frozenset(
        (entry.structure_fingerprint or entry.formula, entry.potential or production, entry.temperature_K)
        for entry in proposals
    )


def fidelity_proposals(
    configuration: CampaignConfiguration,
    surrogate: MultiFidelitySurrogate,
    pool: Sequence[Candidate],
    data: TrainingData,
    costs: LabelCosts,
    *,
    production: str,
    proposed: AbstractSet[LabelIdentity],
    count: int,
) -> tuple[Proposal, ...]:
    """Choose material, temperature and potential of labels by value for each second (`choose_options`).

    A dearer potential labels accepted cells only, and only once a label of it has shown what one costs: the first ones
    are those of its random share. A temperature is offered where the run resolves the D that the surrogate predicts for
    this potential; where none is, the hottest.

    Args:
        configuration: of the campaign.
        surrogate: the promoted one.
        pool: all candidates, those without a label left included: they compete for the best mean.
        data: its training data.
        costs: of labels.
        production: registry name of the production potential.
        proposed: labels proposed already.
        count: number of labels.
    """
    # Given labels, the last fidelity, cannot be made: no option is of them.
    names = [production, *configuration.dearer]
    lengths = [
        configuration.labels.protocol.production_ps,
        *(entry.production_ps for entry in configuration.references),
    ]
    target_K = configuration.labels.target_temperature_K
    options = [
        option
        for place, (name, production_ps) in enumerate(zip(names, lengths, strict=True))
        if name in costs.per_atom
        for option in _options_of(
            configuration,
            surrogate.of_source(data.fidelities[place]),
            pool,
            costs,
            place=place,
            potential=name,
            floor_log10_D=resolvable_log10_D(production_ps),
            proposed=proposed,
        )
    ]
    if not options:
        return ()
    errors = data.errors.of_cases([case_of(entry.formula, elements_of(entry.formula), target_K) for entry in pool])
    noise = [data.label_noise_of(source) for source in data.fidelities]
    choices = choose_options(
        surrogate,
        [entry.material for entry in pool],
        LabelOptions(
            candidate=np.array([entry.column for entry in options]),
            fidelity=np.array([entry.place for entry in options]),
            temperature_K=np.array([entry.kelvin for entry in options]),
            seconds=np.array([entry.seconds for entry in options]),
            stderr=np.array([noise[entry.place] for entry in options]),
        ),
        Target(
            target_K,
            [entry.formula for entry in pool],
            model_offset=np.array([error.offset_decades for error in errors]),
            model_deviation=np.array([error.stderr_decades for error in errors]),
        ),
        count=count,
    )
    function = configuration.acquisition.function
    return tuple(
        _proposal(pool[option.column], option, names[option.place], function=function, value=choice.value)
        for choice in choices
        for option in [options[choice.option]]
    )


def _options_of(
    configuration: CampaignConfiguration,
    surrogate: MultiFidelitySurrogate,
    pool: Sequence[Candidate],
    costs: LabelCosts,
    *,
    place: int,
    potential: str,
    floor_log10_D: float,
    proposed: AbstractSet[LabelIdentity],
) -> Iterator[_Option]:
    """Yield the labels that one potential can make of the pool."""
    kelvins = configuration.labels.temperatures_K
    materials = [entry.material for entry in pool]
    prediction = surrogate.predict(materials * len(kelvins), np.repeat(np.array(kelvins, dtype=float), len(pool)))
    mean: FloatArray = prediction.mean.reshape(len(kelvins), len(pool))
    std: FloatArray = prediction.std.reshape(len(kelvins), len(pool))
    for column, candidate in enumerate(pool):
        if place > 0 and not candidate.is_cell:
            continue
        identity = str(candidate.fingerprint) if candidate.is_cell else candidate.formula
        free = [row for row, kelvin in enumerate(kelvins) if (identity, potential, kelvin) not in proposed]
        resolvable = [row for row in free if mean[row, column] > floor_log10_D]
        material = candidate.material
        atoms = len(material) if isinstance(material, AtomicSystem) and candidate.is_cell else configuration.cells.atoms
        for row in resolvable or free[-1:]:
            yield _Option(
                column,
                place,
                float(kelvins[row]),
                costs.seconds(potential, atoms=atoms, has_cell=candidate.is_cell),
                float(mean[row, column]),
                float(std[row, column]),
            )


def _proposal(candidate: Candidate, option: _Option, potential: str, *, function: str, value: float) -> Proposal:
    dear = option.place > 0
    return Proposal(
        formula=candidate.formula,
        source_fingerprint=candidate.fingerprint,
        structure_fingerprint=candidate.fingerprint if candidate.is_cell else None,
        temperature_K=option.kelvin,
        arm=Arm.REFERENCE if dear else Arm.ACQUISITION,
        acquisition_function=function,
        acquisition=value,
        predicted_log10_D=option.mean,
        predicted_std=option.std,
        potential=potential if dear else None,
    )
