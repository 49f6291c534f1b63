"""Proposals from documents alone: a chemistry that the potential flatters loses once reference labels show it."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from plain_labels import WEIGHTS, plain_label
from scipy import stats
from tiny_campaign import TINY

import vitrion
from vitrion.database.records import Arm, Proposal
from vitrion.learning.acquisition import proposing
from vitrion.learning.acquisition.pool import elements_of
from vitrion.learning.acquisition.reference_check import reference_proposals, stratified_sample
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.plan import Plan
from vitrion_models.system import AtomicSystem
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.schemas import GateOutcome
from vitrion_workflows.schemas.label import GATE_VERSION

FLATTERY = 0.6  # decades by which the production potential is too fast in chlorides and bromides
ANIONS = {"chloride": 17, "bromide": 35, "sulphide": 16, "selenide": 34}
HALIDES = (17, 35)
FACTORY = SimpleNamespace(potential="wells", weights_sha256=WEIGHTS["wells"])


class Surrogate:
    """Predicts what the production potential gives: halides a little above the others, with small uncertainty."""

    def predict(self, systems, temperatures_K):
        kelvin = np.broadcast_to(np.asarray(temperatures_K, float), len(systems))
        mean = np.array([-4.0 if set(entry.numbers) & set(HALIDES) else -4.2 for entry in systems])
        return SimpleNamespace(mean=mean + 1e-4 * (kelvin - 1500), std=np.full(len(systems), 0.05))

    def predict_members(self, systems, temperatures_K, *, samples, seed):
        mean = self.predict(systems, temperatures_K).mean
        return mean + 0.05 * np.random.default_rng(seed).normal(size=(samples, len(systems)))


def cell(db, number, seed, *, lithium):
    positions = np.random.default_rng(seed).uniform(0, 8, (12, 3))
    system = AtomicSystem(np.repeat([3, number], [lithium, 12 - lithium]), positions, np.eye(3) * 8)
    gates = (GateOutcome(name="density", passed=True),)
    row = db.structures.add(system, kind="amorphous", campaign="tiny", gates=gates)
    return db.structures.get(row.fingerprint)


def label(db, structure, potential, log10_D, *, arm):
    outcome = plain_label(
        structure.fingerprint, potential=potential, temperature_K=1500.0, value=10**log10_D, log10_stderr=0.05
    )
    return db.labels.add(outcome, campaign="tiny", arm=arm).key


def ask(db, monkeypatch, *, with_reference):
    """Proposals of the second cycle, with or without reference labels of the first one's."""
    monkeypatch.setattr(proposing.model_registry, "promoted_surrogate", lambda *_, **__: ("0" * 64, Surrogate()))
    plan_formulas = {}
    for number in ANIONS.values():
        for copy, lithium in enumerate((5, 6, 7, 8)):
            structure = cell(db, number, copy, lithium=lithium)
            plan_formulas[structure.reduced_formula] = None
            label(db, structure, "wells", -4.0, arm="initial")
            if with_reference:
                label(db, structure, "diep", -4.0 - FLATTERY * (number in HALIDES), arm="reference")
    db.cycles.create("tiny", 0, proposals=[])
    configuration = CampaignConfiguration.model_validate({**TINY, "acquisition": {"batch": 4, "random": 1}})
    stored_formulas = dict.fromkeys(row.reduced_formula for row in db.structures.search(kind="amorphous"))
    first, again = (
        proposing.propose(db, configuration, Plan("wells", WEIGHTS["wells"], "", formulas, {}, ()), FACTORY, index=1)
        for formulas in (plan_formulas, stored_formulas)
    )
    assert first == again  # nothing but the documents decides
    return first


def anions(proposals, arm):
    return ["Cl" in p.formula or "Br" in p.formula for p in proposals if p.arm is arm]


@pytest.fixture
def proposals(tmp_path, monkeypatch):
    answers = {}
    for with_reference in (False, True):
        with vitrion.connect(home=tmp_path / str(with_reference)) as db:
            answers[with_reference] = ask(db, monkeypatch, with_reference=with_reference)
    return answers


def test_the_flattered_class_is_left_out_where_reference_labels_show_it_and_chance_is_untouched(proposals):
    assert all(anions(proposals[False], Arm.ACQUISITION))  # the potential alone: halides
    assert not any(anions(proposals[True], Arm.ACQUISITION))
    by_chance = [
        [(p.formula, p.temperature_K) for p in proposals[with_reference] if p.arm is Arm.RANDOM]
        for with_reference in (False, True)
    ]
    assert by_chance[0] == by_chance[1]
    halide = [p.model_offset for p in proposals[True] if p.arm is Arm.RANDOM and anions([p], Arm.RANDOM)[0]]
    assert all(0.2 < offset < FLATTERY for offset in halide)
    assert all(p.model_offset == 0 and p.model_std > 0.2 for p in proposals[False])


def accepted(structure, key, arm):
    """A proposal whose label was accepted."""
    return Proposal(
        formula=structure.reduced_formula,
        source_fingerprint=structure.fingerprint,
        structure_fingerprint=structure.fingerprint,
        temperature_K=1500.0,
        arm=arm,
        label_key=key,
        label_state="accepted",
    )


