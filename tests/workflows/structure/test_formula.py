"""Formulas as people type them: the grammar, its refusals, and pymatgen as the outside reference."""

import pytest
from ase.data import chemical_symbols
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core.composition import Composition

from vitrion_models.errors import InputError
from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.structure.formula import ELEMENTS, element_amounts


def test_the_elements_are_those_of_ase():
    assert list(ELEMENTS) == chemical_symbols[1:]


@pytest.mark.parametrize(
    "formula",
    ["Li3PS4", "Li5(PS4)2", "Li0.33La0.56TiO3", "Li3 P1 S4", "Li10Ge(P[S3]2)2", "Li.5CoO2", "CoCO3", "CH3COOH"],
)
def test_amounts_are_those_of_pymatgen(formula):
    assert element_amounts(formula) == dict(Composition(formula).as_dict())


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("Li0Cl", "amount of 0"),
        ("Li3(PO4)0", "amount of 0"),
        ("Li0.00Cl", "amount of 0"),
        ("Li0.0000000001Cl", "of Li"),
        ("Li99999999999", "of Li"),
        ("Li3PS4@", "'@'"),
        ("Li-3", "'-'"),
        ("Li1e9", "'e'"),
        ("Li+Cl-", "'+'"),
        ("Li\u2083PS\u2084", "unexpected"),
        ("Li\u0663", "unexpected"),
        ("li3", "'l'"),
        ("3Li", "'3'"),
        ("Li1.5.2", "'.'"),
        ("Xx2", "Xx is not an element"),
        ("", "no element"),
        ("   ", "no element"),
        ("()", "empty"),
        ("Li(PO4", "not closed"),
        ("Li(PO4]", "unexpected"),
        ("LiPO4)", "')'"),
        ("(" * 50 + "Li" + ")" * 50, "nested"),
        ("Li" * 500, "1000 characters"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_reason(formula, reason):
    with pytest.raises(InputError) as refused:
        parse_formula(formula)
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 250


@given(st.text(alphabet="LiPSOCl0123456789.()[]{}-+e@ ", max_size=40))
def test_any_text_is_amounts_above_zero_or_refused(text):
    try:
        amounts = element_amounts(text)
    except InputError:
        return
    assert amounts
    assert min(amounts.values()) > 0
