"""Systematic error of a potential for a compound, from AIMD and reference potentials or assumed."""

import pytest

from vitrion_workflows.model_error.benchmark_errors import BenchmarkError, benchmark_errors
from vitrion_workflows.model_error.compound_error import ModelErrors, PotentialPair
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256

HALIDE, OXIDE = frozenset({"Li", "Cl"}), frozenset({"Li", "O"})


def pair(compound="LiCl", *, ratio=0.6, elements=HALIDE, stderr=0.05, kelvin=1000.0, reference="diep"):
    return PotentialPair(
        compound=compound,
        elements=elements,
        temperature_K=kelvin,
        reference=reference,
        reference_sha256="b" * 64,
        log10_ratio=ratio,
        stderr=stderr,
    )


def test_of_an_unmeasured_potential_the_figures_are_stated_as_assumed():
    error = ModelErrors.of("mine", "a" * 64).of_compound("LiCl", HALIDE, temperature_K=900)
    assert not error.is_measured
    assert error.evidence.startswith("assumed")
    assert error.offset_decades == 0
    assert error.stderr_decades == pytest.approx(0.27, abs=0.01)  # not zero: unknown is not right


def test_the_measured_classes_stand_behind_their_compounds_and_other_weights_do_not():
    nep89 = ModelErrors.of("nep89", NEP89_SHA256)
    worst = nep89.of_compound("Li3PO4", {"Li", "P", "O"}, temperature_K=2000)
    (table,) = [one for one in benchmark_errors("nep89") if one.chemistry == "oxoanion"]
    assert worst.is_measured
    assert 0.75 * table.median_log10 < worst.offset_decades < table.median_log10  # six compounds, drawn to the others
    assert nep89.of_compound("LiZn", {"Li", "Zn"}, temperature_K=2000).stderr_decades < worst.stderr_decades
    assert worst.corrected(-4.0, 0.05)[0] == pytest.approx(-4.0 - worst.offset_decades)
    assert not ModelErrors.of("nep89", "c" * 64).of_compound("LiZn", {"Li", "Zn"}, temperature_K=2000).is_measured


def test_colder_than_the_comparisons_the_error_is_larger():
    nep89 = ModelErrors.of("nep89", NEP89_SHA256)
    errors = [
        nep89.of_compound("LiCl", HALIDE, temperature_K=kelvin).stderr_decades for kelvin in (300, 700, 1000, 2000)
    ]
    assert errors[0] > errors[1] > errors[2] == errors[3]


def test_a_planted_class_is_found_and_its_neighbours_less_so():
    pairs = [pair(f"Li{n}Cl") for n in range(8)] + [pair(f"Li{n}O", ratio=0.0, elements=OXIDE) for n in range(8)]
    sure = BenchmarkError(
        potential="diep",
        weights_sha256="b" * 64,
        chemistry="all",
        temperatures_K=(1000.0, 1000.0),
        formulas=500,
        labels=500,
        failed_share=0.0,
        median_log10=0.0,
        spread_log10=0.01,
    )
    errors = ModelErrors("mine", "a" * 64, tuple(pairs), (sure,))
    halide, oxide, sulphide = errors.of_compounds(
        [("LiCl", HALIDE, 1000.0), ("Li2O", OXIDE, 1000.0), ("Li2S", frozenset({"Li", "S"}), 1000.0)]
    )
    # The reference's own error in the class is unknown: half of the remainder is attributed to it.
    assert 0.3 < halide.offset_decades < 0.6
    assert abs(oxide.offset_decades) < 0.2
    assert oxide.offset_decades < sulphide.offset_decades < halide.offset_decades
    assert sulphide.evidence == "diep: 16 pairs of other classes"
    assert halide.evidence == "diep: 8 pairs"


def test_few_pairs_are_shrunk_and_the_order_of_pairs_changes_nothing():
    offsets = [
        ModelErrors.of("mine", "a" * 64, pairs=[pair(f"Li{n}Cl") for n in range(count)])
        .of_compound("LiCl", HALIDE, temperature_K=1000)
        .offset_decades
        for count in (1, 2, 8)
    ]
    assert 0 < offsets[0] < offsets[1] < offsets[2] < 0.6
    pairs = [pair(f"Li{n}Cl", ratio=0.1 * n) for n in range(4)]
    forward, backward = (ModelErrors.of("mine", "a" * 64, pairs=some) for some in (pairs, pairs[::-1]))
    assert forward.of_compound("LiCl", HALIDE, temperature_K=1000) == backward.of_compound(
        "LiCl", HALIDE, temperature_K=1000
    )


def test_a_pair_of_another_class_adds_no_temperature():
    cold = {"temperature_K": 400}
    before = ModelErrors.of("nep89", NEP89_SHA256).of_compound("LiCl", HALIDE, **cold).stderr_decades
    pairs = [pair("Na2S", elements=frozenset({"Na", "S"}), kelvin=400.0, ratio=0.0, reference="unmeasured")]
    after = ModelErrors.of("nep89", NEP89_SHA256, pairs=pairs).of_compound("LiCl", HALIDE, **cold).stderr_decades
    assert after > 0.95 * before
