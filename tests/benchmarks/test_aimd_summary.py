"""Summary of potentials against AIMD: density error and force error apart, activation energies."""

import numpy as np
import pytest
from aimd_summary import summary
from aimd_table import charge_balanced
from aimd_tables import tables

from vitrion_models.constants import BOLTZMANN_eV_PER_K

FORMULAS = ("LiCl", "Li2O", "Li3PO4", "Li2S", "Li15Si4")
FORCE_ERROR, DENSITY_ERROR = 0.1, 0.2
AIMD_ENERGY_eV, ENERGY_ERROR_eV = 0.40, 0.05


def line(formula, temperature_K, route, **changes):
    """One accepted label whose potential is too fast by both errors, more so in the cold."""
    x = 1 / temperature_K - 1 / 1500
    aimd = 1e-4 * (1 + FORMULAS.index(formula)) * np.exp(-AIMD_ENERGY_eV * x / BOLTZMANN_eV_PER_K)
    ratio = FORCE_ERROR + (DENSITY_ERROR if route == "zero-pressure" else 0.0)
    ratio -= ENERGY_ERROR_eV * x / BOLTZMANN_eV_PER_K / np.log(10)
    return {
        "potential": "nep89",
        "route": route,
        "seed": 20,
        "formula": formula,
        "chemistry": "alloy" if formula == "Li15Si4" else "oxide",
        "temperature_K": temperature_K,
        "aimd_cm2_per_s": aimd,
        "outcome": "labelled",
        "state": "accepted",
        "log10_ratio": ratio,
        "log10_stderr": 0.03,
        "volume_ratio": 1.2 if route == "zero-pressure" else 1.0,
    } | changes


@pytest.fixture
def lines():
    return [
        line(formula, kelvin, route)
        for formula in FORMULAS
        for kelvin in (1000, 1500, 2000)
        for route in ("zero-pressure", "aimd-volume")
    ]


def figures(lines):
    return {figure["name"]: figure for figure in summary(lines)}


def test_routes_side_by_side_tell_density_error_from_force_error(lines):
    both = figures(lines)["aimd_nep89_1500_all_aimd-volume_beside_zero-pressure"]
    assert both["value"] == pytest.approx(FORCE_ERROR)
    assert both["difference"] == pytest.approx(-DENSITY_ERROR)
    assert both["rank_correlation"] == pytest.approx([1.0, 1.0])


def test_activation_energies_of_both_sides(lines):
    energy = figures(lines)["aimd_nep89_zero-pressure_all_activation_energy"]
    assert energy["baseline"] == pytest.approx(AIMD_ENERGY_eV, rel=1e-3)
    assert energy["mean_difference"] == pytest.approx(ENERGY_ERROR_eV)
    assert energy["formulas"] == len(FORMULAS)


def test_only_formulas_that_both_routes_have_are_compared(lines):
    fewer = [row for row in lines if (row["formula"], row["route"]) != ("LiCl", "aimd-volume")]
    assert figures(fewer)["aimd_nep89_1500_all_aimd-volume_beside_zero-pressure"]["formulas"] == len(FORMULAS) - 1


def test_rejected_labels_count_as_outcomes_and_not_as_values(lines):
    wrong = line("LiCl", 1500, "zero-pressure", seed=21, state="rejected", log10_ratio=3.0)
    summarized = figures([*lines, wrong])
    assert summarized["aimd_nep89_zero-pressure_1500_all_log10_ratio"]["value"] == pytest.approx(0.3)
    assert summarized["aimd_nep89_zero-pressure_1500_all_failed_cells"]["outcomes"]["rejected"] == 1


def test_seeds_of_one_formula_are_averaged(lines):
    again = [{**row, "seed": 21, "log10_ratio": row["log10_ratio"] + 0.1} for row in lines if row["formula"] == "LiCl"]
    at_1500 = figures([*lines, *again])["aimd_nep89_aimd-volume_1500_all_log10_ratio"]
    assert at_1500["formulas"] == at_1500["labels"] == len(FORMULAS)


@pytest.mark.parametrize(
    ("formula", "balanced"),
    [("LiCl", True), ("Li3PO4", True), ("Li15Si4", False), ("Li3Sc", False), ("Li0.9Cl", False)],
)
def test_salts_balance_their_charges(formula, balanced):
    assert charge_balanced(formula) is balanced


def test_tables_have_one_row_for_each_temperature_and_route(lines):
    rows = [text for text in tables(lines) if "| all |" in text]
    assert len([row for row in rows if "| 1500 |" in row]) == 2
    assert len({row.count("|") for row in rows if "| 1500 |" in row}) == 1
