"""Weights that users bring: written down when they are installed, refused when they have changed."""

import hashlib

import pytest
from one_line import error_in_one_line

from vitrion_models.errors import CheckpointError, InputError, MissingDependencyError
from vitrion_workflows import potentials

WEIGHTS = {entry.name: entry.user_weights for entry in potentials.entries() if entry.user_weights}
NAME = "mattersim-v1.0.0-1m"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path / "weights"))
    (tmp_path / "mine.pth").write_bytes(b"weights")
    return tmp_path


def test_a_file_is_installed_and_its_hash_recorded_as_sha256sum_reads_it(home):
    lines = []
    path = potentials.install(NAME, file=home / "mine.pth", on_progress=lines.append)
    digest = hashlib.sha256(b"weights").hexdigest()
    assert path.read_bytes() == b"weights"
    assert WEIGHTS[NAME].record.read_text() == f"{digest}  {path.name}\n"
    assert WEIGHTS[NAME].require() == digest
    assert digest in lines[-1]
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, f"{path.name}.sha256"]
    potentials.install(NAME, on_progress=lines.append)
    assert "already" in lines[-1]


def test_a_changed_file_is_refused(home):
    path = potentials.install(NAME, file=home / "mine.pth")
    path.write_bytes(b"other")
    with error_in_one_line(CheckpointError, "installed was"):
        WEIGHTS[NAME].require()
    assert not WEIGHTS[NAME].probe().ok
    WEIGHTS[NAME].record.write_text("damaged")
    with pytest.raises(CheckpointError, match="is damaged"):
        WEIGHTS[NAME].require()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_an_absent_file_says_which_to_download(name):
    with pytest.raises(MissingDependencyError, match=f"download .*vitrion potentials install {name} --file FILE"):
        WEIGHTS[name].require()
    with pytest.raises(MissingDependencyError):
        potentials.install(name)


def test_a_path_that_is_no_file_is_refused(home):
    with pytest.raises(InputError, match="is not a file"):
        potentials.install(NAME, file=home)
    assert not (home / "weights").exists()
