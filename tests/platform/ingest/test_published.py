"""Tables of published numbers: quantity and unit declared in the header, else refused."""

import csv
import json
import math

import numpy as np
import pytest

import vitrion
from vitrion.cli.app import run
from vitrion.exchange.quantities import Quantity, Temperature, parse_header
from vitrion.exchange.units import match_unit
from vitrion_models.errors import InputError

MD = ("--species", "Li", "--convention", "einstein_3d", "--potential", "pbe")
MEASURED = ("--species", "Li", "--potential", "experiment")


@pytest.mark.parametrize(
    ("header", "number", "in_stored_unit"),
    [
        ("D (cm2/s)", 3e-5, 3e-5),
        ("D [m2/s]", 3e-9, 3e-5),
        ("Diffusivity (cm^2 s^-1)", 3e-5, 3e-5),
        ("D (m\u00b2\u00b7s\u207b\u00b9)", 3e-9, 3e-5),
        ("D (A2/ps)", 0.3, 3e-5),
        ("log10 D (cm2/s)", -4.5, 10**-4.5),
        ("log10(D) (m2/s)", -8.5, 10**-4.5),
        ("sigma (S/cm)", 2e-3, 2e-3),
        ("sigma (S/m)", 0.2, 2e-3),
        ("\u03c3 (mS cm-1)", 2.0, 2e-3),
        ("log10_sigma (S/cm)", -3, 1e-3),
        ("log10 sigma (S/m)", -1, 1e-3),
        ("sigma T (S K/cm)", 0.8, 2e-3),
        ("log10 sigma T (S K/cm)", math.log10(0.8), 2e-3),
        ("log10(sigma T) (S cm-1 K)", math.log10(0.8), 2e-3),
        ("D / m2 s-1", 3e-9, 3e-5),
        ("D/cm2/s", 3e-5, 3e-5),
        ("D/(cm^{2} s^{-1})", 3e-5, 3e-5),
        ("D* (cm**2/s)", 3e-5, 3e-5),
        ("Self-diffusion coefficient (\u00c5\u00b2/ns)", 300, 3e-5),
        ("DIFFUSIVITY [nm2/ps]", 3e-3, 3e-5),
        ("log10(D/cm2 s-1)", -4.5, 10**-4.5),
        ("log\u2081\u2080[D (cm\u00b2/s)]", -4.5, 10**-4.5),
        ("log10D [m2/s]", -8.5, 10**-4.5),
        ("ln(D / m2 s-1)", math.log(3e-9), 3e-5),
        ("Conductivity (S cm^-1)", 2e-3, 2e-3),
        ("Ionic conductivity (\u03a9\u207b\u00b9 cm\u207b\u00b9)", 2e-3, 2e-3),
        ("\u03c3 / S cm-1", 2e-3, 2e-3),
        ("\u03c3 (\u00b5S/cm)", 2000, 2e-3),
        ("lg(\u03c3 / S cm-1)", math.log10(2e-3), 2e-3),
        ("lg(\u03c3T / S K cm-1)", math.log10(0.8), 2e-3),
        ("ln(\u03c3T / K S cm-1)", math.log(0.8), 2e-3),
        ("\u03c3\u00b7T (S\u00b7cm\u207b\u00b9\u00b7K)", 0.8, 2e-3),
        ("sigma T / S K m-1", 80, 2e-3),
    ],
)
def test_a_header_declares_quantity_and_unit(header, number, in_stored_unit):
    quantity = parse_header(header)
    assert isinstance(quantity, Quantity)
    value = quantity.published(number) * quantity.conversion_factor(400.0)
    assert value == pytest.approx(in_stored_unit, rel=1e-12)


@pytest.mark.parametrize(
    ("header", "number", "kelvin"),
    [
        ("T (K)", 298.15, 298.15),
        ("Temperature (\u00b0C)", 25, 298.15),
        ("T [degC]", 25, 298.15),
        ("1000/T (K-1)", 2.5, 400),
        ("1000/T / K-1", 2.5, 400),
        ("10\u00b3/T (1/K)", 2.5, 400),
        ("T/K", 298.15, 298.15),
        ("T / \u00b0C", 25, 298.15),
        ("TEMPERATURE [\u2103]", 25, 298.15),
        ("Temp. (K)", 300, 300),
    ],
)
def test_a_temperature_declares_its_unit(header, number, kelvin):
    temperature = parse_header(header)
    assert isinstance(temperature, Temperature)
    assert temperature.to_kelvin(number) == pytest.approx(kelvin)


