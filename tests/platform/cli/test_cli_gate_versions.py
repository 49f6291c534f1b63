"""Commands that show or fit labels use the current gate version and count the labels of others in one line."""

import csv
import json

import numpy as np
import pytest
from plain_labels import plain_label
from stored_records import OLDER, random_cell, set_gate_version

import vitrion
from vitrion.cli.app import run
from vitrion.cli.labels import COLUMNS
from vitrion.database.collection import Collection
from vitrion.database.queries.comparison import label_pairs
from vitrion_workflows.schemas.label import GATE_VERSION

BOLTZMANN = 8.617333262145179e-5
TEMPERATURES = (700.0, 900.0, 1100.0, 1500.0, 2000.0)
FIT = ("arrhenius", "--species", "Li", "--potential", "nep89")


def log10_D(temperature):
    return -3.0 - 0.3 / (BOLTZMANN * temperature * np.log(10))


@pytest.fixture
def keys(home):
    """One line of five labels by two potentials, the second half a decade below the first."""
    keys = {}
    with vitrion.connect(home=home) as db:
        cell = db.structures.add(random_cell(anion=17), kind="amorphous")
        for potential, shift in (("nep89", 0.0), ("chgnet", -0.5)):
            for kelvin in TEMPERATURES:
                value = 10 ** (log10_D(kelvin) + shift)
                made = plain_label(
                    cell.fingerprint, potential=potential, temperature_K=kelvin, value=value, log10_stderr=0.03
                )
                keys[potential, kelvin] = db.labels.add(made).key
    return keys


def set_version(version, *keys):
    with vitrion.connect() as db:
        set_gate_version(db, *keys, version=version)


def spoil(keys):
    """Make the two hottest labels of nep89 a factor of a hundred too low, and of an older gate version."""
    hot = [keys["nep89", kelvin] for kelvin in TEMPERATURES[-2:]]
    set_version(OLDER, *hot)
    with vitrion.connect() as db:
        for key in hot:
            value = db.labels.get(key).value / 100
            change = {"$set": {"value": value, "log10_value": float(np.log10(value))}}
            assert db.collection("labels").update_one({"key": key}, change)


def answer(capsys, *words):
    assert run([str(word) for word in words]) == 0
    printed = capsys.readouterr()
    return printed.out, printed.err.splitlines()


