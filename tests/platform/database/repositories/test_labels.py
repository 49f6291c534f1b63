"""Labels on both back ends: stored once, found by what they are, never averaged across what differs."""

import math

import pytest
from plain_labels import plain_label
from reference_forces import checked_record
from stored_records import published_label, set_gate_version

from vitrion.database import NotFoundError
from vitrion.database.collection import Collection
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import (
    GateOutcome,
    LabelState,
    Measurement,
    MsdTable,
    StopReason,
    label_key,
)
from vitrion_workflows.schemas.gate import gate_of
from vitrion_workflows.schemas.label import GATE_VERSION


def outcome(cell, *, value=1e-5, **changes):
    given = {
        "interval_95": (value / 2, value * 2),
        "log10_stderr": 0.15,
        "msd": MsdTable(lag_ps=(1.0,), msd_A2=(2.0,), stderr_A2=(0.1,)),
        "gates": (gate_of("temperature", [Measurement(name="mean_temperature", passed=True, value=1000.0, unit="K")]),),
    }
    return plain_label(cell, value=value, **(given | changes))


def test_a_label_is_stored_once_under_the_key_known_before_it_was_made(db, cell):
    made = outcome(cell)
    added = db.labels.add(made, campaign="c", cycle=0, arm="random", job="uuid")
    assert added.created
    assert added.key == label_key(
        structure_fingerprint=cell,
        species="Li",
        temperature_K=1000,
        protocol=made.protocol,
        weights_sha256="a" * 64,
        seed=1,
    )
    assert not db.labels.add(made, campaign="other").created
    row = db.labels.get(added.key[:12])
    assert (row.campaign, row.cycle, row.arm, row.job) == ("c", 0, "random", "uuid")
    assert (row.formula, row.chemsys, row.kind, row.n_atoms) == ("Li6 S6", "Li-S", "amorphous", 12)
    assert row.log10_value == pytest.approx(-5)
    assert row.interval_95 == (5e-6, 2e-5)
    assert row.gates == made.gates
    assert row.gate_version == made.gate_version
    assert row.msd.msd_A2 == (2.0,)
    assert row.method.engine == "vitrion-batched"
    assert set(db.labels.find([added.key, "0" * 64])) == {added.key}


def test_a_label_of_an_older_gate_version_is_replaced_by_the_recomputed_one(db, cell):
    old = db.labels.add(outcome(cell, value=3e-5, n_eff=9.0), campaign="c", cycle=0, arm="random", job="old")
    other = db.labels.add(outcome(cell, seed=2))
    set_gate_version(db, old.key)
    before = db.collection("labels").find_one({"key": old.key})
    gates = (GateOutcome(name="diffusive", passed=False, message="is not"),)
    again = outcome(cell, value=1e-5, state="rejected", gates=gates)
    added = db.labels.add(again, campaign="other", cycle=4, arm="acquired", flow="new")
    assert (added.key, added.created, added.replaced) == (old.key, False, True)
    row = db.labels.get(old.key)
    assert (row.value, row.log10_value, row.state, row.gates) == (1e-5, pytest.approx(-5), "rejected", gates)
    assert (row.interval_95, row.gate_version) == ((5e-6, 2e-5), GATE_VERSION)
    assert row.n_eff is None  # what the new outcome does not bring is not the old one's
    assert (row.job, row.flow) == (None, "new")
    assert (row.campaign, row.cycle, row.arm) == ("c", 0, "random")  # whoever asked first
    after = db.collection("labels").find_one({"key": old.key})
    assert after["_id"] == before["_id"]
    assert after["created_at"] >= before["created_at"]
    assert db.labels.count() == 2
    assert db.labels.get(other.key).value == 1e-5
    assert not db.labels.add(outcome(cell, value=7e-5)).replaced  # now it is of the current version
    assert db.labels.get(old.key).value == 1e-5


def test_of_two_that_make_a_label_again_at_once_the_first_stays(db, cell, monkeypatch):
    key = db.labels.add(outcome(cell, value=3e-5)).key
    set_gate_version(db, key)
    write = Collection.update_one

    def another_writes_first(collection, query, update):
        monkeypatch.setattr(Collection, "update_one", write)
        assert db.labels.add(outcome(cell, value=1e-5)).replaced
        return write(collection, query, update)

    monkeypatch.setattr(Collection, "update_one", another_writes_first)
    added = db.labels.add(outcome(cell, value=2e-5))
    assert (added.created, added.replaced) == (False, False)
    assert db.labels.get(key).value == 1e-5


def test_a_replaced_label_that_nobody_asked_for_belongs_to_who_asks_now(db, cell):
    key = db.labels.add(outcome(cell)).key
    set_gate_version(db, key)
    assert db.labels.add(outcome(cell), campaign="c", cycle=1, arm="random").replaced
    row = db.labels.get(key)
    assert (row.campaign, row.cycle, row.arm) == ("c", 1, "random")


def test_a_label_stays_where_the_other_one_is_not_of_a_newer_gate_version(db, cell):
    key = db.labels.add(outcome(cell, value=3e-5)).key
    for stored, version in ((GATE_VERSION + 1, GATE_VERSION), (GATE_VERSION - 1, GATE_VERSION - 1)):
        set_gate_version(db, key, version=stored)
        added = db.labels.add(outcome(cell).model_copy(update={"gate_version": version}))
        assert (added.created, added.replaced) == (False, False)
        assert (db.labels.get(key).value, db.labels.get(key).gate_version) == (3e-5, stored)


