"""Labels from files: what contradicts itself, or leaves out what it means, is refused whole."""

import json

import numpy as np
import pytest

import vitrion
from vitrion.cli.app import run
from vitrion_models.system import AtomicSystem

GOOD = {
    "composition": "Li3PS4",
    "property": "tracer_diffusivity",
    "species": "Li",
    "temperature_K": "1000",
    "value": "3e-5",
    "unit": "cm2/s",
    "convention": "einstein_3d",
    "potential": "pbe",
    "lower_95": "2e-5",
    "upper_95": "5e-5",
}


def table(home, *rows, name="labels.csv"):
    path = home.parent / name
    names = list(rows[0])
    path.write_text("\n".join([",".join(names), *(",".join(row[field] for field in names) for row in rows)]) + "\n")
    return path


def stored():
    with vitrion.connect() as db:
        return list(db.labels.search())


def test_a_table_is_stored_once_in_the_einstein_convention(home, capsys):
    path = table(home, GOOD, GOOD | {"convention": "slope_half", "temperature_K": "1500"})
    assert run(["ingest", "labels", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "files": 1,
        "labels": 2,
        "created": 2,
        "replaced": 0,
        "remarks": [],
    }
    assert run(["ingest", "labels", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["created"] == 0
    first, second = sorted(stored(), key=lambda row: row.temperature_K)
    assert (first.value, first.convention) == (3e-5, "einstein_3d")
    assert second.value == pytest.approx(1e-5)
    assert second.conversion_factor == pytest.approx(1 / 3)
    assert second.interval_95 == pytest.approx((2e-5 / 3, 5e-5 / 3))


def test_a_table_that_has_grown_is_not_stored_a_second_time(home, capsys):
    assert run(["ingest", "labels", str(table(home, GOOD))]) == 0
    grown = table(home, GOOD, GOOD | {"temperature_K": "1500"})
    capsys.readouterr()
    assert run(["ingest", "labels", str(grown)]) == 2
    assert "labels.csv is already imported" in capsys.readouterr().err
    assert len(stored()) == 1
    more = table(home, GOOD | {"temperature_K": "1500"}, name="more.csv")
    assert run(["ingest", "labels", str(more)]) == 0
    assert len(stored()) == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"convention": ""}, "convention is empty"),
        ({"convention": "msd"}, "unknown convention 'msd'"),
        ({"unit": "m2/h"}, "unit 'm2/h'"),
        ({"unit": ""}, "unit is empty"),
        ({"value": "3e-2", "lower_95": "2e-2", "upper_95": "5e-2"}, "value"),
        ({"value": "3e-5", "lower_95": "4e-5"}, "value"),
        ({"value": "-3e-5"}, "value"),
        ({"value": "many"}, "value 'many'"),
        ({"temperature_K": "-10"}, "temperature"),
        ({"species": "Xx"}, "not in Li3PS4"),
        ({"species": "Na"}, "not in Li3PS4"),
        ({"composition": "Li#*("}, "chemical formula"),
        ({"upper_95": ""}, "half an interval"),
        ({"property": "diffusivity"}, "property 'diffusivity'"),
        ({"property": "ionic_conductivity", "unit": "S/cm", "convention": "whatever"}, "stored as as_published"),
        ({"property": "ionic_conductivity", "convention": "as_published"}, "unit 'cm2/s'"),
        ({"potential": ""}, "potential is empty"),
        ({"state": "sure"}, "state 'sure'"),
        ({"state": "accepted"}, "state 'accepted'"),
    ],
)
def test_a_row_that_is_wrong_refuses_the_whole_file(home, capsys, changes, says):
    path = table(home, GOOD | {"state": ""}, GOOD | {"state": ""} | changes)
    assert run(["ingest", "labels", str(path)]) == 2
    line = capsys.readouterr().err
    assert says in line, line
    assert "row 2" in line
    assert line.count("\n") == 1
    assert not stored()


