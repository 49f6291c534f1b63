"""The plan of a campaign: decisions taken once, when it begins."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from pydantic import ValidationError

from vitrion.database import Database, NewStructure
from vitrion.database.errors import NotFoundError
from vitrion.database.records import CampaignRecord
from vitrion.datasets.formulas import chemical_system
from vitrion.datasets.quickstart import quickstart_crystals
from vitrion.keys import short_key
from vitrion.learning.acquisition.design import choose_test_formulas
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.configuration.sections import AUTO, TunedPotential
from vitrion.learning.given_labels import given_labels
from vitrion.learning.seeds import derive_seed
from vitrion.learning.tuned_potential import tuned_potential
from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows import potentials
from vitrion_workflows.candidates import CandidateSettings, propose_compositions
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks
from vitrion_workflows.force_check.reference import require_reference
from vitrion_workflows.potentials.adapters.tuned_nep import PREFIX
from vitrion_workflows.potentials.devices import choose_device
from vitrion_workflows.potentials.weights.tuned import TunedWeights
from vitrion_workflows.schemas import StructureKind

PREFERRED_POTENTIAL = "nep89"
TUNED = "tuned"  # entry of a campaign's summary: the card of its tuned potential
# Where a campaign runs and how many cycles it has may change; everything else determines its labels.
CHANGEABLE = ("runner", "cycles", "smaller.cycles")


@dataclass(frozen=True)
class Plan:
    """Decisions taken when a campaign begins.

    Attributes:
        potential: registry name of the production potential.
        weights_sha256: identity of its weights; the campaign never continues with others.
        potential_note: reason why it is not the preferred one, else empty.
        crystals: fingerprint of the crystal of each reduced formula; None for a composition derived from another.
        derived: modification that gives each derived composition from its parent.
        test_formulas: compositions of the frozen test.
    """

    potential: str
    weights_sha256: str
    potential_note: str
    crystals: dict[str, str | None]
    derived: dict[str, str]
    test_formulas: tuple[str, ...]

    @property
    def proposable(self) -> dict[str, str | None]:
        """Crystals of the compositions that may be proposed: all but those of the frozen test."""
        return {name: crystal for name, crystal in self.crystals.items() if name not in self.test_formulas}


def make_plan(db: Database, configuration: CampaignConfiguration, *, callbacks: Callbacks = NO_CALLBACKS) -> Plan:
    """Return the plan stored with the campaign, or make and store a new one.

    Where only a slow potential can run, the plan is that of the smaller campaign (`effective`).

    Args:
        db: where the campaign is stored.
        configuration: of the campaign.
        callbacks: progress and stop condition of the tuning of a potential, where the campaign asks for one.

    Raises:
        StoppedError: a callback stopped the tuning.
        InputError: a compound is not in the data set, given labels are absent or refused, the name belongs to a
            campaign of another configuration, or more cycles are closed than the configuration asks for.
        MissingDependencyError: a potential cannot run, or not on the device.
    """
    stored = _stored_plan(db, configuration)
    potential, note = (
        (stored.potential, stored.potential_note) if stored else _choose_potential(configuration, callbacks)
    )
    _require_device(effective(configuration, note), production=potential)
    if stored is not None:
        return stored
    begun, configuration = configuration, effective(configuration, note)
    _require_reference(configuration, production=potential)
    groups = {formula: chemical_system(formula) for formula in _formulas(configuration)}
    test = choose_test_formulas(groups, count=configuration.test_compositions, seed=configuration.root_seed)
    given_labels(db, configuration, test)
    # Every refusal comes before this line: a campaign that cannot begin leaves no trace under its name.
    db.campaigns.create_or_get(begun.name, begun.model_dump(mode="json"), begun.content_hash())
    crystals: dict[str, str | None] = dict(_add_crystals(db, configuration))
    derived = _derive(configuration, tuple(crystals))
    test_systems = {groups[formula] for formula in test}
    derived = {name: change for name, change in derived.items() if chemical_system(name) not in test_systems}
    plan = Plan(
        potential=potential,
        weights_sha256=potentials.load(potential).weights_sha256,
        potential_note=note,
        crystals={**crystals, **dict.fromkeys(derived)},
        derived=derived,
        test_formulas=test,
    )
    if potential.startswith(PREFIX):
        card = TunedWeights(potential.removeprefix(PREFIX)).require()
        db.campaigns.set_if_absent(configuration.name, TUNED, card)
    # Another process may have begun the same campaign at this moment, with another potential at hand.
    settled = db.campaigns.set_if_absent(configuration.name, "plan", asdict(plan), frozen_test=list(test))
    return _plan_of(settled) or plan


def _stored_plan(db: Database, configuration: CampaignConfiguration) -> Plan | None:
    try:
        row = db.campaigns.get(configuration.name)
    except NotFoundError:
        return None
    requested = configuration.model_dump(mode="json")
    changed = [key for key in _differences(_with_defaults(row), requested) if not key.startswith(CHANGEABLE)]
    if changed:
        raise InputError(
            f"campaign {configuration.name!r} was begun with another configuration ({', '.join(changed)}): "
            "choose another name, or restore that configuration"
        )
    plan = _plan_of(row)
    if plan is not None:
        _require_cycles(db, configuration, plan)
    if dict(row.configuration) != requested:
        db.campaigns.update(configuration.name, configuration=requested, config_hash=configuration.content_hash())
    return plan


def _with_defaults(row: CampaignRecord) -> dict[str, Any]:
    """Return the stored configuration, with the defaults of keys that were added since."""
    try:
        return CampaignConfiguration.model_validate(row.configuration).model_dump(mode="json")
    except ValidationError as error:
        raise InputError(
            f"campaign {row.name!r} was begun by another version of Vitrion, with other keys: choose another name"
        ) from error


def _plan_of(row: CampaignRecord) -> Plan | None:
    stored = (row.summary or {}).get("plan")
    if stored is None:
        return None
    if set(stored) != {field.name for field in fields(Plan)}:
        raise InputError(
            f"campaign {row.name!r} was begun by another version of Vitrion, with another plan: choose another name"
        )
    return Plan(**{**stored, "test_formulas": tuple(stored["test_formulas"])})


def _differences(stored: Mapping[str, Any], requested: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys, prefixed by their sections, whose values differ."""
    for key in sorted({*stored, *requested}):
        before, now = stored.get(key), requested.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            yield from (f"{key}.{inner}" for inner in _differences(before, now))
        elif before != now:
            yield key


