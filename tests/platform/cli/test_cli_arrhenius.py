"""`vitrion arrhenius` as people type it, on files and on a database."""

import csv
import json

import numpy as np
import pytest

import vitrion
from vitrion.cli.app import run
from vitrion.database.repositories.labels import ImportedLabel
from vitrion_workflows.schemas import LabelState

BOLTZMANN = 8.617333262145179e-5
TEMPERATURES = (700, 900, 1100, 1500)
STATED = {
    "species": "Li",
    "convention": "einstein_3d",
    "potential": "nep89",
    "weights_sha256": "a" * 64,
    "protocol_hash": "b" * 64,
    "start": "",
}


def log10_D(temperature):
    return -3.0 - 0.3 / (BOLTZMANN * temperature * np.log(10))


@pytest.fixture
def table(tmp_path):
    def write(*, name="labels.csv", bare=False, **columns):
        rows = [
            {"temperature_K": t, "log10_D": log10_D(t), "log10_stderr": 0.03}
            | ({} if bare else STATED)
            | {k: v[i] for k, v in columns.items()}
            for i, t in enumerate(TEMPERATURES)
        ]
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
    told = capsys.readouterr().err.strip()
    assert len(told.splitlines()) == 1
    return told


@pytest.mark.parametrize("name", ["labels.csv", "labels.json", "labels.jsonl"])
def test_file_gives_the_line_and_room_temperature(table, capsys, name):
    found = answer(capsys, table(name=name))
    assert found["Ea_eV"] == pytest.approx(0.3, abs=0.02)
    assert (found["measured"], found["censored"], found["curved"]) == (4, 0, False)
    (room,) = found["predictions"]
    assert room["temperature_K"] == 300
    assert room["extrapolated"]
    assert room["interval_95"][0] < log10_D(300) < room["interval_95"][1]
    assert "conductivity_S_per_cm" not in room


def test_conductivity_needs_charge_and_density(table, capsys):
    path = table()
    found = answer(capsys, path, "--charge", "Li=1", "--ions-per-A3", 0.02, "--at", 300, "--at", 1000)
    room, hot = found["predictions"]
    expected = 1.602176634e-19**2 * 0.02e24 * 10 ** hot["log10_D"] / (1.380649e-23 * 1000)
    assert hot["conductivity_S_per_cm"] == pytest.approx(expected)
    assert room["conductivity_95_S_per_cm"][0] < room["conductivity_S_per_cm"]
    assert "--ions-per-A3" in fault(capsys, path, "--charge", "Li=1")
    assert "--charge" in fault(capsys, path, "--ions-per-A3", 0.02)
    assert "states no charges" in fault(capsys, path, "--charge", "Li", "--ions-per-A3", 0.02)


def test_bound_counts(table, capsys):
    path = table(censored=["yes", "", "no", "0"])
    found = answer(capsys, path)
    assert (found["measured"], found["censored"]) == (3, 1)
    assert found["temperatures_K"] == [900, 1500]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_plot_is_a_picture(table, tmp_path, capsys, ending):
    picture = tmp_path / f"line.{ending}"
    answer(capsys, table(censored=[True, False, False, False]), "--plot", picture)
    assert picture.read_bytes().startswith(b"\x89PNG" if ending == "png" else b"<?xml")


def test_mixtures_in_a_file_are_refused_with_the_choices(table, capsys):
    told = fault(capsys, table(potential=["nep89", "nep89", "chgnet", "nep89"]))
    assert "potential (chgnet: 1, nep89: 3)" in told
    assert "einstein_3d is needed" in fault(capsys, table(convention=["slope_half"] * 4))
    assert "cm2/s is needed" in fault(capsys, table(unit=["m2/s"] * 4))


def test_a_file_that_does_not_say_what_its_labels_are_needs_somebodys_word(table, capsys):
    told = fault(capsys, table(bare=True))
    assert "does not say species, convention, potential, weights_sha256, protocol, start" in told
    assert "--one-source" in told
    found = answer(capsys, table(bare=True), "--one-source")
    assert found["vouched_for"] == ["species", "convention", "potential", "weights_sha256", "protocol", "start"]
    assert answer(capsys, table())["vouched_for"] == []
    # A word for what is not said is none against what is.
    told = fault(capsys, table(bare=True, potential=["nep89", "nep89", "chgnet", "nep89"]), "--one-source")
    assert "potential (chgnet: 1, nep89: 3)" in told
    assert "does not say potential" in fault(capsys, table(potential=["nep89", "", "nep89", "nep89"]))
    assert run(["arrhenius", str(table(bare=True)), "--one-source"]) == 0
    assert "on your word" in capsys.readouterr().err


