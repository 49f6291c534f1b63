import math
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core.composition import Composition
from synthetic_report import model_errors as errors_of
from synthetic_report import synthetic_report

from vitrion.report import findings, numbers
from vitrion.report.data import RdfComparison
from vitrion.report.figures import arms, arrhenius, msd, rdf
from vitrion.report.limits import limits
from vitrion.report.ranking import Source, Tie, rank, tied_with_first
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.model_error.compound_error import CompoundError
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.schemas.error_budget import ErrorBudget
from vitrion_workflows.schemas.homonuclear import HomonuclearBonds
from vitrion_workflows.volumes.estimates import PotentialVolume, volume_estimates

K_LN10 = 8.617333262e-5 * math.log(10)


@pytest.fixture(scope="module")
def data():
    return synthetic_report()


def test_ranking_prefers_measurement_to_prediction_and_puts_bounds_last(data):
    rows = rank(data)
    measured = {row.fingerprint for row in data.labels if row.temperature_K == data.target_temperature_K}
    for row in rows:
        assert (row.source is Source.PREDICTED) == (row.fingerprint not in measured)
    values = [row.corrected[0] for row in rows if row.source is not Source.BOUND]
    assert values == sorted(values, reverse=True)
    bounds = [row.source is Source.BOUND for row in rows]
    assert bounds == sorted(bounds)


def test_each_cell_is_ranked_once(data):
    rows = rank(data)
    assert len({row.fingerprint for row in rows}) == len(rows)


def with_labels(data, *values, stderr=0.01):
    """The report with one measured cell of LiF and one of LiZn, of log10 D as given."""
    labels = [
        replace(
            data.labels[0],
            key=name,
            fingerprint=name,
            formula=name,
            temperature_K=data.target_temperature_K,
            state=LabelState.ACCEPTED,
            value_cm2_s=10**value,
            interval_95_cm2_s=(10 ** (value - 1.96 * stderr), 10 ** (value + 1.96 * stderr)),
        )
        for name, value in values
    ]
    return replace(data, labels=tuple(labels), predictions=(), cells=())


def budget(offset, **parts):
    """A systematic error of these parts."""
    zero = {"finite_size": 0.0, "protocol": 0.0, "level": 0.0, "slope": 0.0, "volume": 0.0, "reference": 0.0}
    return CompoundError(
        chemistry="halide",
        offset_decades=offset,
        slope_decades=0.0,
        slope_stderr_decades=0.0,
        budget=ErrorBudget(**zero | parts),
        evidence="aimd: 9 compounds",
    )


def test_the_ranking_is_that_of_the_corrected_values(data):
    errors = {"LiF": budget(0.5, level=0.1), "LiBr": budget(0.0, level=0.1)}
    flattered = with_labels(replace(data, model_errors=errors), ("LiF", -4.0), ("LiBr", -4.2))
    assert [row.formula for row in rank(flattered)] == ["LiBr", "LiF"]
    assert [row.formula for row in rank(replace(flattered, model_errors={}))] == ["LiF", "LiBr"]


def test_an_order_that_the_potential_decides_is_marked_and_shared_errors_cancel(data):
    errors = {"LiF": budget(0.0, level=0.2), "LiBr": budget(0.0, level=0.2)}
    own = {("LiF", "LiF"): 0.04, ("LiBr", "LiBr"): 0.04}
    pair = with_labels(replace(data, model_errors=errors), ("LiF", -4.0), ("LiBr", -4.3))
    independent = replace(pair, model_covariances=own)
    shared = replace(pair, model_covariances={**own, ("LiF", "LiBr"): 0.0399})
    assert [row.tie for row in rank(independent)] == [Tie.NONE, Tie.POTENTIAL]
    assert [row.tie for row in rank(shared)] == [Tie.NONE, Tie.NONE]
    noisy = with_labels(independent, ("LiF", -4.0), ("LiBr", -4.3), stderr=0.2)
    assert [row.tie for row in rank(noisy)] == [Tie.NONE, Tie.CHANCE]
    assert tied_with_first(rank(independent), Tie.POTENTIAL) == 1
    assert tied_with_first([], Tie.CHANCE) == 0
    assert "order of 1 other candidate and the first depends" in findings.opinion_note(independent, rank(independent))


