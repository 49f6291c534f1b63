"""JSON within bounds: what any parser gives for ordinary documents, one line for the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrion_models import bounds
from vitrion_models.bounds import parse_json
from vitrion_models.errors import InputError

documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**50), 10**50) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(documents)
def test_ordinary_documents_come_back(document):
    assert parse_json(json.dumps(document)) == document


@pytest.mark.parametrize(
    ("text", "fault"),
    {
        "nesting": ("[" * 100_000 + "]" * 100_000, "deep"),
        "nesting that a parser bears": ("[" * 100 + "]" * 100, "deep"),
        "nested objects": ('{"a":' * 70 + "1" + "}" * 70, "deep"),
        "integer": (f"[{'9' * 5000}]", "5000 digits"),
        "key twice": ('{"a": 1, "a": 2}', "'a'"),
        "truncated": ('{"a": ', "truncated"),
        "lone surrogate of the file": ("\udcff", "JSON"),
    }.values(),
)
def test_a_document_beyond_the_bounds_is_refused(text, fault):
    with pytest.raises(InputError, match=fault):
        parse_json(text)


def test_values_are_counted_before_they_are_made(monkeypatch):
    monkeypatch.setattr(bounds, "MOST_VALUES", 10)
    assert parse_json("[1, 2, 3]") == [1, 2, 3]
    with pytest.raises(InputError, match="values"):
        parse_json("[[],[],[],[],[],[]]")
