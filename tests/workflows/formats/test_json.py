"""JSON of structures: pymatgen, entries with energies, the Materials Project, OPTIMADE."""

import json
from pathlib import Path

import numpy as np
import pytest
from one_line import error_in_one_line
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Molecule, Structure
from pymatgen.entries.computed_entries import ComputedEntry, ComputedStructureEntry

from vitrion_models.errors import InputError
from vitrion_workflows.formats.structures import read_entries
from vitrion_workflows.schemas import fingerprint
from vitrion_workflows.schemas.geometry import isotope_masses
from vitrion_workflows.trajectories.reading import read_trajectory

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


HALF = [
    {"name": "Li", "chemical_symbols": ["Li", "vacancy"], "concentration": [0.8, 0.2]},
    {"name": "Cl", "chemical_symbols": ["Cl", "Br"], "concentration": [0.5, 0.5]},
]
# One site of chlorine is vacant.
VACANT = {
    "species_at_sites": ["Li"] * 4 + ["Cl"] * 3 + ["hole"],
    "species": [
        {"name": "Li", "chemical_symbols": ["Li"], "concentration": [1.0]},
        {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1.0]},
        {"name": "hole", "chemical_symbols": ["vacancy"], "concentration": [1.0]},
    ],
}


@pytest.mark.parametrize(
    "stated",
    [
        {"nsites": 8, "nelements": 2, "elements": ["Cl", "Li"], "elements_ratios": [0.5, 0.5]},
        {"chemical_formula_reduced": "ClLi", "chemical_formula_hill": "Cl4Li4"},
        {"nsites": None, "nelements": None, "elements": None, "chemical_formula_reduced": None},
        # Vacancies are sites and no element; formulas of partial occupancies may be rounded.
        {"species": HALF, "nsites": 8, "nelements": 3, "elements": ["Br", "Cl", "Li"]},
        {"species": HALF, "chemical_formula_reduced": "Br5Cl5Li8"},
        {"species": HALF, "chemical_formula_reduced": "Br28Cl28Li45", "elements_ratios": None},
        {"species": HALF, "chemical_formula_reduced": "Br2Cl2Li3"},
        {**VACANT, "nsites": 8, "nelements": 2, "chemical_formula_reduced": "Cl3Li4"},
    ],
)
def test_what_optimade_says_of_its_sites_agrees(tmp_path, stated):
    assert entries_of(tmp_path, optimade(**stated))


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"nsites": 9}, "nsites"),
        ({"nsites": True}, "nsites"),
        ({"nsites": "8"}, "nsites"),
        ({"nelements": 3}, "nelements"),
        ({"elements": ["Br", "Li"]}, "elements"),
        ({"elements": ["Cl"]}, "elements"),
        ({"elements": "ClLi"}, "elements"),
        ({"elements": [1, {}]}, "elements"),
        ({"elements": ["Cl", "Li"], "elements_ratios": [0.4, 0.6]}, "elements_ratios"),
        ({"elements": ["Cl", "Li"], "elements_ratios": [0, 0]}, "elements_ratios"),
        ({"elements": ["Cl", "Li"], "elements_ratios": [0.5]}, "elements_ratios"),
        ({"chemical_formula_reduced": "ClLi2"}, "chemical_formula_reduced"),
        ({"chemical_formula_reduced": "BrLi"}, "chemical_formula_reduced"),
        ({"chemical_formula_reduced": "Cl1000Li1001"}, "chemical_formula_reduced"),
        ({"chemical_formula_reduced": "Qq2"}, "chemical_formula_reduced"),
        ({"chemical_formula_reduced": 7}, "chemical_formula_reduced"),
        ({"chemical_formula_hill": "ClLi2"}, "chemical_formula_hill"),
        ({"species": HALF, "chemical_formula_reduced": "BrClLi4"}, "chemical_formula_reduced"),
        ({"species": HALF, "chemical_formula_reduced": "ClLi"}, "chemical_formula_reduced"),
        ({**VACANT, "nsites": 7}, "nsites"),
        ({**VACANT, "chemical_formula_reduced": "ClLi"}, "chemical_formula_reduced"),
    ],
)
def test_what_optimade_says_against_its_sites_is_refused(tmp_path, stated, field):
    with error_in_one_line(InputError, field):
        entries_of(tmp_path, optimade(**stated))