def test_starts_protocols_and_data_sets_of_a_file_do_not_mix(table, capsys):
    prepared = json.dumps({"kind": "equilibrated_by", "potential": "nep89"})
    assert "more than one start" in fault(capsys, table(start=["", "", prepared, ""]))
    assert "more than one start" in fault(capsys, table(arm=["random", "reference", "random", "random"]))
    assert "more than one protocol" in fault(capsys, table(protocol_hash=["b" * 64] * 3 + ["c" * 64]))
    assert "dataset (not said: 2, table: 2)" in fault(capsys, table(dataset=["table", "table", "", ""]))
    mixed = table(potential=["nep89", "nep89", "chgnet", "nep89"], weights_sha256=["a", "a", "c", "a"])
    assert answer(capsys, mixed, "--across", "potential")["measured"] == 4
    assert "cannot be mixed across 'colour'" in fault(capsys, table(), "--across", "colour")


def test_wrong_files_are_told_in_one_line(table, tmp_path, capsys):
    assert "no number" in fault(capsys, table(log10_D=["x", -5, -5, -5]))
    renamed = table()
    renamed.write_text(renamed.read_text().replace("log10_D", "value_cm2_per_s", 1))
    assert "it has no log10_D: rows need temperature_K, log10_D (D in cm2/s)" in fault(capsys, renamed)
    assert "say true or false" in fault(capsys, table(censored=["maybe", "", "", ""]))
    assert "--stderr" in fault(capsys, table(log10_stderr=["", 0.1, 0.1, 0.1]))
    assert "rejected" in fault(capsys, table(state=["rejected", "accepted", "accepted", "accepted"]))
    assert "cannot be read" in fault(capsys, tmp_path / "absent.csv")
    (tmp_path / "broken.json").write_text("{")
    assert "no table" in fault(capsys, tmp_path / "broken.json")
    (tmp_path / "empty.csv").write_text("temperature_K,log10_D\n")
    assert "no rows" in fault(capsys, tmp_path / "empty.csv")
    assert ".png or .svg" in fault(capsys, table(), "--plot", tmp_path / "line.pdf")
    assert "not both" in fault(capsys, table(), "--species", "Li")
    assert "two temperatures" in fault(capsys, table(temperature_K=[900, 900, 900, 900]))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("temperature_K,log10_D,log10_stderr,temperature_K\n600,-5.5,.1,3\n800,-5,.1,4\n", "two columns are called"),
        ("temperature_K,log10_D,log10_stderr\n600,-5.5,.1,9\n800,-5,.1\n", "row 1 has 4 cells under 3 names"),
        ("temperature_K,log10_D,log10_stderr\n600,3e-6,.1\n800,1e-5,.1\n", "not D itself"),
    ],
)
def test_a_table_that_can_be_read_in_two_ways_is_refused(tmp_path, capsys, text, told):
    (tmp_path / "odd.csv").write_text(text)
    assert told in fault(capsys, tmp_path / "odd.csv", "--one-source")


def test_spaces_about_names_and_cells_and_empty_lines_do_no_harm(tmp_path, capsys):
    rows = "\n".join(f" {t} , {log10_D(t)} , .03 , no " for t in TEMPERATURES)
    (tmp_path / "wide.csv").write_text(f"temperature_K , log10_D, log10_stderr, censored\n{rows}\n\n")
    assert answer(capsys, tmp_path / "wide.csv", "--one-source")["Ea_eV"] == pytest.approx(0.3, abs=0.02)


def test_stated_error_stands_in_for_one_that_is_missing(table, capsys):
    found = answer(capsys, table(log10_stderr=["", "", "", ""]), "--stderr", 0.1)
    assert found["measured"] == 4


@pytest.fixture
def database(tmp_path, monkeypatch):
    """Labels of two compositions and two sources in an embedded store."""
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    with vitrion.connect() as db:
        for record, (composition, potential, shift) in enumerate(
            [("Li3PS4", "PBE", 0.0), ("Li3PS4", "r2SCAN", 0.5), ("LiCl", "PBE", 1.0)]
        ):
            for temperature in TEMPERATURES:
                db.labels.add_imported(
                    ImportedLabel(
                        property="tracer_diffusivity",
                        species="Li",
                        temperature_K=temperature,
                        state=LabelState.CENSORED if temperature == TEMPERATURES[0] else LabelState.PUBLISHED,
                        value=10 ** (log10_D(temperature) + shift),
                        unit="cm2/s",
                        convention="einstein_3d",
                        potential=potential,
                        weights_sha256=("a" if potential == "PBE" else "b") * 64,
                        dataset="table",
                        record=record,
                        composition=composition,
                        log10_stderr=0.05,
                    )
                )


