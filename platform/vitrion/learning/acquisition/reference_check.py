"""Labels to repeat with the reference potential: a random sample, stratified by chemistry, compound and temperature.

The sample stands for all labels of the production potential, so cost, value and acquisition do not influence it: the
cheapest cells are the small, loose ones of one chemistry. In a campaign with several fidelities the acquisition asks
for further labels of these potentials; those have an acquisition value and are not part of the sample.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from vitrion.database import Database
from vitrion.database.queries.gate_versions import is_current
from vitrion.database.records import Arm, Proposal
from vitrion.learning.acquisition.pool import elements_of
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.configuration.sections import ReferenceCheck
from vitrion.learning.seeds import derive_seed
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.schemas import LabelState

ROUNDING = 1e-9


def reference_proposals(
    db: Database, configuration: CampaignConfiguration, earlier: Sequence[Proposal], *, cycles_before: int
) -> tuple[Proposal, ...]:
    """Propose to repeat accepted labels with each reference potential, up to the configured share of them.

    Labels of another gate version form no pair: they are neither repeated nor counted.
    """
    # The name of the seed predates the word: another one would draw other labels.
    seed = derive_seed(configuration.root_seed, "referee", cycles_before)
    return tuple(
        proposal
        for check in configuration.references
        for proposal in _repetitions(
            db, check, earlier, seed=derive_seed(seed, check.potential) if configuration.fidelities else seed
        )
    )


def _repetitions(
    db: Database, check: ReferenceCheck, earlier: Sequence[Proposal], *, seed: int
) -> tuple[Proposal, ...]:
    # Proposals of a reference check that is the only one need not name its potential.
    names = {None, check.potential}
    repeated = [entry for entry in earlier if entry.arm is Arm.REFERENCE and entry.potential in names]
    accepted = [
        entry
        for entry in earlier
        if entry.label_state == LabelState.ACCEPTED.value
        and entry.structure_fingerprint is not None
        # The reference values influence the acquisition, for which the frozen test is never used.
        and entry.arm not in {Arm.TEST, Arm.REFERENCE}
    ]
    labels = db.labels.find(sorted({entry.label_key for entry in (*repeated, *accepted) if entry.label_key}))
    outdated = {key for key, label in labels.items() if not is_current(label.gate_version)}
    accepted = [entry for entry in accepted if entry.label_key in labels.keys() - outdated]
    repeated_count = sum(entry.label_key not in outdated and entry.acquisition is None for entry in repeated)
    return tuple(
        Proposal(
            formula=entry.formula,
            source_fingerprint=entry.structure_fingerprint,
            structure_fingerprint=entry.structure_fingerprint,
            temperature_K=entry.temperature_K,
            arm=Arm.REFERENCE,
            predicted_log10_D=labels[str(entry.label_key)].log10_value,
            potential=check.potential,
        )
        for entry in stratified_sample(
            accepted,
            repeated,
            count=_share_of(len(accepted), check.share) - repeated_count,
            seed=seed,
        )
    )


def _share_of(number: int, share: float) -> int:
    """Return a share of a number of labels, rounded up; 0.07 of 100 is 7, though the floats' product exceeds it."""
    return math.ceil(share * number - ROUNDING)


def stratified_sample(
    labelled: Sequence[Proposal], earlier: Sequence[Proposal], *, count: int, seed: int
) -> list[Proposal]:
    """Draw a random sample that is as even as possible over anion classes, compounds and temperatures.

    Each draw takes the anion class drawn least so far, in it the compound, and then the temperature; ties are broken at
    random.
    """
    drawn_before = {_identity(entry) for entry in earlier}
    ordered = sorted(labelled, key=lambda entry: (entry.formula, entry.temperature_K, str(entry.label_key)))
    ordered = [entry for entry in ordered if _identity(entry) not in drawn_before]
    remaining = [ordered[place] for place in np.random.default_rng(seed).permutation(len(ordered))]
    sample: list[Proposal] = []
    draws: Counter[object] = Counter(stratum for entry in earlier for stratum in _strata(entry))
    while remaining and len(sample) < count:
        # `min` takes the first of equals, and they are in random order.
        chosen = min(remaining, key=lambda entry: [draws[stratum] for stratum in _strata(entry)])
        remaining.remove(chosen)
        draws.update(_strata(chosen))
        sample.append(chosen)
    return sample


def _identity(entry: Proposal) -> tuple[object, ...]:
    return entry.structure_fingerprint, entry.formula, entry.temperature_K


def _strata(entry: Proposal) -> tuple[object, ...]:
    return anion_class(elements_of(entry.formula)), entry.formula, entry.temperature_K
