"""Systematic error of a potential for a compound: level, slope and volume, from AIMD and reference potentials."""

import math
from dataclasses import replace

import numpy as np
import pytest

from vitrion_workflows.model_error.aimd_comparisons import AimdComparison, aimd_comparisons
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.model_error.effects import Case, inverse_temperature
from vitrion_workflows.model_error.hyperparameters import fitted_hyperparameters
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.model_error.observations import PotentialPair
from vitrion_workflows.model_error.volume_sensitivity import sensitivity
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256
from vitrion_workflows.structure.formula import element_amounts

HALIDE, OXIDE = frozenset({"Li", "Cl"}), frozenset({"Li", "O"})
PARAMETERS = fitted_hyperparameters()


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


def comparison(compound="Li2S", *, kelvin=2000.0, ratio=0.2, ln_volume=0.0, potential="mine", **changes):
    return AimdComparison(
        **{
            "potential": potential,
            "weights": "a" * 12,
            "route": "aimd-volume",
            "compound": compound,
            "temperature_K": kelvin,
            "seed": "1",
            "log10_D_aimd": -3.5,
            "log10_ratio": ratio,
            "log10_stderr": 0.02,
            "ln_volume_ratio": ln_volume,
        }
        | changes
    )


def errors_of(rows, parameters=PARAMETERS, pairs=()):
    return ModelErrors("mine", "a" * 64, tuple(pairs), tuple(rows), parameters)


def at_aimd_volume(compound, kelvin, **known):
    return Case(
        compound=compound,
        elements=frozenset(element_amounts(compound)),
        temperature_K=kelvin,
        ln_volume_ratio=0.0,
        **known,
    )


def test_of_an_unmeasured_potential_the_figures_are_stated_as_assumed():
    error = ModelErrors.of("mine", "a" * 64).of_compound("LiCl", HALIDE, temperature_K=1500)
    assert not error.is_measured
    assert error.evidence.startswith("assumed")
    assert error.offset_decades == 0
    assert error.stderr_decades > 0.2  # not zero: unknown is not right


def test_figures_of_other_weights_are_not_used():
    nep89 = ModelErrors.of("nep89", NEP89_SHA256).of_compound("Li3PO4", {"Li", "P", "O"}, temperature_K=2000)
    assert nep89.is_measured
    assert 0.1 < nep89.offset_decades < 0.6  # oxoanions: +0.32 in the median of 26 at zero pressure
    assert not ModelErrors.of("nep89", "c" * 64).of_compound("LiZn", {"Li", "Zn"}, temperature_K=2000).is_measured


def test_a_value_is_corrected_by_the_offset_and_widened_by_every_error():
    error = ModelErrors.of("nep89", NEP89_SHA256).of_compound("Li2S", {"Li", "S"}, temperature_K=1000)
    mean, deviation = error.corrected(-4.0, 0.05)
    assert mean == pytest.approx(-4.0 - error.offset_decades)
    parts = ("finite_size", "protocol", "level", "slope", "volume", "reference")
    assert deviation**2 == pytest.approx(0.05**2 + sum(getattr(error.budget, name) ** 2 for name in parts))
    assert error.budget.model == pytest.approx(math.hypot(error.budget.level, error.budget.slope, error.budget.volume))
    assert error.stderr_decades == pytest.approx(error.budget.with_statistical(0.3).systematic)


def test_far_from_the_temperatures_compared_little_is_known():
    nep89 = ModelErrors.of("nep89", NEP89_SHA256)
    cases = [at_aimd_volume("LiCl", kelvin) for kelvin in (300, 600, 1000, 1500)]
    budgets = [error.budget for error in nep89.of_cases(cases)]
    assert budgets[0].slope > budgets[1].slope > budgets[2].slope > budgets[3].slope
    assert budgets[0].slope > 0.3  # an activation energy known to 0.02 eV at the very best
    assert {round(budget.level, 9) for budget in budgets} == {round(budgets[0].level, 9)}