def test_the_head_line_states_the_corrected_value_with_all_errors(data):
    errors = {"LiF": budget(0.3, level=0.1, slope=0.1, volume=0.1)}
    one = with_labels(replace(data, model_errors=errors), ("LiF", -4.0), stderr=0.05)
    words = findings.headline(one, rank(one))
    mean, deviation = -4.3, math.hypot(0.05, 0.1, 0.1, 0.1)
    assert words.startswith("Ranked by D corrected for the estimated error of nep89")
    assert numbers.decades(mean, (mean - 1.96 * deviation, mean + 1.96 * deviation)) in words
    assert findings.opinion_note(one, rank(one)).startswith("92%")  # 3 x 0.1^2 of 3 x 0.1^2 + 0.05^2
    assert findings.opinion_note(replace(one, model_errors={}), rank(replace(one, model_errors={}))) == ""


def test_a_label_at_another_temperature_is_shifted_along_the_surrogates_slope(data):
    shifted = [point for arm in ("acquisition", "random") for point in arms.points(data, arm) if point.extrapolated]
    assert shifted
    point = shifted[0]
    prediction = next(row for row in data.predictions if row.formula == point.label.formula)
    expected = math.log10(point.label.value_cm2_s) - prediction.Ea_eV / K_LN10 * (
        1 / data.target_temperature_K - 1 / point.label.temperature_K
    )
    assert point.log10_D == pytest.approx(expected)


def test_equal_arms_are_never_called_a_gain(data):
    shared = [row for row in data.labels if row.arm in {"acquisition", "random"}]
    doubled = [replace(row, arm=arm, key=row.key + arm) for row in shared for arm in ("acquisition", "random")]
    same = replace(data, labels=tuple(doubled))
    assert arms.difference(same).value == pytest.approx(0.0, abs=1e-12)
    assert "includes zero" in findings.arms_note(same)


def test_the_line_on_the_page_knows_its_labels(data):
    one = next(row for row in data.labels if row.formula == "LiF")
    truth = [
        replace(one, temperature_K=kelvin, value_cm2_s=10 ** (-3 - 0.35 / (K_LN10 * kelvin))) for kelvin in (800, 1500)
    ]
    line = arrhenius.fit(truth)
    # The Bayesian line leans a little towards its prior: two labels of 0.05 decades hold the slope to some per cent.
    assert line.Ea_eV == pytest.approx(0.35, rel=0.02)
    rejected = replace(truth[0], state=LabelState.REJECTED, value_cm2_s=1e-3)
    assert arrhenius.fit([*truth, rejected]).Ea_eV == line.Ea_eV
    bound = replace(truth[0], temperature_K=600.0, state=LabelState.CENSORED, value_cm2_s=1e-9)
    assert arrhenius.fit([*truth, bound]).Ea_eV > line.Ea_eV
    assert arrhenius.fit(truth[:1]) is None


def test_panels_choose_what_the_gates_refused_too(data):
    chosen = msd.choose(data)
    assert len(chosen) == msd.MOST_PANELS
    assert any(row.state is not LabelState.ACCEPTED for row in chosen)
    best = max(data.accepted_labels, key=lambda row: row.value_cm2_s)
    assert chosen[0].key == best.key


def test_overlap_is_one_for_equal_curves_and_zero_for_disjoint_ones():
    r = tuple(np.linspace(0, 5, 11))
    one = tuple(float(x < 2) for x in r)
    other = tuple(float(x > 3) for x in r)
    assert rdf.overlap(RdfComparison("LiCl", "Li-Cl", r, (one,), (one,))) == pytest.approx(1.0)
    assert rdf.overlap(RdfComparison("LiCl", "Li-Cl", r, (one,), (other,))) == pytest.approx(0.0)
    assert rdf.overlap(RdfComparison("LiCl", "Li-Cl", r, (one,), ())) is None


def test_limits_name_the_cooling_rate_in_K_per_s(data):
    words = dict(limits(data))["Fast cooling"]
    assert "8.5 × 10¹⁴ K/s" in words  # 850 K/ps


def test_limits_name_the_compounds_whose_volumes_are_uncertain(data):
    def volumes(**search):
        other = PotentialVolume(
            potential="other", weights_sha256="0" * 64, temperature_K=2000.0, ln_stderr=0.01, **search
        )
        return volume_estimates("Li2SiO3", rule="rule", temperature_K=2000.0, production=other)

    cells = (
        replace(data.cells[0], formula="Li2SiO3", volumes=volumes(volume_A3_per_atom=30.0)),
        replace(data.cells[1], formula="LiCl", volumes=None),
    )
    words = dict(limits(replace(data, cells=cells)))["Volumes"]
    assert "Li₂SiO₃" in words
    assert "LiCl" not in words
    assert "Volumes" not in dict(limits(replace(data, cells=cells[1:])))


