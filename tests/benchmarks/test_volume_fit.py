"""Fit of volumes: those of AIMD and of nature are distinguished where both are at hand."""

import numpy as np
import pytest
from volume_fit import AIMD, Observation, fit_composition

from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.structure.volume_estimate import volume_of_elements

HALIDES = ["LiF", "LiCl", "LiBr", "LiI", "NaF", "NaCl", "NaBr", "NaI", "KF", "KCl", "KBr", "KI", "MgCl2", "CaCl2"]
ALLOYS = ["LiMg", "Li3Sc", "Li2Pd", "LiZn", "Li4W", "LiTi2"]
OFFSET = -0.15


def observation(formula, kind, offset, noise):
    ln_volume = np.log(volume_of_elements(parse_formula(formula))) + offset + noise
    return Observation(formula, 1500.0, float(ln_volume), 0.01, kind)


@pytest.fixture
def fitted():
    noise = np.random.default_rng(3).normal(0.0, 0.02, 40)
    measured = [observation(f, "melt", 0.1, e) for f, e in zip(HALIDES[::2], noise, strict=False)]
    aimd = [observation(f, AIMD, 0.1 + OFFSET, e) for f, e in zip(HALIDES[1::2], noise[10:], strict=False)]
    aimd += [observation(f, AIMD, 0.2, e) for f, e in zip(ALLOYS, noise[20:], strict=False)]
    return fit_composition(measured + aimd)


def test_offset_of_aimd_is_found_where_compounds_of_the_class_were_measured(fitted):
    assert fitted.aimd_offset["halide"] == pytest.approx(OFFSET, abs=0.05)


def test_classes_without_measurements_keep_the_volumes_of_aimd(fitted):
    assert fitted.aimd_offset["alloy"] == 0.0
    ln_volume, _ = fitted.model.ln_volume(parse_formula("Li3Sc"), 1500.0)
    assert ln_volume - np.log(volume_of_elements(parse_formula("Li3Sc"))) == pytest.approx(0.2, abs=0.1)


def test_the_model_predicts_nature_and_not_aimd(fitted):
    ln_volume, stderr = fitted.model.ln_volume(parse_formula("LiCl"), 1500.0)
    assert ln_volume - np.log(volume_of_elements(parse_formula("LiCl"))) == pytest.approx(0.1, abs=0.06)
    assert 0 < stderr < 0.2