def test_an_imported_label_has_no_gate_version_and_stays_as_it_is(db):
    key = db.labels.add_imported(published_label()).key
    added = db.labels.add_imported(published_label(value=9e-5))
    assert (added.created, added.replaced) == (False, False)
    assert (db.labels.get(key).value, db.labels.get(key).gate_version) == (1e-5, None)


def test_a_label_says_why_its_run_ended(db, cell):
    ended = outcome(cell).model_copy(update={"stopped": StopReason.TARGET})
    assert db.labels.get(db.labels.add(ended).key).stopped == "target"


def test_a_label_of_an_unknown_structure_is_refused(db):
    with pytest.raises(NotFoundError, match="add it before its label"):
        db.labels.add(outcome("f" * 64))
    assert db.labels.count() == 0


def test_imported_labels_belong_to_a_composition_or_a_structure(db, cell):
    first = db.labels.add_imported(
        published_label(source_value=3e-5, conversion_factor=1 / 3, conversion="slope/2 -> Einstein")
    )
    assert first.created
    assert not db.labels.add_imported(published_label(composition="S1 Li2")).created  # the same composition
    assert db.labels.add_imported(published_label(record=1)).created
    row = db.labels.get(first.key)
    assert row.structure_fingerprint is None
    assert (row.composition, row.reduced_formula, row.chemsys) == ("Li2S", "Li2S", "Li-S")
    assert row.value == pytest.approx(row.source_value * row.conversion_factor)
    assert db.labels.add_imported(published_label(composition=None, structure_fingerprint=cell)).created
    for wrong in ({"composition": None}, {"structure_fingerprint": cell}):
        with pytest.raises(InputError, match="not both"):
            db.labels.add_imported(published_label(**wrong))
    with pytest.raises(InputError, match="formula"):
        db.labels.add_imported(published_label(composition="Li3(PS"))


def test_filters_of_labels(db, cell):
    for temperature in (800.0, 900.0, 1000.0):
        for seed, value, state in ((1, 1e-5, "accepted"), (2, 1e-6, "censored"), (3, 3e-5, "accepted")):
            db.labels.add(outcome(cell, temperature_K=temperature, value=value, state=state, seed=seed), campaign="c")
    db.labels.add(outcome(cell, potential="chgnet"), campaign="d", arm="reference")
    count = db.labels.count
    assert count() == 10
    assert count(temperature=(850, 1100), potential="nep89") == 6
    assert count(chemsys="Li-S", temperature=(900, 1100), accepted=True) == 5
    assert count(accepted=False) == count(state="censored") == 3
    assert count(value=(2e-5, None)) == 3
    assert count(log10_value=(None, -5.5)) == 3
    assert count(campaign="d", arm="reference", weights_sha256="b" * 64) == 1
    assert count(property="ionic_conductivity") == 0
    assert count(structure_fingerprint=cell, species="Li", elements_all=["Li"], elements_none=["P"]) == 10
    frame = db.labels.search(sort=["temperature_K", "-value"], potential="nep89").to_dataframe()
    assert frame.temperature_K.is_monotonic_increasing
    assert frame.value.iloc[0] == 3e-5


def test_a_superseded_label_stays_and_is_left_out(db, cell):
    old, new = db.labels.add(outcome(cell)).key, db.labels.add(outcome(cell, seed=2)).key
    db.labels.supersede(old, by=new)
    assert [row.key for row in db.labels.search()] == [new]
    assert [row.key for row in db.labels.search(superseded=True)] == [old]
    assert db.labels.get(old).superseded_by == new
    with pytest.raises(NotFoundError):
        db.labels.supersede(old, by="0" * 64)


def test_a_label_without_a_value_has_no_logarithm(db, cell):
    key = db.labels.add(outcome(cell, state="rejected").model_copy(update={"value": None, "interval_95": None})).key
    row = db.labels.get(key)
    assert row.value is None
    assert row.log10_value is None
    assert row.interval_95 is None
    assert math.isnan(db.labels.search().to_dataframe().value.astype(float).iloc[0])


def test_a_label_from_elsewhere_cannot_say_that_gates_accepted_it(db):
    with pytest.raises(InputError, match="published"):
        db.labels.add_imported(published_label(state=LabelState.ACCEPTED))


def test_a_run_cannot_call_its_label_published(cell):
    with pytest.raises(ValueError, match="published are values from elsewhere"):
        outcome(cell, state="published")


def test_labels_are_found_and_sorted_by_the_agreement_of_their_forces(db, cell):
    for seed, r2 in enumerate((0.9, 0.3, None, 0.7)):
        db.labels.add(outcome(cell, seed=seed, force_check=None if r2 is None else checked_record(r2)))
    assert [row.force_r2 for row in db.labels.search(force_r2=(0.6, None), sort="-force_r2")] == [0.9, 0.7]
    assert [row.force_check.reference for row in db.labels.search(force_r2=(None, 0.5))] == ["diep"]
    assert db.labels.count() == 4
