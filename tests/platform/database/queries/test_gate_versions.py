"""Labels of other rules than those of here enter no result unasked, and never mix unsaid."""

import numpy as np
import pytest
from plain_labels import plain_label

from vitrion.database.queries import gate_versions as rules
from vitrion.database.queries.gate_versions import judged_here
from vitrion.database.repositories.labels import ImportedLabel
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.schemas.label import LABEL_RULES

OLDER = LABEL_RULES - 1


def judged_by(db, key, version):
    """As another version of Vitrion left a label: with its own rules, or none where they were not kept yet."""
    change = {"$unset": {"rules": ""}} if version is None else {"$set": {"rules": version}}
    assert db.collection("labels").update_one({"key": key}, change)


def published(record=0, **changes):
    return ImportedLabel(
        **{
            "property": "tracer_diffusivity",
            "species": "Li",
            "temperature_K": 1000.0,
            "state": LabelState.PUBLISHED,
            "value": 1e-5,
            "unit": "cm2/s",
            "convention": "einstein_3d",
            "potential": "pbe",
            "weights_sha256": "c" * 64,
            "dataset": "aimd",
            "record": record,
            "composition": "Li2S",
        }
        | changes
    )


@pytest.fixture
def cell(db):
    system = AtomicSystem(np.repeat([3, 16], 6), np.random.default_rng(0).uniform(0, 7, (12, 3)), np.eye(3) * 7)
    return db.structures.add(system, kind="amorphous").fingerprint


@pytest.fixture
def mixed(db, cell):
    """Keys by what judged them: each value of its own, so that a mean says which it is of."""
    versions = {"here": LABEL_RULES, "older": OLDER, "unknown": None, "newer": LABEL_RULES + 1}
    keys = {}
    for seed, (name, version) in enumerate(versions.items()):
        keys[name] = db.labels.add(plain_label(cell, seed=seed, value=10.0 ** -(4 + seed))).key
        judged_by(db, keys[name], version)
    keys["elsewhere"] = db.labels.add_imported(published()).key
    return keys


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("here", {"here", "elsewhere"}),
        ("other", {"older", "unknown", "newer"}),
        ("unknown", {"unknown"}),
        (OLDER, {"older"}),
        ((None, OLDER), {"older"}),
        (None, {"here", "older", "unknown", "newer", "elsewhere"}),
    ],
)
def test_labels_are_found_by_what_judged_them(db, mixed, asked, found):
    assert {row.key for row in db.labels.search(rules=asked)} == {mixed[name] for name in found}
    assert db.labels.count(rules=asked) == len(found)
    # Other filters stay what they are, those of the same fields too.
    assert db.labels.count(rules=asked, dataset="aimd") == ("elsewhere" in found)
    with pytest.raises(InputError, match=r"'old' is no range of rules: give a number.*here, other, unknown"):
        db.labels.search(rules="old")


def test_query_and_row_say_the_same_of_every_label(db, mixed):
    for row in db.labels.search():
        kept = {found.key for found in db.labels.search(rules="here")}
        assert judged_here(row) == (row.key in kept)
    assert [name for name, key in mixed.items() if judged_here(db.labels.get(key))] == ["here", "elsewhere"]
    assert [name for name, key in mixed.items() if rules.gives_way(db.labels.get(key))] == ["older", "unknown"]
    assert db.labels.of_other_rules() == {str(OLDER): 1, str(LABEL_RULES + 1): 1, "unknown": 1}
    assert db.labels.of_other_rules(state="published") == {}


def test_the_line_says_how_many_of_which_rules_and_what_to_do():
    assert rules.told({}) == rules.told_left_out({}, otherwise="anything") == ""
    line = rules.told_left_out({str(OLDER): 2, "unknown": 1}, otherwise="take them by --rules")
    assert line.startswith(f"left out: 3 labels judged by other rules ({OLDER}: 2, unknown: 1)")
    assert line.endswith(f"than this Vitrion's ({LABEL_RULES}): label them again, or take them by --rules")
    assert rules.told({str(LABEL_RULES + 1): 1}).endswith("upgrade Vitrion")
    assert rules.told({str(OLDER): 1}, again="this").endswith("label them again by this")
    assert rules.told({str(OLDER): 1, str(LABEL_RULES + 1): 1}).endswith("label them again and upgrade Vitrion")


def test_a_mean_takes_no_label_of_other_rules_unasked(db, mixed):
    with pytest.raises(
        InputError, match=rf"averaged are 3 labels judged by other rules \({OLDER}: 1, .*unknown: 1\)"
    ) as told:
        db.labels.statistics()
    assert "\n" not in str(told.value)
    (mean,) = db.labels.statistics(rules="here")
    assert (mean.count, mean.mean) == (1, pytest.approx(-4.0))
    (mean,) = db.labels.statistics(rules=OLDER)
    assert (mean.count, mean.mean) == (1, pytest.approx(-5.0))
    assert {entry.group[0]: entry.count for entry in db.labels.statistics(group_by="rules")} == {
        None: 1,
        OLDER: 1,
        LABEL_RULES: 1,
        LABEL_RULES + 1: 1,
    }
    assert sum(entry.count for entry in db.labels.statistics(across="rules")) == 4
    with pytest.raises(InputError, match="more than one rules"):
        db.labels.statistics(rules=(OLDER, LABEL_RULES))
    # Not even where all are of one version: no gate that came since was asked.
    for name in ("here", "unknown", "newer"):
        db.labels.supersede(mixed[name], by=mixed["older"])
    with pytest.raises(InputError, match=rf"are 1 label judged by other rules \({OLDER}: 1\)"):
        db.labels.statistics()


@pytest.mark.usefixtures("mixed")
def test_a_frame_holds_labels_of_one_version_unless_told(db):
    runs = db.labels.search(accepted=True)
    with pytest.raises(InputError, match=rf"more than one rules \({OLDER}: 1, {LABEL_RULES}: 1, .*across='rules'"):
        runs.to_dataframe()
    assert len(runs.to_dataframe(across="rules")) == 4
    frame = db.labels.search(accepted=True, rules=OLDER).to_dataframe()
    assert frame.rules.tolist() == [OLDER]
    # A value from elsewhere differs in its source, potential and protocol: that alone has to be said.
    both = db.labels.search(rules="here")
    with pytest.raises(InputError, match="more than one source"):
        both.to_dataframe()
    assert len(both.to_dataframe(across=("source", "potential", "thermostat", "protocol"))) == 2
