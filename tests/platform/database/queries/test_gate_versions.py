"""Labels of other gate versions are left out of results unless requested, and counted."""

import pytest
from plain_labels import plain_label
from stored_records import OLDER, published_label, set_gate_version

from vitrion.database.queries.gate_versions import is_current, is_outdated, summarize_others
from vitrion_models.errors import InputError
from vitrion_workflows.schemas.label import GATE_VERSION

NEWER = GATE_VERSION + 1


@pytest.fixture
def mixed(db, cell):
    """Keys by gate version, each label with a value of its own."""
    keys = {}
    for seed, (name, version) in enumerate({"current": GATE_VERSION, "older": OLDER, "newer": NEWER}.items()):
        keys[name] = db.labels.add(plain_label(cell, seed=seed, value=10.0 ** -(4 + seed))).key
        set_gate_version(db, keys[name], version=version)
    keys["published"] = db.labels.add_imported(published_label()).key
    return keys


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("current", {"current", "published"}),
        (None, {"current", "older", "newer", "published"}),
        ("other", {"older", "newer"}),
        (OLDER, {"older"}),
        ((None, OLDER), {"older"}),
        ("any", {"current", "older", "newer", "published"}),
    ],
)
def test_labels_are_filtered_by_gate_version(db, mixed, version, names):
    assert {row.key for row in db.labels.search(gate_version=version)} == {mixed[name] for name in names}
    assert db.labels.count(gate_version=version) == len(names)
    # Other filters combine with it.
    assert db.labels.count(gate_version=version, dataset="aimd") == ("published" in names)


def test_the_current_version_is_the_default(db, mixed):
    assert {row.key for row in db.labels.search()} == {mixed["current"], mixed["published"]}
    assert db.labels.count_other_versions() == {OLDER: 1, NEWER: 1}
    assert db.labels.count_other_versions(state="published") == {}
    for row in db.labels.search(gate_version="any"):
        assert is_current(row.gate_version) == (row.key in {mixed["current"], mixed["published"]})
        assert is_outdated(row.gate_version) == (row.key == mixed["older"])


def test_an_unknown_word_is_refused(db):
    with pytest.raises(InputError, match=r"gate_version.*current, other, any"):
        db.labels.search(gate_version="old")


def test_the_summary_gives_count_versions_and_remedy():
    assert summarize_others({}) == ""
    older = summarize_others({OLDER: 3})
    assert older.startswith(f"3 labels were produced with gate version {OLDER} (current: {GATE_VERSION})")
    assert "vitrion campaign retry FILE --outdated" in older
    assert "Upgrade" not in older
    newer = summarize_others({NEWER: 1})
    assert "Upgrade" in newer
    assert "retry" not in newer
    both = summarize_others({OLDER: 1, NEWER: 1})
    assert "Upgrade" in both
    assert "retry" in both


def test_a_mean_is_of_one_gate_version(db, mixed):
    (mean,) = db.labels.statistics()
    assert (mean.count, mean.mean) == (1, pytest.approx(-4.0))
    (mean,) = db.labels.statistics(gate_version=OLDER)
    assert (mean.count, mean.mean) == (1, pytest.approx(-5.0))
    by_version = db.labels.statistics(group_by="gate_version", gate_version="any")
    assert {entry.group[0]: entry.count for entry in by_version} == {OLDER: 1, GATE_VERSION: 1, NEWER: 1}
    assert sum(entry.count for entry in db.labels.statistics(across="gate_version", gate_version="any")) == 3
    with pytest.raises(InputError, match="more than one gate_version"):
        db.labels.statistics(gate_version=(OLDER, GATE_VERSION))
    db.labels.supersede(mixed["current"], by=mixed["older"])
    assert db.labels.statistics() == []


@pytest.mark.usefixtures("mixed")
def test_a_frame_is_of_one_gate_version(db):
    runs = db.labels.search(accepted=True, gate_version="any")
    with pytest.raises(InputError, match="gate_version"):
        runs.to_dataframe()
    assert len(runs.to_dataframe(across="gate_version")) == 3
    assert db.labels.search(accepted=True, gate_version=OLDER).to_dataframe().gate_version.tolist() == [OLDER]
    # A published value differs from a run in its source, potential and protocol: its missing gate version adds nothing.
    both = db.labels.search()
    with pytest.raises(InputError, match="more than one source"):
        both.to_dataframe()
    assert len(both.to_dataframe(across=("source", "potential", "thermostat", "protocol"))) == 2
