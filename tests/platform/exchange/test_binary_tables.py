"""Parquet, Arrow and HDF5 tables of others: read within bounds, damaged ones refused in one line."""

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from bounded_runs import LIMIT_BYTES, run_bounded
from pyarrow import feather, parquet

import vitrion
from vitrion.cli.app import run
from vitrion.ingest.label_files import ingest_labels  # noqa: F401 - the bounded child needs it imported

TABLE = {"composition": ["Li2S", "Li3PS4"], "T (K)": [300.0, 400.0], "log10 D (m2/s)": [-14.0, None]}
STATED = ("--species", "Li", "--convention", "einstein_3d", "--potential", "pbe")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    with vitrion.connect() as db:
        assert len(db.labels.search()) == 0


def write(path, table):
    frame = pd.DataFrame(table)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name, values in table.items():
                file[f"table/{name.replace('/', '|')}"] = values
    else:
        frame.to_feather(path)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_a_table_that_pandas_wrote_is_read_with_its_declared_units(tmp_path, ending):
    path = tmp_path / f"numbers.{ending}"
    write(path, {name: values[:1] for name, values in TABLE.items()} | {"family": pd.Categorical(["glass"])})
    assert run(["ingest", "labels", str(path), *STATED]) == 0
    with vitrion.connect(readonly=True) as db:
        (label,) = db.labels.search()
    assert label.value == pytest.approx(1e-10)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_an_empty_cell_of_a_number_is_refused(tmp_path, capsys, ending):
    path = tmp_path / f"numbers.{ending}"
    write(path, TABLE)
    assert run(["ingest", "labels", str(path), *STATED]) == 2
    assert "row 2: log10 D (m2/s) is empty" in capsys.readouterr().err


def many_rows(path):
    parquet.write_table(pa.table({"value": pa.repeat(pa.scalar(1.0), 50_000_000)}), path)


def many_nulls(path):
    feather.write_feather(pa.table({"value": pa.nulls(10**9)}), path)


def many_columns(path):
    write(path, {f"c{number}": [1.0] for number in range(2_000)})


def one_long_text(path, compression):
    table = pa.table({"composition": ["0" * 500_000_000]})
    if path.suffix == ".parquet":
        parquet.write_table(table, path, compression=compression)
    else:
        feather.write_feather(table, path, compression=compression)


def shared_text(path):
    text = pa.array(["0" * 100_000])
    indices = pa.array(np.zeros(100_000, dtype=np.int32))
    feather.write_feather(pa.table({"composition": pa.DictionaryArray.from_arrays(indices, text)}), path)


def offsets_out_of_the_file(path):
    feather.write_feather(pa.table({"composition": ["Li2S", "Li3PS4"]}), path, compression="uncompressed")
    good, wrong = (np.array([0, 4, end], dtype=np.int32).tobytes() for end in (10, 2**30))
    assert path.read_bytes().count(good) == 1
    path.write_bytes(path.read_bytes().replace(good, wrong))


def many_cells(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("table/value", shape=(10**9,), dtype="f8", chunks=True)


def elsewhere(path):
    with h5py.File(path, "w") as file:
        file.create_group("table")["value"] = h5py.ExternalLink("other.h5", "/value")


def text_of_variable_length(path):
    """Two damaged bytes in the heap of such text kept libhdf5 busy for ever."""
    with h5py.File(path, "w") as file:
        file.create_group("table").create_dataset("composition", data=["Li2S"], dtype=h5py.string_dtype())


@pytest.mark.parametrize(
    ("name", "content", "quantity"),
    [
        ("rows.parquet", many_rows, "values"),
        ("nulls.arrow", many_nulls, "values"),
        ("columns.parquet", many_columns, "columns"),
        ("columns.arrow", many_columns, "columns"),
        ("text.parquet", lambda path: one_long_text(path, "zstd"), "bytes"),
        ("text.arrow", lambda path: one_long_text(path, "zstd"), "bytes"),
        ("text.feather", lambda path: one_long_text(path, "lz4"), "bytes"),
        ("shared.arrow", shared_text, "texts"),
        ("offsets.arrow", offsets_out_of_the_file, "not a readable table"),
        ("cells.h5", many_cells, "declares"),
        ("elsewhere.h5", elsewhere, "another file"),
        ("variable.h5", text_of_variable_length, "variable length"),
    ],
)
def test_more_than_a_table_holds_is_refused_before_it_is_read(tmp_path, name, content, quantity):
    content(tmp_path / name)
    result = run_bounded(["ingest", "labels", tmp_path / name, *STATED])
    assert result.code == 2, result.err
    (line,) = result.err.splitlines()
    assert quantity in line
    assert result.peak_bytes < LIMIT_BYTES


@pytest.mark.parametrize("ending", ["parquet", "arrow", "h5"])
@pytest.mark.parametrize("damage", ["truncated", "bytes", "text", "empty"])
def test_a_damaged_table_is_one_line(tmp_path, capsys, ending, damage):
    path = tmp_path / f"table.{ending}"
    write(path, {"composition": ["Li2S"] * 50, "T (K)": [300.0] * 50})
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    noisy = bytearray(good)
    for place in rng.integers(8, len(good) - 8, 200):
        noisy[place] = rng.integers(256)
    path.write_bytes(
        {"truncated": good[: len(good) // 2], "bytes": bytes(noisy), "text": b"T (K)\n300\n", "empty": b""}[damage]
    )
    assert run(["ingest", "labels", str(path), *STATED]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"table.{ending}" in line