def test_the_reference_potential_is_not_used_on_the_frozen_test(tmp_path):
    configuration = CampaignConfiguration.model_validate({**TINY, "reference": {"potential": "chgnet", "share": 1.0}})
    with vitrion.connect(home=tmp_path) as db:
        earlier = []
        for seed, arm in enumerate((Arm.TEST, Arm.INITIAL, Arm.RANDOM)):
            structure = cell(db, 17, seed, lithium=5 + seed)
            key = label(db, structure, "wells", -4.0, arm=arm.value)
            earlier.append(accepted(structure, key, arm))
        repeated = reference_proposals(db, configuration, earlier, cycles_before=1)
        assert reference_proposals(db, configuration, [*earlier, *repeated], cycles_before=2) == ()
    assert {entry.formula for entry in repeated} == {entry.formula for entry in earlier[1:]}


@pytest.mark.parametrize(
    ("share", "labels", "expected"), [(0.07, 100, 7), (0.1, 30, 3), (0.1, 31, 4), (0.1, 1, 1), (1.0, 9, 9)]
)
def test_the_reference_potential_is_used_on_the_share_and_no_more(share, labels, expected):
    configuration = CampaignConfiguration.model_validate({**TINY, "reference": {"potential": "chgnet", "share": share}})
    earlier = [
        Proposal(
            formula="LiCl",
            structure_fingerprint="f" * 64,
            temperature_K=1000.0 + place,
            arm=Arm.RANDOM,
            label_key=f"{place}",
            label_state="accepted",
        )
        for place in range(labels)
    ]
    stored = SimpleNamespace(log10_value=-5.0, gate_version=GATE_VERSION)
    db = SimpleNamespace(labels=SimpleNamespace(find=lambda keys: dict.fromkeys(keys, stored)))
    assert len(reference_proposals(db, configuration, earlier, cycles_before=1)) == expected


def test_the_reference_potential_is_not_used_on_other_gate_versions(tmp_path):
    """They make no pair, and those it gave earlier are no share of those that do."""
    configuration = CampaignConfiguration.model_validate({**TINY, "reference": {"potential": "diep", "share": 0.5}})

    def second(earlier):
        return [entry.formula for entry in reference_proposals(db, configuration, earlier, cycles_before=1)]

    with vitrion.connect(home=tmp_path) as db:
        cells = [cell(db, 17, seed, lithium=4 + seed) for seed in range(4)]
        keys = [label(db, structure, "wells", -4.0, arm="random") for structure in cells]
        earlier = [accepted(structure, key, Arm.RANDOM) for structure, key in zip(cells, keys, strict=True)]
        answered = label(db, cells[0], "diep", -4.0, arm="reference")
        repeated = accepted(cells[0], answered, Arm.REFERENCE)
        assert len(second([*earlier, repeated])) == 1
        for key in (keys[0], keys[1], answered):
            assert db.collection("labels").update_one({"key": key}, {"$set": {"gate_version": GATE_VERSION - 1}})
        assert len(second([*earlier, repeated])) == 1  # half of two, and what it had said counts no more
        assert set(second([*earlier, repeated])) <= {structure.reduced_formula for structure in cells[2:]}
        waiting = repeated.model_copy(update={"label_key": "0" * 64, "label_state": None})
        assert second([*earlier, waiting]) == []


COMPOUNDS = ("LiCl", "LiF", "LiBr", "LiI", "Li2O", "Li2S", "Li3P")  # four halides: the cheapest cells are theirs
KELVIN = (1000.0, 1300.0, 1600.0)


def labelled():
    return [
        Proposal(formula=formula, temperature_K=kelvin, arm=Arm.INITIAL, label_key=f"{formula}-{kelvin:g}")
        for formula in COMPOUNDS
        for kelvin in KELVIN
    ]


def test_the_reference_potential_is_used_on_every_chemistry_and_temperature_before_any_twice():
    for seed in range(20):
        drawn = stratified_sample(labelled(), [], count=4, seed=seed)
        assert {anion_class(elements_of(entry.formula)) for entry in drawn} == {
            "halide",
            "oxide",
            "chalcogenide",
            "pnictide",
        }
        assert {entry.temperature_K for entry in drawn} == set(KELVIN)
        more = stratified_sample(labelled(), [], count=9, seed=seed)
        assert more[:4] == drawn
        assert len({entry.formula for entry in more}) == len(COMPOUNDS) - 1  # a class has its turn, whatever its size
        assert stratified_sample(labelled()[::-1], [], count=9, seed=seed) == more
    assert sorted(entry.label_key for entry in stratified_sample(labelled(), [], count=99, seed=0)) == sorted(
        entry.label_key for entry in labelled()
    )


def test_which_label_of_a_chemistry_the_reference_potential_is_used_on_is_chance():
    """500 draws: each of a class's labels comes up as often as the others; chi-squared, false alarms of 0.1 %."""
    drawn = Counter(stratified_sample(labelled(), [], count=1, seed=seed)[0].label_key for seed in range(500))
    assert stats.chisquare([drawn[entry.label_key] for entry in labelled()]).pvalue > 1e-3


def test_the_reference_potential_goes_on_where_it_stopped():
    first = stratified_sample(labelled(), [], count=4, seed=1)
    then = stratified_sample(labelled(), first, count=5, seed=2)
    assert not {entry.label_key for entry in first} & {entry.label_key for entry in then}
    assert len({entry.formula for entry in (*first, *then)}) == len(COMPOUNDS) - 1
