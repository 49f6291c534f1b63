"""The plan: what is decided once, when a campaign begins, and never again."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from vitrion.database import Database
from vitrion.database.errors import NotFoundError
from vitrion.database.queries.rows import CampaignRow
from vitrion.datasets.formulas import chemical_system
from vitrion.datasets.quickstart import quickstart_crystals
from vitrion.learning.acquisition.design import choose_test_formulas
from vitrion.learning.configuration import AUTO, CampaignConfiguration
from vitrion.learning.seeds import derive_seed
from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows import potentials
from vitrion_workflows.candidates import CandidateSettings, propose_compositions
from vitrion_workflows.schemas import StructureKind

WORKHORSE = "nep89"
# Where a campaign runs and how long it goes on may change; everything else decides its labels.
CHANGEABLE = ("runner", "cycles", "smaller.cycles")


@dataclass(frozen=True)
class Plan:
    """Decisions of a campaign's beginning.

    Attributes:
        potential: registry name of the workhorse.
        weights_sha256: identity of its weights; a campaign never goes on with others.
        potential_note: one sentence where it is not the one that was wanted, else empty.
        crystals: fingerprint of the crystal of each reduced formula; None for a composition derived from another.
        derived: how each derived composition differs from its parent.
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
        """Crystals that may be proposed: all but the frozen test's."""
        return {name: crystal for name, crystal in self.crystals.items() if name not in self.test_formulas}


def make_plan(db: Database, configuration: CampaignConfiguration) -> Plan:
    """The plan stored with the campaign, or a new one, stored before anything is done by it.

    Where only a slow potential can run, the plan is that of the smaller campaign (`effective`).

    Raises:
        InputError: a compound is not in the data set, the name belongs to a campaign of another configuration, or more
            cycles are closed than are wanted.
        MissingDependencyError: the potential cannot run.
    """
    if (stored := _stored_plan(db, configuration)) is not None:
        return stored
    potential, note = _choose_potential(configuration.potential)
    _require_referee(effective(configuration, note), workhorse=potential)
    # From here on nothing is left to be refused: a campaign that cannot begin leaves no trace under its name.
    begun = configuration
    db.campaigns.create_or_get(begun.name, begun.model_dump(mode="json"), begun.content_hash())
    configuration = effective(configuration, note)
    crystals: dict[str, str | None] = dict(_add_crystals(db, configuration))
    derived = _derive(configuration, tuple(crystals))
    groups = {formula: chemical_system(formula) for formula in crystals}
    test = choose_test_formulas(groups, count=configuration.surrogate.test_compositions, seed=configuration.root_seed)
    tested = {groups[formula] for formula in test}
    derived = {formula: how for formula, how in derived.items() if chemical_system(formula) not in tested}
    plan = Plan(
        potential=potential,
        weights_sha256=potentials.load(potential).weights_sha256,
        potential_note=note,
        crystals={**crystals, **dict.fromkeys(derived)},
        derived=derived,
        test_formulas=test,
    )
    # Another process may have begun the same campaign at this moment, with another potential at hand.
    settled = db.campaigns.settle(configuration.name, "plan", asdict(plan), frozen_test=list(test))
    return _plan_of(settled) or plan


def _stored_plan(db: Database, configuration: CampaignConfiguration) -> Plan | None:
    try:
        row = db.campaigns.get(configuration.name)
    except NotFoundError:
        return None
    wanted = configuration.model_dump(mode="json")
    changed = [key for key in _differences(row.configuration, wanted) if not key.startswith(CHANGEABLE)]
    if changed:
        raise InputError(
            f"campaign {configuration.name!r} was begun with another configuration ({', '.join(changed)}): "
            "choose another name, or take the old configuration to go on"
        )
    plan = _plan_of(row)
    if plan is not None:
        _require_cycles(db, configuration, plan)
    if dict(row.configuration) != wanted:
        db.campaigns.update(configuration.name, configuration=wanted, config_hash=configuration.content_hash())
    return plan


def _plan_of(row: CampaignRow) -> Plan | None:
    stored = (row.summary or {}).get("plan")
    if stored is None:
        return None
    if set(stored) != {field.name for field in fields(Plan)}:
        raise InputError(
            f"campaign {row.name!r} was begun by another version, whose plan says other things: choose another name"
        )
    return Plan(**{**stored, "test_formulas": tuple(stored["test_formulas"])})


def _differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """Keys, with their sections, that have not the same value in both."""
    for key in sorted({*stored, *wanted}):
        before, now = stored.get(key), wanted.get(key)
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
    """The configuration as it is run: the smaller one where the potential is not the one that was wanted."""
    return configuration.shrunk() if potential_note else configuration


def pinned_weights(plan: Plan, campaign: str) -> str:
    """The weights that a campaign was begun with, if they are those at hand.

    Raises:
        InputError: others are installed; labels of two potentials would be taken for one quantity.
    """
    now = potentials.load(plan.potential).weights_sha256
    if now != plan.weights_sha256:
        raise InputError(
            f"campaign {campaign} was begun with {plan.potential} of weights {plan.weights_sha256[:12]}, "
            f"here are {now[:12]}: install the old ones or begin a campaign of another name",
        )
    return plan.weights_sha256


def potential_note(plan: Plan, campaign: str) -> str:
    """One line for people where the potential is not the one that was wanted, else empty."""
    if plan.potential_note and potentials.installed(WORKHORSE).ok:
        return (
            f"{WORKHORSE} can run here now, but campaign {campaign} was begun without it and stays with "
            f"{plan.potential}: give the file another `name` to begin one with {WORKHORSE}"
        )
    return plan.potential_note


def _choose_potential(wanted: str) -> tuple[str, str]:
    if wanted != AUTO:
        potentials.load(wanted)
        return wanted, ""
    name, reason = potentials.default_potential()
    return name, "" if name == WORKHORSE else reason


def _require_referee(configuration: CampaignConfiguration, *, workhorse: str) -> None:
    referee = configuration.referee
    if referee is not None and referee.potential == workhorse:
        raise InputError(f"campaign {configuration.name}: the referee must not be the workhorse ({workhorse})")
    if referee is not None and not (available := potentials.installed(referee.potential)).ok:
        raise MissingDependencyError(f"referee {referee.potential} cannot run: {available.reason}")


def _add_crystals(db: Database, configuration: CampaignConfiguration) -> dict[str, str]:
    """Put the compounds into the database."""
    source = f"dataset:{configuration.compounds.dataset}"
    return {
        str(crystal.composition.reduced_formula): db.structures.add(
            crystal, kind=StructureKind.CRYSTAL, source=source, mobile_ion=configuration.species
        ).fingerprint
        for crystal in quickstart_crystals(configuration.compounds.names)
    }


def _derive(configuration: CampaignConfiguration, formulas: tuple[str, ...]) -> dict[str, str]:
    """Compositions derived from the compounds, likeliest first, and what was changed."""
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
