"""`vitrion label`: where its cells come from, what is finished already, and cells that no label can have."""

import json
import subprocess
import sys

import pytest
from pymatgen.core import Lattice, Structure
from refusals import open_desk

import vitrion
from vitrion.cli.app import run

LJ = ("-t", "900", "--potential", "lennard-jones", "--ps", "1")
HEAVY = {"torch", "torch_geometric", "jobflow", "atomate2", "maggma", "chgnet", "spglib"}


@pytest.fixture(name="desk")
def make_desk(tmp_path, monkeypatch, capsys):
    return open_desk(tmp_path / "desk", monkeypatch, capsys)


def labelled(capsys, *words):
    capsys.readouterr()
    assert run(["label", *words, *LJ, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def stored(**filters):
    with vitrion.connect(readonly=True) as db:
        return [row.fingerprint for row in db.structures.search(**filters)]


@pytest.mark.usefixtures("desk")
def test_a_stored_cell_is_labelled_by_fingerprint_and_by_filters_alike(capsys):
    (name,) = stored()
    by_file = labelled(capsys, "good.cif")
    assert [row["structure_fingerprint"] for row in by_file] == [name]
    for words in ((name,), (name[:10],), ("--from-database", "--chemsys", "Cl-Li", "--ordered")):
        assert labelled(capsys, *words) == by_file
    with vitrion.connect(readonly=True) as db:
        assert db.labels.count() == 1


@pytest.mark.usefixtures("desk")
def test_several_files_are_labelled_in_order(capsys):
    Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.7), ["Li", "Br"], [[0, 0, 0], [0.5] * 3]).to("libr.cif")
    rows = labelled(capsys, "libr.cif", "good.cif")
    assert [row["reduced_formula"] for row in rows] == ["LiBr", "LiCl"]
    assert len(stored()) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "no cell named"),
        (("--from-database",), "needs filters"),
        (("--chemsys", "Li-Cl"), "--from-database"),
        (("good.cif", "--from-database", "--chemsys", "Li-Cl"), "not several"),
        (("good.cif", "0123456789"), "not both"),
        (("0123456789",), "0123456789"),
        (("--from-database", "--chemsys", "Li-S"), "no structure"),
        (("--from-database", "--formula", "Li0Cl"), "Li0Cl"),
    ],
)
def test_exactly_one_source_is_asked_for(desk, words, says):
    desk.refused("label", *words, *LJ, says=says)


@pytest.mark.parametrize("atoms", [1, 2, 7])
def test_a_cell_that_is_too_small_is_refused_before_the_run(desk, atoms):
    cell = Structure(Lattice.cubic(9.0), ["Li"] * atoms, [[place / atoms] * 3 for place in range(atoms)])
    cell.to("POSCAR", fmt="poscar")
    line = desk.refused("label", "POSCAR", *LJ, says=(f"{atoms} atom", "8 atoms or more"))
    assert str(desk.home) not in line


@pytest.mark.usefixtures("desk")
def test_a_finished_label_is_shown_without_loading_potential_or_jobs(capsys):
    made = labelled(capsys, "good.cif")
    script = (
        "import sys\n"
        "from vitrion.cli.app import run\n"
        f"assert run({['label', 'good.cif', *LJ, '--json']!r}) == 0\n"
        f"print(*({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == made
    assert done.stderr.strip() == ""


def test_the_output_names_the_file_of_the_trajectory(desk, capsys):
    (row,) = labelled(capsys, "good.cif")
    assert run(["label", "good.cif", *LJ]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("trajectory of")]
    with vitrion.connect(readonly=True) as db:
        assert db.artefacts.get(row["trajectory_sha256"])[:4] == b"\x89HDF"
    assert line.endswith(row["trajectory_sha256"])
    assert run(["labels", "trajectory", row["key"][:8], "--to", "run.h5md"]) == 0
    capsys.readouterr()
    assert run(["diffusivity", "run.h5md", "--species", "Li", "-t", "900", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    for measured in ("production_ps", "drift_A", "mean_temperature_K"):
        assert shown[measured] == pytest.approx(row[measured], rel=1e-6)
    assert str(desk.home) in line