@pytest.mark.parametrize(
    "header",
    [
        "T",
        "temperature",
        "D",
        "log10 D",
        "sigma",
        "log10_sigma",
        "log10 sigma T",
        "log sigma (S/cm)",
        "log(\u03c3T / S K cm-1)",
        "D / cm s-1",
        "D (10^-6 cm2/s)",
        "D (cm2/s-1)",
        "D/D0",
        "T/Tg",
        "1000/T (1000/K)",
        "sigma_T (S/cm)",
        "\u03c3 / mS",
        "log10(D)",
        "D (S/cm)",
        "sigma (MS/cm)",
        "sigma (S K/cm)",
        "sigma T (S/cm)",
        "T (F)",
        "log10 T (K)",
    ],
)
def test_a_quantity_without_its_unit_or_the_base_of_its_logarithm_is_refused(header):
    with pytest.raises(InputError, match="column"):
        parse_header(header)


OTHERS = ("family", "log10_y", "log_target", "note (free text)", "R (ohm)", "t (h)", "d / nm", "Tg (K)")


@pytest.mark.parametrize("header", [*OTHERS, "D0 (cm2/s)", "D_sigma (cm2/s)"])
def test_other_headers_declare_nothing(header):
    assert parse_header(header) is None


def write(home, text, name="numbers.csv"):
    path = home.parent / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def stored():
    with vitrion.connect(readonly=True) as db:
        return sorted(db.labels.search(), key=lambda row: row.temperature_K)


def test_units_are_converted_and_the_published_number_kept(home, capsys):
    path = write(home, "composition,T (C),log10 D (m2/s),lower_95,upper_95,doi\nLi3PS4,726.85,-9,-9.2,-8.8,10.1/x\n")
    assert run(["ingest", "labels", path, *MD, "--json"]) == 0
    assert "doi" in json.loads(capsys.readouterr().out)["remarks"][0]
    (label,) = stored()
    assert label.temperature_K == pytest.approx(1000)
    assert label.value == pytest.approx(1e-5)
    assert label.interval_95 == pytest.approx((10**-5.2, 10**-4.8))
    assert (label.unit, label.property) == ("cm2/s", "tracer_diffusivity")
    assert label.source_value * label.conversion_factor == pytest.approx(label.value)
    assert "m2/s" in label.conversion
    assert "log10" in label.conversion


def test_a_conductivity_stays_one_and_is_divided_by_its_temperature_only_where_declared(home):
    text = "composition,T (K),{}\nLi7La3Zr2O12,400,-2\n"
    plain = write(home, text.format("log10 sigma (S/cm)"), "plain.csv")
    product = write(home, text.format("log10 sigma T (S K/cm)"), "product.csv")
    assert run(["ingest", "labels", plain, product, *MEASURED]) == 0
    values = {label.dataset: label for label in stored()}
    assert values["plain.csv"].value == pytest.approx(1e-2)
    assert values["product.csv"].value == pytest.approx(1e-2 / 400)
    assert {label.property for label in values.values()} == {"ionic_conductivity"}
    assert {label.unit for label in values.values()} == {"S/cm"}


def test_a_column_is_declared_without_editing_the_file(home, capsys):
    """The digitised table mixes log10 sigma and log10 sigma T under one name: neither is assumed."""
    path = write(home, "compound,T_K,log10_y\nLi6PS5Cl,300,-2.5\n")
    assert run(["ingest", "labels", path, *MEASURED]) == 2
    assert "temperature" in capsys.readouterr().err
    named = ("--column", "compound=composition", "--column", "T_K=T (K)")
    assert run(["ingest", "labels", path, *MEASURED, *named]) == 2
    assert "diffusivity or conductivity" in capsys.readouterr().err
    assert run(["ingest", "labels", path, *MEASURED, *named, "--column", "log10_y=log10 sigma T (S K/cm)"]) == 0
    assert stored()[0].value == pytest.approx(10**-2.5 / 300)


@pytest.mark.parametrize(
    ("header", "number"),
    [("D_Li (cm2/s)", 1e-5), ("D_{Li^+} / cm2 s-1", 1e-5), ("D(Li) [m2/s]", 1e-9), ("lg(D_Li / cm2 s-1)", -5)],
)
def test_a_header_names_the_species(home, capsys, header, number):
    path = write(home, f"composition,T / K,{header}\nLi3PS4,300,{number}\n")
    assert run(["ingest", "labels", path, "--potential", "pbe", "--convention", "einstein_3d", "--species", "P"]) == 2
    assert "not of P" in capsys.readouterr().err
    assert run(["ingest", "labels", path, "--potential", "pbe", "--convention", "einstein_3d"]) == 0
    (label,) = stored()
    assert label.species == "Li"
    assert label.value == pytest.approx(1e-5)


