"""Campaign files, databases, disks and data sets that cannot be used, through the commands people type."""

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys

import pytest
import yaml
from refusals import ROCK_SALT_CIF, documents, open_desk, xdatcar
from small_models import promote
from tiny_campaign import TINY

import vitrion
from vitrion.cli.app import run
from vitrion.database.records import META_COLLECTION
from vitrion.datasets import registry

LJ = ("--potential", "lennard-jones")


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    return open_desk(tmp_path / "desk", monkeypatch, capsys)


def campaign(**changes):
    return yaml.safe_dump({**TINY, **changes})


def labels(**changes):
    return {"labels": {**TINY["labels"], **changes}}


CAMPAIGNS = {
    "unknown key": (campaign(cylces=3), "did you mean `cycles`?"),
    "unknown compound": (campaign(compounds={"names": ["LiCl", "LiF", "Li9X"]}), ("compounds.names", "Li9X")),
    "a compound twice": (campaign(compounds={"names": ["LiCl", "LiCl", "LiF"]}), "LiCl is named twice"),
    "unknown data set": (campaign(compounds={"dataset": "mine", "names": ["LiCl", "LiF"]}), "compounds.dataset"),
    "unknown element": (campaign(species="Xx"), "'Xx'"),
    "another ion": (campaign(species="Na"), "contains no Na"),
    "unknown potential": (campaign(potential="nep90"), "nep90"),
    "unknown reference potential": (campaign(reference={"potential": "nep90"}), "reference.potential"),
    "temperature of nothing": (campaign(**labels(temperatures_K=[float("nan")])), "temperature nan"),
    "a thousand temperatures": (campaign(**labels(temperatures_K=list(range(9000, 10101)))), "temperature 10001"),
    "no temperature": (campaign(**labels(temperatures_K=[])), "labels.temperatures_K"),
    "unmeasured target": (campaign(**labels(target_temperature_K=300)), "target_temperature_K"),
    "no cycles": (campaign(cycles=-1), "cycles"),
    "huge seed": (campaign(seed=10**40), "seed"),
    "a path for a name": (campaign(name="../up"), "name"),
    "empty": ("", "empty"),
    "binary": (bytes(range(256)), "text"),
    "a call of Python": ("!!python/object/apply:os.getcwd []", "YAML"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "faults"), CAMPAIGNS.values(), ids=CAMPAIGNS)
def test_a_bad_campaign_file_is_refused_by_every_command(desk, content, faults):
    path = desk.write("campaign.yaml", content)
    faults = (faults,) if isinstance(faults, str) else faults
    for verb in ("run", "step", "status", "report"):
        desk.refused("campaign", verb, path, says=(str(path), *faults))
    desk.refused("schedule", path, "--every", "1h", says=(str(path), *faults))


def test_a_campaign_that_cannot_begin_leaves_no_trace(desk):
    # Otherwise the mended file would be refused as another configuration of the same name.
    for changes, fault in (
        ({"potential": "nep89"}, "potentials/nep89.txt"),
        ({"potential": "mace:absent.model"}, "absent.model"),
        ({"reference": {"potential": "nep89"}}, "potentials/nep89.txt"),
        ({"runner": {"kind": "fireworks"}}, "VITRION_DATABASE_URI"),
    ):
        desk.refused("campaign", "step", desk.write("campaign.yaml", campaign(**changes)), "--quiet", says=fault)
    desk.refused("campaign", "report", desk.write("campaign.yaml", campaign()), says="tiny")
    desk.refused("campaign", "run", desk.folder, says=str(desk.folder))
    desk.refused("campaign", "status", "absent.yaml", says="absent.yaml")
    assert run(["campaign", "step", "campaign.yaml", "--quiet"]) == 0
    changed = desk.write("changed.yaml", campaign(seed=4))
    desk.refused("campaign", "step", changed, "--quiet", says=("tiny", "another configuration"))


def test_a_result_that_cannot_be_written_where_it_should_is_refused(desk, monkeypatch):
    assert run(["campaign", "step", str(desk.write("campaign.yaml", campaign())), "--quiet"]) == 0
    desk.write("XDATCAR", xdatcar(frames=60))
    (desk.folder / "all.cif").mkdir()
    diffusivity = ("diffusivity", "XDATCAR", "--species", "Li", "--frame-interval-ps", "0.1", "--plot")
    for place in ("good.cif/x", "/proc/x"):
        desk.refused("campaign", "report", "campaign.yaml", "-o", f"{place}.html", says=f"{place}.html")
        desk.refused(*diffusivity, f"{place}.png", says=f"{place}.png")
    desk.refused("structures", "export", "--to", "good.cif/x.cif", says="good.cif/x")
    desk.refused("structures", "export", "--to", "all.cif", says=("all.cif", "Is a directory"))
    desk.refused("structures", "export", "--kind", "melt", "--to", "none.cif", says=("none.cif", "no structure"))
    monkeypatch.setenv("VITRION_SCRATCH", "good.cif/scratch")
    desk.refused("campaign", "step", "campaign.yaml", says="good.cif/scratch")
    desk.refused("label", "good.cif", "-t", "1000", *LJ, "--ps", "1", says="good.cif/scratch")
    monkeypatch.setenv("VITRION_POTENTIALS", "good.cif/potentials")
    monkeypatch.setattr(
        "vitrion_workflows.potentials.weights.installation.NEP89_SHA256", _sha256(desk.folder / "XDATCAR")
    )
    desk.refused("potentials", "install", "nep89", "--file", "XDATCAR", says="good.cif/potentials")


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