def fault(capsys, *words):
    assert run([str(word) for word in words]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    (line,) = printed.err.splitlines()
    return line


def counts(line, number):
    return f"{number} label{'s' * (number > 1)} w" in line and f"gate version {OLDER} (current: {GATE_VERSION})" in line


def test_nothing_is_noted_where_all_labels_are_current(keys, tmp_path, capsys):
    for words in (
        ("labels", "list"),
        ("labels", "list", "--json"),
        ("labels", "show", keys["nep89", 900.0]),
        ("labels", "compare", "nep89", "chgnet"),
        (*FIT, "--at", 1000),
        (*FIT, "--json", "--at", 1000),
    ):
        assert answer(capsys, *words)[1] == []
    _, (line,) = answer(capsys, "labels", "export", "--potential", "nep89", "--to", tmp_path / "labels.csv")
    assert line.endswith("labels.csv")
    assert answer(capsys, "arrhenius", tmp_path / "labels.csv", "--at", 1000)[1] == []


def test_a_list_has_the_column_and_counts_what_it_leaves_out(keys, capsys):
    spoil(keys)
    table, (line,) = answer(capsys, "labels", "list", "--potential", "nep89")
    assert "gate_version" in table.splitlines()[0].split()
    assert counts(line, 2)
    rows, (*_, line) = answer(capsys, "labels", "list", "--json", "--limit", 1)
    assert (len(json.loads(rows)), json.loads(rows)[0]["gate_version"]) == (1, GATE_VERSION)
    assert counts(line, 2)  # of all labels that pass, not of the page alone
    for version, number in (
        ("other", 2),
        ("current", 8),
        ("any", 10),
        (OLDER, 2),
        (f"{OLDER}:", 10),
        (f":{OLDER}", 2),
    ):
        rows, lines = answer(capsys, "labels", "list", "--json", "--gate-version", version)
        assert (len(json.loads(rows)), lines) == (number, [])
    assert "--gate-version" in fault(capsys, "labels", "list", "--gate-version", "old")


def test_a_list_is_one_query_of_the_columns_and_one_count(keys, capsys, monkeypatch):
    queries, counts_by = [], []
    find, count_by = Collection.find, Collection.count_by

    def counted(collection, query, **options):
        queries.append(options.get("projection"))
        return find(collection, query, **options)

    def counted_by(collection, field, query):
        counts_by.append(field)
        return count_by(collection, field, query)

    monkeypatch.setattr(Collection, "find", counted)
    monkeypatch.setattr(Collection, "count_by", counted_by)
    monkeypatch.setattr(Collection, "count", lambda *_: pytest.fail("a third query"))
    table, lines = answer(capsys, "labels", "list", "--limit", len(keys) - 1)
    assert "first 9 labels" in lines[0]
    assert len(table.splitlines()) > 9
    (columns,) = queries
    assert {name for name, kept in columns.items() if kept} == set(COLUMNS)
    assert counts_by == ["gate_version"]


def test_an_outdated_label_is_shown_with_the_remedy(keys, capsys):
    set_version(OLDER, keys["nep89", 900.0])
    _, (line,) = answer(capsys, "labels", "show", keys["nep89", 900.0])
    assert counts(line, 1)
    assert "campaign retry" in line


def test_an_export_is_of_one_gate_version(keys, tmp_path, capsys):
    spoil(keys)
    target = tmp_path / "labels.csv"
    words = ("labels", "export", "--potential", "nep89", "--to", target)
    assert "gate_version" in fault(capsys, *words, "--gate-version", "any")
    assert not target.exists()
    for more, versions in (
        ((), [GATE_VERSION] * 3),
        (("--across", "gate_version", "--gate-version", "any"), [GATE_VERSION] * 3 + [OLDER] * 2),
    ):
        _, lines = answer(capsys, *words, *more)
        assert any(counts(line, 2) for line in lines) == (not more)
        with target.open() as file:
            assert [int(row["gate_version"]) for row in csv.DictReader(file)] == versions


def test_a_line_goes_through_current_labels(keys, tmp_path, capsys):
    spoil(keys)
    out, (line,) = answer(capsys, *FIT, "--json", "--at", 1000)
    content = json.loads(out)
    assert content["Ea_eV"] == pytest.approx(0.3, abs=0.05)
    assert (content["measured"], content["other_gate_versions"]) == (3, {str(OLDER): 2})
    assert counts(line, 2)
    out, lines = answer(capsys, *FIT, "--json", "--at", 1600, "--gate-version", OLDER)
    assert (json.loads(out)["measured"], json.loads(out)["gate_version"], lines) == (2, str(OLDER), [])
    both = ("--gate-version", "any", "--across", "gate_version")
    assert json.loads(answer(capsys, *FIT, "--json", "--at", 1600, *both)[0])["measured"] == 5
    picture = tmp_path / "line.svg"
    answer(capsys, *FIT, "--json", "--at", 1600, "--plot", picture, "--gate-version", OLDER)
    assert f"gate version {OLDER}" in picture.read_text()


def test_mixed_gate_versions_are_not_fitted_and_outdated_ones_alone_are_counted(keys, capsys):
    spoil(keys)
    assert "gate_version" in fault(capsys, *FIT, "--gate-version", f"{OLDER}:")
    set_version(OLDER, *(keys["nep89", kelvin] for kelvin in TEMPERATURES[1:]))
    line = fault(capsys, *FIT)
    assert "needs measured labels at two temperatures" in line
    assert counts(line, 4)
    set_version(OLDER, *keys.values())
    assert counts(fault(capsys, *FIT), 5)


def test_rows_of_a_file_are_of_one_gate_version(keys, tmp_path, capsys):
    spoil(keys)
    target = tmp_path / "labels.csv"
    export = ("labels", "export", "--potential", "nep89", "--to", target)
    answer(capsys, *export, "--across", "gate_version", "--gate-version", "any")
    assert "gate_version" in fault(capsys, "arrhenius", target)


def test_two_potentials_are_compared_by_current_labels(keys, capsys):
    spoil(keys)
    out, (line,) = answer(capsys, "labels", "compare", "nep89", "chgnet", "--json")
    (whole,) = [row for row in json.loads(out) if row["chemistry"] == "all"]
    assert (whole["pairs"], whole["offset_decades"]) == (3, pytest.approx(-0.5, abs=0.05))
    assert whole["other_gate_versions"] == {str(OLDER): 2}
    assert counts(line, 2)
    set_version(OLDER, *keys.values())
    line = fault(capsys, "labels", "compare", "nep89", "chgnet")
    assert "have 0 accepted labels" in line
    assert counts(line, 10)
    out, lines = answer(capsys, "labels", "compare", "nep89", "chgnet", "--json", "--gate-version", OLDER)
    assert lines == []
    assert {row["pairs"] for row in json.loads(out)} == {5}


def test_potentials_of_different_gate_versions_are_not_compared(keys, capsys):
    """Each of them is of one version, and the offset between them would be that of the versions too."""
    set_version(OLDER, *(keys["nep89", kelvin] for kelvin in TEMPERATURES))
    assert "gate versions" in fault(capsys, "labels", "compare", "nep89", "chgnet", "--gate-version", "any")
    with vitrion.connect(readonly=True) as db:
        assert label_pairs(db, "nep89", "chgnet") == ()
