"""Corrected values with their error budgets: of stored labels, of Arrhenius fits, in commands."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from plain_labels import plain_label
from stored_records import published_label

import vitrion
from vitrion.answers.arrhenius import answer_arrhenius
from vitrion.answers.corrected import corrected_labels
from vitrion.cli.app import run
from vitrion.database.queries.label_cases import cases_of_labels, typical_volume
from vitrion_models.system import AtomicSystem
from vitrion_workflows.model_error.effects import Case
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.model_error.volume_sensitivity import sensitivity
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.schemas.force_check import ForceAgreement, ForceCheck, ForceCheckState
from vitrion_workflows.schemas.volume import EstimatedVolume, EstimateSource, VolumeEstimates

EV_PER_SLOPE = 1000 * 8.617333262e-5 * math.log(10)
NEP89 = {"potential": "nep89", "weights": NEP89_SHA256}


@pytest.fixture
def db(home):
    with vitrion.connect(home=home) as opened:
        yield opened


@pytest.fixture
def cell(db):
    positions = np.random.default_rng(0).uniform(0, 7, (8, 3))
    return db.structures.add(
        AtomicSystem(np.repeat([3, 17], 4), positions, np.eye(3) * 7), kind="amorphous"
    ).fingerprint


def check(r2):
    """A force check of this agreement."""
    agreement = ForceAgreement(r2=r2, slope=1.0, inverse_slope=1.0, mae_eV_per_A=0.1, components=24)
    return ForceCheck(state=ForceCheckState.MADE, reference="diep", agreement=agreement)


def test_a_label_is_corrected_with_what_is_known_of_its_forces_and_cell(db, cell):
    keys = [
        db.labels.add(plain_label(cell, **NEP89, value=1e-4, log10_stderr=0.05, seed=seed, force_check=check(r2))).key
        for seed, r2 in enumerate((0.95, 0.3))
    ]
    corrected = corrected_labels(db, [db.labels.get(key) for key in keys])
    errors = ModelErrors.of("nep89", NEP89_SHA256)
    for key, r2 in zip(keys, (0.95, 0.3), strict=True):
        case = Case(
            compound="LiCl",
            elements=frozenset({"Li", "Cl"}),
            temperature_K=1000.0,
            force_r2=r2,
            log10_D=-4.0,
            atoms=8,
        )
        mean, deviation = errors.of_case(case).corrected(-4.0, 0.05)
        assert corrected[key].log10_D == pytest.approx(mean)
        assert corrected[key].interval_95 == pytest.approx((mean - 1.96 * deviation, mean + 1.96 * deviation), abs=1e-4)
        assert corrected[key].errors.total == pytest.approx(deviation)
        assert corrected[key].errors.statistical == 0.05
    assert (
        corrected[keys[0]].errors.finite_size
        > errors.of_compound("LiCl", {"Li", "Cl"}, temperature_K=1000.0).budget.finite_size
    )


def estimates(volume, *, stderr=0.03, rule="rule"):
    """Estimates of a volume that agree, at 1000 K and with an expansion of 1e-4 per K."""
    estimate = EstimatedVolume(
        source=EstimateSource.COMPOSITION,
        detail="melt",
        temperature_K=1000.0,
        volume_A3_per_atom=volume,
        expected_A3_per_atom=volume,
        ln_stderr=stderr,
    )
    return VolumeEstimates(
        rule=rule,
        temperature_K=1000.0,
        volume_A3_per_atom=volume if rule == "rule" else 2 * volume,
        ln_stderr=stderr,
        ln_expansion_per_K=1e-4,
        ln_expansion_stderr_per_K=0.0,
        estimates=(estimate,),
        ln_spread=0.0,
    )


@pytest.mark.parametrize("rule", ["rule", "zero-pressure"])
def test_a_cell_larger_than_the_best_estimate_is_too_fast(db, rule):
    """7^3 / 8 = 42.9 A3 per atom, 10 % above the estimate at 1500 K."""
    system = AtomicSystem(np.repeat([3, 17], 4), np.random.default_rng(1).uniform(0, 7, (8, 3)), np.eye(3) * 7)
    best = 7**3 / 8 / 1.1 / math.exp(0.05)
    cell = db.structures.add(system, kind="amorphous", volumes=estimates(best, rule=rule)).fingerprint
    db.labels.add(plain_label(cell, **NEP89, value=1e-4, temperature_K=1500.0))
    (row,) = db.labels.search()
    (case,) = cases_of_labels(db, [row])
    assert case.ln_volume_ratio == pytest.approx(math.log(1.1))
    assert case.ln_volume_stderr == pytest.approx(0.03)
    assert typical_volume([case]) == pytest.approx((math.log(1.1), 0.03))
    assert typical_volume([case, replace(case, ln_volume_ratio=None)]) is None
    (value,) = corrected_labels(db, [row]).values()
    exact = ModelErrors.of("nep89", NEP89_SHA256).of_case(replace(case, ln_volume_ratio=0.0))
    per_volume, _ = sensitivity({"Li", "Cl"}, 1500.0)
    assert value.model_offset_decades > exact.offset_decades + 0.05 * per_volume


def test_bounds_and_values_from_elsewhere_are_not_corrected(db, cell):
    bound = db.labels.add(plain_label(cell, value=1e-6, state=LabelState.CENSORED, log10_stderr=None)).key
    elsewhere = db.labels.add_imported(published_label(log10_stderr=0.1)).key
    assert corrected_labels(db, [db.labels.get(bound), db.labels.get(elsewhere)]) == {}


def test_an_activation_energy_has_the_error_of_the_slope(db, cell):
    """log10 D of the truth = log10 D of the potential - b(T): Ea grows by 0.198 eV for a slope of one decade."""
    for kelvin in (1000.0, 1250.0, 1500.0, 2000.0):
        value = 10 ** (-2.5 - 0.4 / (EV_PER_SLOPE / 1000 * kelvin))
        db.labels.add(plain_label(cell, **NEP89, value=value, temperature_K=kelvin, log10_stderr=0.03))
    answer = answer_arrhenius(db.labels.search(), temperatures_K=[300.0, 1500.0])
    error = ModelErrors.of("nep89", NEP89_SHA256).of_compound("LiCl", {"Li", "Cl"}, temperature_K=300.0)
    assert answer.corrected_Ea_eV == pytest.approx(answer.Ea_eV + EV_PER_SLOPE * error.slope_decades)
    half = (answer.corrected_Ea_95_eV[1] - answer.corrected_Ea_95_eV[0]) / 2
    assert half == pytest.approx(
        1.96 * math.hypot(answer.Ea_stderr_eV, EV_PER_SLOPE * error.slope_stderr_decades), rel=1e-3
    )
    cold, hot = (prediction.corrected for prediction in answer.predictions)
    assert cold.errors.slope > 5 * hot.errors.slope
    assert cold.log10_D == pytest.approx(answer.predictions[0].log10_D - error.offset_decades)


def test_commands_show_each_error_apart(db, cell, capsys):
    key = db.labels.add(plain_label(cell, **NEP89, value=1e-4, log10_stderr=0.05)).key
    assert run(["labels", "show", key[:12], "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["value"] == 1e-4
    budget = shown["corrected"]["errors"]
    assert set(budget) >= {"statistical", "finite_size", "protocol", "level", "slope", "volume", "model", "total"}
    parts = ("statistical", "finite_size", "protocol", "model", "reference")
    assert budget["total"] == pytest.approx(math.hypot(*(budget[name] for name in parts)))
    assert run(["labels", "show", key[:12]]) == 0
    assert "corrected log10 D" in " ".join(capsys.readouterr().out.split())
