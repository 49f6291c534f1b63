"""Stores of older layouts open after an upgrade; `stores/` holds documents that released layouts wrote."""

from pathlib import Path

import pytest
from bson import json_util

import vitrion
from vitrion.cli.app import run
from vitrion.database import DatabaseVersionError, Label
from vitrion.database.collection import Collection
from vitrion.database.embedded import EmbeddedClient
from vitrion.database.records import RECORDS, SCHEMA_VERSION
from vitrion.learning.configuration import load_configuration
from vitrion.learning.plan import make_plan
from vitrion_models.errors import InputError

STORES = Path(__file__).with_name("stores")


def documents(version):
    return json_util.loads((STORES / f"v{version}.json").read_text())


@pytest.fixture
def old_home(tmp_path):
    """A home whose embedded store holds the documents of layout 1."""
    with EmbeddedClient(tmp_path / "home" / "database") as client:
        for name, content in documents(1).items():
            client["vitrion"][name].insert_many(content)
    return tmp_path / "home"


def test_a_store_of_layout_1_opens_and_keeps_its_documents(old_home):
    before = documents(1)
    with vitrion.connect(home=old_home) as db:
        for name, record in RECORDS.items():
            for stored in db.collection(name).find({}):
                record.model_validate(stored)  # whatever was stored can be read
        keys = [label["key"] for label in before["labels"]]
        labels = db.labels.find(keys)
        assert len(labels) == len(keys) == db.labels.count(gate_version="any")
        for old in before["labels"]:
            new = labels[old["key"]]
            assert (new.value, new.state, new.schema_version) == (old.get("value"), old["state"], SCHEMA_VERSION)
            assert [gate.name for gate in new.gates] == [gate["name"] for gate in old["gates"]]
        run_label, reference, published = (labels[key] for key in keys)
        assert run_label.msd.lag_ps
        assert (run_label.gate_version, reference.gate_version, published.gate_version) == (0, 0, None)
        assert (reference.arm, published.msd, published.protocol) == ("reference", None, None)
        assert db.labels.count_other_versions() == {0: 2}
        assert [row.key for row in db.labels.search()] == [published.key]
        assert db.campaigns.get("quickstart").configuration["reference"]["potential"] == "chgnet"
        (cycle,) = db.cycles.list("quickstart")
        assert "reference" in {proposal.arm for proposal in cycle.proposals}
        assert "reference" in cycle.budget
        assert {structure.structure_fingerprint for structure in labels.values()} >= {
            row.fingerprint for row in db.structures.search(kind="amorphous")
        }
        assert Label.objects(gate_version=0).count() == 2


def test_a_campaign_of_layout_1_goes_on_with_the_present_file_of_its_name_and_its_own_volumes(old_home):
    present = load_configuration(Path(__file__).parents[3] / "examples" / "quickstart.yaml")
    with vitrion.connect(home=old_home) as db:
        with pytest.raises(InputError, match=r"cells\.volume"):
            make_plan(db, present)
        cells = present.cells.model_copy(update={"volume": "zero-pressure"})
        plan = make_plan(db, present.model_copy(update={"cells": cells}))
    assert plan.potential == documents(1)["campaigns"][0]["summary"]["plan"]["potential"]


def test_an_upgrade_that_was_killed_goes_on(old_home, monkeypatch):
    replace = Collection.replace_many
    calls = []

    def killed_in_the_second_collection(collection, before, after):
        calls.append(before)
        if len(calls) > 1:
            raise KeyboardInterrupt
        replace(collection, before[:1], after[:1])

    monkeypatch.setattr(Collection, "replace_many", killed_in_the_second_collection)
    with pytest.raises(KeyboardInterrupt):
        vitrion.connect(home=old_home)
    monkeypatch.setattr(Collection, "replace_many", replace)
    with pytest.raises(DatabaseVersionError):
        vitrion.connect(home=old_home, readonly=True)
    with vitrion.connect(home=old_home) as db:
        stored = db.collection("labels").find({})
        assert {label["schema_version"] for label in stored} == {SCHEMA_VERSION}
        assert len(stored) == len(documents(1)["labels"])
    with vitrion.connect(home=old_home, readonly=True) as db:
        assert db.collection("labels").find({}) == stored


def test_a_reader_names_the_command_that_upgrades(old_home, monkeypatch, capsys):
    monkeypatch.setenv("VITRION_HOME", str(old_home))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    assert run(["labels", "list"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "vitrion init" in line
    assert run(["init"]) == 0
    capsys.readouterr()
    assert run(["labels", "list", "--gate-version", "any"]) == 0
    assert "chgnet" in capsys.readouterr().out


@pytest.mark.server
def test_a_server_is_upgraded_too(mongo_uri):
    import pymongo

    with pymongo.MongoClient(mongo_uri) as client:
        for name, content in documents(1).items():
            client.get_default_database()[name].insert_many(content)
    with vitrion.connect(mongo_uri) as db:
        assert db.labels.count_other_versions() == {0: 2}
