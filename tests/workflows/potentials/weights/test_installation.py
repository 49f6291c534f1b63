"""Installing NEP89's file, with a package index that lives in a temporary folder."""

import hashlib
import sys
import zipfile

import pytest
from one_line import error_in_one_line

from vitrion_models.errors import CheckpointError, InputError, MissingDependencyError
from vitrion_workflows import potentials
from vitrion_workflows.potentials import registry
from vitrion_workflows.potentials.weights import installation as installer

CONTENT = b"nep4_zbl 1 Li\nnot the real one\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder of weights, and a made-up file in the place of NEP89."""
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path / "weights"))
    monkeypatch.setattr(installer, "NEP89_SHA256", hashlib.sha256(CONTENT).hexdigest())
    return tmp_path


def no_download(_command):
    pytest.fail("fetched, although nothing had to be")


def make_wheel(folder, *, member="NepTrainKit/Config/nep89.txt"):
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "neptrainkit-2.5.4-cp311-cp311-any.whl", "w") as wheel:
        wheel.writestr("NepTrainKit/__init__.py", "raise SystemExit('never run')")
        wheel.writestr(member, CONTENT)


def test_a_file_at_hand_is_copied(home, monkeypatch):
    monkeypatch.setattr(installer, "_download", no_download)
    (home / "mine.txt").write_bytes(CONTENT)
    lines = []
    path = potentials.install("nep89", file=home / "mine.txt", on_progress=lines.append)
    assert path == home / "weights" / "nep89.txt"
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["nep89.txt"]
    assert "sha256 checked" in lines[-1]


def test_what_is_there_already_is_kept(home, monkeypatch):
    (home / "weights").mkdir()
    (home / "weights" / "nep89.txt").write_bytes(CONTENT)
    monkeypatch.setattr(installer, "_download", no_download)
    lines = []
    potentials.install("nep89", on_progress=lines.append)
    assert "already" in lines[0]


@pytest.mark.parametrize("content", [b"", CONTENT[:10], b"other"])
def test_another_file_is_refused_and_nothing_is_left(home, content):
    (home / "mine.txt").write_bytes(content)
    with error_in_one_line(CheckpointError, "sha256"):
        potentials.install("nep89", file=home / "mine.txt")
    assert not (home / "weights").exists()


def test_a_path_that_is_no_file_is_refused(home):
    with pytest.raises(InputError, match="not a file"):
        potentials.install("nep89", file=home)


def test_a_damaged_file_in_place_is_replaced(home, monkeypatch):
    (home / "weights").mkdir()
    (home / "weights" / "nep89.txt").write_bytes(b"torn")
    monkeypatch.setattr(installer, "_download", lambda command: make_wheel(_destination(command)))
    assert potentials.install("nep89").read_bytes() == CONTENT


def _destination(command):
    from pathlib import Path

    return Path(command[command.index("--dest") + 1])


@pytest.mark.usefixtures("home")
def test_the_one_file_is_taken_out_of_the_wheel(monkeypatch):
    monkeypatch.setattr(installer, "_download", lambda command: make_wheel(_destination(command)))
    assert potentials.install("nep89").read_bytes() == CONTENT


@pytest.mark.usefixtures("home")
def test_the_second_carrier_and_the_second_downloader_are_tried(monkeypatch):
    tried = []

    def download(command):
        tried.append((command[0], command[-1]))
        if len(tried) < 4:
            return "no matching distribution"
        make_wheel(_destination(command))
        return None

    monkeypatch.setattr(installer, "_downloaders", lambda: [["pip"], ["uv"]])
    monkeypatch.setattr(installer, "_download", download)
    assert potentials.install("nep89").read_bytes() == CONTENT
    assert tried == [
        ("pip", "neptrainkit==2.5.4"),
        ("uv", "neptrainkit==2.5.4"),
        ("pip", "neptrainkit==2.5.3"),
        ("uv", "neptrainkit==2.5.3"),
    ]


def test_an_archive_without_the_file_is_no_success(home, monkeypatch):
    monkeypatch.setattr(installer, "_downloaders", lambda: [["pip"]])
    monkeypatch.setattr(
        installer, "_download", lambda command: make_wheel(_destination(command), member="../../etc/evil.txt")
    )
    with pytest.raises(MissingDependencyError, match=r"holds no NepTrainKit/Config/nep89\.txt"):
        potentials.install("nep89")
    assert not (home / "weights").exists()


@pytest.mark.usefixtures("home")
def test_no_downloader_and_no_network_say_what_else_can_be_done(monkeypatch):
    monkeypatch.setattr(installer, "_downloaders", list)
    with error_in_one_line(MissingDependencyError, r"neither pip nor uv .*--file, or use chgnet"):
        potentials.install("nep89")


@pytest.mark.usefixtures("home")
def test_a_downloader_that_fails_is_quoted_in_one_line(monkeypatch):
    script = "import sys; print('warming up', file=sys.stderr); sys.exit('ERROR: no route to the index')"
    monkeypatch.setattr(installer, "_downloaders", lambda: [[sys.executable, "-c", script]])
    with error_in_one_line(MissingDependencyError, "ERROR: no route to the index"):
        potentials.install("nep89")


def test_an_environment_without_pip_falls_back_to_uv(monkeypatch):
    monkeypatch.setattr(installer, "find_spec", lambda _name: None)
    monkeypatch.setattr(installer.shutil, "which", lambda name, **_: f"/bin/{name}")
    (command,) = installer._downloaders()
    assert command[:5] == ["/bin/uv", "tool", "run", "--quiet", "pip"]
    monkeypatch.setattr(installer.shutil, "which", lambda *_, **__: None)
    assert installer._downloaders() == []


def test_a_place_that_cannot_be_written_is_refused(home, monkeypatch):
    (home / "file").write_text("")
    monkeypatch.setenv("VITRION_POTENTIALS", str(home / "file"))
    (home / "mine.txt").write_bytes(CONTENT)
    with pytest.raises(InputError, match="VITRION_POTENTIALS"):
        potentials.install("nep89", file=home / "mine.txt")


def test_others_need_no_file(monkeypatch, tmp_path):
    assert potentials.install("lennard-jones") is None
    with pytest.raises(InputError, match="takes no --file"):
        potentials.install("lennard-jones", file=tmp_path / "x")
    monkeypatch.setattr(
        installer, "installed", lambda _name: potentials.Availability(ok=False, reason="pip install it")
    )
    with pytest.raises(MissingDependencyError, match="pip install it"):
        potentials.install("chgnet")
    assert registry.find("chgnet")
