"""Cells that a converter takes for numbers and no program writes as such, in every kind of table of labels."""

import json

import pytest
from one_line import error_in_one_line
from plain_labels import plain_label

from vitrion.exchange.label_table import read_label_table
from vitrion.exchange.tables import label_from_row
from vitrion.ingest.label_files import read_labels
from vitrion_models.errors import InputError

WRONG = ["1_0", "1_0.0", "1e5_0", "\u0661\u0660", "\uff11", True]
ROW = {
    "property": "tracer_diffusivity",
    "species": "Li",
    "temperature_K": "1000",
    "value": "3e-5",
    "unit": "cm2/s",
    "convention": "einstein_3d",
    "potential": "pbe",
}


def write(path, row):
    if path.suffix == ".json":
        path.write_text(json.dumps([row]))
    else:
        path.write_text(",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
@pytest.mark.parametrize("field", ["value", "temperature_K"])
@pytest.mark.parametrize("word", WRONG)
def test_tables_of_numbers(tmp_path, name, field, word):
    published, own = ROW | {"composition": "Li3PS4"}, ROW | {"reduced_formula": "Li3PS4"}
    for read, row in ((read_labels, published), (read_label_table, own)):
        assert read(write(tmp_path / name, row))
        with error_in_one_line(InputError, field):
            read(write(tmp_path / name, row | {field: word}))


@pytest.mark.parametrize("field", ["value", "temperature_K", "n_eff", "gate_version", "schema_version"])
@pytest.mark.parametrize("word", WRONG)
def test_rows_of_exports(field, word):
    row = plain_label("f" * 64).model_dump(mode="json", exclude_none=True)
    with error_in_one_line(InputError, f"row 1: {field} is .*not a number"):
        label_from_row(row | {field: word}, source="row 1")


@pytest.mark.parametrize("field", ["value", "temperature_K"])
@pytest.mark.parametrize("word", WRONG)
def test_outcomes_of_jobs(tmp_path, field, word):
    row = plain_label("f" * 64).model_dump(mode="json", exclude_none=True)
    with error_in_one_line(InputError, f"{field}.*number"):
        read_labels(write(tmp_path / "a.json", {name: row[name] for name in row if name != "key"} | {field: word}))