def test_two_temperatures_give_a_compound_a_slope_that_others_share_in_part():
    """Error +0.5 at 1000 K and 0.1 at 2000 K: 0.8 decades for 1 in 1000/T."""
    compounds = [f"Li{n}S" for n in range(2, 12)]
    measured = ((1000.0, 0.5), (2000.0, 0.1))
    rows = [comparison(name, kelvin=kelvin, ratio=ratio) for name in compounds for kelvin, ratio in measured]
    own, sister, stranger = errors_of(rows).of_cases(
        [at_aimd_volume(name, 1000.0) for name in ("Li2S", "Li20S", "Li2O")]
    )
    assert own.slope_decades == pytest.approx(0.8, abs=0.1)
    assert own.offset_decades == pytest.approx(0.5, abs=0.06)
    assert 0.5 < sister.slope_decades < 0.8
    assert 0.1 < stranger.slope_decades < sister.slope_decades
    assert own.slope_stderr_decades < sister.slope_stderr_decades < stranger.slope_stderr_decades


def test_a_cell_that_is_too_large_is_too_fast_by_the_sensitivity():
    rows = [comparison(f"Li{n}S") for n in range(2, 12)]
    known = errors_of(rows)
    elements = frozenset({"Li", "S"})
    exact = at_aimd_volume("Li20S", 1500.0)
    swollen = replace(exact, ln_volume_ratio=0.1)
    unsure = replace(exact, ln_volume_stderr=0.1)
    per_volume, stderr = sensitivity(elements, 1500.0)
    right, large, vague = known.of_cases([exact, swollen, unsure])
    assert large.offset_decades - right.offset_decades == pytest.approx(0.1 * per_volume)
    assert right.budget.volume == 0
    assert vague.budget.volume == pytest.approx(0.1 * math.hypot(per_volume, stderr))
    assert large.budget.level > right.budget.level  # the sensitivity has an error, too


def test_rows_at_another_volume_tell_the_same_error_of_the_forces():
    per_volume, _ = sensitivity({"Li", "S"}, 2000.0)
    plain = [comparison(f"Li{n}S") for n in range(2, 12)]
    swollen = [replace(row, ln_volume_ratio=0.1, log10_ratio=row.log10_ratio + 0.1 * per_volume) for row in plain]
    first, second = (errors_of(rows).of_case(at_aimd_volume("Li20S", 2000.0)) for rows in (plain, swollen))
    assert second.offset_decades == pytest.approx(first.offset_decades, abs=0.01)


def test_without_a_known_volume_the_potentials_own_expansion_is_expected():
    per_volume, _ = sensitivity({"Li", "S"}, 2000.0)
    swollen = {"route": "zero-pressure", "ln_volume": 0.15, "ratio": 0.2 + 0.15 * per_volume}
    rows = [comparison(f"Li{n}S", **swollen) for n in range(2, 12)]
    known = errors_of(rows)
    at_its_volume = known.of_compound("Li20S", {"Li", "S"}, temperature_K=2000.0)
    at_the_true = known.of_case(at_aimd_volume("Li20S", 2000.0))
    excess = (at_its_volume.offset_decades - at_the_true.offset_decades) / per_volume
    assert excess == pytest.approx(0.15, abs=0.02)
    assert at_its_volume.budget.volume > 0


def test_forces_that_disagree_with_the_reference_are_a_sign_of_error():
    """Error 0.1 + (0.9 - R2): the coefficient of R2 is learned, and used where it is measured."""
    rng = np.random.default_rng(0)
    r2 = rng.uniform(0.5, 0.95, 40)
    rows = [
        comparison(f"Li{n + 2}S", ratio=0.1 + 0.9 - float(value), force_r2=float(value)) for n, value in enumerate(r2)
    ]
    known = errors_of(rows, PARAMETERS.model_copy(update={"forces": 1.0}))
    good, bad = known.of_cases([at_aimd_volume("Li99S", 2000.0, force_r2=value) for value in (0.95, 0.55)])
    assert bad.offset_decades - good.offset_decades == pytest.approx(0.4, abs=0.08)


def test_the_error_of_aimd_is_shared_by_the_labels_compared_with_it():
    """Ten labels beside one AIMD value know their error no better than that value is known."""
    rows = [comparison("Li2S", seed=str(seed), log10_D_aimd=-5.0) for seed in range(10)]
    one, ten = (errors_of(rows[:count]).of_case(at_aimd_volume("Li2S", 2000.0)) for count in (1, 10))
    assert ten.budget.level > 0.9 * one.budget.level


