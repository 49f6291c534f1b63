"""`vitrion diffusivity` as people type it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import walks

from vitrion.cli.app import run
from vitrion_workflows.labelling.analysis import analyse_trajectory
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.trajectories.trajectory import Trajectory

pytestmark = pytest.mark.usefixtures("independent_walkers")


@pytest.fixture
def file(tmp_path):
    path = walks.langevin(
        np.random.default_rng(0), frames=401, ions=20, mass=6.94, temperature=1000, friction=6, interval=0.02
    )
    trajectory = Trajectory(
        numbers=np.full(20, 3),
        positions_A=path + np.stack(np.meshgrid(*[np.arange(3) * 10 / 3] * 3), axis=-1).reshape(-1, 3)[:20],
        lattice_A=np.eye(3) * 10,
        frame_interval_ps=0.02,
    )
    return h5md.write(tmp_path / "run.h5", trajectory)


def test_json_has_the_fields_of_a_label(file, capsys):
    assert run(["diffusivity", str(file), "--species", "Li", "-t", "1000", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    # Neither energies nor temperatures are in the file.
    assert row["state"] == "unverified"
    assert row["status"].startswith("accepted as far as could be checked: not checked are energy_drift")
    assert row["interval_95"][0] < row["value"] < row["interval_95"][1]
    assert row["value"] == pytest.approx(walks.BOLTZMANN * 1000 / 6.94 / 6 * 1e-4, rel=0.3)
    assert row["convention"] == "einstein_3d"
    assert {gate["name"] for gate in row["gates"]} >= {"continuity", "kinetic_consistency", "resolution"}
    names = {one["name"] for gate in row["gates"] for one in gate["measurements"]}
    assert names >= {"wrapped_step", "missing_frame", "frame_interval", "n_jumps"}


def test_table_says_what_was_not_checked(file, capsys):
    assert run(["diffusivity", str(file), "--species", "Li"]) == 0
    printed = capsys.readouterr()
    assert "wrapped_step" in printed.out
    assert "not checked: mean_temperature" in printed.err
    assert "as far as could be checked: not checked are energy_drift" in printed.err.splitlines()[-1]


def test_the_command_says_what_the_python_face_says(file, capsys):
    found = analyse_trajectory(read_trajectory(file), species="Li", temperature_K=1000.0)
    assert run(["diffusivity", str(file), "--species", "Li", "-t", "1000", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["state"], row["status"]) == (found.state.value, found.status)


def test_a_stated_thermostat_decides_how_well_the_temperature_is_known(file, capsys):
    """20 ions, 8 ps: at 1 / ps known within sqrt(2 / 3 N gamma t) = 6.5 %, at 100 / ps within 0.65 %."""
    not_checked = {}
    for rate in ("1", "100"):
        words = ["--species", "Li", "-t", "1000", "--thermostat", "langevin", "--friction-per-ps", rate, "--json"]
        assert run(["diffusivity", str(file), *words]) == 0
        not_checked[rate] = json.loads(capsys.readouterr().out)["not_checked"]
    assert "known within 6." in not_checked["1"]["temperature_stderr"]
    assert "known within" not in not_checked["100"]["temperature_stderr"]


def test_absent_interval_is_asked_for(tmp_path, capsys):
    (tmp_path / "XDATCAR").write_text(
        "x\n1.0\n5 0 0\n0 5 0\n0 0 5\nLi\n1\n"
        + "".join(f"Direct configuration= {i}\n0.{i} 0 0\n" for i in range(1, 9)),
    )
    assert run(["diffusivity", str(tmp_path / "XDATCAR"), "--species", "Li"]) == 2
    assert "state the frame interval" in capsys.readouterr().err


@pytest.fixture
def salt(tmp_path):
    rng = np.random.default_rng(2)
    parts = [
        walks.langevin(rng, frames=301, ions=10, mass=mass, temperature=1000, friction=6, interval=0.02)
        for mass in (6.94, 35.45)
    ]
    trajectory = Trajectory(
        numbers=np.repeat([3, 17], 10),
        positions_A=np.concatenate(parts, axis=1) + rng.random((20, 3)) * 8,
        lattice_A=np.eye(3) * 8,
        frame_interval_ps=0.02,
    )
    return h5md.write(tmp_path / "salt.h5", trajectory)


def test_all_of_it_in_json(salt, capsys):
    words = ["diffusivity", str(salt), "--species", "Li", "-t", "1000", "--charge", "Li=1,Cl=-1", "--json"]
    assert run(words) == 0
    row = json.loads(capsys.readouterr().out)
    lithium, chlorine = row["every_species"]
    assert (lithium["species"], chlorine["species"]) == ("Li", "Cl")
    assert np.trace(lithium["tensor"]) / 3 == pytest.approx(lithium["value"])
    assert lithium["value"] == pytest.approx(row["value"])
    assert lithium["green_kubo"] == pytest.approx(lithium["value"], rel=0.5)
    assert lithium["velocities"] == "differences"
    assert len(lithium["vibrations"]["frequency_THz"]) == len(lithium["vibrations"]["density_per_THz"])
    assert len(lithium["van_hove"]["lag_ps"]) == len(lithium["van_hove"]["density_per_A"]) == 3
    assert row["charge"]["charges"] == {"Li": 1.0, "Cl": -1.0}
    assert row["charge"]["conductivity"] > 0
    assert row["framework"]["state"] == "molten"


def test_table_of_every_species(salt, capsys):
    assert run(["diffusivity", str(salt), "--species", "Li", "--all"]) == 0
    printed = capsys.readouterr().out
    assert "isotropic_p" in printed
    assert "conductivity" not in printed


@pytest.mark.parametrize("words", [(), ("--all",)])
def test_picture(salt, tmp_path, capsys, words):
    for ending, magic in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        picture = tmp_path / f"all.{ending}"
        assert run(["diffusivity", str(salt), "--species", "Li", "--json", "--plot", str(picture), *words]) == 0
        assert picture.read_bytes().startswith(magic)
    text = (tmp_path / "all.svg").read_text()
    assert "lag time (ps)" in text
    assert ("van Hove" in text) == bool(words)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--frame-interval-ps", "0.1"], ("salt.h5", "not 0.1 ps as stated")),
        (["--thermostat", "langevin"], ("salt.h5", "thermostat langevin needs a friction_per_ps")),
        (["--thermostat", "csvr"], ("salt.h5", "'csvr'")),
        (["--charge", "Li=1"], ("temperature",)),
        (["--charge", "Li=one", "-t", "1000"], ("states no charges",)),
        (["--charge", "Na=1", "-t", "1000"], ("it holds Li, Cl",)),
        (["--charge", "Li=1,Cl=-2", "-t", "1000"], ("add to zero",)),
        (["--plot", "all.html"], ("all.html",)),
    ],
)
def test_faults_are_one_line_and_code_two(salt, capsys, words, fault):
    assert run(["diffusivity", str(salt), "--species", "Li", *words]) == 2
    line = capsys.readouterr().err.strip()
    assert all(part in line for part in fault), line
    assert len(line.splitlines()) == 1


def frozen(tmp_path, **changes):
    """Ions that rattle about their sites and never jump."""
    motion = {"frames": 401, "ions": 27, "amplitude": 0.15, "memory": 0.1, "interval": 0.02}
    sites = np.stack(np.meshgrid(*[np.arange(3) * 3.0] * 3), axis=-1).reshape(-1, 3)
    trajectory = Trajectory(
        numbers=np.full(27, 3),
        positions_A=walks.rattle(np.random.default_rng(1), **motion) + sites,
        lattice_A=np.eye(3) * 9,
        frame_interval_ps=0.02,
    )
    return h5md.write(tmp_path / "frozen.h5", replace(trajectory, **changes))


def test_a_bound_carries_no_interval_and_a_refused_run_no_bound(tmp_path, capsys):
    assert run(["diffusivity", str(frozen(tmp_path)), "--species", "Li", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["status"].startswith("censored as far as could be checked")
    assert row["value"] > 0
    assert (row["interval_68"], row["interval_95"], row["log10_stderr"]) == (None, None, None)
    refused = analyse_trajectory(read_trajectory(frozen(tmp_path, lattice_A=np.eye(3) * 0.9)), species="Li")
    assert refused.state.value == "rejected"
    assert refused.value_cm2_per_s == refused.estimate.value_cm2_per_s


def test_parts_of_a_run_are_one_and_what_was_left_out_is_said(file, tmp_path, capsys):
    whole = read_trajectory(file)
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    h5md.write(first, whole.first(201))
    h5md.write(second, replace(whole, positions_A=whole.positions_A[200:]))
    rows = []
    for files in ([file], [first, second]):
        assert run(["diffusivity", *map(str, files), "--species", "Li", "-t", "1000", "--json"]) == 0
        printed = capsys.readouterr()
        rows.append(json.loads(printed.out))
    assert rows[1]["value"] == pytest.approx(rows[0]["value"], rel=1e-9)
    assert rows[0]["remarks"] == []
    (remark,) = rows[1]["remarks"]
    assert "second.h5" in remark
    assert "left out" in remark
    assert f"note: {remark}" in printed.err


def test_a_dump_gets_its_format_and_elements_on_the_command_line(tmp_path, capsys):
    rng = np.random.default_rng(3)
    text = ""
    for step, spots in enumerate(rng.random((4, 3)) * 8 + np.cumsum(rng.normal(scale=0.05, size=(101, 4, 3)), axis=0)):
        text += f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n4\nITEM: BOX BOUNDS pp pp pp\n0 8\n0 8\n0 8\n"
        text += "ITEM: ATOMS id type xu yu zu\n"
        text += "".join(f"{number} {1 + number // 3} {x} {y} {z}\n" for number, (x, y, z) in enumerate(spots, start=1))
    (tmp_path / "dump.0").write_text(text)
    words = ["diffusivity", str(tmp_path / "dump.0"), "--species", "Li", "--frame-interval-ps", "0.02"]
    assert run([*words, "--format", "lammps-dump", "--types", "1=Li,2=Cl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["species"] == "Li"
    for given, fault in (([], "--format"), (["--format", "lammps-dump"], "--types 1=ELEMENT,2=ELEMENT")):
        assert run([*words, *given]) == 2
        assert fault in capsys.readouterr().err