def test_a_declared_column_goes_before_other_headers(home, capsys):
    """Tables often give one quantity twice, or keep a field's name for something else."""
    path = write(home, "composition,state,T (K),T (C),sigma (S/cm),log10 sigma\nLi3PS4,glass,300,30,1e-4,-5\n")
    assert run(["ingest", "labels", path, *MEASURED]) == 2
    columns = ("state=ignored", "T (C)=T (C)", "log10 sigma=log10 sigma (S/cm)")
    assert run(["ingest", "labels", path, *MEASURED, *(word for each in columns for word in ("--column", each))]) == 0
    (label,) = stored()
    assert label.temperature_K == pytest.approx(303.15)
    assert label.value == pytest.approx(1e-5)
    assert "T (K), sigma (S/cm)" in capsys.readouterr().err


@pytest.mark.data
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("li_glass_dev", ("sigma_S_cm=sigma (S/cm)", "source_doi=reference"), 94),
        ("li_glass_dev", ("log10_sigma=log10 sigma (S/cm)",), 94),
        ("LiIonDatabase", ("temperature=T (C)", "target=sigma (S/cm)", "source=reference"), 800),
    ],
)
def test_published_tables_of_conductivities_go_in_whole(data_mirror, name, columns, rows):
    path = data_mirror / "glass_conductivity" / f"{name}.csv"
    declared = [word for each in columns for word in ("--column", each)]
    assert run(["ingest", "labels", str(path), *MEASURED, *declared]) == 0
    with path.open(encoding="utf-8") as file:
        table = [
            (float(row.get("temperature_C") or row["temperature"]), float(row.get("sigma_S_cm") or row["target"]))
            for row in csv.DictReader(file)
        ]
    labels = [(label.temperature_K - 273.15, label.value) for label in stored()]
    assert len(labels) == rows
    assert np.array(sorted(labels)) == pytest.approx(np.array(sorted(table)), rel=1e-4)


@pytest.mark.data
@pytest.mark.usefixtures("home")
def test_the_digitised_arrhenius_points_are_refused_until_they_are_declared(data_mirror, capsys):
    path = data_mirror / "glass_conductivity" / "crystal_arrhenius" / "arrhenius_points.csv"
    assert run(["ingest", "labels", str(path), *MEASURED]) == 2
    assert "temperature" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "options", "quantity"),
    [
        ("composition,T (K),T (C),D (cm2/s)\nLi2S,300,27,1e-7\n", MD, "temperature"),
        ("composition,T (K),D (cm2/s),D (m2/s)\nLi2S,300,1e-7,1e-11\n", MD, "diffusivity"),
        (
            "composition,T (K),D (cm2/s),value,unit,property\nLi2S,300,1e-7,1e-7,cm2/s,tracer_diffusivity\n",
            MD,
            "property",
        ),
        ("composition,T (K),D (cm2/s)\nLi2S,25,1e-7\n", MD, "25 K"),
        ("composition,T (K),D (cm2/s)\nLi2S,-300,1e-7\n", MD, "-300 K"),
        ("composition,T (K),D (cm2/s)\nLi2S,300,-1e-7\n", MD, "value"),
        ("composition,T (K),log10 D (cm2/s)\nLi2S,300,400\n", MD, "too large"),
        ('composition,T (K),D (cm2/s)\nLi2S,300,"1,5e-7"\n', MD, "point"),
        ("composition,T (K),D (cm2/s)\nLi2S,300,1e-7\n", MEASURED, "convention"),
        ("composition,T (K),sigma (S/cm)\nLi2S,300,1e-7\n", ("--species", "Li"), "potential"),
        ("composition,species,T (K),sigma (S/cm)\nLi2S,Li,300,1e-7\n", MEASURED, "species"),
        ("composition,T (K),D (cm2/s)\nLi2S,300,1e-7\n", (*MD, "--column", "x=T (K)"), "column 'x'"),
        ("composition,T (K),D (cm2/s),x\nLi2S,300,1e-7,1\n", (*MD, "--column", "x=colour"), "colour"),
        ("composition,1000/T (1/K),D (cm2/s)\nLi2S,0,1e-7\n", MD, "zero"),
    ],
)
def test_what_cannot_be_meant_refuses_the_table(home, capsys, text, options, quantity):
    assert run(["ingest", "labels", write(home, text), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert quantity in line
    assert "numbers.csv" in line or "column" in line


@pytest.mark.parametrize("text", ["x" * 60 + "!", "S cm" * 2000 + "!", "/ a" * 3000 + "!", "m" + "9" * 5000])
def test_what_is_no_unit_is_told_at_once(text):
    assert match_unit(text, ("cm2/s", "S/cm")) is None
