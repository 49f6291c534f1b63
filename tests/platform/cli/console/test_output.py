import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from vitrion.cli.console.output import emit, label_row, plain, progress


class State(StrEnum):
    ACCEPTED = "accepted"


class Row(BaseModel):
    value: float
    state: State
    made: datetime


@dataclass
class Pair:
    left: float
    right: np.ndarray


ROW = Row(value=float("nan"), state=State.ACCEPTED, made=datetime(2026, 11, 21, tzinfo=UTC))


def test_json_of_a_model_has_null_for_nan_and_iso_dates(capsys):
    emit([ROW], as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"value": None, "state": "accepted", "made": "2026-11-21T00:00:00+00:00"},
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Pair(1.0, np.array([1.0, np.inf])), {"left": 1.0, "right": [1.0, None]}),
        ({"a": (1, 2), "b": Path("x/y")}, {"a": [1, 2], "b": "x/y"}),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        ((n for n in range(2)), [0, 1]),
        (True, True),
    ],
)
def test_plain(value, expected):
    assert plain(value) == expected


def test_an_empty_list_is_valid_json_and_a_sentence(capsys):
    emit([], as_json=True)
    assert json.loads(capsys.readouterr().out) == []
    emit([], as_json=False)
    assert capsys.readouterr().out == "no rows\n"


def test_a_table_shows_the_asked_columns_and_leaves_markup_alone(capsys):
    emit([{"formula": "[bold]Li2S", "D": 1.23456e-5, "hidden": 1}], as_json=False, columns=["formula", "D"])
    out = capsys.readouterr().out
    assert "[bold]Li2S" in out
    assert "1.235e-05" in out
    assert "hidden" not in out


def test_one_object_is_shown_field_by_field(capsys):
    emit({"formula": "LiCl", "gates": ["a", "b"], "none": None, "waiting": [], "labels": {}}, as_json=False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["formula", "LiCl"],
        ["gates", "a,", "b"],
        ["none", "-"],
        ["waiting", "none"],
        ["labels", "none"],
    ]


def test_progress_stays_off_stdout(capsys):
    with progress("melting", total=3) as advance:
        advance(1)
        advance(2, 5, "LiCl")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("state", "value", "shown"),
    [("censored", 7.021e-06, "< 7.021e-06"), ("accepted", 7.021e-06, 7.021e-06), ("rejected", None, None)],
)
def test_a_bound_is_shown_as_a_bound(state, value, shown):
    assert label_row({"key": "0123456789abcdef", "state": state, "value": value})["value"] == shown


def test_people_count_cycles_from_one_and_json_has_the_index(capsys):
    for content in ([{"campaign": "c", "cycle": 0}], {"campaign": "c", "cycle": 0}):
        emit(content, as_json=False)
        assert "1" in capsys.readouterr().out
        emit(content, as_json=True)
        assert json.loads(capsys.readouterr().out) == content
    emit([{"cycle": None}, {"cycle": 4}], as_json=False)
    assert capsys.readouterr().out.split() == ["cycle", "-", "5"]
