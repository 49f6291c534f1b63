"""The embedded store against mongomock's in-memory engine: the same documents, the same queries, the same answers."""

from datetime import datetime, timedelta

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litemongo._vendor import mongomock
from pymongo.errors import BulkWriteError, DuplicateKeyError

from vitrion.database.embedded import EmbeddedClient

EPOCH = datetime.fromisoformat("2026-01-01")  # without a zone, as MongoDB gives it back
TEXT = st.sampled_from(["", "a", "b", "Li", "Li-P-S", "é"])
NUMBER = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -1.5, 2.0, 1e300]))
MOMENT = st.integers(0, 3).map(lambda day: EPOCH + timedelta(days=day))
SCALAR = st.one_of(st.none(), NUMBER, TEXT, MOMENT)
ARRAY = st.lists(st.sampled_from(["Li", "P", "S", "O"]), max_size=3, unique=True)
DOCUMENT = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXT,
        "number": NUMBER,
        "mixed": SCALAR,
        "items": ARRAY,
        "free": SCALAR,
        "sub": st.fixed_dictionaries({"x": NUMBER}),
    },
)
INDEXED = [("text", "number"), ("number",), ("mixed",), ("items",), ("sub.x",), ("number", "_id")]


def condition(values):
    compare = st.sampled_from(["$gt", "$gte", "$lt", "$lte"])
    several = st.lists(values, max_size=3)
    return st.one_of(
        values,
        values.map(lambda value: {"$eq": value}),
        values.map(lambda value: {"$ne": value}),
        several.map(lambda chosen: {"$in": chosen}),
        several.map(lambda chosen: {"$nin": chosen}),
        st.tuples(compare, values.filter(lambda value: value is not None)).map(lambda pair: {pair[0]: pair[1]}),
        st.tuples(NUMBER, NUMBER).map(lambda pair: {"$gte": min(pair), "$lt": max(pair)}),
        st.booleans().map(lambda there: {"$exists": there}),
    )


SIMPLE = st.one_of(
    st.tuples(st.just("text"), condition(TEXT)),
    st.tuples(st.just("number"), condition(NUMBER)),
    st.tuples(st.just("mixed"), condition(SCALAR)),
    st.tuples(st.just("free"), condition(SCALAR)),
    st.tuples(st.just("sub.x"), condition(NUMBER)),
    st.tuples(
        st.just("items"),
        st.one_of(
            st.sampled_from(["Li", "P"]),
            ARRAY.filter(bool).map(lambda items: {"$all": items}),
            ARRAY.map(lambda items: {"$in": items}),
            ARRAY.map(lambda items: {"$nin": items}),
        ),
    ),
).map(lambda pair: {pair[0]: pair[1]})
QUERY = st.recursive(
    st.lists(SIMPLE, max_size=3).map(lambda parts: {key: value for part in parts for key, value in part.items()}),
    lambda inner: st.tuples(st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=2)).map(
        lambda pair: {pair[0]: pair[1]}
    ),
    max_leaves=3,
)
SORT = st.lists(
    st.tuples(st.sampled_from(["text", "number", "free", "sub.x"]), st.sampled_from([1, -1])),
    max_size=2,
    unique_by=lambda key: key[0],
)


@pytest.fixture
def collections(tmp_path):
    client = EmbeddedClient(tmp_path)
    ours, theirs = client["d"]["c"], mongomock.MongoClient()["d"]["c"]
    for fields in INDEXED:
        ours.create_index([(field, 1) for field in fields])
    yield ours, theirs
    client.close()


def filled(collections, documents):
    ours, theirs = collections
    ours.delete_many({})
    theirs.delete_many({})
    stored = [{"_id": ObjectId(f"{place:024x}"), **document} for place, document in enumerate(documents)]
    for collection in collections:
        if stored:
            collection.insert_many([dict(document) for document in stored])
    return ours, theirs


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=st.lists(DOCUMENT, max_size=12), query=QUERY, sort=SORT, skip=st.integers(0, 3), limit=st.integers(0, 4)
)
def test_finds_counts_and_orders_as_the_reference_engine(collections, *, documents, query, sort, skip, limit):
    ours, theirs = filled(collections, documents)
    order = [*sort, ("_id", 1)]
    assert list(ours.find(query)) == list(theirs.find(query))
    assert ours.count_documents(query) == theirs.count_documents(query)
    page = list(ours.find(query, {"text": 1, "number": 1}).sort(order).skip(skip).limit(limit))
    assert page == list(theirs.find(query, {"text": 1, "number": 1}).sort(order).skip(skip).limit(limit))
    assert ours.find_one(query) == theirs.find_one(query)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(DOCUMENT, max_size=8), query=QUERY, value=SCALAR, items=ARRAY)
