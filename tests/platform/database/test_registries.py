"""Data sets, model versions and jobflow's store, on both back ends."""

import pytest

from vitrion.database import NotFoundError
from vitrion_models.errors import InputError

FACTS = {"kind": "surrogate", "architecture": "arrhenius_gnn", "campaign": "c"}


def test_the_model_in_use_is_the_last_one_promoted(db):
    assert db.models.promoted("c", "surrogate") is None
    for cycle, (digit, promoted) in enumerate((("a", True), ("d", False), ("b", True))):
        facts = {**FACTS, "cycle": cycle, "metrics": {"mae": 0.3}}
        assert db.models.add(digit * 64, promoted=promoted, promotion_reason="paired bootstrap", **facts)
    assert not db.models.add("a" * 64, promoted=False, promotion_reason="again", **FACTS)
    assert db.models.promoted("c", "surrogate").artefact_sha256 == "b" * 64
    # A retraining that is repeated after a kill starts from the model that was in force before it.
    assert db.models.promoted("c", "surrogate", before_cycle=2).artefact_sha256 == "a" * 64
    assert db.models.promoted("c", "surrogate", before_cycle=0) is None
    assert db.models.promoted("c", "generator") is None
    assert db.models.promoted("other", "surrogate") is None
    assert db.models.get("d" * 10).promoted is False
    assert [row.metrics["mae"] for row in db.models.search(kind="surrogate", promoted=True)] == [0.3, 0.3]
    with pytest.raises(NotFoundError):
        db.models.get("e" * 64)
    with pytest.raises(InputError, match="no field 'colour'"):
        db.models.add("e" * 64, promoted=False, promotion_reason="", colour="red", **FACTS)


def test_a_data_set_is_registered_once_for_each_content(db):
    facts = {"licence": "CC-BY-4.0", "citation": "Doe 2025", "rows": 792}
    assert db.datasets.add("aimd", sha256="a" * 64, splits={"official": {"1": "train"}}, **facts)
    assert not db.datasets.add("aimd", sha256="a" * 64, **facts)
    assert db.datasets.add("aimd", sha256="b" * 64, **facts)
    db.datasets.update("aimd", sha256="b" * 64, report={"added": 790})
    assert db.datasets.get("aimd").report == {"added": 790}
    assert db.datasets.get("aimd", sha256="a" * 64).splits == {"official": {"1": "train"}}
    assert len(db.datasets.list()) == 2
    with pytest.raises(NotFoundError, match="vitrion ingest dataset"):
        db.datasets.get("obelix")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_jobflow_runs_on_the_database_and_resolves_its_references(db):
    from jobflow import Flow, job, run_locally

    @job
    def add(one, other):
        return {"sum": one + other}

    first = add(1, 2)
    second = add(first.output["sum"], 10)
    store = db.job_store()
    answers = run_locally(Flow([first, second]), store=store, ensure_success=True, log=False)
    assert answers[second.uuid][1].output == {"sum": 13}
    assert store.get_output(second.uuid) == {"sum": 13}
    assert db.collection("outputs").count({"uuid": first.uuid, "index": 1}) == 1
    store.remove_docs({"uuid": first.uuid})
    assert store.count() == 1
