"""Which labels a referee is asked about: a random sample over chemistry, compound and temperature, whatever it costs.

What the referee says stands for all labels of the workhorse, so that cost, value and acquisition have no say in it: the
cheapest cells are the small, loose ones of one chemistry.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from vitrion.database import Database
from vitrion.database.queries.gate_versions import is_current
from vitrion.database.records import Arm, Proposal
from vitrion.learning.acquisition.knowledge import elements_of
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.seeds import derive_seed
from vitrion_workflows.model_error.benchmark_errors import anion_class
from vitrion_workflows.schemas import LabelState

ROUNDING = 1e-9


def second_opinions(
    db: Database, configuration: CampaignConfiguration, earlier: Sequence[Proposal], *, cycles_before: int
) -> tuple[Proposal, ...]:
    """The same questions once more, to the referee, about a sample of the accepted labels.

    So many that the stated share of all labels of earlier cycles has been asked about. Labels of other
    gate versions make no pair: none is asked about, and none that the referee gave counts.
    """
    if configuration.reference is None:
        return ()
    asked = [entry for entry in earlier if entry.arm is Arm.REFERENCE]
    accepted = [
        entry
        for entry in earlier
        if entry.label_state == LabelState.ACCEPTED.value
        and entry.structure_fingerprint is not None
        # What the referee says enters the choice, for which the frozen test is never used.
        and entry.arm not in {Arm.TEST, Arm.REFERENCE}
    ]
    labels = db.labels.find(sorted({entry.label_key for entry in (*asked, *accepted) if entry.label_key}))
    other = {key for key, label in labels.items() if not is_current(label.gate_version)}
    accepted = [entry for entry in accepted if entry.label_key in labels.keys() - other]
    counted = sum(entry.label_key not in other for entry in asked)
    return tuple(
        Proposal(
            formula=entry.formula,
            source_fingerprint=entry.structure_fingerprint,
            structure_fingerprint=entry.structure_fingerprint,
            temperature_K=entry.temperature_K,
            arm=Arm.REFERENCE,
            predicted_log10_D=labels[str(entry.label_key)].log10_value,
            potential=configuration.reference.potential,
        )
        for entry in stratified(
            accepted,
            asked,
            count=_share_of(len(accepted), configuration.reference.share) - counted,
            seed=derive_seed(configuration.root_seed, "referee", cycles_before),
        )
    )


def _share_of(number: int, share: float) -> int:
    """A share of a number of labels, rounded up; 0.07 of 100 is 7, though the floats' product is a little above."""
    return math.ceil(share * number - ROUNDING)


def stratified(labelled: Sequence[Proposal], asked: Sequence[Proposal], *, count: int, seed: int) -> list[Proposal]:
    """A random sample that is as even as it can be over classes of compounds, compounds and temperatures.

    One after another: of the class that was drawn least so far, in it of the compound, and then of the temperature;
    chance decides among equals.

    Args:
        labelled: what to draw from, in any order.
        asked: what was drawn before; nothing is drawn twice.
        count: how many at most.
        seed: of the draw.
    """
    before = {_question(entry) for entry in asked}
    ordered = sorted(labelled, key=lambda entry: (entry.formula, entry.temperature_K, str(entry.label_key)))
    ordered = [entry for entry in ordered if _question(entry) not in before]
    left = [ordered[place] for place in np.random.default_rng(seed).permutation(len(ordered))]
    drawn: list[Proposal] = []
    times: Counter[object] = Counter(stratum for entry in asked for stratum in _strata(entry))
    while left and len(drawn) < count:
        # The first of equals: they stand in random order.
        chosen = min(left, key=lambda entry: [times[stratum] for stratum in _strata(entry)])
        left.remove(chosen)
        times.update(_strata(chosen))
        drawn.append(chosen)
    return drawn


def _question(entry: Proposal) -> tuple[object, ...]:
    return entry.structure_fingerprint, entry.formula, entry.temperature_K


def _strata(entry: Proposal) -> tuple[object, ...]:
    return anion_class(elements_of(entry.formula)), entry.formula, entry.temperature_K
