"""The mongoengine classes are generated from the records and query whichever database is open."""

import pytest
from plain_labels import plain_label

import vitrion
from vitrion.database import Campaign, Cycle, DatabaseError, Dataset, Label, ModelVersion, Structure
from vitrion.database.records import LabelRecord
from vitrion_models.errors import InputError


@pytest.fixture
def filled(db, cell):
    for kelvin, value in ((700.0, 1e-6), (900.0, 1e-5), (1100.0, 3e-5)):
        db.labels.add(plain_label(cell, temperature_K=kelvin, value=value), campaign="c", cycle=0)
    db.datasets.add("d", sha256="0" * 64, licence="CC0", citation="x", rows=3)
    db.models.add("1" * 64, kind="surrogate", architecture="gnn", promoted=True, promotion_reason="first")
    db.campaigns.create_or_get("c", {"a": 1}, "2" * 64)
    db.cycles.create("c", 0)
    return db


def test_labels_are_queried_by_mongoengine(filled):
    hot = Label.objects(temperature_K__gte=900, state="accepted").order_by("-log10_value")
    assert [label.temperature_K for label in hot] == [1100.0, 900.0]
    assert hot.count() == 2
    assert hot.first().value == pytest.approx(3e-5)
    assert hot.first().method["potential"] == "nep89"
    assert list(hot.first().interval_95) == list(filled.labels.get(hot.first().key).interval_95)
    assert Label.objects(gates__name="density", reduced_formula="Li2S").count() == 0
    assert Label.objects(gates__name="density", reduced_formula="LiS").count() == 3
    assert Label.objects(temperature_K__gte=900).only("key").first().to_mongo().keys() >= {"_id", "key"}


@pytest.mark.usefixtures("filled")
def test_every_document_has_its_class():
    assert Structure.objects(kind="amorphous").get().n_atoms == 12
    assert Dataset.objects(name="d").get().rows == 3
    assert ModelVersion.objects(promoted=True).get().kind == "surrogate"
    assert Campaign.objects(name="c").get().configuration == {"a": 1}
    assert Cycle.objects(campaign="c", index=0).get().state == "proposed"


def test_fields_are_those_of_the_record():
    assert set(Label._fields) == {*LabelRecord.model_fields, "id"}


def test_documents_use_the_database_that_is_open(tmp_path):
    with vitrion.connect(home=tmp_path / "one") as outer:
        outer.campaigns.create_or_get("outer", {}, "0" * 64)
        with vitrion.connect(home=tmp_path / "two"):
            assert Campaign.objects.count() == 0
        assert [campaign.name for campaign in Campaign.objects] == ["outer"]
    with pytest.raises(DatabaseError, match="connect"):
        Campaign.objects.count()


@pytest.mark.parametrize("fields", [{}, {"temperature_K": "abc"}, {"state": "accepted", "temperature_K": 900.0}])
def test_what_the_record_refuses_is_not_saved(filled, fields):
    with pytest.raises(InputError, match="labels: "):
        Label(key="f" * 64, **fields).save()
    assert len(filled.labels.search()) == 3


def test_a_saved_document_is_the_one_of_its_record(filled):
    stored = Label.objects.first()
    content = {name: value for name, value in stored.to_mongo().items() if name not in {"_id", "schema_version"}}
    Label(**content | {"key": "f" * 64}).save()
    assert filled.labels.get("f" * 64).document() == filled.labels.get(stored.key).document() | {"key": "f" * 64}
    document = filled.collection("labels").find_one({"key": "f" * 64})
    assert document.keys() == filled.collection("labels").find_one({"key": stored.key}).keys()
    assert Label.objects.get(key="f" * 64).msd is None
