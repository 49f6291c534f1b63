"""JSON of structures: pymatgen, entries with energies, the Materials Project, OPTIMADE."""

import json
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Molecule, Structure
from pymatgen.entries.computed_entries import ComputedEntry, ComputedStructureEntry

from vitrion_models.errors import InputError
from vitrion_workflows.formats.structures import read_entries
from vitrion_workflows.schemas import fingerprint
from vitrion_workflows.schemas.geometry import isotope_masses

CASES = Path(__file__).parent / "cases"
A = 5.13


def rock_salt(cation="Li+", anion="Cl-"):
    fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    return Structure(Lattice.cubic(A), [cation] * 4 + [anion] * 4, [*fcc, *(fcc + 0.5)])


def entries_of(tmp_path, content):
    (tmp_path / "a.json").write_text(json.dumps(content))
    return list(read_entries(tmp_path / "a.json"))


def optimade(**changes):
    structure = rock_salt("Li", "Cl")
    attributes = {
        "lattice_vectors": structure.lattice.matrix.tolist(),
        "dimension_types": [1, 1, 1],
        "cartesian_site_positions": structure.cart_coords.tolist(),
        "species_at_sites": structure.labels,
        "species": [
            {"name": "Li", "chemical_symbols": ["Li"], "concentration": [1.0]},
            {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1.0]},
        ],
        "structure_features": [],
    }
    return {"id": "odbx/1", "type": "structures", "attributes": {**attributes, **changes}}


def test_a_computed_structure_entry_gives_structure_and_energy():
    (entry,) = read_entries(CASES / "64_entry.json")
    assert entry.structure.composition.formula == "Li4 Cl4"
    assert fingerprint(entry.structure) == fingerprint(rock_salt())
    assert entry.fields["energy_eV_per_atom"] == pytest.approx(-1.0 / 8)
    assert entry.name == "x"


def test_the_correction_of_an_energy_is_left_out_with_a_remark(tmp_path):
    computed = ComputedStructureEntry(rock_salt(), -27.2, correction=-1.5, parameters={"run_type": "GGA"})
    (entry,) = entries_of(tmp_path, computed.as_dict())
    assert entry.fields["energy_eV_per_atom"] == pytest.approx(-27.2 / 8)
    assert any("GGA" in remark and "-1.5" in remark for remark in entry.remarks)


def test_a_document_of_the_materials_project(tmp_path):
    document = {
        "material_id": "mp-22905",
        "structure": rock_salt().as_dict(),
        "band_gap": 6.25,
        "energy_above_hull": 0.0,
        "deprecated": False,
        "theoretical": None,
    }
    for content in (document, [document], {"data": [document], "meta": {"total_doc": 1}}):
        (entry,) = entries_of(tmp_path, content)
        assert entry.name == "mp-22905"
        assert entry.fields == {"band_gap_eV": 6.25, "energy_above_hull_eV_per_atom": 0.0}
        assert fingerprint(entry.structure) == fingerprint(rock_salt())


def test_every_form_of_optimade_is_the_same_structure(tmp_path):
    document = optimade()
    forms = [document, [document], {"data": document, "meta": {}}, {"data": [document]}, document["attributes"]]
    for form in forms:
        (entry,) = entries_of(tmp_path, form)
        assert fingerprint(entry.structure) == fingerprint(rock_salt())


def test_vacancies_and_partial_occupancies_of_optimade(tmp_path):
    species = [
        {"name": "Li", "chemical_symbols": ["Li", "vacancy"], "concentration": [0.8, 0.2]},
        {"name": "Cl", "chemical_symbols": ["Cl", "Br"], "concentration": [0.5, 0.5]},
    ]
    (entry,) = entries_of(tmp_path, optimade(species=species))
    amounts = entry.structure.composition.get_el_amt_dict()
    assert amounts == pytest.approx({"Li": 3.2, "Cl": 2.0, "Br": 2.0})


