"""Isotopes in the database: distinct structures, found by their elements, given back with their masses."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from vitrion.database.queries.filters import reduced_formula
from vitrion.database.repositories.cells import arrays_from_geometry, arrays_of, geometry_fields
from vitrion_workflows.schemas import StructureKind, fingerprint
from vitrion_workflows.schemas.geometry import isotope_masses, with_masses

D, LI6 = 2.014102, 6.015


def halite(cation, anion):
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.08), [cation, anion], [[0, 0, 0], [0.5] * 3])


def lithium_six(structure):
    numbers = np.array(structure.atomic_numbers)
    masses = isotope_masses(structure)
    usual = np.where(numbers == 3, 6.94, 1.008) if masses is None else masses
    return with_masses(structure, np.where(numbers == 3, 6.0151, usual))


CELLS = {
    "hydride": halite("Li", "H"),
    "deuteride": halite("Li", "D"),
    "tritide": halite("Li", "T"),
    "light lithium": lithium_six(halite("Li", "H")),
    "both": lithium_six(halite("Li", "D")),
    "shared": halite("Li", {"D": 0.75, "H": 0.25}),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_geometry_document_keeps_isotopes(name):
    cell = CELLS[name]
    document = geometry_fields(arrays_of(cell))
    again = arrays_from_geometry(document)
    assert again.fingerprint == fingerprint(cell) == fingerprint(again.structure())
    assert {symbol for species in document["species"] for symbol in species["chemical_symbols"]} == {"H", "Li"}
    assert any("mass" in species for species in document["species"]) == (name != "hydride")


def test_the_species_of_a_deuteride_follow_optimade():
    species = geometry_fields(arrays_of(CELLS["deuteride"]))["species"]
    assert species == [
        {"name": "D", "chemical_symbols": ["H"], "concentration": [1.0], "mass": [D]},
        {"name": "Li", "chemical_symbols": ["Li"], "concentration": [1.0]},
    ]


def test_isotopes_are_stored_apart_and_found_by_their_elements(db):
    added = {name: db.structures.add(cell, kind=StructureKind.CRYSTAL) for name, cell in CELLS.items()}
    assert all(result.created for result in added.values())
    moved = halite("Li", "H").translate_sites(range(8), [1e-9, 0, 0])
    assert db.structures.add(moved, kind=StructureKind.CRYSTAL).fingerprint == added["hydride"].fingerprint
    assert db.structures.count(chemsys="H-Li") == db.structures.count(elements_all=["H"]) == len(CELLS)
    rows = {name: db.structures.get(result.fingerprint) for name, result in added.items()}
    assert {name: row.reduced_formula for name, row in rows.items()} == {
        "hydride": "LiH",
        "deuteride": "LiD",
        "tritide": "LiT",
        "light lithium": "LiH",
        "both": "LiD",
        "shared": "Li4D3H",
    }
    assert rows["both"].isotopes == ("D", "Li@6.015")
    assert rows["hydride"].isotopes == ()
    assert rows["shared"].n_elements == 2
    assert rows["light lithium"].mobile_ion_fraction == pytest.approx(0.5)
    assert {row.fingerprint for row in db.structures.search(reduced_formula="Li2D2")} == {
        added[name].fingerprint for name in ("deuteride", "both")
    }
    for name in ("deuteride", "light lithium", "both"):
        system = db.structures.system(added[name].fingerprint)
        expected = {3: LI6 if "lithium" in name or name == "both" else 6.94, 1: 1.008 if "lithium" in name else D}
        assert system.masses_u == pytest.approx([expected[number] for number in system.numbers])


def test_density_counts_isotopes():
    """Rock salt of four formula units in 4.08 A: (6.94 + M) u times 4 over the volume."""
    from vitrion.database.repositories.cells import describe

    for name, mass in (("hydride", 6.94 + 1.008), ("deuteride", 6.94 + D), ("both", LI6 + D)):
        density = describe(arrays_of(CELLS[name]))["density_g_cm3"]
        assert density == pytest.approx(4 * mass / 4.08**3 * 1.66053907, rel=2e-4)


@pytest.mark.parametrize(("text", "formula"), [("D2O", "D2O"), ("LiD", "LiD"), ("H2O", "H2O"), ("Li6P2S8", "Li3PS4")])
def test_formulas_show_deuterium(text, formula):
    assert reduced_formula(text) == formula
