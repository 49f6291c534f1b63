"""YAML within bounds, and documents from files."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vitrion_models.errors import InputError
from vitrion_workflows.formats.documents import load_json, load_yaml, parse_yaml

LAUGHS = "a0: &a0 [lol,lol]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="ascii")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_ordinary_documents_come_back(document):
    assert parse_yaml(yaml.safe_dump(document)) == document


def test_aliases_are_read():
    assert parse_yaml("a: &x {host: h}\nb: {<<: *x, port: 1}\nc: *x") == {
        "a": {"host": "h"},
        "b": {"host": "h", "port": 1},
        "c": {"host": "h"},
    }


REFUSED = {
    "billion laughs": (LAUGHS, "aliases"),
    "merged laughs": (
        LAUGHS.replace("[lol,lol]", "{a: 1}").replace("[", "{<<: [").replace("]", "]}"), "aliases",
    ),
    "holds itself": ("a: &a [*a]", "aliases"),
    "nested": ("[" * 90_000 + "]" * 90_000, "deep"),
    "nested a little": ("[" * 90 + "]" * 90, "deep"),
    "nested blocks": ("".join(f"{' ' * n}a:\n" for n in range(300)), "deep"),
    "no such day": ("a: 2026-11-31", "day"),
    "digits": (f"seed: {'9' * 5000}", "digits"),
    "sexagesimal": (f"seed: {'59:' * 400}59.0", "."),
    "bare tag": ("a: !!timestamp x", "value"),
    "no truth": ("a: !!bool perhaps", "value"),
    "no number": ("a: !!int ''", "value"),
    "another class": ("a: !!python/object/apply:os.system [ls]", "YAML"),
    "key twice": ("seed: 1\nseed: 2", "seed"),
    "list as key": ("[1, 2]: 3\n? {a: 1}\n: 4", "YAML"),
    "two documents": ("a: 1\n---\nb: 2", "YAML"),
    "too long": ("# comment\n" * 30_000, "KiB"),
    "control characters": ("a: \x07", "YAML"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), REFUSED.values(), ids=REFUSED)
def test_a_document_beyond_the_bounds_is_refused(text, fault):
    with pytest.raises(InputError, match=fault):
        parse_yaml(text)


def test_a_file_is_named(tmp_path):
    path = tmp_path / "store.yaml"
    path.write_text(json.dumps({"a": [1, 2.5, None]}))
    assert load_yaml(path) == load_json(path) == {"a": [1, 2.5, None]}
    path.write_text("{")
    for load in (load_yaml, load_json):
        with pytest.raises(InputError, match=str(path)):
            load(path)