@pytest.mark.parametrize("mass", [6.015, [6.015]])
def test_masses_of_optimade_are_isotopes(tmp_path, mass):
    species = optimade()["attributes"]["species"]
    (entry,) = entries_of(tmp_path, optimade(species=[{**species[0], "mass": mass}, {**species[1], "mass": 35.45}]))
    assert isotope_masses(entry.structure) == pytest.approx([6.015] * 4 + [35.45] * 4)
    assert fingerprint(entry.structure) != fingerprint(rock_salt())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"species_at_sites": ["Li"] * 4 + ["Br"] * 4}, "Br"),
        ({"species_at_sites": []}, "no atoms"),
        ({"dimension_types": [1, 1, 0]}, "periodic"),
        ({"lattice_vectors": [[None] * 3, [0, 5, 0], [0, 0, 5]]}, "lattice_vectors"),
        ({"cartesian_site_positions": [[0, 0, 0]]}, "cartesian_site_positions"),
        ({"structure_features": ["assemblies"]}, "assemblies"),
        ({"structure_features": ["implicit_atoms"]}, "implicit_atoms"),
        ({"species": None}, "species"),
        ({"species": [{"name": "Li", "chemical_symbols": ["X"], "concentration": [1.0]}]}, "'X'"),
        ({"species": [{"name": "Li", "chemical_symbols": ["Li"], "concentration": [1.5]}]}, "occupancy"),
        (
            {"species": [{"name": "Li", "chemical_symbols": ["Li"], "concentration": [1.0], "attached": ["H"]}]},
            "attached",
        ),
    ],
)
def test_what_optimade_may_hold_and_a_cell_may_not(tmp_path, changes, reason):
    with pytest.raises(InputError, match=reason) as caught:
        entries_of(tmp_path, optimade(**changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["Na+", "Na1+", "Na"])
def test_species_with_charges(tmp_path, word):
    content = rock_salt("Na", "Cl").as_dict()
    for site in content["sites"][:4]:
        site["species"][0]["element"] = word
    (entry,) = entries_of(tmp_path, content)
    assert fingerprint(entry.structure) == fingerprint(rock_salt("Na", "Cl"))


def test_masses_of_sites_are_kept_and_other_properties_are_a_remark(tmp_path):
    structure = rock_salt("Li", "Cl")
    structure.add_site_property("mass_u", [6.015] * 4 + [None] * 4)
    structure.add_site_property("magmom", [0.5] * 8)
    (entry,) = entries_of(tmp_path, structure.as_dict())
    assert isotope_masses(entry.structure)[:4] == pytest.approx([6.015] * 4)
    assert any("magmom" in remark for remark in entry.remarks)


def spoilt(change):
    content = rock_salt().as_dict()
    change(content)
    return content


def set_species(species):
    return spoilt(lambda content: content["sites"][2].update(species=species))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (set_species([]), "site 3 has no species"),
        (set_species([{"element": "X", "occu": 1}]), "site 3: 'X'"),
        (set_species([{"element": "OH", "occu": 1}]), "site 3: 'OH'"),
        (set_species([{"element": "Vac", "occu": 1}]), "site 3 holds a vacancy"),
        (set_species([{"element": "Li", "occu": 0}]), "site 3: its occupancy is 0"),
        (set_species([{"element": "Li", "occu": "nan"}]), "occupancy of site 3"),
        (set_species([{"element": "Li", "occu": 0.8}, {"element": "Na", "occu": 0.8}]), "add up"),
        (spoilt(lambda content: content["sites"][0].pop("abc")), "position .* site 1"),
        (spoilt(lambda content: content["sites"][0].update(abc=[0, 0])), "position .* site 1"),
        (spoilt(lambda content: content["sites"][0].update(properties={"mass_u": -1})), "mass_u of site 1"),
        (spoilt(lambda content: content["sites"][0].update(properties={"mass_u": "heavy"})), "mass_u of site 1"),
        (spoilt(lambda content: content["sites"].clear()), "no atoms"),
        (spoilt(lambda content: content.pop("lattice")), "lattice is absent"),
        (spoilt(lambda content: content["lattice"].update(pbc=[True, True, False])), "periodic"),
        (spoilt(lambda content: content["lattice"].update(matrix=[[1, 0], [0, 1]])), "lattice"),
        (Molecule(["O", "H"], [[0, 0, 0], [0, 0, 1]]).as_dict(), "molecule"),
        (ComputedEntry("LiCl", -3.0).as_dict(), "ComputedStructureEntry"),
        ({"structure": rock_salt().as_dict(), "energy": "low"}, "energy"),
        ({"structure": rock_salt().as_dict(), "band_gap": [1]}, "band_gap"),
        ([], "no structure"),
        ([1], "no structure"),
        ({"data": {}}, "no pymatgen structure"),
        ("text", "no structure"),
        (None, "no structure"),
    ],
)
def test_what_is_no_structure_is_refused(tmp_path, content, reason):
    with pytest.raises(InputError, match=reason) as caught:
        entries_of(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_the_place_of_a_damaged_document_is_named(tmp_path):
    with pytest.raises(InputError, match="document 2"):
        entries_of(tmp_path, [rock_salt().as_dict(), {"sites": []}])


def test_an_analyzer_with_sites_without_species_is_refused():
    with pytest.raises(InputError, match="site 1"):
        list(read_entries(CASES / "d_emptyspecies.json"))


def test_sites_of_optimade_are_as_many_as_it_says(tmp_path):
    assert entries_of(tmp_path, optimade(nsites=8))
    with pytest.raises(InputError, match="nsites is 9"):
        entries_of(tmp_path, optimade(nsites=9))
