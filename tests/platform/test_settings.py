"""Settings: every command and every process that it starts keep their files in the same place."""

import pytest
from refusals import ROCK_SALT_CIF
from tiny_campaign import write_tiny

import vitrion
from vitrion.cli.app import run

VARIABLES = ("VITRION_HOME", "VITRION_SCRATCH", "VITRION_DATABASE_URI", "VITRION_POTENTIALS", "VITRION_DATA_MIRROR")
# What is typed -> where home and scratch lie, below the folder of the user.
SPELLINGS = {
    "unset": ({}, "work/.vitrion", "work/.vitrion/scratch"),
    "empty": ({"VITRION_HOME": "", "VITRION_SCRATCH": ""}, "work/.vitrion", "work/.vitrion/scratch"),
    "tilde": ({"VITRION_HOME": "~/x"}, "x", "x/scratch"),
    "relative": ({"VITRION_HOME": "../y"}, "y", "y/scratch"),
    "scratch elsewhere": ({"VITRION_HOME": "~/x", "VITRION_SCRATCH": "~/fast"}, "x", "fast"),
    "relative scratch": ({"VITRION_SCRATCH": "fast"}, "work/.vitrion", "work/fast"),
}
LABEL = ["label", "licl.cif", "-t", "900", "--potential", "lennard-jones", "--ps", "1", "--json"]


@pytest.fixture
def user(tmp_path, monkeypatch):
    """Folder of a user who works in a folder of their own, with no setting."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "work/licl.cif").write_text(ROCK_SALT_CIF)
    return tmp_path


@pytest.fixture(params=SPELLINGS.values(), ids=SPELLINGS)
def places(request, user, monkeypatch):
    """Home and scratch folder of one way to write the settings."""
    typed, home, scratch = request.param
    for name, value in typed.items():
        monkeypatch.setenv(name, value)
    return (user / home).resolve(), (user / scratch).resolve()


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_label_keeps_the_trajectory(places, user):
    home, scratch = places
    assert run(LABEL) == 0
    with vitrion.connect(home=home, readonly=True) as db:
        (label,) = db.labels.search()
        assert db.artefacts.get(label.trajectory_sha256)
    kept = {scratch, home, user / "work/licl.cif"}
    assert [name for name in files(user) if not any((user / name).is_relative_to(place) for place in kept)] == []


def test_a_campaign_hands_its_runner_an_absolute_folder(places, monkeypatch):
    _, scratch = places
    handed = []

    def make_runner(_settings, **arguments):
        handed.append(arguments["scratch"])
        raise KeyboardInterrupt

    monkeypatch.setattr("vitrion.running.runners.make_runner", make_runner)
    assert run(["campaign", "step", str(write_tiny(scratch.parent.parent / "tiny.yaml")), "--quiet"]) == 130
    assert [folder.resolve() for folder in handed] == [scratch]
    assert handed[0].is_absolute()


@pytest.mark.server
def test_a_worker_hands_its_jobs_an_absolute_folder(places, monkeypatch, mongo_uri):
    _, scratch = places
    handed = []
    monkeypatch.setenv("VITRION_DATABASE_URI", mongo_uri)
    monkeypatch.setattr(
        "vitrion.running.launchpad_worker.work", lambda *_, **arguments: handed.append(arguments["scratch"])
    )
    assert run(["worker", "--once"]) == 0
    assert [folder.resolve() for folder in handed] == [scratch]
    assert handed[0].is_absolute()


@pytest.mark.parametrize("words", [LABEL, ["campaign", "step", "tiny.yaml", "--quiet"]], ids=["label", "campaign"])
@pytest.mark.parametrize("name", ["VITRION_HOME", "VITRION_SCRATCH"])
def test_a_file_in_place_of_a_folder_is_refused(user, words, name, monkeypatch, capsys):
    write_tiny(user / "work/tiny.yaml")
    monkeypatch.setenv(name, "licl.cif")
    assert run(words) == 2
    printed = capsys.readouterr().err
    assert "licl.cif" in printed
    assert printed.count("\n") == 1
    assert (user / "work/licl.cif").read_text() == ROCK_SALT_CIF


def test_a_folder_of_an_unknown_user_is_refused(user, monkeypatch, capsys):
    monkeypatch.setenv("VITRION_HOME", "~nobody-of-this-name/x")
    assert run(["label", "licl.cif", "-t", "900"]) == 2
    assert "home" in capsys.readouterr().err
    assert files(user) == ["work/licl.cif"]
