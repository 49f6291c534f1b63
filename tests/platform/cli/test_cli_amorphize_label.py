import json
import sys
from collections import Counter

import pytest
from plain_labels import METHOD
from pymatgen.core import Lattice, Structure

import vitrion
from vitrion import database
from vitrion.cli.app import run
from vitrion.cli.console import flow_running
from vitrion.cli.console.flow_running import run_flow
from vitrion.database import NotFoundError
from vitrion.database.repositories.labels import Labels
from vitrion_workflows import potentials
from vitrion_workflows.amorphous import PROTOCOLS, VolumeSearchFailed
from vitrion_workflows.flows import MeltQuenchMaker
from vitrion_workflows.formats import structures as reading
from vitrion_workflows.schemas import GateOutcome, fingerprint
from vitrion_workflows.volumes.estimates import volume_estimates

LICL = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.3), ["Li", "Cl"], [[0, 0, 0], [0.5] * 3])


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def cif(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "licl.cif"
    LICL.to(filename=str(path))
    return path


def test_amorphize_makes_judges_and_stores_a_cell(cif, capsys):
    arguments = ["--potential", "lennard-jones", "--protocol", "quickstart", "--melt-temperature", "600", "--json"]
    code = run(["amorphize", str(cif), "--atoms", "24", *arguments])
    shown = json.loads(capsys.readouterr().out)
    assert code == (0 if shown["accepted"] else 1)
    assert shown["origin"] == "melt-quench"
    with vitrion.connect(readonly=True) as db:
        assert db.structures.get(fingerprint(LICL)).kind == "crystal"
        assert db.structures.get(shown["fingerprint"]).reduced_formula == "LiCl"


def test_label_stores_a_label_at_each_temperature_once(cif, capsys):
    arguments = ["label", str(cif), "-t", "600,900", "--potential", "lennard-jones", "--ps", "1", "--json"]
    assert run(arguments) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [row["temperature_K"] for row in shown] == [600, 900]
    assert all(row["gates"] and row["method"]["weights_sha256"] for row in shown)
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out) == shown
    with vitrion.connect(readonly=True) as db:
        assert db.labels.count() == 2


def test_label_shows_what_the_database_stores(cif, capsys):
    """A label that the builder stored in another state than the job's is shown in that state."""
    arguments = ["label", str(cif), "-t", "900", "--potential", "lennard-jones", "--ps", "1", "--json"]
    assert run(arguments) == 0
    (first,) = json.loads(capsys.readouterr().out)
    stored = "accepted" if first["state"] == "rejected" else "rejected"
    with vitrion.connect() as db:
        assert db.collection("labels").update_one({"key": first["key"]}, {"$set": {"state": stored}})
        assert db.labels.get(first["key"]).structure_fingerprint == first["structure_fingerprint"]
    assert run(arguments) == 0
    (again,) = json.loads(capsys.readouterr().out)
    assert again == first | {"state": stored}


def test_label_parses_its_file_once_and_opens_the_database_once(cif, monkeypatch):
    calls = Counter()
    for name, function in (("connect", database.connect), ("read_entries", reading.read_entries)):

        def counted(*arguments, name=name, function=function, **options):
            calls[name] += 1
            return function(*arguments, **options)

        # Wherever the function was imported to.
        for module in [module for module in sys.modules.values() if vars(module).get(name) is function]:
            monkeypatch.setattr(module, name, counted)
    assert run(["label", str(cif), "-t", "600,900", "--potential", "lennard-jones", "--ps", "1"]) == 0
    assert calls == {"connect": 1, "read_entries": 1}


def test_a_label_that_could_not_be_stored_is_told(cif, capsys, monkeypatch):
    def refuse(*_arguments, **_options):
        raise NotFoundError("no structure abc in the database: add it before its label")

    monkeypatch.setattr(Labels, "add", refuse)
    assert run(["label", str(cif), "-t", "900", "--potential", "lennard-jones", "--ps", "1", "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "was run and not stored: no structure abc" in printed.err
    assert printed.err.count("\n") == 1


def test_a_stored_cell_of_a_deuteride_is_not_made_again(capsys):
    weights = potentials.load("lennard-jones").weights_sha256
    fields = {
        "protocol": PROTOCOLS["quickstart"],
        "method": METHOD.model_copy(update={"weights_sha256": weights}),
        "volumes": volume_estimates("LiH", rule="rule", temperature_K=2000.0),
    }
    shown = []
    with vitrion.connect() as db:
        for seed, anion in enumerate("HD"):
            cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.1), ["Li", anion], [[0, 0, 0], [0.5] * 3])
            gates = (GateOutcome(name="density", passed=True),)
            db.structures.add(cell, kind="amorphous", origin="melt-quench", gates=gates, seed=seed, **fields)
    for seed, formula in enumerate(("LiH", "LiD")):
        words = ["amorphize", formula, "--atoms", "8", "--potential", "lennard-jones", "--protocol", "quickstart"]
        assert run([*words, "--seed", str(seed), "--json"]) == 0
        shown.append(json.loads(capsys.readouterr().out))
    assert [(row["reduced_formula"], row["isotopes"]) for row in shown] == [("LiH", []), ("LiD", ["D"])]


