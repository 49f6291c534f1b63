"""Result files: whole or not at all, and never in the place of something that is no file."""

import os
import stat

import pytest

from vitrion.exchange.result_files import write_result
from vitrion_models.errors import InputError


def test_a_result_appears_whole_with_its_folders(tmp_path):
    path = tmp_path / "new" / "folder" / "result.csv"
    write_result(path, "a\u00e5\n")
    assert path.read_text(encoding="utf-8") == "a\u00e5\n"
    write_result(path, b"other")
    assert path.read_bytes() == b"other"
    assert [each.name for each in path.parent.iterdir()] == ["result.csv"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("target.csv")
    write_result(tmp_path / "link.csv", "new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").read_text() == "new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    # As root, a rename over /dev/null would take it from the whole machine.
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_result(pipe, "rows")
    assert os.read(reader, 10) == b"rows"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("place", ["/proc/x/result.csv", "/proc/result.csv", "file/result.csv", "folder"])
def test_a_place_that_cannot_be_written_to_is_told_in_one_line(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as caught:
        write_result(tmp_path / place, "rows")
    assert str(tmp_path / place) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "kept"


def test_a_write_that_fails_leaves_neither_file_nor_folder(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"disk is full: cannot write .*result\.csv \(No space left"):
        write_result(tmp_path / "new" / "deep" / "result.csv", "rows")
    assert not list(tmp_path.iterdir())