def test_updates_and_deletes_leave_the_same_documents(collections, documents, query, value, items):
    ours, theirs = filled(collections, documents)
    for collection in (ours, theirs):
        collection.update_many(query, {"$set": {"mixed": value, "items": items}, "$unset": {"text": ""}})
    assert list(ours.find({})) == list(theirs.find({}))
    assert ours.count_documents({"items": "Li"}) == theirs.count_documents({"items": "Li"})
    assert ours.count_documents({"mixed": value}) == theirs.count_documents({"mixed": value})
    for collection in (ours, theirs):
        collection.delete_many({"items": {"$in": ["P", "S"]}})
    assert list(ours.find({})) == list(theirs.find({}))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(DOCUMENT, max_size=10), query=QUERY)
def test_groups_as_the_reference_engine(collections, documents, query):
    ours, theirs = filled(collections, documents)
    pipeline = [{"$match": query}, {"$group": {"_id": "$text", "n": {"$sum": 1}, "top": {"$max": "$sub.x"}}}]
    by_group = [{row["_id"]: (row["n"], row["top"]) for row in rows.aggregate(pipeline)} for rows in (ours, theirs)]
    assert by_group[0] == by_group[1]
    assert set(ours.distinct("text", query)) == set(theirs.distinct("text", query))


def test_a_unique_field_stays_unique_through_inserts_updates_and_batches(tmp_path):
    with EmbeddedClient(tmp_path) as client:
        collection = client["d"]["c"]
        collection.create_index([("name", 1)], unique=True)
        collection.insert_one({"name": "a"})
        with pytest.raises(DuplicateKeyError):
            collection.insert_one({"name": "a"})
        with pytest.raises(BulkWriteError) as refused:
            collection.insert_many([{"name": "b"}, {"name": "a"}, {"name": "c"}], ordered=False)
        assert refused.value.details["nInserted"] == 2
        assert [error["index"] for error in refused.value.details["writeErrors"]] == [1]
        with pytest.raises(DuplicateKeyError):
            collection.update_one({"name": "b"}, {"$set": {"name": "a"}})
        assert sorted(collection.distinct("name")) == ["a", "b", "c"]
        collection.insert_one({"other": 1})  # a missing field counts as null, and null is unique too
        with pytest.raises(DuplicateKeyError):
            collection.insert_one({"other": 2})


def test_an_index_that_comes_late_finds_what_is_there(tmp_path):
    with EmbeddedClient(tmp_path) as client:
        collection = client["d"]["c"]
        collection.insert_many([{"x": number % 3, "items": ["a", str(number)]} for number in range(30)])
        collection.create_index([("x", 1)])
        collection.create_index("items")
        assert collection.count_documents({"x": 1}) == 10
        assert collection.count_documents({"items": "7"}) == 1
        assert "SEARCH" in collection._store.explain({"x": 1})
        with pytest.raises(DuplicateKeyError):
            collection.create_index([("x", 1)], name="once", unique=True)
        with pytest.raises(DuplicateKeyError):
            collection.create_index([("absent", 1), ("x", 1)], unique=True)
        collection.insert_one({"x": 1, "absent": 1})  # the column that was undone is not written to
        collection.delete_one({"absent": 1})
    with EmbeddedClient(tmp_path) as client:
        assert client["d"]["c"].count_documents({"x": 1}) == 10
        assert set(client["d"]["c"].index_information()) == {"_id_", "x_1", "items_1"}


def test_what_sql_cannot_compare_is_left_to_the_reference_engine(tmp_path):
    with EmbeddedClient(tmp_path) as client:
        collection = client["d"]["c"]
        collection.create_index("x")
        collection.insert_many([{"x": 1}, {"x": True}, {"x": {"y": 1}}, {"x": [{"y": 1}]}, {"x": float("nan")}, {}])
        assert collection.count_documents({"x": {"y": 1}}) == 2
        assert collection.count_documents({"x.y": 1}) == 2
        assert collection.count_documents({"x": None}) == 1
        assert collection.count_documents({"x": {"$gt": 0}}) >= 1


def test_an_interrupted_transaction_leaves_nothing(tmp_path):
    with EmbeddedClient(tmp_path) as client:
        collection = client["d"]["c"]

        def broken():
            with collection._store.transaction():
                collection.insert_one({"x": 1})
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            broken()
        assert collection.count_documents({}) == 0
        collection.insert_one({"x": 2})
    with EmbeddedClient(tmp_path) as client:
        assert [document["x"] for document in client["d"]["c"].find()] == [2]


def test_mongoengine_itself_runs_on_it(tmp_path):
    import mongoengine

    class Note(mongoengine.Document):
        text = mongoengine.StringField(unique=True)
        meta = {"db_alias": "embedded-test"}  # noqa: RUF012 - mongoengine takes it away

    mongoengine.connect(
        "d", alias="embedded-test", host=str(tmp_path), mongo_client_class=EmbeddedClient, uuidRepresentation="standard"
    )
    try:
        Note(text="a").save()
        Note.objects(text="b").update_one(upsert=True, set__text="b")
        assert sorted(note.text for note in Note.objects) == ["a", "b"]
        assert Note.objects(text="a").count() == 1
        with pytest.raises(mongoengine.NotUniqueError):
            Note(text="a").save()
    finally:
        mongoengine.disconnect("embedded-test")