def test_a_planted_class_is_recovered_and_its_neighbours_less_so():
    pairs = [pair(f"Li{n}Cl") for n in range(2, 10)]
    pairs += [pair(f"Li{n}O", ratio=0.0, elements=OXIDE) for n in range(2, 10)]
    sure = [
        comparison(name, kelvin=1000.0, ratio=0.0, potential="diep", weights="b" * 12)
        for entry in pairs
        for name in [entry.compound]
    ]
    halide, oxide, sulphide = errors_of(sure, pairs=pairs).of_cases(
        [at_aimd_volume(name, 1000.0) for name in ("LiCl", "Li2O", "Li2S")]
    )
    assert 0.3 < halide.offset_decades < 0.6
    assert abs(oxide.offset_decades) < 0.2
    assert oxide.offset_decades < sulphide.offset_decades < halide.offset_decades
    assert sulphide.evidence == "diep: 16 pairs of other classes"
    assert halide.evidence == "diep: 8 pairs"


def test_few_pairs_are_shrunk_and_half_of_a_difference_belongs_to_the_reference():
    offsets = [
        errors_of([], pairs=[pair(f"Li{n}Cl") for n in range(2, 2 + count)])
        .of_case(at_aimd_volume("Li30Cl", 1000.0))
        .offset_decades
        for count in (1, 2, 8)
    ]
    assert 0 < offsets[0] < offsets[1] < offsets[2] <= 0.3


def test_the_order_of_pairs_changes_nothing():
    pairs = [pair(f"Li{n}Cl", ratio=0.1 * n) for n in range(2, 6)]
    forward, backward = (ModelErrors.of("mine", "a" * 64, pairs=some) for some in (pairs, pairs[::-1]))
    assert forward.of_compound("LiCl", HALIDE, temperature_K=1000) == backward.of_compound(
        "LiCl", HALIDE, temperature_K=1000
    )


def drawn_compounds(rng, count):
    """Draw level and slope of compounds of one class from the prior, shape (count, 2)."""
    priors = (PARAMETERS.level, PARAMETERS.slope)
    shared = rng.normal(size=2) * [math.hypot(prior.potential, prior.chemistry) for prior in priors]
    own = rng.normal(size=(count, 2)) * [prior.compound for prior in priors]
    return shared + own * PARAMETERS.scatter["chalcogenide"]


def test_intervals_cover_errors_drawn_from_the_model():
    """Simulated compounds, 95 % intervals at 600 K from labels at 1000 and 2000 K: within 5 standard errors."""
    rng = np.random.default_rng(8)
    noise = math.hypot(0.02, 0.074 * 10**-0.25, PARAMETERS.cell * 10**-0.25)
    inside = []
    for _ in range(60):
        truth = drawn_compounds(rng, 8)
        rows = [
            comparison(
                f"Li{n + 2}S",
                kelvin=kelvin,
                ratio=truth[n] @ [1, inverse_temperature(kelvin)] + noise * rng.normal(),
                force_r2=0.85,
            )
            for n in range(6)
            for kelvin in (1000.0, 2000.0)
        ]
        cases = [at_aimd_volume(name, 600.0, force_r2=0.85) for name in ("Li2S", "Li9S")]
        for error, place in zip(errors_of(rows).of_cases(cases), (0, 7), strict=True):
            miss = truth[place] @ [1, inverse_temperature(600.0)] - error.offset_decades
            inside.append(abs(miss) < 1.96 * math.hypot(error.budget.level, error.budget.slope))
    assert np.mean(inside) == pytest.approx(0.95, abs=5 * math.sqrt(0.95 * 0.05 / len(inside)))


def test_all_classes_of_the_table_are_known():
    classes = {anion_class(element_amounts(row.compound)) for row in aimd_comparisons()}
    assert len(classes) == 7
    assert classes == set(PARAMETERS.typical_r2) == set(PARAMETERS.scatter)


def test_comparisons_of_lithium_tell_the_volume_but_not_the_error_of_another_species():
    """Cells of NEP89 are as much too large whichever ion is followed; the table has diffusivities of lithium alone."""
    lithium, oxygen = (
        ModelErrors.of("nep89", NEP89_SHA256, species=symbol).of_compound("Li2O", OXIDE, temperature_K=1000.0)
        for symbol in ("Li", "O")
    )
    assert lithium.is_measured
    assert not oxygen.is_measured
    assert "never compared for O" in oxygen.evidence
    assert oxygen.budget.model > lithium.budget.model
    assert oxygen.budget.volume == lithium.budget.volume
