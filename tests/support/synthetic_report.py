"""An invented campaign for tests of the report: plausible numbers from one seed, nothing computed."""

import hashlib
from datetime import UTC, datetime

import numpy as np
from pymatgen.core.composition import Composition

from vitrion.report.data import (
    Baseline,
    Cell,
    Cycle,
    Label,
    ParityPoint,
    Prediction,
    RdfComparison,
    ReferencePair,
    ReportData,
    StageCost,
)
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256
from vitrion_workflows.schemas import GateOutcome, LabelState, MsdTable, Origin

FORMULAS = ("LiCl", "LiF", "LiBr", "Li2O", "Li2S", "Li3P", "Li3PS4", "Li2SiO3", "LiAlCl4", "Li3N")
LOG10_D0 = dict(zip(FORMULAS, (-3.1, -3.2, -3.1, -3.3, -3.2, -3.0, -3.4, -3.9, -3.6, -2.9), strict=True))
EA_EV = dict(zip(FORMULAS, (0.28, 0.33, 0.27, 0.36, 0.31, 0.22, 0.30, 0.62, 0.41, 0.20), strict=True))
TARGET_K = 1000.0
KT_LN10 = 8.617333262e-5 * np.log(10)


def _truth(formula, kelvin):
    return LOG10_D0[formula] - EA_EV[formula] / (KT_LN10 * kelvin)


def _gate(name, value, lower=None, upper=None, unit=""):
    passed = (lower is None or value >= lower) and (upper is None or value <= upper)
    return GateOutcome(name=name, passed=bool(passed), value=float(value), lower=lower, upper=upper, unit=unit)


def _cell(rng, formula, origin, number):
    gates = (
        _gate("minimum_distance", rng.normal(0.78, 0.05 if origin is Origin.MELT_QUENCH else 0.12), 0.6),
        _gate("density", rng.normal(2.2, 0.1), 1.5, 3.2, "g/cm3"),
        _gate("crystalline_order", rng.normal(0.2, 0.08), None, 0.4),
        _gate("pressure", rng.normal(0.5, 1.5), -5.0, 5.0, "GPa"),
    )
    return Cell(
        fingerprint=_hex(formula, origin.value, number),
        formula=formula,
        origin=origin,
        accepted=all(gate.passed for gate in gates),
        gates=gates,
        atoms=int(rng.integers(48, 60)),
        density_g_cm3=2.2,
        quench_rate_K_per_ps=850.0 if origin is Origin.MELT_QUENCH else None,
        wall_seconds=8.0,
    )


def _hex(*parts):

    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _pair(formula, production, reference):
    sides = [(*side, (side[0] - 1.96 * side[1], side[0] + 1.96 * side[1])) for side in (production, reference)]
    return ReferencePair(formula, _hex(formula, "pair"), 1500.0, *sides[0], *sides[1], "chgnet", 0.6)


def model_errors(potential, weights):
    """What a potential is off by, as far as the table that Vitrion brings tells."""
    known = ModelErrors.of(potential, weights)
    symbols = {name: [element.symbol for element in Composition(name).elements] for name in FORMULAS}
    return {name: known.of_compound(name, symbols[name], temperature_K=TARGET_K) for name in FORMULAS}


def _msd(rng, log10_D):
    lag = np.geomspace(0.02, 8.0, 40)
    slope = 6 * 10**log10_D * 1e4
    clean = slope * lag + 1.2 * (1 - np.exp(-lag / 0.08))
    error = clean * 0.04 * np.sqrt(lag / 0.5)
    noisy = clean + np.cumsum(rng.normal(0, 1, len(lag))) * error / 12
    return MsdTable(lag_ps=tuple(lag), msd_A2=tuple(np.maximum(noisy, 1e-3)), stderr_A2=tuple(error))


def _label(rng, cell, kelvin, arm, cycle):
    stderr = float(rng.uniform(0.05, 0.16))
    value = _truth(cell.formula, kelvin) + (0.08 if cell.origin is Origin.GENERATED else 0) + rng.normal(0, stderr)
    state = LabelState.CENSORED if value < -5.2 else LabelState.ACCEPTED
    gates = (
        _gate("temperature_reached", rng.normal(0, 0.01), -0.05, 0.05),
        _gate("exponent", rng.normal(0.98, 0.05), 0.8, 1.2),
        _gate("resolved_displacement", 6 * 10**value * 1e4 * 8, 3.0, None, "A2"),
    )
    return Label(
        key=_hex("label", cell.fingerprint, kelvin),
        fingerprint=cell.fingerprint,
        formula=cell.formula,
        origin=cell.origin,
        temperature_K=kelvin,
        state=state,
        value_cm2_s=10**value,
        interval_95_cm2_s=(10 ** (value - 1.96 * stderr), 10 ** (value + 1.96 * stderr)),
        log10_stderr=stderr,
        arm=arm,
        cycle=cycle,
        msd=_msd(rng, value),
        fit_window_ps=(0.8, 5.0),
        equilibration_ps=0.6,
        production_ps=10.0,
        n_eff=float(rng.uniform(20, 80)),
        exponent=float(rng.normal(0.98, 0.04)),
        gates=gates,
        wall_seconds=14.0,
    )


