"""Files, trajectories, values, potentials and models that cannot be used, through the commands people type."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from refusals import ROCK_SALT_CIF, XDATCAR_HEADER, open_desk, xdatcar
from small_models import small_generator, small_surrogate

from vitrion_models import generators
from vitrion_models.surrogates import save
from vitrion_models.training import checkpoint
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.trajectory import Trajectory

LJ = ("--potential", "lennard-jones")
POSCAR = "made\n1.0\n4 0 0\n0 4 0\n0 0 4\nLi Cl\n1 999999999\nDirect\n0 0 0\n0.5 0.5 0.5\n"
GARBAGE = bytes(range(256)) * 8


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    return open_desk(tmp_path / "desk", monkeypatch, capsys)


STRUCTURES = {
    "truncated": ("bad.cif", ROCK_SALT_CIF[:-6], "damaged or truncated"),
    "half": ("bad.cif", ROCK_SALT_CIF[: len(ROCK_SALT_CIF) // 2], "bad.cif"),
    "empty": ("bad.cif", "", "empty"),
    "binary": ("bad.cif", GARBAGE, "text file"),
    "wrong count": ("POSCAR", POSCAR, "1000000000 atoms"),
    "unknown name": ("cell.dat", "1", "supported formats"),
}


@pytest.mark.parametrize(("name", "content", "fault"), STRUCTURES.values(), ids=STRUCTURES)
def test_a_bad_structure_file_is_refused_by_every_command(desk, name, content, fault):
    path = desk.write(name, content)
    for words in (
        ("ingest", "structures", path),
        ("label", path, "--temperature", "1000", *LJ),
        ("amorphize", path, *LJ),
        ("predict", path, "--temperature", "300", "--model-folder", "nowhere"),
    ):
        desk.refused(*words, says=(str(path), fault))


@pytest.mark.parametrize("name", ["absent.cif", "folder.cif"])
def test_what_is_no_file_is_told(desk, name):
    (desk.folder / "folder.cif").mkdir()
    for words in (
        ("ingest", "structures", name),
        ("label", name, "-t", "1000", *LJ),
        ("amorphize", name, *LJ),
        ("predict", name, "-t", "300", "--model-folder", "nowhere"),
        ("diffusivity", name, "--species", "Li"),
    ):
        desk.refused(*words, says=name)


def test_a_name_that_no_file_can_have_is_told(desk):
    for words in (("amorphize", "Li" * 500, *LJ), ("ingest", "structures", "x" * 300), ("label", "x" * 300, "-t", "9")):
        desk.refused(*words, says="too long for the name of a file")


ONE_MORE, ONE_LESS = "0.1 0.1 0.1\n0.2 0.2 0.2\n0.3 0.3 0.3\n", "0.1 0.1 0.1\n"
TRAJECTORIES = {
    "one frame": (xdatcar(frames=1), "two frames"),
    "two frames": (xdatcar(frames=2), "too few"),
    "an atom more at the end": (f"{xdatcar()}Direct configuration= 31\n{ONE_MORE}", "atoms change"),
    "an atom more": (
        f"{xdatcar()}Direct configuration= 31\n{ONE_MORE}Direct configuration= 32\n{ONE_MORE}",
        "atoms change",
    ),
    "an atom less": (
        f"{xdatcar()}Direct configuration= 31\n{ONE_LESS}Direct configuration= 32\n{ONE_MORE[12:]}",
        "does not hold 2 atoms",
    ),
    "truncated": (xdatcar()[:-12], "does not hold 2 atoms"),
    "empty": ("", "empty"),
    "binary": (GARBAGE, "text file"),
    "NaN": (f"{xdatcar()}Direct configuration= 31\nnan 0.1 0.1\n{ONE_LESS}", "not finite"),
    "unknown element": (xdatcar(header=XDATCAR_HEADER.replace("Li", "Xx")), "'Xx'"),
    "no scale": (xdatcar(header=XDATCAR_HEADER.replace("1.0", "0.0")), "lattice is impossible"),
    "negative scales": (xdatcar(header=XDATCAR_HEADER.replace("1.0", "1.0 -1.0 1.0")), "lattice is impossible"),
    "no lattice": (xdatcar(header=XDATCAR_HEADER.replace("5 0 0", "0 0 0")), "no cell"),
    "wrong count": (xdatcar(header=XDATCAR_HEADER.replace("\n2\n", "\n999999999\n")), "999999999"),
    "negative count": (xdatcar(header=XDATCAR_HEADER.replace("\n2\n", "\n-2\n")), "'-2'"),
}


@pytest.mark.parametrize(("content", "fault"), TRAJECTORIES.values(), ids=TRAJECTORIES)
def test_a_bad_trajectory_is_refused(desk, content, fault):
    path = desk.write("XDATCAR", content)
    words = ("diffusivity", path, "--species", "Li", "--frame-interval-ps", "0.1", "--plot", "msd.png")
    desk.refused(*words, says=(str(path), fault))


@pytest.mark.parametrize("name", ["run.extxyz", "run.traj"])
def test_frames_of_ase_are_held_to_the_same(desk, name):
    atoms = Atoms("Li2", [[0, 0, 0], [2, 2, 2]], cell=[5, 5, 5], pbc=True)
    for frames, fault in (([atoms], "two frames"), ([atoms, atoms, atoms[:1]], "atoms change")):
        write(desk.folder / name, frames)
        desk.refused("diffusivity", name, "--species", "Li", "--frame-interval-ps", "0.1", says=(name, fault))


def _put(path, value):
    def change(file):
        unit = file[path].attrs.get("unit")
        del file[path]
        file[path] = value
        if unit is not None:
            file[path].attrs["unit"] = unit

    return change


def _group(path):
    def change(file):
        del file[path]
        file.create_group(path)

    return change


BAD_H5MD = {
    "NaN": (_put("particles/all/position/value", np.full((30, 2, 3), np.nan)), "not finite"),
    "one frame": (_put("particles/all/position/value", np.zeros((1, 2, 3))), "two frames"),
    "another count": (_put("particles/all/species", np.array([3, 3, 3])), "each atom"),
    "unknown element": (_put("particles/all/species", np.array([3, 500])), "known elements"),
    "negative mass": (_put("particles/all/mass", np.array([6.9, -6.9])), "masses"),
    "no volume": (_put("particles/all/box/edges/value", np.zeros((30, 3, 3))), "no cell"),
    "a group for numbers": (_group("particles/all/position/value"), "H5MD trajectory"),
    "numbers for a group": (_put("particles", np.arange(3)), "H5MD trajectory"),
}


@pytest.mark.parametrize(("change", "fault"), BAD_H5MD.values(), ids=BAD_H5MD)
def test_a_bad_h5md_file_is_refused(desk, change, fault):
    positions = np.cumsum(np.random.default_rng(1).normal(scale=0.02, size=(30, 2, 3)), axis=0)
    path = h5md.write(
        desk.folder / "run.h5",
        Trajectory(numbers=np.full(2, 3), positions_A=positions, lattice_A=np.eye(3) * 5, frame_interval_ps=0.1),
    )
    with h5py.File(path, "r+") as file:
        change(file)
    desk.refused("diffusivity", path, "--species", "Li", says=("run.h5", fault))
    path.write_bytes(path.read_bytes()[:3000])
    desk.refused("diffusivity", path, "--species", "Li", says=("run.h5", "HDF5"))


HUGE = str(10**40)
VALUES = {
    **{f"label at {kelvin} K": ("label good.cif --potential lennard-jones -t", kelvin, "temperature")
       for kelvin in ("0", "-5", "0.5", "nan", "inf", "20000", "1e9", "hot", "1000,,2000",
                      ",".join(map(str, range(1, 20001))))},
    **{f"predict at {kelvin} K": ("predict good.cif --model-folder surrogate -t", kelvin, "temperature")
       for kelvin in ("0", "-5", "nan", "1e9", "hot", "1500:300", "1:2:3")},
    **{f"trajectory at {kelvin} K":
       ("diffusivity XDATCAR --species Li --frame-interval-ps 0.1 -t", kelvin, "temperature")
       for kelvin in ("0", "-5", "nan", "hot")},
    **{f"melt at {kelvin} K": ("amorphize LiCl --potential lennard-jones --melt-temperature", kelvin, "melt")
       for kelvin in ("0", "-5", "100", "nan", "1e9")},
    **{f"frames {interval} ps apart": ("diffusivity XDATCAR --species Li --frame-interval-ps", interval, "interval")
       for interval in ("-1", "0", "nan", "inf", "1e-300", "1e300", "x")},
    **{f"trajectory of {species!r}": ("diffusivity XDATCAR --frame-interval-ps 0.1 --species", species, species)
       for species in ("Xx", "Na", "li")},
    "label of Xx": ("label good.cif -t 1000 --potential lennard-jones --species", "Xx", "no Xx"),
    "label of Na": ("label good.cif -t 1000 --potential lennard-jones --species", "Na", "no Na"),
    **{f"label of {ps} ps": ("label good.cif -t 1000 --potential lennard-jones --ps", ps, "--ps")
       for ps in ("-1", "0", "nan", "1e30", "1e-9")},
    **{f"label of frames {interval} ps apart":
       ("label good.cif -t 1000 --potential lennard-jones --ps 1 --frame-interval-ps", interval, "frame")
       for interval in ("-1", "0", "nan", "inf", "0.003", "5")},
    "label until nothing": ("label good.cif -t 1000 --potential lennard-jones --until", "0", "--until 0"),
    "least above most": ("label good.cif -t 1000 --potential lennard-jones --until 0.1 --ps", "2", "--ps 4"),
    **{f"{command} seed {seed}": (f"{command} --seed", seed, "--seed")
       for command in ("label good.cif -t 1000 --potential lennard-jones", "amorphize LiCl --potential lennard-jones",
                       "generate LiCl --model-folder generator --as-drawn", "candidates propose LiCl")
       for seed in ("-1", HUGE)},
    **{f"{command} of {formula!r}": (command, formula, formula)
       for command in ("amorphize --potential lennard-jones", "generate --model-folder generator", "candidates propose")
       for formula in ("Xx3", "hello world", "Li0", "Li0Cl", "Li3PS4@", "Li-3", "Li1e9")},
    "an element that no potential covers": ("amorphize --potential lennard-jones", "Og2", "Og"),
    "millions of atoms": ("amorphize LiCl --potential lennard-jones --atoms", "999999999", "--atoms"),
    "no atoms": ("generate LiCl --model-folder generator --atoms", "0", "atoms"),
    "minus three atoms": ("generate LiCl --model-folder generator --atoms", "-3", "--atoms"),
    "a billion drawn atoms": ("generate LiCl --model-folder generator --atoms", "999999999", "--atoms"),
    "minus one cell": ("generate LiCl --model-folder generator --count", "-1", "--count"),
    "negative density": ("generate LiCl --model-folder generator --density", "-1", "--density"),
    "density of nothing": ("generate LiCl --model-folder generator --density", "nan", "--density"),
    "density of a star": ("generate LiCl --model-folder generator --density", "1e9", "--density"),
    "density and cell": ("generate LiCl --model-folder generator --density 1.9 --cell-from", "good.cif", "not both"),
    "no cell": ("generate LiCl --model-folder generator --cell-from", "absent.cif", "absent.cif"),
    "unknown potential": ("generate LiCl --model-folder generator --potential", "wishful", "wishful"),
    "model and folder": ("predict good.cif -t 300 --model 000000000000 --model-folder", "surrogate", "not both"),
    "another compound's cell": ("generate Li2O --model-folder generator --cell-from", "good.cif", "holds LiCl"),
    "a billion temperatures": ("predict good.cif --model-folder surrogate -t", "1:2:1e-9", "1000 temperatures"),
    "an unknown protocol": ("amorphize LiCl --protocol", "slow", "slow"),
    "an unknown kind": ("ingest structures good.cif --kind", "gas", "gas"),
    **{f"{noun} limit": (f"{noun} list --limit", "-1", "--limit") for noun in ("structures", "labels", "models")},
    **{f"{noun} sort": (f"{noun} list --sort", "colour", "colour") for noun in ("structures", "labels", "models")},
    **{f"{noun} unknown": (f"{noun} show", "deadbeef00", "deadbeef00") for noun in ("structures", "labels", "models")},
    **{f"formula {formula!r}": ("structures list --formula", formula, fault)
       for formula, fault in (("Li3(PS", "formula"), ("Xx", "Xx"), ("", "empty"))},
    "labels as cells": ("labels export --to", "x.cif", "names no format"),
    "export format": ("structures export --to", "cells.docx", "cells.docx"),
    **{f"{noun} of no kind": (f"{noun} list --kind", "gold", "kind 'gold'")
       for noun in ("structures", "labels", "models")},
    "no state": ("labels list --state", "acepted", "state 'acepted'"),
    "no origin": ("structures list --origin", "heaven", "origin 'heaven'"),
    "half a number": ("structures list --density", "nan:2", "density_g_cm3"),
    "not a number": ("structures list --density", "nan", "density_g_cm3"),
    "range": ("structures list --density", "5:1", "density"),
    "no range": ("structures list --density", "x:y", "--density"),
    "no interval": ("schedule campaign.yaml --every", "soon", "soon"),
}  # fmt: skip


@pytest.fixture(scope="module")
def surrogate():
    return small_surrogate()


@pytest.fixture(scope="module")
def generator():
    return small_generator()


@pytest.fixture
def models(desk, surrogate, generator):
    save(surrogate, desk.folder / "surrogate")
    generators.save(generator, desk.folder / "generator")
    desk.write("XDATCAR", xdatcar())
    return desk


@pytest.mark.parametrize(("words", "value", "fault"), VALUES.values(), ids=VALUES)
def test_an_impossible_value_is_refused(models, words, value, fault):
    models.refused(*words.split(), value, says=fault)


def test_weights_that_are_not_there_or_are_others_are_refused(desk, monkeypatch):
    label, amorphize = ("label", "good.cif", "-t", "1000", "--potential"), ("amorphize", "LiCl", "--potential")
    for potential, fault in {
        "nep90": "no potential is called 'nep90'",
        "": "empty",
        "mace:absent.model": "absent.model",
        "ase:no.such.package:Thing": "no.such.package",
        "ase:os:getcwd": "ase:os:getcwd",
        "nep89": "potentials/nep89.txt",
    }.items():
        for words in (label, amorphize, ("potentials", "check")):
            desk.refused(*words, potential, says=fault)
    wrong = desk.write("potentials/nep89.txt", "nep4_zbl 1 H")
    monkeypatch.setenv("VITRION_POTENTIALS", str(wrong.parent))
    for words in (label, amorphize, ("potentials", "check")):
        desk.refused(*words, "nep89", says=(str(wrong), "sha256"))
    wrong.unlink()
    desk.refused("potentials", "install", "nep89", "--file", "good.cif", says=("good.cif", "sha256"))
    desk.refused("potentials", "install", "nep89", "--file", "absent.txt", says="absent.txt")
    desk.refused("potentials", "install", "nep89", "--file", ".", says="not a file")
    desk.refused("potentials", "install", "chgnet", "--file", "good.cif", says="--file")


def test_a_package_that_is_not_installed_is_named(desk, monkeypatch):
    monkeypatch.setattr("vitrion_workflows.potentials.weights.package.find_spec", lambda _name: None)
    desk.refused("label", "good.cif", "-t", "1000", "--potential", "nep89", says=("nep-adapters", "pip install"))


def test_a_device_that_is_not_there_is_refused(desk):
    desk.refused("potentials", "check", "lennard-jones", "--device", "abacus", says="abacus")


def _flip(content):
    return content[:-9] + bytes([content[-9] ^ 255]) + content[-8:]


DAMAGE = {
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "garbage": lambda content: GARBAGE[: len(content)],
    "one bit": _flip,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_model_is_refused(models, damage):
    for folder, words in (
        ("surrogate", ("predict", "good.cif", "-t", "1000")),
        ("generator", ("generate", "LiCl", "--atoms", "8", "-n", "1", "--as-drawn")),
    ):
        artefact = models.folder / folder / checkpoint.ARTEFACT_FILE
        artefact.write_bytes(DAMAGE[damage](artefact.read_bytes()))
        models.refused(*words, "--model-folder", folder, says=folder)


def test_a_model_of_a_newer_schema_or_another_kind_is_refused(models):
    for folder, other, words in (
        ("surrogate", "generator", ("predict", "good.cif", "-t", "1000")),
        ("generator", "surrogate", ("generate", "LiCl", "--as-drawn")),
    ):
        arrays, manifest = checkpoint.unpack(checkpoint.read(models.folder / folder), source=folder)
        newer = models.folder / f"newer-{folder}"
        checkpoint.write(newer, checkpoint.pack(arrays, {**manifest, "schema_version": 99}))
        models.refused(*words, "--model-folder", newer, says=(str(newer), "newer"))
        models.refused(*words, "--model-folder", other, says=(other, "holds a"))
        models.refused(*words, "--model-folder", "nowhere", says="nowhere")


def test_the_program_itself_says_one_line_and_nothing_else(desk):
    environment = {**os.environ, "VITRION_HOME": str(desk.home), "PYTHONWARNINGS": "default"}
    words = [sys.executable, "-m", "vitrion", "label", "good.cif", "-t", "-5"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line.startswith("vitrion: ")] == done.stderr.splitlines()
