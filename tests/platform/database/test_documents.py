"""The mongoengine classes are generated from the records and query whichever database is open."""

import pytest
from plain_labels import plain_label

import vitrion
from vitrion.database import Campaign, Cycle, DatabaseError, Dataset, Label, ModelVersion, Structure
from vitrion.database.records import LabelRecord


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