def _rdf(rng, formula, pair):
    r = np.arange(0.05, 6.0, 0.1)
    curve = 1 / (1 + np.exp(-(r - 2.2) / 0.12)) * (1 + 1.9 * np.exp(-(((r - 2.5) / 0.25) ** 2)))
    noisy = [tuple(np.maximum(curve + rng.normal(0, 0.05, len(r)) * curve, 0)) for _ in range(5)]
    return RdfComparison(formula, pair, tuple(r), tuple(noisy[:2]), tuple(noisy[2:]))


def synthetic_report(seed=7):
    """The whole campaign: three closed cycles, both arms, generated cells, a reference potential."""
    rng = np.random.default_rng(seed)
    quenched = [_cell(rng, formula, Origin.MELT_QUENCH, 0) for formula in FORMULAS]
    drawn = [
        _cell(rng, formula, Origin.GENERATED, n) for n, formula in enumerate(("LiCl", "Li3N", "Li3PS4", "Li2S") * 2)
    ]
    cells = quenched + drawn
    labels = [_label(rng, cell, 1500.0, "test" if cell.formula in FORMULAS[-2:] else "initial", 0) for cell in quenched]
    labels += [_label(rng, cell, TARGET_K, "test", 0) for cell in quenched[-2:]]
    generated = [cell for cell in drawn if cell.accepted]
    labels += [
        _label(rng, generated[1], TARGET_K, "acquisition", 1),
        _label(rng, quenched[5], TARGET_K, "acquisition", 1),
        _label(rng, quenched[0], TARGET_K, "acquisition", 1),
        _label(rng, quenched[7], TARGET_K, "random", 1),
        _label(rng, quenched[3], 2000.0, "random", 1),
        _label(rng, generated[0], TARGET_K, "acquisition", 2),
        _label(rng, quenched[2], TARGET_K, "acquisition", 2),
        _label(rng, generated[2], 2000.0, "acquisition", 2),
        _label(rng, quenched[4], TARGET_K, "random", 2),
        _label(rng, quenched[6], 2000.0, "random", 2),
    ]
    predictions = [
        Prediction(
            cell.fingerprint,
            cell.formula,
            cell.origin,
            (mean := _truth(cell.formula, TARGET_K) + rng.normal(0, 0.2)),
            mean - 0.7,
            mean + 0.7,
            EA_EV[cell.formula],
            extrapolating=cell.formula == "Li2SiO3",
        )
        for cell in cells
        if cell.accepted
    ]
    parity = [
        ParityPoint(
            label.formula,
            label.temperature_K,
            (measured := float(np.log10(label.value_cm2_s))),
            label.log10_stderr,
            (mean := measured + rng.normal(0, 0.35 if label.arm == "test" else 0.12)),
            0.3,
            mean - 0.65,
            mean + 0.65,
            held_out=label.arm == "test",
        )
        for label in labels
        if label.state is LabelState.ACCEPTED
    ]
    return ReportData(
        campaign="quickstart",
        state="done",
        species="Li",
        target_temperature_K=TARGET_K,
        made=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
        potential="nep89",
        acquisition="expected_improvement",
        wall_seconds=548.0,
        cells=tuple(cells),
        labels=tuple(labels),
        predictions=tuple(predictions),
        rdfs=(_rdf(rng, "LiCl", "Li-Cl"), _rdf(rng, "Li3N", "Li-N"), _rdf(rng, "Li3PS4", "P-S")),
        parity=tuple(parity),
        baselines=(Baseline("temperature only", 0.41, 0.33), Baseline("random forest on descriptors", 0.29, 0.24)),
        cycles=(
            Cycle(0, "closed", 12, True, "first model", True, "first model", 3, 2, 210.0),
            Cycle(1, "closed", 5, False, "worse beyond chance: +0.05 (0.01 to 0.09)", True, "not worse", 3, 1, 160.0),
            Cycle(2, "closed", 5, True, "not worse: -0.02 (-0.05 to 0.01)", True, "not worse", 2, 2, 170.0),
        ),
        costs=(
            StageCost("melt and quench", 10, 210.0),
            StageCost("generated cells", 8, 31.0),
            StageCost("labels", 22, 610.0),
            StageCost("reference", 2, 140.0),
            StageCost("training", 6, 88.0),
        ),
        reference_pairs=(
            _pair("LiCl", (-4.02, 0.08), (-3.91, 0.16)),
            _pair("Li2S", (-4.33, 0.11), (-4.52, 0.21)),
        ),
        model_errors=model_errors("nep89", NEP89_SHA256),
        provenance=(
            ("potential", "nep89 2025-04, weights sha256 " + "75168ece" * 8),
            ("seed", "20261121"),
            ("configuration sha256", _hex("configuration")),
            ("vitrion", "0.1.0"),
        ),
        configuration={"name": "quickstart", "seed": 20261121},
    )
