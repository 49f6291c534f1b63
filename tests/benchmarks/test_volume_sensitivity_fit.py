"""Fit of d log10 D / d ln V on runs that differ in volume."""

import numpy as np
import pytest
from volume_sensitivity import Run, fit, runs_of_lines

LEVEL, SLOPE, NOISE = 1.5, 3.0, 0.03


def runs(rng):
    """Three volumes of 42 compounds at two temperatures, halides twice as sensitive."""
    simulated = []
    for number in range(42):
        chemistry = ("halide", "oxide", "alloy")[number % 3]
        for kelvin in (1000.0, 2000.0):
            x = 1000 / kelvin - 1000 / 1500
            true = (LEVEL + SLOPE * x) * (2.0 if chemistry == "halide" else 1.0)
            start = rng.normal(-4, 0.3)
            simulated += [
                Run(
                    compound=str(number),
                    chemistry=chemistry,
                    temperature_K=kelvin,
                    potential="nep89",
                    ln_volume=2.5 + h,
                    log10_D=start + true * h + rng.normal(0, NOISE),
                    stderr=NOISE,
                )
                for h in (0.0, 0.1, 0.2)
            ]
    return simulated


def test_recovers_the_classes_within_their_errors():
    fitted = fit(runs(np.random.default_rng(1)))
    for name, factor in (("halide", 2.0), ("oxide", 1.0), ("alloy", 1.0)):
        own = fitted["classes"][name]
        errors = np.sqrt(np.diag(own["covariance"]))
        assert abs(own["level"] - factor * LEVEL) < 3 * errors[0] < 0.6
        assert abs(own["slope"] - factor * SLOPE) < 3 * errors[1] < 2.0


def test_a_class_without_runs_gets_the_common_mean_and_a_larger_error():
    classes = fit(runs(np.random.default_rng(2)))["classes"]
    assert classes["pnictide"]["compounds"] == 0
    assert classes["pnictide"]["covariance"][0][0] > classes["oxide"]["covariance"][0][0]
    assert classes["oxide"]["level"] < classes["pnictide"]["level"] < classes["halide"]["level"]


def test_runs_at_one_volume_tell_nothing():
    line = {"formula": "LiCl", "temperature_K": 1000, "potential": "nep89", "state": "accepted", "log10_ratio": 0.0}
    line |= {"log10_stderr": 0.1, "value_cm2_per_s": 1e-4, "volume_A3_per_atom": 20.0}
    assert runs_of_lines([line, {**line, "volume_A3_per_atom": 20.1}]) == []
    assert len(runs_of_lines([line, {**line, "volume_A3_per_atom": 22.0}])) == 2


@pytest.mark.parametrize("state", ["rejected", "censored"])
def test_only_accepted_labels_count(state):
    line = {"formula": "LiCl", "temperature_K": 1000, "potential": "nep89", "state": state, "log10_ratio": 0.0}
    line |= {"log10_stderr": 0.1, "value_cm2_per_s": 1e-4, "volume_A3_per_atom": 20.0}
    assert runs_of_lines([line, {**line, "volume_A3_per_atom": 22.0}]) == []
