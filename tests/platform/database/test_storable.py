"""Values that MongoDB cannot hold are refused by the record, naming the field, on both back ends."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from one_line import error_in_one_line
from pymatgen.core import Lattice, Structure

from vitrion.database import Campaign, DatabaseError
from vitrion_models.errors import InputError


def nested(depth):
    return {"a": nested(depth - 1)} if depth else 1


IMPOSSIBLE = {
    "a large integer": 2**63,
    "a small integer": -(2**63) - 1,
    "numpy float": np.float32(1.5),
    "numpy integer": np.int64(1),
    "numpy array": np.arange(3),
    "numpy boolean": np.bool_(True),
    "set": {1, 2},
    "frozenset": frozenset({1}),
    "complex": 1j,
    "object": object(),
    "function": len,
    "bytearray": bytearray(b"x"),
    "half a character": "\ud800",
    "a date without zone": datetime(2026, 1, 1),  # noqa: DTZ001 - the point
    "deep": nested(200),
    "key of a number": {1: "x"},
    "key that is not a number": {float("nan"): 1},
    "key of nothing": {None: 1},
    "operator": {"$set": 1},
    "NUL in a key": {"a\0b": 1},
    "in a list": [{"x": [np.float32(1.0)]}],
}


@pytest.mark.parametrize("value", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_value_that_cannot_be_stored_names_its_field(db, value):
    with error_in_one_line(InputError, match="campaigns: configuration.x"):
        db.campaigns.create_or_get("c", {"x": value}, "hash")
    db.campaigns.create_or_get("c", {"x": 1}, "hash")
    for field in ("summary", "configuration"):
        with error_in_one_line(InputError, match=f"campaigns: {field}.x"):
            db.campaigns.update("c", **{field: {"x": value}})
    with error_in_one_line(InputError, match="campaigns: summary.plan"):
        db.campaigns.set_if_absent("c", "plan", value)
    assert db.campaigns.get("c").configuration == {"x": 1}
    assert db.campaigns.get("c").summary == {}


def test_what_can_be_stored_comes_back(db):
    content = {
        "i": 2**63 - 1,
        "f": np.float64(1.5),
        "t": ("a", ["Łi₃", None, True]),
        "m": {"a.b": {}},
        "deep": nested(50),
    }
    db.campaigns.create_or_get("c", content, "hash")
    assert db.campaigns.get("c").configuration == {**content, "t": ["a", ["Łi₃", None, True]]}


CELL = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", 2**63),
        ("cycle", -(2**70)),
        ("protocol", {"x": np.float32(1.5)}),
        ("protocol", {"$c": 1}),
        ("source", "half \ud800"),
        ("created_at", datetime(2026, 1, 1)),  # noqa: DTZ001 - the point
    ],
)
def test_a_structure_names_the_field(db, field, value):
    with error_in_one_line(InputError, match=f"structures: {field}"):
        db.structures.add(CELL, kind="crystal", **{field: value})
    assert db.structures.count() == db.collection("geometries").count({}) == 0


def test_mongoengine_stores_nothing_unchecked(db):
    db.campaigns.create_or_get("c", {"x": 1}, "hash")
    with pytest.raises(InputError, match="campaigns: "):
        Campaign.objects.insert([Campaign(name="d")])
    for change in (Campaign.objects.update, Campaign.objects.update_one, Campaign.objects.modify):
        with pytest.raises(DatabaseError, match="save"):
            change(set__name="e")
    with pytest.raises(DatabaseError, match="save"):
        Campaign.objects.first().update(set__name="e")
    assert [row.name for row in db.campaigns.list()] == ["c"]
    Campaign.objects.insert([Campaign(name="d", configuration={"x": 1}, config_hash="h")])
    assert db.campaigns.get("d").state == "active"


def test_dates_carry_their_zone_and_other_zones_are_converted(db):
    tokyo = datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    fingerprint = db.structures.add(CELL, kind="crystal", created_at=tokyo).fingerprint
    stored = db.structures.get(fingerprint).created_at
    assert stored == tokyo
    assert stored.utcoffset() == timedelta(0)
    assert db.structures.get(fingerprint).model_dump(mode="json")["created_at"].startswith("2026-01-01T00:00:00")
    assert db.campaigns.create_or_get("c", {}, "hash").created_at.tzinfo == UTC
