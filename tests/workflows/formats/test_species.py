"""Words that name a species: an element, an isotope of hydrogen or a vacancy, never a guess."""

import pytest
from ase.data import chemical_symbols

from vitrion_models.errors import InputError
from vitrion_workflows.formats.species import SpeciesName, parse_atom, parse_label, parse_species


def test_every_element_names_itself_with_and_without_a_charge():
    for number, symbol in enumerate(chemical_symbols[1:], start=1):
        assert parse_species(symbol) == SpeciesName(symbol)
        assert parse_species(symbol).atomic_number == number
        assert parse_species(f"{symbol}2-") == SpeciesName(symbol, -2.0)
        assert parse_label(f"{symbol}1A") == SpeciesName(symbol)


@pytest.mark.parametrize(
    ("word", "symbol", "charge"),
    [
        ("Na+", "Na", 1.0),
        ("Na1+", "Na", 1.0),
        ("O-2", "O", -2.0),
        ("Fe2.5+", "Fe", 2.5),
        ("S0+", "S", 0.0),
        ("D", "D", None),
        ("D1+", "D", 1.0),
        ("T", "T", None),
        ("LI", "Li", None),
        ("Li_sv", "Li", None),
        ("Li_sv_GW", "Li", None),
        ("Li_sv/6f3e2a1b", "Li", None),
        ("Cl/abcdef", "Cl", None),
        ("Vac", "", None),
        ("VAC", "", None),
        ("Va", "", None),
        ("vacancy", "", None),
        ("[]", "", None),
    ],
)
def test_words_of_programs(word, symbol, charge):
    assert parse_species(word) == SpeciesName(symbol, charge)


@pytest.mark.parametrize("number", ["D", "T", "H"])
def test_isotopes_of_hydrogen_have_its_atomic_number(number):
    assert parse_species(number).atomic_number == 1


NO_SPECIES = [
    "OH",
    "OH-",
    "Wat",
    "H2O",
    "NH4",
    "NH4+",
    "X",
    "Xx",
    "Q",
    "M1",
    "CO",
    "SI",
    "NO",
    "li",
    "Łi₃",
    "Li₃",
    "Li²",
    "ＬＩ",
    ".",
    "?",
    "*",
    "1",
    "7Li",
    "LiCl",
    "Lithium",
    "H.5",
    "Li++",
    "Fe.+",
    "□",
]


@pytest.mark.parametrize("word", [*NO_SPECIES, "", "Li Cl", "Li/not a hash", "Li" * 1000])
def test_anything_else_is_refused_in_a_short_line(word):
    with pytest.raises(InputError) as caught:
        parse_species(word)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("label", "symbol"), [("Li1", "Li"), ("Cl", "Cl"), ("O2A", "O"), ("H(1)", "H"), ("D3", "D")])
def test_the_element_of_a_label_ends_at_its_first_digit_or_sign(label, symbol):
    assert parse_label(label).symbol == symbol


@pytest.mark.parametrize("label", ["OW1", "T1", "VA1", "Wat1", "CA1", "HO1", "LiA", "M1", "X1", "1Li", "Łi1", "", "?"])
def test_a_label_without_an_element_is_refused(label):
    with pytest.raises(InputError):
        parse_label(label)


def test_a_vacancy_is_no_atom():
    assert parse_species("Vac").is_vacancy
    assert parse_label("Vac1").is_vacancy
    with pytest.raises(InputError, match="vacancy"):
        parse_atom("Vac")
