"""`vitrion arrhenius` as people type it, on files and on a database."""

import csv
import json
import math

import pytest
from plain_labels import plain_label
from stored_records import published_label

import vitrion
from vitrion.cli.app import run
from vitrion_workflows.schemas import LabelState, StartRecord
from vitrion_workflows.schemas.method import StartKind

BOLTZMANN = 8.617333262145179e-5
TEMPERATURES = (700, 900, 1100, 1500)
REQUIRED = {"unit": "cm2/s", "convention": "einstein_3d", "species": "Li", "reduced_formula": "Li3PS4"}
METHOD = plain_label("a" * 64).method
OWN_START = METHOD.model_dump_json()
PREPARED = StartRecord(kind=StartKind.EQUILIBRATED, potential="nep89", weights_sha256="c" * 64, equilibration_ps=1.0)
PREPARED_START = METHOD.model_copy(update={"start": PREPARED}).model_dump_json()


def log10_D(temperature):
    return -3.0 - 0.3 / (BOLTZMANN * temperature * math.log(10))


@pytest.fixture
def table(tmp_path):
    def write(*, name="labels.csv", without=(), **columns):
        rows = [
            {"temperature_K": t, "value": 10 ** log10_D(t), "log10_stderr": 0.03}
            | REQUIRED
            | {k: v[i] for k, v in columns.items()}
            for i, t in enumerate(TEMPERATURES)
        ]
        rows = [{name: value for name, value in row.items() if name not in without} for row in rows]
        path = tmp_path / name
        if name.endswith(".json"):
            path.write_text(json.dumps(rows))
        elif name.endswith(".jsonl"):
            path.write_text("\n".join(json.dumps(row) for row in rows))
        else:
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        return path

    return write


