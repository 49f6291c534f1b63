"""Opening of files: every encoding and compression gives one text; what is no fair file is refused at once."""

import bz2
import gzip
import lzma
import os
import socket
from pathlib import Path

import pytest

from vitrion_models.errors import InputError
from vitrion_workflows.formats import opening
from vitrion_workflows.formats.opening import lines, read_text

TEXT = "Li₃PS₄\nsecond line\r\nlast"
PLAIN = TEXT.replace("\r\n", "\n")
PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_and_compressions_give_one_text(tmp_path, suffix, encoding):
    path = tmp_path / f"file.txt{suffix}"
    path.write_bytes(PACKERS[suffix](TEXT.encode(encoding)))
    assert read_text(path) == PLAIN
    assert list(lines(path)) == PLAIN.splitlines(keepends=True)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_a_bomb_is_refused(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(opening, "FREELY_UNPACKED_BYTES", 2**20)
    path = tmp_path / f"POSCAR{suffix}"
    path.write_bytes(PACKERS[suffix](b"0.5 0.5 0.5\n" * 2**17))
    for read in (read_text, lambda path: list(lines(path))):
        with pytest.raises(InputError, match="200 times"):
            read(path)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_a_damaged_archive_is_refused(tmp_path, suffix):
    path = tmp_path / f"POSCAR{suffix}"
    packed = PACKERS[suffix](os.urandom(4000).hex().encode())
    for damaged in (packed[:-40], packed[:50], packed[:2000] + b"\xff" * 9 + packed[2009:], b"no archive at all"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="archive"):
            read_text(path)


def _socket(path):
    own = socket.socket(socket.AF_UNIX)
    own.bind(str(path))
    own.close()


IRREGULAR = {
    "pipe": (os.mkfifo, "pipe"),
    "socket": (_socket, "socket"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "device"),
    "folder": (Path.mkdir, "folder"),
    "broken link": (lambda path: path.symlink_to("nowhere"), "link"),
    "link to itself": (lambda path: path.symlink_to(path), "link|cannot"),
    "nothing": (lambda _: None, "no such file"),
    "empty": (Path.touch, "empty"),
    "blank": (lambda path: path.write_text(" \n\n"), "empty"),
    "binary": (lambda path: path.write_bytes(bytes(range(256))), "text file"),
    "Latin-1": (lambda path: path.write_bytes("Müller".encode("latin-1")), "iconv"),
    "odd UTF-16": (lambda path: path.write_bytes(b"\xff\xfea"), "UTF"),
    "sparse": (lambda path: (path.touch(), os.truncate(path, 6 * 2**30)), "text file"),
}


@pytest.mark.parametrize(("make", "fault"), IRREGULAR.values(), ids=IRREGULAR)
def test_what_is_no_text_file_is_refused(tmp_path, monkeypatch, make, fault):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    path = Path("POSCAR")
    make(path)
    with pytest.raises(InputError, match=fault):
        read_text(path)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / os.fsdecode(b"cell\xe9.cif")
    path.write_text("data_x")
    with pytest.raises(InputError, match="not UTF-8"):
        read_text(path)


def test_zeros_behind_a_text_are_one_endless_line(tmp_path):
    path = tmp_path / "XDATCAR"
    path.write_text("title\n1.0\n" * 1000)
    os.truncate(path, 3 * 2**30)
    with pytest.raises(InputError, match="line 2001"):
        list(lines(path))


def test_a_text_too_long_to_be_read_as_a_whole_is_streamed(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "LARGEST_TEXT_BYTES", 1000)
    path = tmp_path / "XDATCAR"
    path.write_text("0.5 0.5 0.5\n" * 1000)
    with pytest.raises(InputError, match="split"):
        read_text(path)
    assert sum(1 for _ in lines(path)) == 1000
