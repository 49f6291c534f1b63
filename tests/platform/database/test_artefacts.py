"""Artefacts on both back ends: by content, whole, and checked on every read."""

import errno

import pytest

import vitrion
from vitrion.database import DiskFullError, NotFoundError
from vitrion_models.errors import CheckpointError, InputError


def test_content_is_its_own_name(db, tmp_path):
    file = tmp_path / "trajectory.h5"
    file.write_bytes(bytes(range(256)) * 4096)
    name = db.artefacts.put(file, name="trajectory")
    assert db.artefacts.put(file.read_bytes(), name="again") == name
    assert db.artefacts.exists(name)
    assert db.artefacts.get(name) == file.read_bytes()
    assert db.artefacts.fetch(name, tmp_path / "deep" / "copy.h5").read_bytes() == file.read_bytes()
    empty = db.artefacts.put(b"", name="empty")
    # FIPS 180-4: the digest of nothing.
    assert empty == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert db.artefacts.get(empty) == b""


def test_what_is_not_there_or_no_name_is_told(db, tmp_path):
    assert not db.artefacts.exists("0" * 64)
    with pytest.raises(NotFoundError):
        db.artefacts.get("0" * 64)
    with pytest.raises(InputError, match="sha256"):
        db.artefacts.get("../../etc/passwd")
    with pytest.raises(InputError, match="absent"):
        db.artefacts.put(tmp_path / "absent", name="x")
    with pytest.raises(NotFoundError):
        db.artefacts.fetch("0" * 64, tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_damage_is_noticed_on_every_read(db, tmp_path):
    name = db.artefacts.put(b"weights" * 1000, name="model")
    if db.embedded:
        stored = tmp_path / "home" / "artefacts" / name[:2] / name
        stored.write_bytes(stored.read_bytes().replace(b"weights", b"weightz", 1))
    else:
        chunks = db.collection("artefacts.chunks").raw
        entry = db.collection("artefacts.files").raw.find_one({"filename": name})
        chunk = chunks.find_one({"files_id": entry["_id"]})
        chunks.update_one({"_id": chunk["_id"]}, {"$set": {"data": chunk["data"].replace(b"weights", b"weightz", 1)}})
    for read in (db.artefacts.get, lambda sha: db.artefacts.fetch(sha, tmp_path / "copy")):
        with pytest.raises(CheckpointError, match="damaged") as refused:
            read(name)
        assert "\n" not in str(refused.value)
    assert not (tmp_path / "copy").exists()


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    with vitrion.connect(home=tmp_path) as db:

        def full(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(DiskFullError, match="disk is full"):
            db.artefacts.put(b"much", name="x")
        monkeypatch.undo()
        assert [path for path in (tmp_path / "artefacts").rglob("*") if path.is_file()] == []


@pytest.mark.server
def test_an_upload_that_was_killed_in_the_middle_does_not_stand_in_the_way(mongo_uri):
    import hashlib

    content = b"x" * 1000
    name = hashlib.sha256(content).hexdigest()
    with vitrion.connect(mongo_uri) as db:
        db.collection("artefacts.chunks").raw.insert_one({"files_id": name, "n": 0, "data": b"half"})
        assert not db.artefacts.exists(name)
        assert db.artefacts.put(content, name="x") == name
        assert db.artefacts.get(name) == content
