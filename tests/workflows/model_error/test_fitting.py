"""Hyper-parameters: those of simulated comparisons are recovered."""

import numpy as np
import pytest

from vitrion_workflows.model_error import hyperparameters as module
from vitrion_workflows.model_error.aimd_comparisons import AimdComparison
from vitrion_workflows.model_error.effects import inverse_temperature
from vitrion_workflows.model_error.fitting import START, fit_hyperparameters, write_hyperparameters

ANIONS = ("S", "P", "Cl", "Si", "O")


def simulated(*, level, slope, seed=1):
    """Forty compounds of each of five classes at four temperatures, statistical error 0.02."""
    rng = np.random.default_rng(seed)
    rows = []
    for anion in ANIONS:
        of_class = rng.normal(0, [level[0], slope[0]])
        for number in range(2, 22):
            own = of_class + rng.normal(0, [level[1], slope[1]])
            rows += [
                AimdComparison(
                    potential="mine",
                    weights="a" * 12,
                    route="aimd-volume",
                    compound=f"Li{number}{anion}",
                    temperature_K=kelvin,
                    seed="1",
                    log10_D_aimd=-2.5,
                    log10_ratio=float(own @ [1, inverse_temperature(kelvin)] + 0.02 * rng.normal()),
                    log10_stderr=0.02,
                    ln_volume_ratio=0.0,
                    force_r2=0.9,
                )
                for kelvin in (1000.0, 2500.0)
            ]
    return rows


def test_deviations_of_level_and_slope_are_recovered():
    fitted = fit_hyperparameters(simulated(level=(0.2, 0.05), slope=(0.1, 0.4)))
    assert fitted.level.compound == pytest.approx(0.05, rel=0.35)
    assert fitted.slope.compound == pytest.approx(0.4, rel=0.35)
    assert fitted.level.chemistry > 2 * START.level.chemistry * 0.7  # five classes tell it roughly
    assert fitted.typical_r2 == dict.fromkeys(("chalcogenide", "pnictide", "halide", "tetrelide", "oxide"), 0.9)
    assert fitted.level.potential == START.level.potential


def test_fitted_numbers_come_back_from_their_file(tmp_path, monkeypatch):
    write_hyperparameters(START.model_copy(update={"cell": 0.0123456}), tmp_path / module.FILE)
    monkeypatch.setattr(module, "files", lambda _package: tmp_path)
    assert module.fitted_hyperparameters.__wrapped__().cell == 0.0123
