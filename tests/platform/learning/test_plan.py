"""What a campaign's beginning decides, and which changes of its file are accepted afterwards."""

from dataclasses import asdict

import pytest
from stored_records import close_cycle
from tiny_campaign import TINY

from vitrion.answers.campaign_status import campaign_status
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.plan import make_plan, pinned_weights, potential_note
from vitrion_models.errors import InputError
from vitrion_workflows import potentials
from vitrion_workflows.potentials import Availability

SMALLER = {
    "compounds": ["LiCl", "LiF"],
    "atoms": 24,
    "melt_ps": 0.1,
    "quench_ps": 0.1,
    "hold_ps": 0.1,
    "production_ps": 0.8,
    "cycles": 2,
    "initial": 2,
    "batch": 2,
}


def campaign(**changes):
    return CampaignConfiguration.model_validate({**TINY, **changes})


def close(db, cycles):
    for index in range(cycles):
        db.cycles.create("tiny", index)
        close_cycle(db, "tiny", index)


@pytest.fixture
def without_nep89(monkeypatch):
    """No NEP89, and the fast model potential in the place of CHGNet."""
    monkeypatch.setattr(
        potentials, "default_potential", lambda: ("lennard-jones", "lennard-jones instead of nep89: no")
    )


def test_a_finished_campaign_goes_on_with_more_cycles(db):
    plan = make_plan(db, campaign(cycles=2))
    close(db, 2)
    assert campaign_status(db, campaign(cycles=2)).state == "finished"
    longer = campaign(cycles=3, runner={"kind": "local", "workers": 1})
    assert make_plan(db, longer) == plan
    assert campaign_status(db, longer).state == "active"
    stored = db.campaigns.get("tiny")
    assert stored.configuration["cycles"] == 3
    assert stored.config_hash == longer.content_hash()
    assert make_plan(db, campaign(cycles=2)) == plan


def test_fewer_cycles_than_are_closed_are_refused_and_nothing_changes(db):
    make_plan(db, campaign(cycles=3))
    close(db, 2)
    with pytest.raises(InputError, match=r"tiny has closed 2 cycles .* `cycles` to 2 or more") as caught:
        make_plan(db, campaign(cycles=1))
    assert "\n" not in str(caught.value)
    assert db.campaigns.get("tiny").configuration["cycles"] == 3


@pytest.mark.usefixtures("without_nep89")
def test_the_smaller_campaign_counts_its_own_cycles(db):
    begun = campaign(potential="auto", smaller=SMALLER)
    plan = make_plan(db, begun)
    assert plan.potential == "lennard-jones"
    close(db, 2)
    assert campaign_status(db, begun).state == "finished"
    with pytest.raises(InputError, match=r"closed 2 cycles .*`smaller\.cycles` to 2 or more"):
        make_plan(db, campaign(potential="auto", smaller={**SMALLER, "cycles": 1}))
    assert make_plan(db, campaign(potential="auto", smaller={**SMALLER, "cycles": 3}, cycles=1)) == plan


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"seed": 4}, "seed"),
        ({"cycles": 5, "initial": 4}, "initial"),
        ({"compounds": {"names": ["LiCl", "LiF", "Li2O"]}}, "compounds.names"),
        ({"smaller": SMALLER}, "smaller"),
    ],
)
def test_any_other_change_is_refused_and_named(db, changes, key):
    make_plan(db, campaign())
    with pytest.raises(InputError, match=f"'tiny'.* another configuration .{key}[ )]") as caught:
        make_plan(db, campaign(**changes))
    assert "\n" not in str(caught.value)
    assert db.campaigns.get("tiny").configuration["seed"] == 3


def test_a_plan_of_another_version_is_told_in_one_line(db):
    plan = asdict(make_plan(db, campaign()))
    db.campaigns.update("tiny", summary={"plan": {key: plan[key] for key in plan if key != "weights_sha256"}})
    with pytest.raises(InputError, match=r"'tiny' was begun by another version.*choose another name") as caught:
        make_plan(db, campaign())
    assert "\n" not in str(caught.value)


def test_a_campaign_begun_before_a_key_was_added_goes_on(db):
    plan = make_plan(db, campaign())
    stored = dict(db.campaigns.get("tiny").configuration)
    del stored["generated_cells"], stored["surrogate"]["learning_rate"]
    db.campaigns.update("tiny", configuration=stored | {"generated_cells": 1})
    assert make_plan(db, campaign()) == plan
    db.campaigns.update("tiny", configuration=stored | {"oracle": 1})
    with pytest.raises(InputError, match="another version"):
        make_plan(db, campaign())


def test_a_campaign_that_cannot_begin_leaves_no_trace_under_its_name(db):
    with pytest.raises(InputError, match=r"reference.*must differ.*production"):
        make_plan(db, campaign(reference={"potential": "lennard-jones"}))
    assert make_plan(db, campaign()).potential == "lennard-jones"


@pytest.mark.usefixtures("without_nep89")
def test_two_that_begin_at_once_follow_the_plan_of_the_first(db, monkeypatch):
    configuration = campaign(potential="auto")
    first = []

    def meanwhile(*_):
        if not first:
            first.append(None)  # the other process comes in between, where NEP89 is at hand (here: another note)
            with monkeypatch.context() as other:
                other.setattr(potentials, "default_potential", lambda: ("lennard-jones", ""))
                first[0] = make_plan(db, configuration)
        return {}

    monkeypatch.setattr("vitrion.learning.plan._derive", meanwhile)
    assert make_plan(db, configuration) == first[0]


def test_other_weights_of_the_same_potential_are_refused(db):
    plan = make_plan(db, campaign())
    assert pinned_weights(plan, "tiny") == plan.weights_sha256
    other = type(plan)(**{**vars(plan), "weights_sha256": "0" * 64})
    with pytest.raises(InputError, match="tiny was begun with lennard-jones of weights 000000000000"):
        pinned_weights(other, "tiny")


@pytest.mark.usefixtures("without_nep89")
def test_a_campaign_begun_without_nep89_says_so_and_later_that_it_stays_as_it_is(db, monkeypatch):
    configuration = campaign(potential="auto")
    plan = make_plan(db, configuration)
    monkeypatch.setattr(potentials, "installed", lambda _name: Availability(ok=False, reason="no file"))
    assert potential_note(plan, "tiny") == "lennard-jones instead of nep89: no"
    monkeypatch.setattr(potentials, "installed", lambda _name: Availability(ok=True, reason=""))
    note = potential_note(make_plan(db, configuration), "tiny")
    assert "stays with lennard-jones" in note
    assert "another `name`" in note
    assert "\n" not in note


def test_a_campaign_with_the_potential_it_wanted_has_nothing_to_say(db):
    assert potential_note(make_plan(db, campaign()), "tiny") == ""