WRITERS = {
    "init": ("init",),
    "ingest structures": ("ingest", "structures", "good.cif"),
    "ingest dataset": ("ingest", "dataset", "quickstart-compounds"),
    "label": ("label", "good.cif", "-t", "1000", *LJ),
    "amorphize": ("amorphize", "LiCl", *LJ),
    "generate": ("generate", "LiCl", "--as-drawn"),
    "campaign run": ("campaign", "run", "campaign.yaml"),
    "campaign step": ("campaign", "step", "campaign.yaml"),
}
READERS = {
    "predict": ("predict", "good.cif", "-t", "300"),
    "campaign status": ("campaign", "status", "campaign.yaml"),
    "campaign report": ("campaign", "report", "campaign.yaml"),
    "candidates": ("candidates", "propose"),
    **{f"{noun} list": (noun, "list") for noun in ("structures", "labels", "models")},
    "export": ("structures", "export", "--to", "all.csv"),
}


@pytest.fixture
def home(desk):
    desk.write("campaign.yaml", campaign())
    return desk


@pytest.fixture
def writer(home):
    """Another process that writes to the store."""
    assert home.home.is_dir()
    script = "import sys, vitrion\nwith vitrion.connect():\n    print('open', flush=True)\n    sys.stdin.read()\n"
    other = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "open\n"
    yield other
    other.communicate("")


def test_a_store_that_another_process_writes_to_is_refused_for_writing_only(home, writer):
    for words in WRITERS.values():
        home.refused(*words, says=(str(home.home), f"process {writer.pid}"))
    assert run(["structures", "list", "--json"]) == 0


UNREACHABLE = {
    "mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=50": "127.0.0.1:9",
    "mongodb://user:secret@127.0.0.1:9/x?serverSelectionTimeoutMS=50": "127.0.0.1:9",
    "mongodb://host.invalid/x?serverSelectionTimeoutMS=50": "host.invalid",
    "mongodb://127.0.0.1:9/x?bogus=1": "bogus",
    "mongodb://": "mongodb://",
    "postgres://127.0.0.1/x": "postgres://127.0.0.1/x",
    "http://127.0.0.1": "MongoDB address",
    "mongodb://user:secret@:bad": "MongoDB address",
}


@pytest.mark.parametrize("uri", UNREACHABLE)
def test_a_server_that_does_not_answer_is_named(home, uri, monkeypatch):
    monkeypatch.setenv("VITRION_DATABASE_URI", uri)
    commands = ("ingest structures", "label", "campaign step", "campaign status", "predict", "structures list")
    for name in commands if "secret" in uri else commands[:1]:
        words = {**WRITERS, **READERS}[name]
        line = home.refused(*words, says=UNREACHABLE[uri])
        assert "secret" not in line
        assert line.count("(") == line.count(")")
    if uri.endswith("50"):
        home.refused("worker", "--once", says=UNREACHABLE[uri])


def test_a_database_of_a_newer_schema_is_refused(home):
    with vitrion.connect() as db:
        db.collection(META_COLLECTION).update_one({"_id": "schema"}, {"$set": {"version": 99}})
    for words in {**WRITERS, **READERS}.values():
        home.refused(*words, says=(str(home.home), "99"))


@pytest.mark.parametrize("place", ["a file", "below a file", "where the kernel makes files"])
def test_a_home_that_cannot_be_one_is_refused(home, place, monkeypatch):
    there = {"a file": "good.cif", "below a file": "good.cif/home", "where the kernel makes files": "/proc/x"}[place]
    monkeypatch.setenv("VITRION_HOME", there)
    for words in (WRITERS["init"], WRITERS["ingest structures"], WRITERS["campaign step"], READERS["structures list"]):
        home.refused(*words, says=there)


