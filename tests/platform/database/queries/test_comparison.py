"""Pairs of labels by two potentials, and the model error they show, apart from the statistical one."""

import json

import numpy as np
import pytest
from plain_labels import plain_label

from vitrion.cli.app import run
from vitrion.database import connect
from vitrion.database.queries.comparison import by_chemistry, label_pairs, systematic_errors
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256
from vitrion_workflows.schemas import LabelProtocol, LabelState
from vitrion_workflows.schemas.force_check import ForceAgreement, ForceCheck, ForceCheckState
from vitrion_workflows.schemas.method import StartKind, StartRecord

OFFSET, SPREAD, STDERR = 0.3, 0.15, 0.05


def outcome(cell, **changes):
    return plain_label(cell, log10_stderr=STDERR, **changes)


@pytest.fixture
def db(home):
    with connect(home=home) as opened:
        yield opened


def fill(db, *, cells=12):
    rng = np.random.default_rng(0)
    for index in range(cells):
        anion = (16, 17)[index % 2]
        system = AtomicSystem(np.repeat([3, anion], 4), rng.uniform(0, 7, (8, 3)), np.eye(3) * 7)
        cell = db.structures.add(system, kind="amorphous").fingerprint
        truth = rng.normal(-4.5, 0.5)
        for seed in range(2):
            value = 10 ** (truth + STDERR * rng.normal())
            db.labels.add(outcome(cell, potential="nep89", value=value, seed=seed))
        other = 10 ** (truth + OFFSET + np.hypot(SPREAD, STDERR) * rng.normal())
        db.labels.add(outcome(cell, potential="diep", value=other, seed=9), arm="reference")
        # None of these has a partner.
        db.labels.add(outcome(cell, potential="diep", value=1e-3, temperature_K=2000.0))
        db.labels.add(outcome(cell, potential="nep89", value=1e-3, state=LabelState.REJECTED, seed=5))


def test_pairs_join_seeds_and_leave_out_what_has_no_partner(db):
    fill(db)
    pairs = label_pairs(db, "nep89", "diep")
    assert len(pairs) == 12
    assert all(pair.temperature_K == 1000.0 and pair.reduced_formula in {"LiS", "LiCl"} for pair in pairs)
    assert pairs[0].first_stderr == pytest.approx(STDERR / np.sqrt(2))
    assert pairs[0].stderr == pytest.approx(STDERR * np.sqrt(1.5))
    assert {name: len(found) for name, found in by_chemistry(pairs).items()} == {
        "chalcogenide": 6,
        "halide": 6,
        "all": 12,
    }
    mean = np.mean([pair.difference for pair in pairs])
    assert mean == pytest.approx(OFFSET, abs=4 * np.hypot(SPREAD, STDERR) / np.sqrt(12))


def test_other_weights_of_one_potential_are_not_joined(db):
    fill(db, cells=2)
    cell = db.structures.search()[0].fingerprint
    db.labels.add(outcome(cell, potential="nep89", value=1e-5, weights="c" * 64, seed=7))
    with pytest.raises(InputError, match="more than one weights_sha256"):
        label_pairs(db, "nep89", "diep")
    with pytest.raises(InputError, match="itself"):
        label_pairs(db, "diep", "diep")


