"""Potential that a campaign tunes for its own chemistry, once, before its first cycle."""

import hashlib
import json
from typing import TYPE_CHECKING

from vitrion.datasets.quickstart import quickstart_crystals
from vitrion_workflows.potentials.adapters.tuned_nep import PREFIX
from vitrion_workflows.potentials.weights.tuned import TunedWeights
from vitrion_workflows.schemas.geometry import system_from_structure
from vitrion_workflows.tuning.parents import load_parent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vitrion.learning.configuration import CampaignConfiguration
    from vitrion.learning.configuration.sections import Tuning

NAME_LENGTH = 40


def tuned_potential(configuration: "CampaignConfiguration", tuning: "Tuning", *, derived: "Sequence[str]" = ()) -> str:
    """Return the registry name of the potential of a campaign, after tuning it where that is not done.

    Killed at any moment, the same call goes on (`vitrion_workflows.tuning.rounds.tune`).

    Args:
        configuration: of the campaign.
        tuning: its section.
        derived: compositions that the campaign derives from its compounds.

    Raises:
        TuningRefused: the potential does not come to agree with its reference.
        InputError: parent or reference do not cover the elements.
        MissingDependencyError: parent or reference are not installed.
    """
    crystals = quickstart_crystals(configuration.compounds.names)
    own = tuple(dict.fromkeys([*(crystal.composition.reduced_formula for crystal in crystals), *derived]))
    formulas = tuning.compositions or own
    content = [tuning.model_dump(mode="json"), formulas, configuration.root_seed]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]
    name = f"campaign-{configuration.name[:NAME_LENGTH]}-{digest}"
    if TunedWeights(name).folder.exists():
        return f"{PREFIX}{name}"
    load_parent(tuning.parent)  # before torch is imported: docs/design/potentials.md, Threads
    from vitrion_workflows.tuning.rounds import TuningRequest, tune  # noqa: PLC0415 - imports torch

    request = TuningRequest(
        parent=tuning.parent,
        reference=tuning.to,
        compositions=formulas,
        frames=tuning.frames,
        most_rounds=tuning.rounds,
        crystals=tuple(system_from_structure(crystal) for crystal in crystals),
    )
    tune(request, name=name, device=configuration.runner.device)
    return f"{PREFIX}{name}"