def test_limits_leave_out_what_does_not_apply(data):
    headings = dict(limits(replace(data, cells=())))
    assert "Fast cooling" not in headings
    assert "Small cells" not in headings


@pytest.mark.parametrize(
    ("value", "interval", "words"),
    [
        (2.34e-5, None, "2.3 × 10⁻⁵"),
        (2.34e-5, (1.8e-5, 3.04e-5), "2.3 (1.8 to 3.0) × 10⁻⁵"),
        (1.0, None, "1.0 × 10⁰"),
        (9.97e-6, None, "1.0 × 10⁻⁵"),
        (2.34e-5, (1.2e-7, 3.04e-4), "2.3 (0.012 to 30) × 10⁻⁵"),
        (0.0, None, "0"),
    ],
)
def test_diffusivities_in_print(value, interval, words):
    assert numbers.diffusivity(value, interval) == words


@pytest.mark.parametrize(("seconds", "words"), [(4.2, "4 s"), (548, "9 min 08 s"), (7300, "2.0 h")])
def test_durations_in_print(seconds, words):
    assert numbers.duration(seconds) == words


def test_formulas_in_print():
    assert numbers.formula("Li3PS4") == "Li₃PS₄"


def test_the_error_of_the_potential_is_told_for_the_chemistries_at_hand(data):
    words = dict(limits(data))["Against first principles"]
    classes = {anion_class([e.symbol for e in Composition(label.formula).elements]) for label in data.labels}
    for error in data.model_errors.values():
        assert error.chemistry in classes
        assert f"{error.offset_decades:+.2f} ± {error.stderr_decades:.2f}" in words
        assert error.evidence in words
    unknown = replace(data, potential="chgnet", model_errors=errors_of("chgnet", "c" * 64))
    assert "compared neither" in dict(limits(unknown))["Against first principles"]
    assert "+0.00 ± 0." in dict(limits(unknown))["Against first principles"]
    assert "Against first principles" not in dict(limits(replace(data, model_errors={})))


def test_the_ranking_is_corrected_for_the_error_of_the_potential(data):
    first = rank(data)[0]
    error = data.model_errors[first.formula]
    mean, deviation = first.corrected
    assert mean == pytest.approx(first.log10_D - error.offset_decades)
    statistical = (first.interval[1] - first.log10_D) / 1.96
    assert deviation == pytest.approx(math.hypot(statistical, error.stderr_decades, error.budget.reference), rel=1e-4)
    assert all(row.corrected is None for row in rank(replace(data, model_errors={})))


def test_bonds_of_accepted_cells_that_the_compound_lacks_are_named(data):
    sulfur = HomonuclearBonds(element="S", number=2.0, expected=0.0)
    accepted = [cell for cell in data.cells if cell.accepted]
    assert "No accepted cell" in findings.bonds_note(replace(data, cells=tuple(accepted)))
    checked = replace(accepted[0], formula="Li3PS4", homonuclear_bonds=(sulfur,), reference="diep")
    words = findings.bonds_note(replace(data, cells=(checked, *accepted[1:])))
    assert words.startswith(f"1 of {len(accepted)} accepted cells")
    assert "(S-S)" in words
    assert "diep keeps them" in words
    refused = replace(checked, accepted=False)
    assert "No accepted cell" in findings.bonds_note(replace(data, cells=(refused, *accepted[1:])))
    assert "1 of these cells had no reference" in findings.bonds_note(
        replace(data, cells=(replace(checked, reference=None),))
    )


def test_the_fastest_compositions_by_the_most_trusted_fidelity_are_named(data):
    assert not findings.trusted_note(data)
    slower = [replace(row, log10_D=row.log10_D - 1) for row in data.predictions]
    trusted = replace(
        data,
        trusted_predictions=tuple(slower),
        configuration={"fidelities": [{"potential": "diep"}, {"given": "aimd"}]},
    )
    fastest = max(slower, key=lambda row: row.log10_D)
    note = findings.trusted_note(trusted)
    value = numbers.decades(fastest.log10_D, (fastest.lower_95, fastest.upper_95))
    assert ("aimd" in note, f"{numbers.formula(fastest.formula)} {value}" in note) == (True, True)
