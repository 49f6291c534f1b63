"""The force check in flows: on by default, part of no key, and neither lost nor the cause of a second run."""

import numpy as np
import pytest
from flow_runs import LICL, run
from model_force_fields import nep89_or_skip
from reference_forces import Scaled, put_in_place

from vitrion_models.system import AtomicSystem
from vitrion_workflows.execution import engines
from vitrion_workflows.flows import DiffusivityMaker, MeltQuenchMaker, RelaxGeneratedMaker
from vitrion_workflows.force_check import check
from vitrion_workflows.force_check.check import check_cell
from vitrion_workflows.potentials.adapters.lennard_jones import LennardJonesForceField
from vitrion_workflows.schemas import (
    CellProtocol,
    ForceCheckSettings,
    LabelProtocol,
    LabelState,
    failed_gates,
    outcome_key,
)
from vitrion_workflows.schemas.force_check import ForceCheckState

pytestmark = [pytest.mark.filterwarnings("ignore:cd is deprecated"), pytest.mark.usefixtures("scratch")]

PROTOCOL = LabelProtocol(production_ps=2.0)
MAKER = DiffusivityMaker(potential="lennard-jones", protocol=PROTOCOL)
UNCHECKED = DiffusivityMaker(potential="lennard-jones", protocol=PROTOCOL, force_check=None)


def label(maker=MAKER):
    return run(maker.make(LICL, temperature_K=900, seed=3))


@pytest.fixture
def evaluations(monkeypatch):
    """Number of evaluations of the model potential."""
    count = []
    compute = LennardJonesForceField.compute

    def counted(self, *arguments, **options):
        count.append(1)
        return compute(self, *arguments, **options)

    monkeypatch.setattr(LennardJonesForceField, "compute", counted)
    return count


def test_a_model_of_no_material_is_not_checked_and_the_label_says_so():
    outcome = label()
    assert outcome.force_check.state is ForceCheckState.NOT_MADE
    assert "lennard-jones" in outcome.force_check.reason
    assert "force_check" not in [gate.name for gate in outcome.gates]
    assert label(UNCHECKED).value == outcome.value


def test_agreement_is_part_of_the_label_and_of_no_key(monkeypatch, scratch):
    unchecked = label(UNCHECKED)
    assert unchecked.force_check is None
    for path in (scratch / outcome_key(unchecked)).iterdir():
        path.unlink()
    put_in_place(monkeypatch, Scaled(scale=1.25))
    checked = label()
    assert checked.force_check.reference == "scaled"
    assert checked.force_check.agreement.slope == pytest.approx(0.8)
    assert checked.force_check.agreement.r2 == pytest.approx(1 - 0.2**2)
    assert outcome_key(checked) == outcome_key(unchecked)
    assert (checked.value, checked.interval_95) == (unchecked.value, unchecked.interval_95)
    assert failed_gates(checked.gates) == failed_gates(unchecked.gates)


def test_a_hole_rejects_the_label(monkeypatch):
    put_in_place(monkeypatch, Scaled(push_eV_per_A=80.0))
    outcome = label()
    assert outcome.state is LabelState.REJECTED
    assert "force_check" in failed_gates(outcome.gates)
    (gate,) = (gate for gate in outcome.gates if gate.name == "force_check")
    assert "80" in gate.message


class Interrupted(Scaled):
    """Fails at its first evaluation."""

    def compute(self, *_arguments, **_options):
        raise KeyboardInterrupt


def test_an_interruption_between_run_and_check_neither_loses_nor_repeats_the_run(monkeypatch, scratch, evaluations):
    put_in_place(monkeypatch, Interrupted())
    with pytest.raises(KeyboardInterrupt):
        label()
    assert not list(scratch.glob("*/outcome.json"))
    steps = len(evaluations)
    put_in_place(monkeypatch, Scaled())
    outcome = label()
    assert outcome.force_check.agreement.r2 == pytest.approx(1)
    # Five frames by each potential, and the start: no step of the run is repeated.
    assert len(evaluations) - steps <= 12 < steps


def test_a_label_that_was_made_without_a_check_is_checked_without_a_second_run(monkeypatch, scratch, evaluations):
    unchecked = label(UNCHECKED)
    steps = len(evaluations)
    put_in_place(monkeypatch, Scaled())
    checked = label()
    assert checked.force_check.agreement.r2 == pytest.approx(1)
    assert checked.trajectory_sha256 == unchecked.trajectory_sha256
    assert len(evaluations) - steps <= 10
    assert label() == checked
    # Where the builder has taken the trajectory, the label stays as it is.
    folder = scratch / outcome_key(unchecked)
    (folder / "outcome.json").write_text(unchecked.model_dump_json())
    (folder / "trajectory.h5md").unlink()
    assert label() == unchecked


FAST = CellProtocol(melt_temperature_K=2000, melt_ps=0.1, quench_ps=0.1, hold_ps=0.02, time_step_fs=2.0)


def cell_of(origin):
    if origin == "melt-quench":
        maker = MeltQuenchMaker(potential="lennard-jones", protocol=FAST, volume="twin")
        return run(maker.make("LiCl", n_atoms=32, seed=7))
    packed = LICL * (2, 2, 1)
    packed.perturb(0.2, seed=0)
    return run(
        RelaxGeneratedMaker(potential="lennard-jones", hold_ps=0.02).make(packed, model_version="a" * 64, seed=1)
    )


@pytest.mark.parametrize("origin", ["melt-quench", "generated"])
def test_cells_are_checked_and_a_hole_refuses_them(monkeypatch, origin):
    plain = cell_of(origin)
    assert plain.origin == origin
    assert plain.force_check.state is ForceCheckState.NOT_MADE
    put_in_place(monkeypatch, Scaled(push_eV_per_A=80.0))
    refused = cell_of(origin)
    assert refused.fingerprint == plain.fingerprint
    assert not refused.accepted
    assert refused.force_check.greatest_reference_eV_per_A == pytest.approx(80, abs=2)
    assert {"force_check"} == set(failed_gates(refused.gates)) - set(failed_gates(plain.gates))


@pytest.mark.nep
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_diep_sees_the_hole_that_nep89_has_between_two_molybdenum_atoms(monkeypatch):
    field = nep89_or_skip()
    # Li2MoO4-like cell: octahedral Mo on rock-salt sites, two of them at 1.7 A, as in NEP89's melt of Li2MoO3.
    symbols = np.array([8] * 32 + [3] * 21 + [42] * 11)
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    oxygen = grid.sum(axis=1) % 2 == 0
    positions = np.concatenate([grid[oxygen], grid[~oxygen]]) * 2.15
    system = AtomicSystem(symbols, positions, np.eye(3) * 8.6)
    first, second = 53, 54
    line = positions[second] - positions[first]
    near = positions.copy()
    near[second] = near[first] + 1.7 * line / np.linalg.norm(line)
    monkeypatch.setattr(check, "force_field", engines.force_field)
    for cell, names in ((system, set()), (AtomicSystem(symbols, near, system.lattice_A), {"hole", "denied_bond"})):
        checked = check_cell(cell, production=field, settings=ForceCheckSettings())
        assert checked.record.reference == "diep"
        assert {each.name for each in checked.measurements if not each.passed} == names
