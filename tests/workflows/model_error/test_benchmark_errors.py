"""The measured model errors: classes by chemistry, figures that belong to the weights in use."""

import math

import pytest

from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.model_error.benchmark_errors import EVERY_CLASS, benchmark_errors
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"Li", "P", "O"}, "oxoanion"),
        ({"Li", "V", "P", "O", "F"}, "oxoanion"),
        ({"Li", "V", "O", "F"}, "halide"),
        ({"Li", "P", "S", "Cl"}, "halide"),
        ({"Li", "Zr", "O"}, "oxide"),
        ({"Li", "P", "S"}, "chalcogenide"),
        ({"Li", "P"}, "pnictide"),
        ({"Li", "Si"}, "tetrelide"),
        ({"Li", "Zn"}, "alloy"),
    ],
)
def test_classes_of_known_compounds(elements, expected):
    assert anion_class(elements) == expected


def test_figures_belong_to_the_weights_that_are_installed():
    errors = benchmark_errors("nep89")
    assert {error.weights_sha256 for error in errors} == {NEP89_SHA256}
    assert errors[-1].chemistry == EVERY_CLASS
    assert errors[-1].formulas == sum(error.formulas for error in errors[:-1]) >= 40
    for error in errors:
        assert math.isfinite(error.median_log10)
        assert 0 < error.spread_log10 < 1
        assert 0 <= error.failed_share < 1
        assert error.labels >= error.formulas


def test_a_potential_that_was_never_measured_has_no_figures():
    assert benchmark_errors("some-other") == ()
