"""Before and after a correction: offsets of classes are taken off, activation energies mended by a slope."""

import numpy as np
import pytest
from before_after import Result, activation_energies, by_class, deviations, groups, uncorrected

from vitrion_models.constants import BOLTZMANN_eV_PER_K
from vitrion_workflows.model_error.aimd_comparisons import AimdComparison

ENERGY_ERROR_eV = -0.05
OFFSETS = {"Cl": 0.3, "S": 0.1}


def row(compound, kelvin, **changes):
    """One label whose potential is too fast by the offset of its class, and by an activation energy too low."""
    x = 1 / kelvin - 1 / 1500
    number = int("".join(filter(str.isdigit, compound)) or 1)
    aimd = -4.0 + 0.03 * number - (0.4 - 0.01 * number) * x / BOLTZMANN_eV_PER_K / np.log(10)
    values = {
        "potential": "mine",
        "weights": "a" * 12,
        "route": "zero-pressure",
        "compound": compound,
        "temperature_K": kelvin,
        "seed": "1",
        "log10_D_aimd": aimd,
        "log10_ratio": OFFSETS[compound[-1] if compound[-1] == "S" else "Cl"]
        - ENERGY_ERROR_eV * x / BOLTZMANN_eV_PER_K / np.log(10),
        "log10_stderr": 0.02,
        "ln_volume_ratio": 0.1,
    }
    return AimdComparison(**{**values, **changes})


ROWS = [row(f"Li{n}{anion}", kelvin) for n in range(2, 12) for anion in OFFSETS for kelvin in (1000.0, 1500.0, 2000.0)]


def test_offsets_of_classes_are_taken_off_but_no_slope():
    results = list(by_class(ROWS))
    assert len(results) == len(ROWS)
    middle = [result for result in results if result.row.temperature_K == 1500]
    assert deviations("", middle)["value"] == pytest.approx(0.0, abs=0.03)
    assert deviations("", middle)["coverage_95"] == 1.0
    energy = activation_energies("", results)
    assert energy["mean_error"] == pytest.approx(ENERGY_ERROR_eV, abs=1e-3)
    assert energy["compounds"] == 20


def test_seeds_are_averaged_in_activation_energies_and_few_temperatures_left_out():
    again = [row("Li2S", kelvin, seed="2", log10_ratio=0.5) for kelvin in (1000.0, 2000.0)]
    few = [row("LiCl", kelvin) for kelvin in (1000.0, 2000.0)]
    energy = activation_energies("", list(uncorrected([*ROWS, *again, *few])))
    assert energy["compounds"] == 20


def test_salts_are_listed_by_themselves():
    members = {
        compounds: {result.row.compound for result in results}
        for compounds, _, results in groups(uncorrected([row("LiCl", 1000.0), row("Li7S", 1000.0)]))
    }
    assert members == {"all": {"LiCl", "Li7S"}, "salts": {"LiCl"}}


def test_an_interval_holds_within_two_standard_errors():
    differences = {"LiCl": -0.19, "Li2Cl": 0.0, "Li3Cl": 0.19, "Li4Cl": 0.21}
    results = [Result(row(name, 1000.0), "stage", difference, 0.1) for name, difference in differences.items()]
    assert deviations("", results)["coverage_95"] == 0.75