def test_an_artefact_with_another_sha256_is_refused(home):
    with vitrion.connect() as db:
        for kind in ("surrogate", "generator"):
            promote(db, f"{kind}: no model at all".encode(), kind=kind)
    predict, generate = READERS["predict"], WRITERS["generate"]
    for words in (predict, generate):
        home.refused(*words, says="model of Vitrion")
    for path in (home.home / "artefacts").rglob("*"):
        if path.is_file():
            path.write_bytes(b"changed")
    for words in (predict, generate):
        home.refused(*words, says="damaged")


def test_a_data_set_that_is_absent_changed_or_unknown_is_refused(home, monkeypatch):
    mirror = home.folder / "mirror"
    monkeypatch.setenv("VITRION_DATA_MIRROR", str(mirror))
    for known in registry.specifications():
        for file in known.files:
            home.refused("ingest", "dataset", known.name, says=(str(mirror), "VITRION_DATA_MIRROR"))
            path = home.write(f"mirror/{file.path}", "changed")
            home.refused("ingest", "dataset", known.name, says=(str(path), "sha256") if file is known.files[0] else ())
            path.unlink()
            break
    home.refused("ingest", "dataset", "mine", says=("'mine'", "data set"))
    home.refused("ingest", "dataset", "materials-project", "--chemsys", "Li-Cl", says="MP_API_KEY")
    home.refused("ingest", "dataset", "materials-project", says="needs it")
    home.refused("ingest", "dataset", "obelix", "--chemsys", "Li-P-S", says="--chemsys belongs to")


@pytest.fixture
def small_disk(tmp_path):
    """A mounted file system of 2 MB; mounting needs root, so others are left with the test of a full SQLite file."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder, *, leave):
    """Fill a small disk but for some bytes."""
    with contextlib.suppress(OSError), (folder / "ballast").open("wb") as ballast:
        while True:
            ballast.write(bytes(4096))
            ballast.flush()
    kept = (folder / "ballast").stat().st_size - leave
    os.truncate(folder / "ballast", max(kept, 0))


def many_cells(desk):
    for index in range(120):
        desk.write(f"cells/{index}.cif", ROCK_SALT_CIF.replace("5.13", f"{5 + index / 1000}"))


def test_a_full_disk_under_the_database_is_told_and_nothing_is_stored(home, small_disk, monkeypatch):
    monkeypatch.setenv("VITRION_HOME", str(small_disk / "home"))
    home.home = small_disk / "home"
    assert run(["ingest", "structures", "good.cif"]) == 0
    many_cells(home)
    fill(small_disk, leave=100_000)
    for words in (("ingest", "structures", "cells"), WRITERS["ingest dataset"]):
        home.refused(*words, says=("disk is full", str(small_disk)))
    (small_disk / "ballast").unlink()
    assert run(["ingest", "structures", "cells"]) == 0


def test_a_full_disk_under_a_new_database_is_told(home, small_disk, monkeypatch):
    fill(small_disk, leave=8192)
    monkeypatch.setenv("VITRION_HOME", str(small_disk / "home"))
    home.refused("init", says=("disk is full", str(small_disk)))


def test_a_full_disk_under_a_result_leaves_no_half_file(home, small_disk, monkeypatch):
    home.write("XDATCAR", xdatcar(frames=60))
    words = ("diffusivity", "XDATCAR", "--species", "Li", "--frame-interval-ps", "0.1", "--plot")
    fill(small_disk, leave=0)
    home.refused(*words, small_disk / "msd.png", says=("No space left", "msd.png"))
    home.refused("structures", "export", "--to", small_disk / "all.csv", says=("disk is full", str(small_disk)))
    weights = home.write("weights.txt", bytes(100_000))
    monkeypatch.setattr("vitrion_workflows.potentials.weights.installation.NEP89_SHA256", _sha256(weights))
    monkeypatch.setenv("VITRION_POTENTIALS", str(small_disk / "potentials"))
    home.refused("potentials", "install", "nep89", "--file", weights, says=(str(small_disk), "No space left"))
    assert [path.name for path in small_disk.rglob("*") if path.is_file()] == ["ballast"]


def test_a_full_disk_under_the_scratch_is_told(home, small_disk, monkeypatch):
    assert run(["label", "good.cif", "-t", "1000", *LJ, "--ps", "1"]) == 0
    monkeypatch.setenv("VITRION_SCRATCH", str(small_disk))
    fill(small_disk, leave=0)
    home.refused("label", "good.cif", "-t", "1500", *LJ, "--ps", "1", says=("disk", str(small_disk)))


def test_a_full_sqlite_file_is_told_and_nothing_is_stored(home, monkeypatch):
    many_cells(home)
    connect = sqlite3.connect

    def connect_full(*arguments, **options):
        connection = connect(*arguments, **options)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 8}")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_full)
    before = documents(home.home)
    assert run(["ingest", "structures", "cells"]) == 2
    printed = home.capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "disk is full" in printed.err
    monkeypatch.undo()
    assert documents(home.home) == before
