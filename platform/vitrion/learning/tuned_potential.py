"""Potential that a campaign tunes for its own chemistry, once, before its first cycle."""

import hashlib
import json
from typing import TYPE_CHECKING

from vitrion.datasets.quickstart import quickstart_crystals
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks
from vitrion_workflows.potentials.adapters.tuned_nep import PREFIX
from vitrion_workflows.potentials.weights.tuned import TunedWeights
from vitrion_workflows.schemas.geometry import system_from_structure
from vitrion_workflows.tuning.parents import load_parent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vitrion.learning.configuration import CampaignConfiguration
    from vitrion.learning.configuration.sections import Tuning

NAME_LENGTH = 40


def tuned_name(configuration: "CampaignConfiguration", tuning: "Tuning") -> str:
    """Return the name of the tuned potential of a campaign; more rounds go on with the same one."""
    content = [
        tuning.model_dump(mode="json", exclude={"rounds"}),
        configuration.compounds.model_dump(mode="json"),
        configuration.species,
        configuration.cells.atoms,
        configuration.root_seed,
    ]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]
    return f"campaign-{configuration.name[:NAME_LENGTH]}-{digest}"


def tuned_potential(
    configuration: "CampaignConfiguration",
    tuning: "Tuning",
    *,
    derived: "Sequence[str]" = (),
    callbacks: Callbacks = NO_CALLBACKS,
) -> str:
    """Return the registry name of the potential of a campaign, after tuning it where that is not done.

    Killed at any moment, the same call goes on (`vitrion_workflows.tuning.rounds.tune`).

    Args:
        configuration: of the campaign.
        tuning: its section.
        derived: compositions that the campaign derives from its compounds.
        callbacks: progress and stop condition.

    Raises:
        StoppedError: a callback stopped it.
        TuningRefused: the potential does not come to agree with its reference.
        InputError: parent or reference do not cover the elements.
        MissingDependencyError: parent or reference are not installed.
    """
    crystals = quickstart_crystals(configuration.compounds.names)
    own = tuple(dict.fromkeys([*(crystal.composition.reduced_formula for crystal in crystals), *derived]))
    formulas = tuning.compositions or own
    name = tuned_name(configuration, tuning)
    if TunedWeights(name).folder.exists():
        return f"{PREFIX}{name}"
    callbacks.on_part(f"tuning {tuning.parent} to {tuning.to} for {', '.join(formulas)}: some minutes for each")
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
    tune(request, name=name, device=configuration.runner.device, callbacks=callbacks.within(f"tuning {tuning.parent}"))
    return f"{PREFIX}{name}"