def test_command(db, capsys):
    fill(db, cells=1)
    assert run(["labels", "compare", "nep89", "diep"]) == 2
    assert "1 accepted labels" in capsys.readouterr().err
    fill(db, cells=12)
    assert run(["labels", "compare", "nep89", "diep", "--json"]) == 0
    rows = {row["chemistry"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {"chalcogenide", "halide", "all"}
    whole = rows["all"]
    assert whole["offset_95"][0] <= OFFSET <= whole["offset_95"][1]
    assert whole["statistical_decades"] == pytest.approx(STDERR * np.sqrt(1.5))
    assert whole["model_error_decades"] == pytest.approx(np.hypot(whole["offset_decades"], whole["spread_decades"]))


def test_systematic_errors_of_a_referee_and_of_aimd(db):
    """The referee lies 0.3 decades above: the judged potential is too slow, by half of that as far as anyone knows."""
    fill(db)
    known = systematic_errors(db, "nep89", "a" * 64, species="Li")
    assert len(known.pairs) == 12
    error = known.of_compound("LiCl", {"Li", "Cl"}, temperature_K=1000.0)
    assert -0.3 < error.offset_decades < -0.05
    assert error.evidence == "diep: 6 pairs"
    other = systematic_errors(db, "nep89", "c" * 64, species="Li")
    assert not other.pairs  # labels of other weights are no pairs
    assert not other.of_compound("LiCl", {"Li", "Cl"}, temperature_K=1000.0).is_measured
    assert (
        systematic_errors(db, "nep89", NEP89_SHA256, species="Li")
        .of_compound("LiCl", {"Li", "Cl"}, temperature_K=1000.0)
        .is_measured
    )


def test_a_pair_knows_how_far_the_forces_of_the_first_label_agree(db):
    fill(db, cells=1)
    (cell,) = {row.structure_fingerprint for row in db.labels.search()}
    agreement = ForceAgreement(r2=0.7, slope=0.8, inverse_slope=0.9, mae_eV_per_A=0.1, components=24)
    check = ForceCheck(state=ForceCheckState.MADE, reference="diep", agreement=agreement)
    db.labels.add(outcome(cell, potential="nep89", value=1e-4, seed=8, force_check=check))
    (pair,) = systematic_errors(db, "nep89", "a" * 64, species="Li").pairs
    assert pair.force_r2 == 0.7  # of the labels with a check


def test_a_campaign_knows_only_its_own_pairs(db):
    fill(db)
    assert systematic_errors(db, "nep89", "a" * 64, species="Li", campaign="mine").pairs == ()


def test_compositions_of_a_frozen_test_are_left_out(db):
    fill(db)
    left = systematic_errors(db, "nep89", "a" * 64, species="Li", without={"LiCl"})
    assert {pair.compound for pair in left.pairs} == {"LiS"}


def test_ions_that_strong_friction_slows_are_no_error_of_the_potential(db):
    fill(db, cells=1)
    cell = db.structures.search()[0].fingerprint
    (before,) = systematic_errors(db, "nep89", "a" * 64, species="Li").pairs
    slow = outcome(cell, potential="nep89", value=1e-7, seed=31)
    db.labels.add(
        slow.model_copy(update={"protocol": LabelProtocol(thermostat="langevin", friction_per_ps=50.0)}),
    )
    assert systematic_errors(db, "nep89", "a" * 64, species="Li").pairs == (before,)
    with pytest.raises(InputError, match="more than one thermostat"):
        label_pairs(db, "nep89", "diep")


def test_labels_of_another_species_tell_nothing_of_lithium(db):
    fill(db, cells=2)
    before = systematic_errors(db, "nep89", "a" * 64, species="Li").pairs
    for row in db.labels.search(accepted=True, temperature=1000.0):
        anion = next(symbol for symbol in row.elements if symbol != "Li")
        value = 1e-5 if row.potential == "nep89" else 1e-7
        db.labels.add(outcome(row.structure_fingerprint, potential=row.potential, species=anion, value=value, seed=50))
    assert systematic_errors(db, "nep89", "a" * 64, species="Li").pairs == before
    (of_sulfur,) = systematic_errors(db, "nep89", "a" * 64, species="S").pairs
    assert (of_sulfur.compound, of_sulfur.log10_ratio) == ("LiS", pytest.approx(2.0))


def test_labels_of_one_cell_at_two_volumes_are_no_pair(db):
    """A volume 20 % larger makes D some 1.3 x ln 1.2 / ln 10 decades larger, which is no error of a potential."""
    fill(db, cells=1)
    (cell,) = {row.structure_fingerprint for row in db.labels.search()}
    for potential, volume, value in (("nep89", 40.0, 1e-4), ("nep89", 50.0, 1e-3), ("diep", 50.0, 1e-3)):
        label = outcome(cell, potential=potential, value=value, temperature_K=1500.0, seed=int(volume))
        start = StartRecord(kind=StartKind.SCALED, volume_A3_per_atom=volume)
        db.labels.add(label.model_copy(update={"method": label.method.model_copy(update={"start": start})}))
    pairs = [
        pair for pair in systematic_errors(db, "nep89", "a" * 64, species="Li").pairs if pair.temperature_K == 1500
    ]
    assert [pair.log10_ratio for pair in pairs] == [pytest.approx(0.0)]
