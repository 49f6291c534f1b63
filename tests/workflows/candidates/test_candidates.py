"""Proposals: charge by hand, formulas people know, sizes of cells."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core.composition import Composition
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows.candidates import (
    CandidateSettings,
    Change,
    Parent,
    formula_units,
    oxidation_states,
    propose_compositions,
)
from vitrion_workflows.schemas import fingerprint

PARENTS = ("LiCl", "Li2O", "Li3PS4", "Li2SiO3", "LiAlCl4", "LiFePO4", "LiCoO2", "Li7La3Zr2O12")


def by_formula(candidates):
    return {candidate.formula: candidate for candidate in candidates}


@pytest.mark.parametrize(
    ("formula", "states"),
    [
        ("Li3PS4", {"Li": 1, "P": 5, "S": -2}),
        ("LiFePO4", {"Li": 1, "Fe": 2, "P": 5, "O": -2}),
        ("Li3N", {"Li": 1, "N": -3}),
        ("Li7La3Zr2O12", {"Li": 1, "La": 3, "Zr": 4, "O": -2}),
        ("Li2CO3", {"Li": 1, "C": 4, "O": -2}),
    ],
)
def test_oxidation_states_are_the_textbook_ones(formula, states):
    assert oxidation_states(formula) == states


@pytest.mark.parametrize("formula", ["Li15Si4", "Li"])
def test_alloys_and_metals_have_no_neutral_assignment(formula):
    assert oxidation_states(formula) is None
    (only,) = propose_compositions([formula], seed=0)
    assert not only.accepted
    assert "oxidation states" in only.reasons[0]


def test_half_delithiated_triphylite_is_compensated_by_iron():
    candidate = by_formula(propose_compositions(["LiFePO4"], seed=0))["LiFe2(PO4)2"]
    assert candidate.accepted
    assert candidate.change is Change.LITHIUM_REMOVED
    assert candidate.charge_imbalance_e == -1
    assert candidate.oxidation_states["Fe"] == 2.5
    assert candidate.compensation == "Fe 2 -> 2.5"


def test_iron_two_takes_no_more_lithium():
    candidate = by_formula(propose_compositions(["LiFePO4"], seed=0))["Li5Fe4(PO4)4"]
    assert not candidate.accepted
    assert candidate.charge_imbalance_e == 1


def test_without_a_redox_active_element_a_lithium_change_is_refused_with_its_reason():
    candidate = by_formula(propose_compositions(["LiCl"], seed=0))["LiCl2"]
    assert not candidate.accepted
    assert candidate.charge_imbalance_e == -1
    assert "no redox-active element" in candidate.reasons[0]


def test_an_imbalance_is_taken_and_stated_when_the_settings_allow_it():
    settings = CandidateSettings(allow_charge_imbalance=True)
    candidate = by_formula(propose_compositions(["LiCl"], settings=settings, seed=0))["LiCl2"]
    assert candidate.accepted
    assert candidate.charge_imbalance_e == -1
    assert "not compensated" in candidate.reasons[0]


def test_known_isovalent_relatives_are_found():
    formulas = by_formula(propose_compositions(["LiCl", "Li3PS4", "Li2SiO3"], seed=0))
    # All of these are known compounds.
    assert {"LiBr", "Li3AsS4", "Li3PSe4", "Li2GeO3"} <= formulas.keys()
    assert formulas["LiBr"].similarity > formulas["LiF"].similarity


def test_no_redox_active_or_unwanted_element_is_introduced_into_an_electrolyte():
    unwanted = {"Fe", "Co", "Mn", "Ni", "V", "Ru", "Ir", "Tl", "Hg"}
    for candidate in propose_compositions(["LiCl", "LiAlCl4", "Li2SiO3"], seed=0):
        assert not unwanted & Composition(candidate.formula).as_dict().keys()


def test_a_known_narrow_gap_refuses_the_compound_and_what_is_derived_from_it():
    narrow = Parent(formula="LiCoO2", band_gap_eV=2.7)
    candidates = propose_compositions([narrow], seed=0)
    assert not any(candidate.accepted for candidate in candidates)
    assert any("2.70 eV" in reason for reason in candidates[0].reasons)


def test_the_candidates_own_gap_goes_before_its_parents():
    settings = CandidateSettings(known_gaps_eV={"LiBr": 5.0})
    candidates = by_formula(propose_compositions([Parent(formula="LiCl", band_gap_eV=1.0)], settings=settings, seed=0))
    assert candidates["LiBr"].accepted
    assert candidates["LiBr"].band_gap_eV == 5.0
    assert not candidates["LiI"].accepted


def test_a_crystal_brings_its_fingerprint():
    crystal = rock_salt("Cl", 5.13)
    candidates = propose_compositions([crystal], seed=0)
    assert {candidate.parent.fingerprint for candidate in candidates} == {fingerprint(crystal)}


def rock_salt(anion, a_A):
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a_A), ["Li", anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


# Lattice parameters of the lithium halides (NBS Circular 539; H. Ott 1923): the scaled cells come within 4 %.
@pytest.mark.parametrize(("anion", "a_A"), [("Br", 5.501), ("I", 6.012), ("F", 4.027)])
def test_a_substituted_crystal_has_nearly_its_real_size(anion, a_A):
    candidate = by_formula(propose_compositions([rock_salt("Cl", 5.13)], seed=0))[f"Li{anion}"]
    assert candidate.structure.composition.reduced_formula == f"Li{anion}"
    assert candidate.structure.lattice.a == pytest.approx(a_A, rel=0.04)


def test_a_delithiated_crystal_keeps_its_cell_and_spreads_the_vacancies():
    olivine = Structure.from_spacegroup(
        "Pnma",
        Lattice.orthorhombic(10.332, 6.010, 4.692),
        ["Li", "Fe", "P", "O", "O", "O"],
        [
            [0, 0, 0],
            [0.2822, 0.25, 0.9747],
            [0.0949, 0.25, 0.418],
            [0.0968, 0.25, 0.7426],
            [0.4573, 0.25, 0.2058],
            [0.1656, 0.0465, 0.2848],
        ],
    )
    candidates = by_formula(propose_compositions([olivine], seed=0))
    half, quarter = candidates["LiFe2(PO4)2"].structure, candidates["Li3Fe4(PO4)4"].structure
    assert half.volume == quarter.volume == pytest.approx(olivine.volume)
    assert (half.composition["Li"], quarter.composition["Li"]) == (2, 3)
    assert candidates["Li5Fe4(PO4)4"].structure is None  # nothing says where the added lithium would sit


def test_every_accepted_crystal_is_of_its_formula():
    crystals = [rock_salt("Cl", 5.13), rock_salt("I", 6.012)]
    candidates = propose_compositions(crystals, seed=0)
    assert sum(candidate.structure is not None for candidate in candidates) > 6
    for candidate in candidates:
        if candidate.structure is not None:
            assert candidate.structure.composition.reduced_formula == candidate.formula
            assert candidate.structure.distance_matrix[0, 1:].min() > 1.5


def test_order_does_not_depend_on_the_input_and_a_limit_is_drawn_by_the_seed():
    everything = propose_compositions(PARENTS, seed=0)
    assert everything == propose_compositions(reversed(PARENTS), seed=7)
    few = CandidateSettings(limit=8)
    first = propose_compositions(PARENTS, settings=few, seed=1)
    assert first == propose_compositions(PARENTS, settings=few, seed=1)
    assert first != propose_compositions(PARENTS, settings=few, seed=2)
    assert sum(candidate.accepted for candidate in first) == 8
    assert {candidate.formula for candidate in first} <= {candidate.formula for candidate in everything}


@settings(max_examples=25, deadline=None)
@given(
    parents=st.sets(st.sampled_from(PARENTS), min_size=1, max_size=3),
    lithium=st.sets(st.sampled_from([-0.75, -0.5, -1 / 3, -0.25, 0.25, 0.5]), max_size=3),
    shares=st.sets(st.sampled_from([0.25, 1 / 3, 0.5, 1.0]), max_size=2),
)
def test_accepted_candidates_are_neutral_and_hold_lithium(parents, lithium, shares):
    limits = CandidateSettings(lithium_fractions=tuple(lithium), substitution_fractions=tuple(shares))
    candidates = propose_compositions(parents, settings=limits, seed=0)
    assert len({candidate.formula for candidate in candidates}) == len(candidates)
    for candidate in candidates:
        composition = Composition(candidate.formula)
        assert candidate.formula == composition.reduced_formula
        if candidate.accepted:
            charge = sum(candidate.oxidation_states[str(element)] * n for element, n in composition.items())
            assert charge == pytest.approx(0, abs=1e-9)
            assert composition["Li"] > 0


@settings(max_examples=200, deadline=None)
@given(amounts=st.lists(st.integers(1, 12), min_size=1, max_size=4), most=st.integers(20, 120))
def test_cells_are_whole_formula_units_inside_the_window(amounts, most):
    formula = "".join(f"{element}{amount}" for element, amount in zip(("Li", "P", "S", "O"), amounts, strict=False))
    unit = sum(amounts)
    fewest = most * 3 // 4
    possible = [count * unit for count in range(1, most + 1) if fewest <= count * unit <= most]
    if possible:
        units = formula_units(formula, fewest=fewest, most=most)
        assert units.atoms == units.count * unit == max(possible)
    else:
        with pytest.raises(InputError, match="widen the window"):
            formula_units(formula, fewest=fewest, most=most)


def test_the_default_window_is_48_to_64_atoms():
    assert (formula_units("Li3PS4").count, formula_units("Li3PS4").atoms) == (8, 64)
    assert formula_units("LiCl").atoms == 64


@pytest.mark.parametrize("text", ["Xx2", "", "Li-1O"])
def test_a_bad_formula_is_reported_in_one_line(text):
    with pytest.raises(InputError, match="chemical formula"):
        propose_compositions([text], seed=0)


def test_fractional_amounts_fill_no_cell():
    with pytest.raises(InputError, match="integers"):
        formula_units("Li0.5CoO2")
