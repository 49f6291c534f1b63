import contextlib
import json
import os

import numpy as np
import pytest
from one_line import error_in_one_line
from safetensors.numpy import load_file
from small_models import small_surrogate

from vitrion_models import surrogates
from vitrion_models.errors import CheckpointError
from vitrion_models.training import checkpoint

ARRAYS = {"b": np.arange(6.0).reshape(2, 3), "a": np.array([1, 2], dtype=np.int64)}
MANIFEST = {"kind": "surrogate", "schema_version": 1, "note": "Å"}


@pytest.fixture(scope="module")
def surrogate():
    return checkpoint.unpack(surrogates.dumps(small_surrogate()), source="test")


def test_round_trip_through_a_folder(tmp_path):
    content = checkpoint.pack(ARRAYS, MANIFEST)
    path = checkpoint.write(tmp_path / "new" / "model", content)
    arrays, manifest = checkpoint.unpack(checkpoint.read(path.parent), source="test")
    assert manifest == MANIFEST
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)
    assert checkpoint.read(path) == content
    assert np.array_equal(load_file(path)["b"], ARRAYS["b"])
    assert json.loads((path.parent / "model.json").read_text()) == MANIFEST
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.json", "model.safetensors"]


def test_bytes_depend_on_content_alone():
    swapped = dict(reversed(ARRAYS.items()))
    assert checkpoint.pack(swapped, dict(reversed(MANIFEST.items()))) == checkpoint.pack(ARRAYS, MANIFEST)
    assert checkpoint.sha256_of(checkpoint.pack({}, {})) != checkpoint.sha256_of(checkpoint.pack(ARRAYS, MANIFEST))


def test_arrays_that_are_views_are_stored_as_they_read():
    arrays, _ = checkpoint.unpack(checkpoint.pack({"t": ARRAYS["b"].T}, MANIFEST), source="test")
    assert np.array_equal(arrays["t"], ARRAYS["b"].T)


@pytest.mark.parametrize("damage", [b"", b"not a model", "cut", "bare"])
def test_refuses_damage_in_one_line(damage):
    whole = checkpoint.pack(ARRAYS, MANIFEST)
    from safetensors.numpy import save

    content = {"cut": whole[:-5], "bare": save(ARRAYS)}.get(damage, damage)
    with error_in_one_line(CheckpointError, "some file"):
        checkpoint.unpack(content, source="some file")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 70 + "1" + "}" * 70, "[]", "7", '{"content_sha256": NaN}'])
def test_refuses_a_manifest_that_is_none(text):
    from safetensors.numpy import save

    with error_in_one_line(CheckpointError, "some file"):
        checkpoint.unpack(save(ARRAYS, metadata={checkpoint.MANIFEST_ENTRY: text}), source="some file")


def test_refuses_what_is_no_regular_file_or_too_large(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 6 * 2**30)
    for name in ("pipe", "sparse"):
        with error_in_one_line(CheckpointError, name):
            checkpoint.read(tmp_path / name)


def test_refuses_absent_files(tmp_path):
    with pytest.raises(CheckpointError, match="model"):
        checkpoint.read(tmp_path)


def test_upgrades_run_one_after_another():
    def second(arrays, manifest):
        return arrays, {**manifest, "note": manifest["note"] + "2"}

    def third(arrays, manifest):
        return {**arrays, "c": arrays["a"]}, {**manifest, "note": manifest["note"] + "3"}

    steps = {1: second, 2: third}
    arrays, manifest = checkpoint.upgrade(ARRAYS, MANIFEST, version=3, upgrades=steps, source="m")
    assert manifest == {**MANIFEST, "note": "Å23", "schema_version": 3}
    assert set(arrays) == {"a", "b", "c"}
    assert checkpoint.upgrade(arrays, manifest, version=3, upgrades=steps, source="m") == (arrays, manifest)
    with pytest.raises(CheckpointError, match="newer"):
        checkpoint.upgrade(arrays, manifest, version=2, upgrades=steps, source="m")
    with pytest.raises(CheckpointError, match="incomplete"):
        checkpoint.upgrade(ARRAYS, {"schema_version": 1}, version=2, upgrades=steps, source="m")


def test_a_manifest_holds_no_nan():
    with pytest.raises(ValueError, match="JSON"):
        checkpoint.pack(ARRAYS, {"rmse": float("nan")})


@pytest.mark.parametrize(
    "field", ["schema_version", "config", "kind", "quantile", "domain", "metrics", "training_keys"]
)
@pytest.mark.parametrize("value", [None, True, -1, "x", [], {}, [[]], 10**30])
def test_a_manifest_of_other_types_gives_a_model_or_one_line(surrogate, field, value):
    arrays, manifest = surrogate
    with contextlib.suppress(CheckpointError):
        surrogates.loads(checkpoint.pack(arrays, {**manifest, field: value}), source="some file")
    with error_in_one_line(CheckpointError, "some file"):
        surrogates.loads(
            checkpoint.pack(arrays, {name: entry for name, entry in manifest.items() if name != field}),
            source="some file",
        )


def test_arrays_of_other_shapes_are_refused(surrogate):
    arrays, manifest = surrogate
    with error_in_one_line(CheckpointError, "some file"):
        surrogates.loads(checkpoint.pack({**arrays, "element_table": np.zeros((2, 2))}, manifest), source="some file")