@pytest.mark.usefixtures("database")
def test_labels_of_one_composition_and_potential(capsys):
    found = answer(capsys, "--reduced-formula", "Li3PS4", "--potential", "PBE")
    assert (found["material"], found["species"]) == ("Li3PS4", "Li")
    assert (found["measured"], found["censored"]) == (3, 1)
    assert found["Ea_eV"] == pytest.approx(0.3, abs=0.05)


@pytest.mark.usefixtures("database")
def test_mixtures_in_the_database_are_refused_with_the_choices(capsys):
    told = fault(capsys, "--reduced-formula", "Li3PS4")
    assert "PBE: 4" in told
    assert "r2SCAN: 4" in told
    told = fault(capsys, "--potential", "PBE")
    assert "Li3PS4: 4" in told
    assert "LiCl: 4" in told
    assert answer(capsys, "--reduced-formula", "Li3PS4", "--across", "potential")["measured"] == 6


@pytest.mark.usefixtures("database")
def test_nothing_to_fit_is_told(capsys):
    assert "say what to fit" in fault(capsys)
    assert "vitrion labels list" in fault(capsys, "--reduced-formula", "Li2O")


@pytest.mark.usefixtures("database")
def test_an_export_says_all_that_is_asked_of_a_file(tmp_path, capsys):
    target = tmp_path / "labels.csv"
    words = ["labels", "export", "--to", str(target), "--reduced-formula", "Li3PS4", "--potential", "PBE"]
    assert run(words) == 0
    capsys.readouterr()
    assert answer(capsys, target)["vouched_for"] == []


@pytest.mark.parametrize("column", ["reduced_formula", "formula", "Formula", "composition", "chemical_formula"])
def test_rows_of_two_formulas_do_not_mix(table, capsys, column):
    """--one-source vouches for potential, protocol and start, not for the material: two made one line, unsaid."""
    two = table(bare=True, **{column: ["Li2S", "Li2S", "Li2O", "Li2O"]})
    told = fault(capsys, two, "--one-source")
    assert f"of more than one {column.lower()} (Li2O: 2, Li2S: 2)" in told
    found = answer(capsys, two, "--one-source", "--across", column.lower())
    assert (found["measured"], found["material"]) == (4, two.name)
    one = table(bare=True, **{column: ["Li2S", "Li16S8", "Li2 S1", "Li2S"]})
    found = answer(capsys, one, "--one-source")
    assert (found["measured"], found["material"]) == (4, "Li2S")


@pytest.mark.parametrize("column", ["material", "Material", "material_id", "compound", "sample"])
@pytest.mark.parametrize("names", [("S1", "S2"), ("B12", "B3"), ("glass", "crystal"), ("Li2S", "Li2O")])
def test_rows_of_two_samples_do_not_mix_though_their_names_look_like_formulas(table, capsys, column, names):
    first, second = names
    two = table(bare=True, formula=["Li3PS4"] * 4, **{column: [first, first, second, second]})
    told = fault(capsys, two, "--one-source")
    assert f"of more than one {column.lower()}" in told
    assert f"{first}: 2" in told
    found = answer(capsys, two, "--one-source", "--across", column.lower())
    assert (found["measured"], found["material"]) == (4, "Li3PS4")
    assert answer(capsys, table(bare=True, **{column: ["S1"] * 4}), "--one-source")["material"] == "S1"


def test_a_material_that_some_rows_leave_out_or_that_is_no_formula(table, capsys):
    assert "sample (S1: 3, not said: 1)" in fault(capsys, table(sample=["S1", "S1", "S1", ""]))
    assert answer(capsys, table(formula=["Li1e400"] * 4))["material"] == "Li1e400"


def test_other_separators_are_named(tmp_path, capsys):
    (tmp_path / "semicolons.csv").write_text("temperature_K;log10_D;log10_stderr\n700;-5;0.1\n900;-4;0.1\n")
    assert "separated by ';'" in fault(capsys, tmp_path / "semicolons.csv", "--one-source")
