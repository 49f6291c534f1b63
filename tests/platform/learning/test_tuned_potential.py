"""A campaign that tunes its production potential before its first cycle."""

import json

import pytest
from small_nep import small_nep
from tiny_campaign import TINY

from vitrion.answers.campaign_status import campaign_status
from vitrion.database.errors import NotFoundError
from vitrion.learning.campaign import Campaign, StoppedEarlyError
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.plan import make_plan, pinned_weights
from vitrion.learning.tuned_potential import tuned_name
from vitrion.running.display import Display
from vitrion_models.errors import CheckpointError
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.potentials.weights.package import sha256_of
from vitrion_workflows.potentials.weights.tuned import TunedWeights, tuned_folder
from vitrion_workflows.tuning import rounds
from vitrion_workflows.tuning.agreement import TuningRefused
from vitrion_workflows.tuning.nep_file import write_nep

pytest.importorskip("nep_adapters", reason="nep-adapters is not installed")


def plant(name):
    weights = TunedWeights(name)
    weights.folder.mkdir(parents=True)
    write_nep(small_nep(("Li", "O", "F", "S", "Cl")), weights.path)
    (weights.folder / "card.json").write_text(json.dumps({"sha256": sha256_of(weights.path)}))


@pytest.fixture(name="requests_made")
def make_requests(tmp_path, monkeypatch):
    """Requests to tune; each makes a potential of random numbers."""
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path / "potentials"))
    plant("parent")
    made = []

    def tune(request, *, name, device, callbacks):
        assert device in {"auto", "cpu"}
        callbacks.on_progress("fit", 1, 2)
        if callbacks.should_stop():
            (tuned_folder() / f".unfinished-{name}-0123").mkdir()
            raise StoppedError("stopped in the fit")
        made.append(request)
        plant(name)

    monkeypatch.setattr(rounds, "tune", tune)
    return made


def tuned_campaign(**section):
    tune = {"parent": "tuned:parent", "to": "diep", **section}
    return CampaignConfiguration.model_validate({**TINY, "potential": {"tune": tune}})


def test_it_is_tuned_once_for_the_compositions_of_the_campaign(db, requests_made):
    plan = make_plan(db, tuned_campaign())
    (request,) = requests_made
    assert set(request.compositions) >= set(plan.crystals)
    assert len(request.crystals) == len(tuned_campaign().compounds.names)
    assert request.reference == "diep"
    assert plan.potential.startswith("tuned:campaign-")
    assert plan.weights_sha256 == sha256_of(TunedWeights(plan.potential.removeprefix("tuned:")).path)
    assert make_plan(db, tuned_campaign()) == plan
    assert len(requests_made) == 1
    # Lineage and figures are read from the database, also where the weights are not.
    assert db.campaigns.get("tiny").summary["tuned"]["sha256"] == plan.weights_sha256


def test_more_rounds_go_on_with_the_same_potential(db, requests_made):
    plan = make_plan(db, tuned_campaign(rounds=1))
    names = {tuned_name(each, each.potential.tune) for each in (tuned_campaign(rounds=1), tuned_campaign(rounds=9))}
    assert names == {plan.potential.removeprefix("tuned:")}
    assert tuned_name(tuned_campaign(frames=8), tuned_campaign(frames=8).potential.tune) not in names
    assert requests_made[0].most_rounds == 1


def test_ctrl_c_stops_the_tuning_and_the_status_says_so(db, tmp_path, requests_made, capsys):
    def campaign(*, stopped):
        display = Display(scratch=tmp_path, quiet=False)
        return Campaign(
            db, tuned_campaign(), runner=None, display=display, scratch=tmp_path, should_stop=lambda: stopped
        )

    assert campaign_status(db, tuned_campaign()).state == "not begun"
    with pytest.raises(StoppedEarlyError, match="tiny"):
        _ = campaign(stopped=True).plan
    assert requests_made == []
    shown = capsys.readouterr().err
    assert "tuning tuned:parent" in shown
    assert "fit: 1 of 2" in shown
    assert campaign_status(db, tuned_campaign()).state == "tuning"
    assert campaign(stopped=False).plan.potential.startswith("tuned:campaign-tiny")
    assert campaign_status(db, tuned_campaign()).state == "active"


def test_a_kill_between_tuning_and_plan_does_not_tune_again(db, requests_made, monkeypatch):
    def killed(*_arguments, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("vitrion.learning.plan._require_device", killed)
        with pytest.raises(KeyboardInterrupt):
            make_plan(db, tuned_campaign())
    make_plan(db, tuned_campaign())
    assert len(requests_made) == 1


def test_named_compositions_are_taken_instead(db, requests_made):
    make_plan(db, tuned_campaign(compositions=["Li2O"], frames=8))
    assert requests_made[0].compositions == ("Li2O",)
    assert requests_made[0].frames == 8
    assert tuned_campaign(compositions="campaign") == tuned_campaign()


@pytest.mark.usefixtures("requests_made")
def test_a_refused_potential_leaves_no_campaign(db, monkeypatch):
    def refuse(*_arguments, **_named):
        raise TuningRefused("R2 0.5")

    monkeypatch.setattr(rounds, "tune", refuse)
    with pytest.raises(TuningRefused):
        make_plan(db, tuned_campaign())
    with pytest.raises(NotFoundError):
        db.campaigns.get(tuned_campaign().name)


@pytest.mark.usefixtures("requests_made")
def test_other_weights_under_the_same_name_are_refused(db):
    plan = make_plan(db, tuned_campaign())
    path = TunedWeights(plan.potential.removeprefix("tuned:")).path
    path.write_text(path.read_text().replace("0.", "0.1", 1))
    with pytest.raises(CheckpointError):
        pinned_weights(plan, tuned_campaign().name)
