"""The report of a campaign that lies in a real embedded database."""

import html
from contextlib import contextmanager

import numpy as np
import pytest
from plain_labels import WEIGHTS, plain_label
from stored_records import close_cycle

from vitrion.database import NotFoundError, connect
from vitrion.report import build, findings
from vitrion.report.collecting import collect
from vitrion.report.collecting.rdfs import BINS, CUTOFF_A, partial_rdf
from vitrion.report.ranking import rank
from vitrion_models.surrogates import ArrheniusKernelConfig, diffusivity_sample, dumps, train
from vitrion_models.surrogates.arrhenius_gnn.config import KERNEL_ARCHITECTURE
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import (
    GateOutcome,
    LabelProtocol,
    LabelState,
    MsdTable,
    Origin,
    StructureKind,
    label_key,
)
from vitrion_workflows.schemas.label import GATE_VERSION
from vitrion_workflows.tuning.agreement import FrameAgreement
from vitrion_workflows.tuning.card import Card, Source
from vitrion_workflows.tuning.settings import FitSettings

OLDER = GATE_VERSION - 1
PROTOCOL = LabelProtocol()
CONFIGURATION = {
    "species": "Li",
    "seed": 3,
    "potential": "auto",
    "cycles": 2,
    "labels": {"target_temperature_K": 1000.0},
    "acquisition": {"function": "thompson"},
}
ANIONS = {"LiCl": 17, "LiF": 9, "LiBr": 35, "LiI": 53}