def test_amorphize_makes_several_cells_of_consecutive_seeds_once(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["amorphize", "LiCl", "--atoms", "16", "--potential", "lennard-jones", "--protocol", "quickstart"]
    words += ["--melt-temperature", "600", "--json"]

    def cells(*more):
        code = run([*words, *more])
        rows = json.loads(capsys.readouterr().out)
        assert code == (0 if all(row["accepted"] for row in rows) else 1)
        return rows

    first = cells("--seed", "3", "-n", "2")
    assert [row["seed"] for row in first] == [3, 4]
    assert first[0]["fingerprint"] != first[1]["fingerprint"]
    runs = Counter()
    monkeypatch.setattr(MeltQuenchMaker, "make", _counted(MeltQuenchMaker.make, runs))
    assert cells("--seed", "3", "-n", "3")[:2] == first
    assert runs == {5: 1}  # cells of the first two seeds are stored
    with vitrion.connect(readonly=True) as db:
        assert db.structures.count(origin="melt-quench") == 3


def test_a_cell_that_cannot_be_made_leaves_the_others(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["amorphize", "LiCl", "--atoms", "16", "--potential", "lennard-jones", "--protocol", "quickstart"]

    def broken(flow, *, description, quiet):
        if description.endswith("seed 0"):
            raise VolumeSearchFailed("no volume of zero pressure")
        return run_flow(flow, description=description, quiet=quiet)

    monkeypatch.setattr(flow_running, "run_flow", broken)
    assert run([*words, "--melt-temperature", "600", "-n", "2", "--json"]) == 1
    printed = capsys.readouterr()
    assert [row["seed"] for row in json.loads(printed.out)] == [1]
    assert "seed 0: no volume" in printed.err


def _counted(make, runs):
    def counted(self, formula, *, seed, **options):
        runs[seed] += 1
        return make(self, formula, seed=seed, **options)

    return counted


def test_amorphize_shows_the_estimates_of_the_volume(capsys):
    words = ["amorphize", "LiCl", "--atoms", "16", "--potential", "lennard-jones", "--protocol", "quickstart"]
    run([*words, "--melt-temperature", "600", "--volume", "19.5", "--json"])
    volumes = json.loads(capsys.readouterr().out)["volumes"]
    assert (volumes["rule"], volumes["volume_A3_per_atom"]) == ("given", 19.5)
    assert {estimate["source"] for estimate in volumes["estimates"]} == {"composition", "measured"}


@pytest.mark.parametrize("volume", ["zero", "-3", "nan", "1e9"])
def test_a_volume_that_cannot_be_is_refused(volume, capsys):
    assert run(["amorphize", "LiCl", "--volume", volume]) == 2
    assert "--volume" in capsys.readouterr().err


def test_a_measured_volume_of_an_unmeasured_compound_is_refused_before_anything_is_made(capsys):
    words = ["amorphize", "Li3YBr6", "--volume", "measured", "--potential", "lennard-jones", "--atoms", "10"]
    assert run(words) == 2
    assert "measured" in capsys.readouterr().err


def test_a_file_is_labelled_at_its_own_volume_and_a_made_cell_at_that_of_the_temperature(cif, capsys):
    volumes = volume_estimates("LiCl", rule="rule", temperature_K=2000.0)
    made = (LICL * (2, 2, 1)).perturb(0.1)
    with vitrion.connect() as db:
        gates = (GateOutcome(name="density", passed=True),)
        stored = db.structures.add(made, kind="amorphous", origin="melt-quench", gates=gates, volumes=volumes)

    def volume(*words):
        run(["label", *words, "-t", "900", "--potential", "lennard-jones", "--ps", "1", "--json"])
        (label,) = json.loads(capsys.readouterr().out)
        return (label["method"]["start"] or {}).get("volume_A3_per_atom")

    assert volume(str(cif)) is None
    assert volume(str(cif), "--scale-volume") == pytest.approx(volumes.at(900.0), rel=0.05)
    assert volume(stored.fingerprint) == pytest.approx(volumes.at(900.0), abs=1e-3)
    assert volume(stored.fingerprint, "--keep-volume") is None


def test_label_says_how_far_the_volume_of_a_cell_is_from_that_of_a_melt_or_glass(cif, capsys):
    words = ["-t", "1500", "--potential", "lennard-jones", "--ps", "1"]
    crystal = LICL.volume / len(LICL)
    estimated = volume_estimates("LiCl", rule="rule", temperature_K=1500.0).volume_A3_per_atom
    assert run(["label", str(cif), *words, "--json"]) == 0
    (label,) = json.loads(capsys.readouterr().out)
    assert label["volume"]["cell_A3_per_atom"] == pytest.approx(crystal)
    assert label["volume"]["estimated_A3_per_atom"] == pytest.approx(estimated)  # half as large again

    with vitrion.connect() as db:
        dense = db.structures.add(
            (LICL * (2, 2, 1)).perturb(0.1),
            kind="amorphous",
            origin="melt-quench",
            gates=(GateOutcome(name="density", passed=True),),
        )
    for cell, warned in ((str(cif), False), (dense.fingerprint, True)):
        assert run(["label", cell, *words]) == 0
        printed = capsys.readouterr().err
        assert f"{crystal:.2f}" in printed
        assert f"{estimated:.2f}" in printed
        assert ("WARNING" in printed) is warned
