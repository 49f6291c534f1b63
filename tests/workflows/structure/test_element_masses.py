"""Masses of elements: of a formula, of a crystal, and as people give them."""

import numpy as np
import pytest
from one_line import error_in_one_line
from pymatgen.core import Lattice, Structure

from vitrion_models.errors import InputError
from vitrion_workflows.schemas.geometry import isotope_masses, with_masses
from vitrion_workflows.structure.composition import cell_contents, parse_formula
from vitrion_workflows.structure.element_masses import compound_masses, masses_of_elements, with_element_masses

D, LI6 = 2.014102, 6.015
PLACES = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]]


def cell(*species):
    return Structure(Lattice.cubic(4.0), species, PLACES)


@pytest.mark.parametrize(
    ("formula", "twin", "masses"),
    [
        ("LiH", None, {}),
        ("LiD", None, {"H": D}),
        ("Li2(OT)2", None, {"H": 3.016049}),
        ("LiH2", cell("Li", "D", "D"), {"H": D}),
        ("LiH2", with_masses(cell("Li", "H", "H"), [LI6, 1.008, 1.008]), {"Li": LI6}),
        ("LiD2", cell("Li", "H", "H"), {"H": D}),
    ],
)
def test_the_masses_of_a_compound(formula, twin, masses):
    assert compound_masses(formula, twin) == pytest.approx(masses)


def test_mixed_isotopes_cannot_be_placed_at_random():
    for formula, twin in (("LiHD", None), ("LiH2", cell("Li", "H", "D"))):
        with error_in_one_line(InputError, "D and H"):
            compound_masses(formula, twin)


def test_deuterium_counts_as_hydrogen_in_a_composition():
    assert parse_formula("LiD").reduced_formula == "LiH"
    assert cell_contents("LiD", n_atoms=8) == {"Li": 4, "H": 4}


def test_the_mass_of_an_element_is_that_of_all_its_atoms():
    deuteride = cell("Li", "D", "H")
    given = with_element_masses(deuteride, {"Li": LI6})
    assert isotope_masses(given) == pytest.approx([LI6, D, 1.008])
    assert isotope_masses(with_element_masses(deuteride, {"H": 1.00794})) is None
    numbers = np.array([3, 1, 3])
    assert masses_of_elements(numbers, {"Li": LI6}) == pytest.approx([LI6, 1.008, LI6])


@pytest.mark.parametrize(("masses", "word"), [({"Na": 22.0}, "Na"), ({"Xx": 1.0}, "Xx"), ({"Li": -6.0}, "mass")])
def test_impossible_masses_of_elements_are_refused(masses, word):
    with error_in_one_line(InputError, word):
        with_element_masses(cell("Li", "H", "H"), masses)