def test_an_outcome_without_its_convention_is_refused(home, capsys):
    rng = np.random.default_rng(0)
    with vitrion.connect() as db:
        cell = db.structures.add(
            AtomicSystem(np.repeat([3, 16], 4), rng.uniform(0, 7, (8, 3)), np.eye(3) * 7), kind="melt"
        ).fingerprint
    path = home.parent / "label.json"
    path.write_text(json.dumps({"structure_fingerprint": cell, "species": "Li", "value": 1e-5}))
    assert run(["ingest", "labels", str(path)]) == 2
    assert "must state its property, convention, unit, temperature_K, state" in capsys.readouterr().err
    for content, says in (
        ("[]", "holds no rows"),
        ("{", "not JSON"),
        ("[1]", "holds no rows"),
    ):
        path.write_text(content)
        assert run(["ingest", "labels", str(path)]) == 2
        assert says in capsys.readouterr().err


def test_what_no_gate_of_ours_has_seen_is_never_accepted(home):
    """A published value is found when asked for, and is in no count, mean or query of accepted labels."""
    path = table(home, GOOD, GOOD | {"temperature_K": "1500", "lower_95": "", "upper_95": ""})
    assert run(["ingest", "labels", str(path)]) == 0
    with vitrion.connect() as db:
        assert {row.state for row in db.labels.search()} == {"published"}
        assert db.labels.count(accepted=True) == 0
        assert db.labels.count(accepted=False) == db.labels.count(state="published") == 2
        assert db.labels.statistics() == []
        assert db.labels.statistics(state="published")[0].count == 2


def test_a_table_as_excel_writes_it_is_read(home, capsys):
    path = table(home, GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert run(["ingest", "labels", str(path)]) == 0, capsys.readouterr().err
    assert [row.value for row in stored()] == [3e-5]


@pytest.mark.parametrize(
    ("header", "row", "says"),
    [(",value", ",9e-5", "two columns are called 'value'"), ("", ",9e-5", "row 1 has 11 cells under 10 names")],
)
def test_a_cell_that_could_be_taken_for_another_refuses_the_file(home, capsys, header, row, says):
    """Of two columns of one name the last was taken, unsaid."""
    path = table(home, GOOD)
    names, values, *_ = path.read_text().splitlines()
    path.write_text(f"{names}{header}\n{values}{row}\n")
    assert run(["ingest", "labels", str(path)]) == 2
    assert says in capsys.readouterr().err
    assert not stored()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{names}\n{huge}\n", "field larger than field limit"),
        ("{huge},{names}\n{values}\n", "field larger than field limit"),
        ("{names};x\n{values}\n", "header"),
        ("{names},,\n{values},,x\n", "column 11 has no name"),
    ],
)
@pytest.mark.parametrize("door", [("ingest", "labels"), ("arrhenius",)])
def test_what_is_no_table_is_told_in_one_line_at_both_doors(home, capsys, content, says, door):
    path = home.parent / "labels.csv"
    names, values = ",".join(GOOD), ",".join(GOOD.values())
    path.write_text(content.format(names=names, values=values, huge="9" * 140_000))
    assert run([*door, str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


@pytest.mark.parametrize("separator", [";", "\t"])
def test_semicolons_and_tabs_separate_cells_too(home, capsys, separator):
    path = home.parent / "labels.csv"
    path.write_text("\n".join((",".join(GOOD), ",".join(GOOD.values()))).replace(",", separator) + "\n")
    assert run(["ingest", "labels", str(path)]) == 0, capsys.readouterr().err
    assert [row.value for row in stored()] == [3e-5]


def test_empty_columns_at_the_end_do_no_harm(home, capsys):
    path = home.parent / "labels.csv"
    path.write_text(f"{','.join(GOOD)},,\n{','.join(GOOD.values())},,\n,,,,,,,,,,,\n")
    assert run(["ingest", "labels", str(path)]) == 0, capsys.readouterr().err
    assert [row.value for row in stored()] == [3e-5]


@pytest.mark.parametrize("name", list(GOOD))
@pytest.mark.parametrize("value", [["Li"], {"a": 1}])
def test_a_value_of_another_type_is_named(home, capsys, name, value):
    path = home.parent / "labels.json"
    path.write_text(json.dumps([GOOD, GOOD | {name: value}]))
    assert run(["ingest", "labels", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "row 2" in line
    assert name in line
    assert not stored()
