"""A campaign that tunes its production potential before its first cycle."""

import json

import pytest
from small_nep import small_nep
from tiny_campaign import TINY

from vitrion.database.errors import NotFoundError
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.plan import make_plan, pinned_weights
from vitrion_models.errors import CheckpointError
from vitrion_workflows.potentials.weights.package import sha256_of
from vitrion_workflows.potentials.weights.tuned import TunedWeights
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

    def tune(request, *, name, device):
        assert device in {"auto", "cpu"}
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
