"""docs/formats.md names every table, export, quantity and unit."""

from pathlib import Path

import pytest

from vitrion.exchange import export, quantities, tables, units
from vitrion.ingest.published import FIELDS

PAGE = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
SECTIONS = {title: text for title, _, text in (part.partition("\n") for part in PAGE.split("\n## ")[1:])}


def words(section):
    return {word.strip("`*.,;:()[]|") for word in SECTIONS[section].split()}


@pytest.mark.parametrize("ending", tables.ENDINGS)
def test_every_ending_of_a_table_is_on_the_page(ending):
    assert ending.removeprefix(".") in words("Tables in")


@pytest.mark.parametrize("ending", export.TABLE_SUFFIXES | export.STRUCTURE_SUFFIXES)
def test_every_ending_of_an_export_is_on_the_page(ending):
    assert ending.removeprefix(".") in words("Out")


@pytest.mark.parametrize("name", sorted({*export.TABLE_SUFFIXES.values(), *export.STRUCTURE_SUFFIXES.values()}))
def test_every_format_of_an_export_is_on_the_page(name):
    assert f"`{name}`" in SECTIONS["Out"]


@pytest.mark.parametrize(
    "unit",
    [*units.DIFFUSIVITY_UNITS, *units.CONDUCTIVITY_UNITS, *units.PRODUCT_UNITS, *quantities.TEMPERATURE_UNITS],
)
def test_every_unit_is_on_the_page(unit):
    assert unit in SECTIONS["Tables in"]


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_every_field_of_a_published_number_is_on_the_page(field):
    assert f"`{field}`" in SECTIONS["Tables in"]


@pytest.mark.parametrize(
    "header",
    ["log10 D (m2/s)", "lg(σT / S K cm-1)", "ln(D / m2 s-1)", "T / K", "D_Li (cm^2/s)", "1000/T / K-1"],
)
def test_headers_on_the_page_are_read(header):
    assert f"`{header}`" in PAGE
    assert quantities.parse_header(header) is not None
