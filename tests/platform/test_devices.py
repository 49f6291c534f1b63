"""`--device` of the commands: it reaches the potential, and an impossible one is refused before anything runs."""

import json

import pytest
from ase.build import bulk
from ase.io import write
from refusals import open_desk
from stub_potentials import STUB
from tiny_campaign import TINY, write_tiny

import vitrion
from vitrion.cli.app import run
from vitrion.learning.configuration import CampaignConfiguration
from vitrion_workflows.dynamics import run_batch
from vitrion_workflows.potentials import devices

pytestmark = pytest.mark.filterwarnings("ignore:cd is deprecated")

RUNS = {
    "label": ("label", "good.cif", "-t", "900", "--ps", "1"),
    "amorphize": ("amorphize", "LiCl", "--atoms", "24", "--protocol", "quickstart", "--melt-temperature", "600"),
}


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    return open_desk(tmp_path / "desk", monkeypatch, capsys)


@pytest.mark.parametrize("words", RUNS.values(), ids=RUNS)
def test_a_command_runs_on_its_device(desk, words, loaded_on):
    assert run([*words, "--potential", STUB, "--device", "cuda:1", "--json"]) in {0, 1}
    assert set(loaded_on) == {"cuda:1"}
    shown = json.loads(desk.capsys.readouterr().out)
    shown = shown[0] if isinstance(shown, list) else shown
    assert shown["device"] == "cuda:1"


@pytest.mark.parametrize("words", RUNS.values(), ids=RUNS)
def test_an_impossible_device_is_refused(desk, words, monkeypatch):
    desk.refused(*words, "--potential", "lennard-jones", "--device", "cuda", says=("cuda", "lennard-jones"))
    desk.refused(*words, "--device", "gpu", says="gpu")
    monkeypatch.setattr(devices, "count_gpus", lambda: 0)
    desk.refused(*words, "--potential", "chgnet", "--device", "cuda", says=("cuda", "no GPU"))


@pytest.mark.usefixtures("loaded_on")
def test_a_campaign_file_and_its_option_name_a_device(desk, monkeypatch):
    path = write_tiny(desk.folder / "tiny.yaml", potential=STUB, runner={"kind": "local", "device": "cuda:5"})
    desk.refused("campaign", "step", path, says="cuda:5")
    desk.refused("campaign", "step", path, "--device", "gpu", says="device")
    write_tiny(path, potential=STUB, runner={"kind": "local", "device": "gpu"})
    desk.refused("campaign", "step", path, says=("runner", "device"))
    write_tiny(path, potential=STUB)
    handed = []

    def make_runner(settings, **_):
        handed.append(settings.device)
        raise KeyboardInterrupt

    monkeypatch.setattr("vitrion.running.runners.make_runner", make_runner)
    assert run(["campaign", "step", str(path), "--device", "cuda:1", "--quiet"]) == 130
    assert handed == ["cuda:1"]


def test_the_device_is_no_part_of_a_campaign_s_identity():
    hashes = {
        CampaignConfiguration.model_validate(TINY).on_device(device).content_hash() for device in ("cpu", "cuda:1")
    }
    assert len(hashes) == 1


@pytest.mark.server
def test_a_worker_refuses_an_unknown_device(desk, monkeypatch, mongo_uri):
    monkeypatch.setenv("VITRION_DATABASE_URI", mongo_uri)
    desk.refused("worker", "--once", "--device", "gpu", says="gpu")


@pytest.mark.usefixtures("desk", "loaded_on")
def test_a_label_of_another_device_is_the_same_label():
    for device in ("cpu", "cuda:1"):
        assert run([*RUNS["label"], "--potential", STUB, "--device", device]) == 0
    with vitrion.connect(readonly=True) as db:
        assert db.labels.count() == 1
        assert db.labels.search()[0].device == "cpu"


@pytest.mark.usefixtures("loaded_on")
@pytest.mark.parametrize(("device", "cells_of_runs"), [("cuda", [4]), ("cpu", [1, 1, 1, 1])])
def test_the_cells_of_a_file_are_run_side_by_side_on_a_gpu(desk, monkeypatch, device, cells_of_runs):
    cell = bulk("LiCl", "rocksalt", 5.3, cubic=True)
    write(desk.folder / "cells.extxyz", [cell, cell * (2, 1, 1)])
    cells = []

    def counted(systems, *arguments, **options):
        cells.append(len(systems))
        return run_batch(systems, *arguments, **options)

    monkeypatch.setattr("vitrion_workflows.labelling.task.run_batch", counted)
    words = ["label", "cells.extxyz", "-t", "900,1500", "--ps", "1", "--potential", STUB, "--device", device]
    assert run(words) == 0
    assert cells == cells_of_runs
    with vitrion.connect(readonly=True) as db:
        labels = db.labels.search()
        assert len(labels) == 4
        assert all(db.artefacts.get(label.trajectory_sha256) for label in labels)