def cell(rng, anion, count=16):
    edge = 4.0 * count ** (1 / 3)
    return AtomicSystem(np.repeat([3, anion], count // 2), rng.uniform(0, edge, (count, 3)), np.eye(3) * edge)


def outcome(fingerprint, kelvin, log10_D, *, potential="nep89", state=LabelState.ACCEPTED):
    value = 10.0**log10_D
    return plain_label(
        fingerprint,
        potential=potential,
        temperature_K=kelvin,
        state=state,
        value=value,
        interval_95=(value / 1.5, value * 1.5),
        log10_stderr=0.09,
        n_eff=30.0,
        exponent=1.0,
        fit_window_ps=(0.5, 4.0),
        production_ps=10.0,
        msd=MsdTable(lag_ps=(0.1, 1.0, 4.0), msd_A2=(1.0, 7.0, 25.0), stderr_A2=(0.1, 0.5, 3.0)),
        gates=(GateOutcome(name="exponent", passed=True, value=1.0),),
        protocol=PROTOCOL,
        wall_seconds=12.0,
    )


def ask(db, fingerprint, log10_D, *, formula, kelvin, arm, potential="nep89", cycle=0):
    made = outcome(fingerprint, kelvin, log10_D, potential=potential)
    db.labels.add(made, campaign="small", cycle=cycle, arm=arm)
    key = label_key(
        structure_fingerprint=fingerprint,
        species="Li",
        temperature_K=kelvin,
        protocol=PROTOCOL,
        weights_sha256=WEIGHTS[potential],
        seed=1,
    )
    return {
        "formula": formula,
        "structure_fingerprint": fingerprint,
        "temperature_K": kelvin,
        "arm": arm,
        "label_key": key,
        "label_state": "accepted",
    }


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """A database with one closed cycle, a second begun, a trained surrogate and a label by the reference potential."""
    home = tmp_path_factory.mktemp("home")
    rng = np.random.default_rng(5)
    gates = (GateOutcome(name="density", passed=True, value=2.0, lower=1.0, upper=3.0, unit="g/cm3"),)
    with connect(home=home) as db:
        db.campaigns.create_or_get("small", CONFIGURATION, "c" * 64)
        db.campaigns.update("small", summary={"plan": {"potential": "nep89", "potential_note": ""}})
        cells = {}
        for formula, anion in ANIONS.items():
            added = db.structures.add(
                cell(rng, anion),
                kind=StructureKind.AMORPHOUS,
                origin=Origin.MELT_QUENCH,
                gates=gates,
                campaign="small",
                cycle=0,
                quench_rate_K_per_ps=850.0,
            )
            cells[formula] = added.fingerprint
        generated = db.structures.add(
            cell(rng, ANIONS["LiCl"]),
            kind=StructureKind.AMORPHOUS,
            origin=Origin.GENERATED,
            gates=gates,
            campaign="small",
            cycle=0,
        ).fingerprint
        truth = {"LiCl": -4.2, "LiF": -4.6, "LiBr": -4.1, "LiI": -4.0}
        proposals, observations = [], []
        for formula, fingerprint in cells.items():
            arm = "test" if formula == "LiI" else "initial"
            for kelvin, shift in ((1000.0, 0.0), (1500.0, 0.5)):
                proposal = ask(db, fingerprint, truth[formula] + shift, formula=formula, kelvin=kelvin, arm=arm)
                proposals.append(proposal)
                observations.append(
                    diffusivity_sample(
                        db.structures.system(fingerprint),
                        species="Li",
                        temperature_K=kelvin,
                        log10_D=truth[formula] + shift,
                        stderr=0.09,
                        group=formula,
                        key=proposal["label_key"],
                    )
                )
        trained = train(
            observations,
            test_keys=[entry["label_key"] for entry in proposals if entry["arm"] == "test"],
            config=ArrheniusKernelConfig(),
            seed=1,
        )
        sha256 = db.artefacts.put(dumps(trained), name="surrogate.safetensors")
        db.models.add(
            sha256,
            kind="surrogate",
            architecture=KERNEL_ARCHITECTURE,
            promoted=True,
            promotion_reason="the first of its line",
            campaign="small",
            cycle=0,
            wall_seconds=3.0,
        )
        budget = {
            "label": {"tasks": 8, "seconds": 96.0},
            "cell": {"tasks": 4, "seconds": 40.0},
            "surrogate": {"tasks": 1, "seconds": 5.0},  # also in the record of the model
        }
        db.cycles.create("small", 0, proposals=proposals, budget=budget)
        close_cycle(db, "small", 0)
        asked = {"formula": "LiCl", "kelvin": 1000.0, "arm": "reference"}
        again = ask(db, cells["LiCl"], -4.05, potential="chgnet", cycle=1, **asked)
        waiting = {"formula": "LiF", "temperature_K": 1000.0, "arm": "random"}
        db.cycles.create("small", 1, proposals=[again, waiting])
    return home, cells, generated, truth


def test_documents_become_what_the_page_shows(campaign):
    home, cells, generated, truth = campaign
    with connect(home=home, readonly=True) as db:
        data = collect(db, "small")
    assert data.state == "1 of 2 cycles closed"
    assert data.potential == "nep89"
    assert len(data.labels) == 8
    assert {row.arm for row in data.labels} == {"initial", "test"}
    cold = {row.formula: row for row in data.labels if row.temperature_K == 1000.0}
    assert {name: np.log10(row.value_cm2_s) for name, row in cold.items()} == pytest.approx(truth)
    assert cold["LiCl"].msd.lag_ps == (0.1, 1.0, 4.0)
    assert {cell.fingerprint for cell in data.cells} == {*cells.values(), generated}
    assert {row.fingerprint for row in data.predictions} == {*cells.values(), generated}
    assert [row.held_out for row in data.parity].count(True) == 2
    assert {row.name for row in data.baselines} == {"temperature only", "random forest"}
    assert {cost.stage: cost.tasks for cost in data.costs} == {
        "melt and quench": 4,
        "labels": 8,
        "training the surrogate": 1,
    }
    (pair,) = data.reference_pairs
    assert (pair.formula, pair.reference_name) == ("LiCl", "chgnet")
    assert pair.reference - pair.production == pytest.approx(0.15)
    assert data.rdfs[0].formula == "LiCl"
    assert (len(data.rdfs[0].quenched), len(data.rdfs[0].generated)) == (1, 1)
    assert data.cycles[0].labels == 8
    assert data.cycles[0].surrogate_promoted
    assert any(WEIGHTS["nep89"] in value for _, value in data.provenance)


def test_a_tuned_potential_is_named_with_lineage_and_figures(tmp_path):
    figures = {
        "components": 576,
        "mae_eV_per_A": 0.1,
        "slope": 0.9,
        "inverse_slope": 1.0,
        "group": "Li3P",
        "frames": 24,
    }
    before, after = (
        FrameAgreement(r2=r2, energy_scatter_eV_per_atom=scatter, pressure_bias_GPa=bias, **figures)
        for r2, scatter, bias in ((0.791, 0.042, -2.2), (0.94, 0.008, -0.3))
    )
    card = Card(
        name="campaign-small-01234567",
        sha256="a" * 64,
        parent=Source(name="nep89", sha256="b" * 64),
        target=Source(name="diep", sha256="c" * 64),
        elements=("Li", "P"),
        compositions=("Li3P",),
        frames=80,
        rounds=((before,), (after,)),
        before=(before,),
        energy_shifts_eV={"Li": 0.1, "P": -0.2},
        seed=0,
        settings=FitSettings(),
    )
    with connect(home=tmp_path) as db:
        db.campaigns.create_or_get("small", CONFIGURATION, "d" * 64)
        db.campaigns.set_if_absent("small", "tuned", card.model_dump(mode="json"))
        lines = [value for name, value in collect(db, "small").provenance if name == "tuned potential"]
    assert all(digest in lines[0] for digest in ("b" * 64, "c" * 64))
    assert "2 rounds" in lines[0]
    for figure in ("Li3P", "0.791", "0.940", "-2.20 GPa", "-0.30 GPa"):
        assert figure in lines[1]


@contextmanager
def of_gate_version(home, version, *, formulas, kelvin=None):
    """Labels of some formulas as another version of Vitrion left them, for as long as this lasts."""
    chosen = {"reduced_formula": {"$in": list(formulas)}} | ({} if kelvin is None else {"temperature_K": kelvin})
    with connect(home=home) as db:
        before = [{**row} for row in db.collection("labels").find(chosen)]
        for row in before:
            assert db.collection("labels").update_one({"key": row["key"]}, {"$set": {"gate_version": version}})
    yield
    with connect(home=home) as db:
        for row in before:
            kept = {name: value for name, value in row.items() if name != "_id"}
            db.collection("labels").update_one({"key": row["key"]}, {"$set": kept})


def test_other_gate_versions_are_left_out_of_the_page_and_told(campaign, tmp_path):
    home = campaign[0]
    with of_gate_version(home, OLDER, formulas=["LiI"], kelvin=1000.0), connect(home=home, readonly=True) as db:
        data = collect(db, "small")
        page = build(db, "small", tmp_path / "report.html").read_text()
    assert data.other_gate_versions == {OLDER: 1}
    assert len(data.labels) == 7
    best, *others = rank(data)
    known = {row.formula: row.source for row in (best, *others) if row.origin is Origin.MELT_QUENCH}
    assert known == {"LiCl": "measured", "LiF": "measured", "LiBr": "measured", "LiI": "predicted"}
    assert findings.headline(data, [best, *others]).split(":")[0].endswith("LiBr")
    assert not any(point.formula == "LiI" and point.temperature_K == 1000.0 for point in data.parity)
    assert f"1 label was produced with gate version {OLDER} (current: {GATE_VERSION})" in html.unescape(page)
    assert ("gate version", str(GATE_VERSION)) in data.provenance


def test_nothing_is_said_of_gate_versions_where_all_labels_are_current(campaign, tmp_path):
    with connect(home=campaign[0], readonly=True) as db:
        data = collect(db, "small")
        page = build(db, "small", tmp_path / "report.html").read_text()
    assert (data.other_gate_versions, data.outdated_training_labels) == ({}, 0)
    assert "other gate versions" not in page


def test_a_label_made_again_is_not_what_the_surrogate_learned(campaign, tmp_path):
    home, cells, _, truth = campaign
    key = {"structure_fingerprint": cells["LiBr"], "temperature_K": 1000.0}
    with of_gate_version(home, OLDER, formulas=["LiBr"], kelvin=1000.0), connect(home=home) as db:
        before = collect(db, "small")
        again = db.labels.add(outcome(cells["LiBr"], 1000.0, truth["LiBr"] - 0.1))
        after = collect(db, "small")
        page = build(db, "small", tmp_path / "report.html").read_text()
        stored = db.collection("labels").find_one(key)
    assert again.replaced
    assert stored["gate_version"] == GATE_VERSION
    assert (before.other_gate_versions, before.outdated_training_labels) == ({OLDER: 1}, 1)
    assert (after.other_gate_versions, after.outdated_training_labels) == ({}, 1)
    assert "Of its training labels, 1 were of other gate versions" in page
    assert "Left out" not in page
    assert "trained on 1 label of other gate versions" in page


def test_a_page_of_other_gate_versions_alone_says_so(campaign, tmp_path):
    home = campaign[0]
    with of_gate_version(home, OLDER, formulas=ANIONS), connect(home=home, readonly=True) as db:
        data = collect(db, "small")
        page = build(db, "small", tmp_path / "report.html").read_text()
    assert (data.labels, data.reference_pairs, data.other_gate_versions) == ((), (), {OLDER: 9})
    assert {row.source for row in rank(data)} == {"predicted"}
    for wrong in (
        "No label has been made yet",
        "No surrogate has been trained yet",
        "Nothing has been labelled",
        "No label has an MSD table",
    ):
        assert wrong not in page
    assert "All labels are of other gate versions" in page


def test_build_writes_one_whole_file(campaign, tmp_path):
    with connect(home=campaign[0], readonly=True) as db:
        path = build(db, "small", tmp_path / "deep" / "report.html")
        assert path == tmp_path / "deep" / "report.html"
        assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
        assert "1 of 2 cycles closed" in path.read_text()
        with pytest.raises(NotFoundError):
            build(db, "nothing", tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_a_campaign_without_a_cycle_has_a_report(tmp_path):
    with connect(home=tmp_path / "home") as db:
        db.campaigns.create_or_get("new", CONFIGURATION, "d" * 64)
        page = build(db, "new", tmp_path / "report.html").read_text()
    assert "Nothing has been labelled" in page


def test_rdf_of_an_ideal_gas_is_one():
    # 600 and 600 atoms: some 5e4 pairs within the cutoff; beyond 2 A each bin has an error below 3 %.
    rng = np.random.default_rng(2)
    system = AtomicSystem(np.repeat([3, 17], 600), rng.uniform(0, 25.0, (1200, 3)), np.eye(3) * 25.0)
    curve = np.array(partial_rdf(system, (3, 17)))
    beyond = int(2.0 / CUTOFF_A * BINS)
    assert curve[beyond:].mean() == pytest.approx(1.0, abs=0.03)


def test_rdf_of_rock_salt_has_its_shells_though_the_cell_is_smaller_than_the_cutoff():
    # LiCl, a = 5.13 A: 6 neighbours at a/2, none of the other kind at a/sqrt 2, 8 at a sqrt 3 / 2.
    edge = 5.13
    fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    positions = np.concatenate([fcc, fcc + np.array([0.5, 0, 0])]) * edge
    curve = np.array(partial_rdf(AtomicSystem(np.repeat([3, 17], 4), positions, np.eye(3) * edge), (3, 17)))
    width = CUTOFF_A / BINS
    edges = np.arange(BINS + 1) * width
    neighbours = curve * 4 / edge**3 * 4 / 3 * np.pi * np.diff(edges**3)
    found = {int(place): round(number) for place, number in enumerate(neighbours) if number > 0.5}
    shells = {1: 6, 3: 8, 5: 24}  # squared distance in units of a/2, and neighbours
    assert found == {int(edge / 2 * np.sqrt(square) / width): number for square, number in shells.items()}


def test_a_smaller_campaign_is_finished_when_its_own_cycles_are_closed(tmp_path):
    with connect(home=tmp_path) as db:
        smaller = {**CONFIGURATION, "name": "few", "cycles": 3, "smaller": {"cycles": 1}}
        db.campaigns.create_or_get("few", smaller, "e" * 64)
        db.cycles.create("few", 0)
        close_cycle(db, "few", 0)
        for note, state in (("chgnet instead of nep89", "done"), ("", "1 of 3 cycles closed")):
            db.campaigns.update("few", summary={"plan": {"potential": "chgnet", "potential_note": note}})
            assert collect(db, "few").state == state