def _require_cycles(db: Database, configuration: CampaignConfiguration, plan: Plan) -> None:
    closed = sum(cycle.state == "closed" for cycle in db.cycles.list(configuration.name))
    if effective(configuration, plan.potential_note).cycles < closed:
        smaller = plan.potential_note and configuration.smaller is not None
        raise InputError(
            f"campaign {configuration.name} has closed {closed} cycles already: "
            f"set `{'smaller.cycles' if smaller else 'cycles'}` to {closed} or more"
        )


def effective(configuration: CampaignConfiguration, potential_note: str) -> CampaignConfiguration:
    """Return the configuration that is run: the smaller one where the preferred potential cannot run."""
    return configuration.shrunk() if potential_note else configuration


def pinned_weights(plan: Plan, campaign: str) -> str:
    """Return the sha256 of the weights that a campaign was begun with, if they are the installed ones.

    Raises:
        InputError: other weights are installed; labels of two potentials would be mixed.
    """
    installed = potentials.load(plan.potential).weights_sha256
    if installed != plan.weights_sha256:
        raise InputError(
            f"campaign {campaign} was begun with {plan.potential} of weights {short_key(plan.weights_sha256)}, "
            f"installed are {short_key(installed)}: install the former or begin a campaign of another name",
        )
    return plan.weights_sha256


def potential_note(plan: Plan, campaign: str) -> str:
    """Return one line for people where the potential is not the preferred one, else an empty string."""
    if plan.potential_note and potentials.installed(PREFERRED_POTENTIAL).ok:
        return (
            f"{PREFERRED_POTENTIAL} can run here now, but campaign {campaign} was begun without it and stays with "
            f"{plan.potential}: give the file another `name` to begin one with {PREFERRED_POTENTIAL}"
        )
    return plan.potential_note


def _choose_potential(configuration: CampaignConfiguration, callbacks: Callbacks) -> tuple[str, str]:
    """Return the registry name of the production potential, and the reason where it is not the preferred one."""
    name = configuration.potential
    if isinstance(name, TunedPotential):
        derived = tuple(_derive(configuration, _formulas(configuration)))
        return tuned_potential(configuration, name.tune, derived=derived, callbacks=callbacks), ""
    if name != AUTO:
        potentials.load(name)
        return name, ""
    default, reason = potentials.default_potential()
    return default, "" if default == PREFERRED_POTENTIAL else reason


def _require_device(configuration: CampaignConfiguration, *, production: str) -> None:
    if configuration.runner.kind == "local":  # a launchpad's workers have devices of their own
        names = [production, *(reference.potential for reference in configuration.references)]
        for name in names:
            choose_device(potentials.find(name)[0], configuration.runner.device)


def _require_reference(configuration: CampaignConfiguration, *, production: str) -> None:
    if (check := configuration.labels.force_check) is not None:
        require_reference(check.reference)
    for reference in configuration.references:
        if reference.potential == production:
            raise InputError(
                f"campaign {configuration.name}: the reference potential must differ from the production potential "
                f"({production}): change `potential` in `{'fidelities' if configuration.fidelities else 'reference'}`"
            )
        if not (available := potentials.installed(reference.potential)).ok:
            raise MissingDependencyError(f"reference potential {reference.potential} cannot run: {available.reason}")


def _add_crystals(db: Database, configuration: CampaignConfiguration) -> dict[str, str]:
    """Store the crystals of the compounds; return their fingerprints by reduced formula."""
    crystals = quickstart_crystals(configuration.compounds.names)
    fields = {"source": f"dataset:{configuration.compounds.dataset}"}
    added = db.structures.add_many(
        NewStructure(cell=crystal, kind=StructureKind.CRYSTAL.value, mobile_ion=configuration.species, fields=fields)
        for crystal in crystals
    )
    return {formula: entry.fingerprint for formula, entry in zip(_formulas(configuration), added, strict=True)}


def _formulas(configuration: CampaignConfiguration) -> tuple[str, ...]:
    """Return the reduced formulas of the compounds."""
    crystals = quickstart_crystals(configuration.compounds.names)
    return tuple(str(crystal.composition.reduced_formula) for crystal in crystals)


def _derive(configuration: CampaignConfiguration, formulas: tuple[str, ...]) -> dict[str, str]:
    """Return compositions derived from the compounds in random order, with the modification that gives each."""
    count = configuration.compounds.proposed
    if not count:
        return {}
    settings = CandidateSettings(species=configuration.species, greatest_atoms=configuration.cells.atoms // 2)
    candidates = propose_compositions(
        formulas, settings=settings, seed=derive_seed(configuration.root_seed, "compositions")
    )
    fresh = [entry for entry in candidates if entry.accepted and entry.formula not in formulas]
    order = np.random.default_rng(derive_seed(configuration.root_seed, "derived")).permutation(len(fresh))
    return {fresh[place].formula: f"{fresh[place].parent}: {fresh[place].description}" for place in order[:count]}
