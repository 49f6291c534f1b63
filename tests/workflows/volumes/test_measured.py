"""Measured densities of melts and glasses."""

import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.structure.volume_estimate import estimate_volume
from vitrion_workflows.volumes.measured import (
    MeasuredDensity,
    Phase,
    measured_densities,
    measured_volume,
    volume_of_density,
)

AVOGADRO = 6.02214076e23


def density(**changes):
    fields = {
        "formula": "LiCl",
        "phase": Phase.MELT,
        "temperature_min_K": 900.0,
        "temperature_max_K": 1100.0,
        "density_g_per_cm3": 1.5,
        "expansion_g_per_cm3_K": 5e-4,
        "stderr_g_per_cm3": 0.015,
        "sources": 1,
        "compilation": "test",
        "reference": "test",
    }
    return MeasuredDensity(**(fields | changes))


def test_volume_of_a_density_is_molar_mass_over_density():
    # Silica glass: 60.084 g/mol, 2.202 g/cm3, three atoms.
    assert volume_of_density("SiO2", 2.202) == pytest.approx(60.084 / 2.202 / AVOGADRO * 1e24 / 3, rel=1e-4)


def test_density_is_linear_within_the_range():
    volume = density().volume(1000.0)
    assert volume.volume_A3_per_atom == pytest.approx(volume_of_density("LiCl", 1.45))
    assert volume.ln_stderr == pytest.approx(0.01)


@pytest.mark.parametrize("end_K", [900.0, 1100.0])
def test_volume_goes_on_smoothly_outside_of_the_range(end_K):
    inside, at_end, outside = (np.log(density().volume(end_K + step).volume_A3_per_atom) for step in (-0.01, 0.0, 0.01))
    assert outside - at_end == pytest.approx(at_end - inside, rel=1e-4)


def test_error_grows_outside_of_the_range_and_no_volume_is_given_far_away():
    assert density().volume(1400.0).ln_stderr == pytest.approx(np.hypot(0.01, 0.03))
    assert density().volume(1700.0) is None
    assert density(phase=Phase.GLASS, temperature_min_K=298.0, temperature_max_K=298.0).volume(1000.0) is None


def test_measured_volume_does_not_depend_on_the_number_of_formula_units():
    assert measured_volume("Li4Si4O10", 300.0) == measured_volume("Li2Si2O5", 300.0)


def test_melt_and_glass_are_chosen_by_temperature():
    assert measured_volume("NaPO3", 300.0).density.phase is Phase.GLASS
    assert measured_volume("NaPO3", 1200.0).density.phase is Phase.MELT


def test_no_volume_without_a_measurement():
    assert measured_volume("Li3N", 1000.0) is None
    with pytest.raises(InputError):
        measured_volume("not a formula", 1000.0)


def test_molten_lithium_chloride_has_the_density_of_the_standard_reference():
    # NSRDS-NBS 15: 1.8842 - 0.4328e-3 T g/cm3.
    expected = volume_of_density("LiCl", 1.8842 - 0.4328)
    assert measured_volume("LiCl", 1000.0).volume_A3_per_atom == pytest.approx(expected, rel=2e-3)


def test_table_holds_each_substance_and_phase_once():
    keys = [(parse_formula(row.formula).reduced_formula, row.phase) for row in measured_densities()]
    assert len(keys) == len(set(keys)) > 100


@pytest.mark.parametrize("row", measured_densities(), ids=lambda row: f"{row.formula}-{row.phase}")
def test_table_is_plausible(row):
    assert row.reference
    assert row.temperature_min_K <= row.temperature_max_K
    assert (row.expansion_g_per_cm3_K is None) == (row.temperature_min_K == row.temperature_max_K)
    assert 0.002 <= row.stderr_g_per_cm3 / row.density_g_per_cm3 <= 0.08
    # Estimates of the solid are good to some 30 %, and a melt is up to 40 % larger; units would be wrong by tens.
    ratio = row.volume(row.temperature_max_K).volume_A3_per_atom / estimate_volume(row.formula).volume_A3_per_atom
    assert 0.6 < ratio < 2.2