def answer(capsys, *words):
    assert run(["arrhenius", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def fault(capsys, *words):
    assert run(["arrhenius", *map(str, words)]) == 2
    line = capsys.readouterr().err.strip()
    assert len(line.splitlines()) == 1
    return line


@pytest.mark.parametrize("name", ["labels.csv", "labels.json", "labels.jsonl"])
def test_file_gives_the_line_and_room_temperature(table, capsys, name):
    fit = answer(capsys, table(name=name))
    assert fit["Ea_eV"] == pytest.approx(0.3, abs=0.02)
    assert (fit["measured"], fit["censored"], fit["curved"], fit["material"]) == (4, 0, False, "Li3PS4")
    (room,) = fit["predictions"]
    assert room["temperature_K"] == 300
    assert room["extrapolated"]
    assert room["interval_95"][0] < log10_D(300) < room["interval_95"][1]
    assert room["conductivity_S_per_cm"] is None


def test_the_error_may_come_from_an_interval_or_from_the_caller(table, capsys):
    expected = answer(capsys, table())
    factor = 10 ** (1.96 * 0.03)
    intervals = [[10 ** log10_D(t) / factor, 10 ** log10_D(t) * factor] for t in TEMPERATURES]
    for name in ("labels.csv", "labels.json"):
        fit = answer(capsys, table(name=name, without=["log10_stderr"], interval_95=intervals))
        assert fit["Ea_stderr_eV"] == pytest.approx(expected["Ea_stderr_eV"])
    bare = table(without=["log10_stderr"])
    assert "--stderr" in fault(capsys, bare)
    assert answer(capsys, bare, "--stderr", 0.03)["Ea_eV"] == pytest.approx(expected["Ea_eV"])


def test_conductivity_needs_charge_and_density(table, capsys):
    path = table()
    room, hot = answer(capsys, path, "--charge", "Li=1", "--ions-per-A3", 0.02, "--at", "300,1000")["predictions"]
    expected = 1.602176634e-19**2 * 0.02e24 * 10 ** hot["log10_D"] / (1.380649e-23 * 1000)
    assert hot["conductivity_S_per_cm"] == pytest.approx(expected)
    assert room["conductivity_95_S_per_cm"][0] < room["conductivity_S_per_cm"]
    assert "--ions-per-A3" in fault(capsys, path, "--charge", "Li=1")
    assert "--charge" in fault(capsys, path, "--charge", "Li", "--ions-per-A3", 0.02)
    assert "Li" in fault(capsys, path, "--charge", "Na=1")
    # Li3PS4 at 1.9 g/cm3: three ions in 180.1 u.
    (dense,) = answer(capsys, table(density_g_cm3=[1.9] * 4), "--charge", "Li=1", "--at", 1000)["predictions"]
    density = 3 * 1.9 / 180.1 / 1.66054
    assert dense["conductivity_S_per_cm"] == pytest.approx(hot["conductivity_S_per_cm"] * density / 0.02, rel=1e-3)


def test_the_density_of_ions_counts_the_mass_of_deuterium(table, capsys):
    """LiOD: a lithium ion in 6.94 + 15.999 + 2.014 u."""
    formula = {"reduced_formula": ["LiOD"] * 4, "density_g_cm3": [1.5] * 4}
    words = ("--charge", "Li=1", "--at", 1000)
    (given,) = answer(capsys, table(**formula), "--ions-per-A3", 0.02, *words)["predictions"]
    (counted,) = answer(capsys, table(isotopes=['["D"]'] * 4, **formula), *words)["predictions"]
    ratio = counted["conductivity_S_per_cm"] / given["conductivity_S_per_cm"]
    assert ratio == pytest.approx(1.5 / 24.953 / 1.66054 / 0.02, rel=1e-4)
    light = table(density_g_cm3=[1.9] * 4, isotopes=['["Li@6.015"]'] * 4)
    assert "--ions-per-A3" in fault(capsys, light, *words)


def test_isotopes_are_not_fitted_together(table, capsys):
    path = table(isotopes=["[]", "[]", '["Li@6.015"]', "[]"])
    assert "isotopes" in fault(capsys, path)
    assert answer(capsys, path, "--across", "isotopes")["measured"] == 4


def test_bound_counts(table, capsys):
    fit = answer(capsys, table(state=["censored", "", "published", "accepted"]))
    assert (fit["measured"], fit["censored"]) == (3, 1)
    assert fit["temperatures_K"] == [900, 1500]


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_plot_is_a_picture(table, tmp_path, capsys, ending, magic):
    picture = tmp_path / f"line.{ending}"
    answer(capsys, table(state=["censored", "", "", ""]), "--plot", picture)
    assert picture.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("reduced_formula", ["Li2S", "Li2S", "Li2O", "Li2O"]),
        ("kind", ["amorphous", "amorphous", "crystal", ""]),
        ("species", ["Li", "Li", "Na", "Na"]),
        ("potential", ["nep89", "nep89", "chgnet", "nep89"]),
        ("potential", ["nep89", "", "nep89", "nep89"]),
        ("weights_sha256", ["a", "a", "b", "a"]),
        ("gate_version", [1, 1, 0, 1]),
        ("protocol", ['{"friction_per_ps": 50}', "", "", ""]),
        ("method", [OWN_START, OWN_START, OWN_START, PREPARED_START]),
    ],
)
def test_a_mixture_is_refused_and_names_what_differs(table, capsys, name, values):
    line = fault(capsys, table(**{name: values}))
    assert {"protocol": "thermostat", "method": "start"}.get(name, name) in line


def test_a_mixture_names_every_field_at_once_by_the_option(table, capsys):
    potentials = {"potential": ["nep89", "nep89", "chgnet", "nep89"], "weights_sha256": ["a", "a", "c", "a"]}
    mixed = table(species=["Li", "Li", "Na", "Na"], gate_version=[1, 1, 0, 1], **potentials)
    line = fault(capsys, mixed)
    assert line.endswith("--across species --across potential --across gate_version")
    assert "across=" not in line
    assert all(part in line for part in ("Li: 2, Na: 2", "chgnet: 1, nep89: 3", "0: 1, 1: 3"))


@pytest.mark.parametrize(("name", "value"), [("unit", "m2/s"), ("convention", "slope_half"), ("property", "density")])
def test_another_unit_or_convention_is_refused(table, capsys, name, value):
    assert name in fault(capsys, table(**{name: [value] * 4}))


@pytest.mark.parametrize("name", ["temperature_K", "value", *REQUIRED])
def test_a_missing_column_is_named(table, capsys, name):
    assert name in fault(capsys, table(without=[name]))


