import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition, Lattice, Structure

from vitrion_models.errors import InputError
from vitrion_workflows.schemas import EstimateSource
from vitrion_workflows.volumes.composition import composition_model, model_content
from vitrion_workflows.volumes.estimates import PotentialVolume, volume_estimates

ROCK_SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5] * 3])
NEP89 = model_content()["sources"]["zero-pressure"]["nep89"]["weights_sha256"]


def sources(volumes):
    return {estimate.source: estimate for estimate in volumes.estimates}


# CRC Handbook of Chemistry and Physics, molten salts after Janz, J. Phys. Chem. Ref. Data 17, Suppl. 2 (1988): density
# in g/cm3 at a temperature in K, and molar mass over the number of atoms.
@pytest.mark.parametrize(
    ("formula", "kelvin", "density", "mass"),
    [
        ("LiCl", 883, 1.502, 21.197),
        ("NaCl", 1074, 1.556, 29.221),
        ("KCl", 1044, 1.527, 37.276),
        ("LiF", 1121, 1.81, 12.97),
    ],
)
def test_a_measured_melt_has_its_measured_volume(formula, kelvin, density, mass):
    volumes = volume_estimates(formula, rule="measured", temperature_K=kelvin)
    assert volumes.volume_A3_per_atom == pytest.approx(mass / density / 0.602214, rel=0.01)
    assert volumes.ln_stderr < 0.03


@pytest.mark.parametrize(
    "formula", ["Li3PS4", "LiCl", "Na3PS4", "K2SiO3", "Ag3SI", "Li2Mg", "Li", "UO2", "LaF3", "Li3N"]
)
def test_every_compound_has_an_estimate_with_an_error(formula):
    volumes = volume_estimates(formula, rule="rule", temperature_K=1500.0)
    assert 5.0 < volumes.volume_A3_per_atom < 100.0
    assert 0.005 < volumes.ln_stderr < 0.5


def test_elements_that_were_never_fitted_widen_the_error():
    model = composition_model()
    _, common = model.ln_volume(Composition("LiSn"), 1500.0)
    _, rare = model.ln_volume(Composition("SnPu"), 1500.0)
    assert rare > 1.3 * common


def test_volume_does_not_depend_on_the_number_of_formula_units():
    once = volume_estimates("Li3PS4", rule="rule", temperature_K=1200.0)
    thrice = volume_estimates("Li9P3S12", rule="rule", temperature_K=1200.0)
    assert thrice.volume_A3_per_atom == pytest.approx(once.volume_A3_per_atom)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["Li3PS4", "LiCl", "Li2O", "Na2SiO3", "Li15Si4"]), st.floats(400, 2400), st.floats(400, 2400))
def test_the_rule_at_one_temperature_expanded_is_the_composition_at_the_other(formula, first, second):
    composition = Composition(formula)
    model = composition_model()
    slope, _ = model.ln_expansion(composition)
    change = model.ln_volume(composition, second)[0] - model.ln_volume(composition, first)[0]
    assert change == pytest.approx(slope * (second - first), abs=1e-9)
    assert slope > 0


def test_a_crystal_and_searches_are_sources_of_their_own():
    search = PotentialVolume(
        potential="nep89", weights_sha256=NEP89, temperature_K=2000.0, volume_A3_per_atom=25.0, ln_stderr=0.01
    )
    volumes = volume_estimates("LiCl", rule="rule", temperature_K=2000.0, twin=ROCK_SALT, production=search)
    by_source = sources(volumes)
    assert set(by_source) == {
        EstimateSource.COMPOSITION,
        EstimateSource.TWIN,
        EstimateSource.ZERO_PRESSURE,
        EstimateSource.MEASURED,
    }
    assert by_source[EstimateSource.TWIN].volume_A3_per_atom == pytest.approx(5.13**3 / 8)
    expected = [math.log(estimate.expected_A3_per_atom) for estimate in volumes.estimates]
    assert min(expected) <= math.log(volumes.volume_A3_per_atom) <= max(expected)
    assert volumes.ln_spread == pytest.approx(max(expected) - min(expected))


def test_a_potential_of_other_weights_is_not_freed_from_an_error_that_was_not_measured():
    volume = {"potential": "nep89", "temperature_K": 2000.0, "volume_A3_per_atom": 12.0, "ln_stderr": 0.01}
    measured, other = (
        sources(
            volume_estimates(
                "Li2SiO3",
                rule="rule",
                temperature_K=2000.0,
                production=PotentialVolume(**volume, weights_sha256=weights),
            )
        )[EstimateSource.ZERO_PRESSURE]
        for weights in (NEP89, "0" * 64)
    )
    assert other.expected_A3_per_atom == pytest.approx(12.0)
    assert other.ln_stderr > measured.ln_stderr


def test_an_unmeasured_compound_is_refused_where_its_density_is_asked_for():
    with pytest.raises(InputError, match="measured"):
        volume_estimates("Li3YBr6", rule="measured", temperature_K=2000.0)


def test_a_twin_of_another_compound_is_refused():
    with pytest.raises(InputError, match="LiCl"):
        volume_estimates("LiBr", rule="twin", temperature_K=2000.0, twin=ROCK_SALT)
