"""Summary of teachers and students: means over seeds, by class, and student minus teacher."""

import math

import pytest
from teachers_summary import summary, tables

CLASSES = {"Li3P": "pnictide", "Li2O": "oxide", "Li5ReO6": "oxide"}
OFFSETS = {"nep89": 0.5, "diep": 0.1, "tuned:mine": 0.15}
OF_SEED = {20: -0.1, 21: 0.1}  # of the melt, hence of all potentials


def line(potential, formula, seed, **changes):
    return {
        "potential": potential,
        "route": "aimd-volume",
        "seed": seed,
        "formula": formula,
        "chemistry": CLASSES[formula],
        "temperature_K": 1000,
        "outcome": "labelled",
        "state": "accepted",
        "log10_ratio": OFFSETS[potential] + OF_SEED[seed],
        "log10_stderr": 0.02,
    } | changes


def lines():
    return [line(potential, formula, seed) for potential in OFFSETS for formula in CLASSES for seed in OF_SEED]


def figures(rows):
    return {figure["name"]: figure for figure in summary(rows)}


def test_each_potential_is_averaged_over_seeds_and_formulas_of_a_class():
    by_name = figures(lines())
    assert by_name["teachers_diep_all_log10_ratio"]["value"] == pytest.approx(0.1)
    assert by_name["teachers_nep89_oxide_log10_ratio"]["formulas"] == 2
    # Two seeds at -0.1 and +0.1 around each mean: a standard error of 0.1, over three formulas 0.1 / sqrt(3).
    assert by_name["teachers_nep89_all_log10_ratio"]["stderr"] == pytest.approx(0.1 / math.sqrt(3))
    assert by_name["teachers_nep89_all_log10_ratio"]["rms"] == pytest.approx(0.5)


def test_student_and_teacher_are_compared_on_the_same_melts():
    difference = figures(lines())["student_minus_diep_Li3P"]
    assert difference["value"] == pytest.approx(0.05)
    assert difference["stderr"] == pytest.approx(0.02)  # statistical: the melts differ alike for both
    assert difference["seeds"] == 2


def test_rejected_and_unresolved_labels_are_left_out_and_censored_ones_counted():
    kept = [row for row in lines() if row["potential"] == "diep" and row["formula"] == "Li3P"]
    rows = [
        kept[0] | {"state": "censored"},
        kept[1] | {"state": "rejected"},
        line("diep", "Li2O", 20, log10_stderr=math.inf, state="censored"),
        line("diep", "Li5ReO6", 20, route="zero-pressure", temperature_K=2000),
    ]
    assert figures(rows)["teachers_diep_all_log10_ratio"]["value"] == pytest.approx(OFFSETS["diep"] + OF_SEED[20])
    assert any("1 censored" in text for text in tables(rows))
    assert figures([]) == {}