def test_a_mixture_that_was_asked_for_is_fitted(table, capsys):
    mixed = table(potential=["nep89", "nep89", "chgnet", "nep89"], weights_sha256=["a", "a", "c", "a"])
    assert answer(capsys, mixed, "--across", "potential")["potential"] == "chgnet+nep89"
    assert "colour" in fault(capsys, table(), "--across", "colour")


def test_wrong_files_are_refused_in_one_line(table, tmp_path, capsys):
    assert "value" in fault(capsys, table(value=["x", 1e-5, 1e-5, 1e-5]))
    assert "value" in fault(capsys, table(value=[-5.1, -5, -4.9, -4.8]))  # a logarithm
    assert "interval_95" in fault(capsys, table(interval_95=["[1e-6", "", "", ""]))
    assert "state" in fault(capsys, table(state=["rejected", "accepted", "accepted", "accepted"]))
    assert "absent.csv" in fault(capsys, tmp_path / "absent.csv")
    (tmp_path / "broken.json").write_text("{")
    assert "broken.json" in fault(capsys, tmp_path / "broken.json")
    (tmp_path / "empty.csv").write_text("temperature_K,value\n")
    assert "no rows" in fault(capsys, tmp_path / "empty.csv")
    (tmp_path / "mixed.csv").write_text("temperature_K;value,unit\n700;1e-5,cm2/s\n")
    assert "';'" in fault(capsys, tmp_path / "mixed.csv")
    assert "line.html" in fault(capsys, table(), "--plot", tmp_path / "line.html")
    assert "not both" in fault(capsys, table(), "--species", "Li")
    assert "two temperatures" in fault(capsys, table(temperature_K=[900, 900, 900, 900]))


@pytest.fixture
def database(home):
    """Labels of two compositions and two sources in an embedded store."""
    with vitrion.connect(home=home) as db:
        for record, (composition, potential, shift) in enumerate(
            [("Li3PS4", "PBE", 0.0), ("Li3PS4", "r2SCAN", 0.5), ("LiCl", "PBE", 1.0)]
        ):
            for temperature in TEMPERATURES:
                label = published_label(
                    temperature_K=temperature,
                    state=LabelState.CENSORED if temperature == TEMPERATURES[0] else LabelState.PUBLISHED,
                    value=10 ** (log10_D(temperature) + shift),
                    potential=potential,
                    weights_sha256=("a" if potential == "PBE" else "b") * 64,
                    record=record,
                    composition=composition,
                    log10_stderr=0.05,
                )
                db.labels.add_imported(label)


@pytest.mark.usefixtures("database")
def test_labels_of_one_composition_and_potential(tmp_path, capsys):
    chosen = ("--reduced-formula", "Li3PS4", "--potential", "PBE")
    fit = answer(capsys, *chosen)
    assert (fit["material"], fit["species"], fit["potential"]) == ("Li3PS4", "Li", "PBE")
    assert (fit["measured"], fit["censored"]) == (3, 1)
    assert fit["Ea_eV"] == pytest.approx(0.3, abs=0.05)
    for name in ("labels.csv", "labels.jsonl"):
        assert run(["labels", "export", "--to", str(tmp_path / name), *chosen]) == 0
        capsys.readouterr()
        assert answer(capsys, tmp_path / name)["Ea_eV"] == pytest.approx(fit["Ea_eV"])


@pytest.mark.usefixtures("database")
def test_mixtures_in_the_database_are_refused_with_the_choices(capsys):
    line = fault(capsys, "--reduced-formula", "Li3PS4")
    assert "PBE: 4" in line
    assert "r2SCAN: 4" in line
    line = fault(capsys, "--potential", "PBE")
    assert "Li3PS4: 4" in line
    assert "LiCl: 4" in line
    assert answer(capsys, "--reduced-formula", "Li3PS4", "--across", "potential")["measured"] == 6


@pytest.mark.usefixtures("database")
def test_a_choice_without_labels_is_refused(capsys):
    assert "filters" in fault(capsys)
    assert "vitrion labels list" in fault(capsys, "--reduced-formula", "Li2O")