def computed(**changes):
    return {**ComputedStructureEntry(rock_salt(), -27.2).as_dict(), **changes}


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"composition": {"Li": 4, "Cl": 4.0}},
        {"composition": {"Li+": 4, "Cl-": 4}},
        {"composition": "Li4 Cl4"},
        {"composition": None, "composition_reduced": {"Li": 1, "Cl": 1}},
        {"formula_pretty": "LiCl", "nsites": 8, "nelements": 2, "elements": ["Li", "Cl"], "chemsys": "Cl-Li"},
    ],
)
def test_what_an_entry_says_of_its_structure_agrees(tmp_path, stated):
    (entry,) = entries_of(tmp_path, computed(**stated))
    assert entry.fields["energy_eV_per_atom"] == pytest.approx(-27.2 / 8)


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"composition": {"Na": 4, "Cl": 4}}, "composition"),
        ({"composition": {"Li": 1, "Cl": 1}}, "composition"),  # of which the energy would be one of two atoms
        ({"composition": {"Li": 4, "Cl": 5}}, "composition"),
        ({"composition": {"Li": 4}}, "composition"),
        ({"composition": {}}, "composition"),
        ({"composition": {"Li": True, "Cl": "4"}}, "composition"),
        ({"composition": "Li4 Cl5"}, "composition"),
        ({"composition": 8}, "composition"),
        ({"composition_reduced": {"Li": 1, "Cl": 2}}, "composition_reduced"),
        ({"formula_pretty": "LiCl2"}, "formula_pretty"),
        ({"nsites": 7}, "nsites"),
        ({"nelements": 1}, "nelements"),
        ({"elements": ["Li", "Br"]}, "elements"),
        ({"energy": float("nan")}, "energy"),
        ({"energy": float("inf")}, "energy"),
        ({"energy": "-27.2"}, "energy"),
        ({"energy": True}, "energy"),
        ({"correction": float("nan")}, "correction"),
        ({"band_gap": False}, "band_gap"),
    ],
)
def test_what_an_entry_says_against_its_structure_is_refused(tmp_path, stated, field):
    with error_in_one_line(InputError, field):
        entries_of(tmp_path, computed(**stated))


@pytest.mark.parametrize("wrong", [True, "0.5", "", None, [0.5], {"x": 1}, float("nan")])
def test_coordinates_that_are_no_numbers_are_refused(tmp_path, wrong):
    content = rock_salt().as_dict()
    attributes = optimade()["attributes"]
    spoilt_documents = {
        "position": spoilt(lambda content: content["sites"][0].update(abc=[0, 0, wrong])),
        "lattice": spoilt(lambda content: content["lattice"]["matrix"][1].__setitem__(1, wrong)),
        "occupancy": spoilt(lambda content: content["sites"][0]["species"][0].update(occu=wrong)),
        "lattice_vectors": optimade(lattice_vectors=[[wrong, 0, 0], *attributes["lattice_vectors"][1:]]),
        "cartesian_site": optimade(
            cartesian_site_positions=[*attributes["cartesian_site_positions"][:-1], [0.0, 0.0, wrong]]
        ),
    }
    assert entries_of(tmp_path, content)
    for place, document in spoilt_documents.items():
        with error_in_one_line(InputError, place):
            entries_of(tmp_path, document)


def analyzer():
    sites = [{"species": [{"element": word}], "abc": [0.5 * n, 0.0, 0.0]} for n, word in enumerate(("Li", "Cl"))]
    return {
        "structure": {"lattice": {"matrix": [[6.0, 0, 0], [0, 6.0, 0], [0, 0, 6.0]]}, "sites": sites},
        "displacements": [[[0.0, 0.0, 0.01 * n] for n in range(3)]] * 2,
        "time_step": 2,
        "step_skip": 10,
        "temperature": 300,
        "@class": "DiffusionAnalyzer",
    }


@pytest.mark.parametrize("wrong", [True, "1.5", None, float("nan")])
def test_an_analyzer_of_words_for_numbers_is_refused(tmp_path, wrong):
    (tmp_path / "run.json").write_text(json.dumps(analyzer()))
    assert len(read_trajectory(tmp_path / "run.json", file_format="diffusion-analyzer")) == 3
    for spoil in (
        lambda content: content.update(time_step=wrong),
        lambda content: content["displacements"][0][1].__setitem__(0, wrong),
        lambda content: content["structure"]["sites"][0].update(abc=[0.0, wrong, 0.0]),
        lambda content: content["structure"]["lattice"]["matrix"][2].__setitem__(0, wrong),
    ):
        content = json.loads(json.dumps(analyzer()))
        spoil(content)
        (tmp_path / "run.json").write_text(json.dumps(content))
        with error_in_one_line(InputError, "run.json"):
            read_trajectory(tmp_path / "run.json", file_format="diffusion-analyzer")
