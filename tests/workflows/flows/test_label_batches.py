"""Several cells labelled side by side: the labels of single runs, each with its own key and restart."""

import numpy as np
import pytest
from flow_runs import LICL, run
from model_force_fields import nep89_or_skip
from stub_potentials import STUB

from vitrion_models.errors import InputError
from vitrion_workflows.dynamics.errors import DynamicsError, StoppedError
from vitrion_workflows.flows import DiffusivityMaker
from vitrion_workflows.schemas import LabelProtocol, outcome_key

pytestmark = [pytest.mark.filterwarnings("ignore:cd is deprecated"), pytest.mark.usefixtures("scratch")]

CELLS = [LICL, LICL * (2, 1, 1)]
TEMPERATURES_K = [900.0, 1500.0]
PROTOCOL = LabelProtocol(production_ps=1.0)


def same(outcome):
    """What a label is, without the time it took and the file that names its run folder."""
    return outcome.model_copy(update={"wall_seconds": 0.0, "trajectory_sha256": None})


def each_alone(maker):
    return [
        run(maker.make(cell, temperature_K=temperature_K, seed=3)) for cell in CELLS for temperature_K in TEMPERATURES_K
    ]


@pytest.mark.parametrize("potential", ["lennard-jones", "nep89"])
def test_a_batch_gives_the_labels_of_single_runs(potential, scratch, monkeypatch):
    if potential == "nep89":
        nep89_or_skip()
    maker = DiffusivityMaker(potential=potential, protocol=PROTOCOL)
    single = each_alone(maker)
    monkeypatch.setenv("VITRION_SCRATCH", str(scratch / "batch"))
    batch = run(maker.make_batch(CELLS, temperatures_K=TEMPERATURES_K, seed=3))
    assert [same(outcome) for outcome in batch] == [same(outcome) for outcome in single]
    keys = [outcome_key(outcome) for outcome in batch]
    assert len(set(keys)) == len(keys)
    assert all((scratch / "batch" / key / "trajectory.h5md").is_file() for key in keys)


def test_a_label_that_ends_early_leaves_the_others_alone(scratch, monkeypatch):
    protocol = LabelProtocol(production_ps=6.0, target_log10_stderr=0.5, least_ps=2.0)
    maker = DiffusivityMaker(potential="lennard-jones", protocol=protocol)
    single = each_alone(maker)
    monkeypatch.setenv("VITRION_SCRATCH", str(scratch / "batch"))
    batch = run(maker.make_batch(CELLS, temperatures_K=TEMPERATURES_K, seed=3))
    assert [same(outcome) for outcome in batch] == [same(outcome) for outcome in single]


def test_finished_labels_of_a_batch_are_not_run_again(scratch):
    maker = DiffusivityMaker(potential="lennard-jones", protocol=PROTOCOL)
    first = run(maker.make(LICL, temperature_K=900, seed=3))
    written = (scratch / outcome_key(first) / "outcome.json").stat().st_mtime_ns
    batch = run(maker.make_batch([*CELLS, LICL], temperatures_K=[900], seed=3))
    assert batch[0] == batch[2] == first
    assert (scratch / outcome_key(first) / "outcome.json").stat().st_mtime_ns == written


def test_a_stopped_batch_goes_on_to_the_same_labels(scratch, monkeypatch):
    maker = DiffusivityMaker(potential="lennard-jones", protocol=PROTOCOL)
    whole = run(maker.make_batch(CELLS, temperatures_K=TEMPERATURES_K, seed=3))
    monkeypatch.setenv("VITRION_SCRATCH", str(scratch / "stopped"))
    (scratch / "stopped").mkdir()
    (scratch / "stopped/stop").touch()
    with pytest.raises(StoppedError):
        run(maker.make_batch(CELLS, temperatures_K=TEMPERATURES_K, seed=3))
    (scratch / "stopped/stop").unlink()
    again = run(maker.make_batch(CELLS, temperatures_K=TEMPERATURES_K, seed=3))
    assert [same(outcome) for outcome in again] == [same(outcome) for outcome in whole]


def test_a_cell_that_breaks_costs_no_other_label(scratch):
    overlapping = LICL.copy()
    overlapping.append("Li", overlapping[0].frac_coords + np.array([0.08, 0, 0]), validate_proximity=False)
    maker = DiffusivityMaker(potential="lennard-jones", protocol=PROTOCOL)
    with pytest.raises(DynamicsError):
        run(maker.make_batch([overlapping, LICL], temperatures_K=[900], seed=3))
    assert len(list(scratch.glob("*/outcome.json"))) == 1


def test_a_batch_runs_on_its_device(loaded_on):
    maker = DiffusivityMaker(potential=STUB, protocol=PROTOCOL, device="cuda:1")
    assert {outcome.device for outcome in run(maker.make_batch(CELLS, temperatures_K=[900], seed=3))} == {"cuda:1"}
    assert loaded_on == ["cuda:1"]


def test_impossible_cells_are_refused_before_anything_runs():
    with pytest.raises(InputError, match="Na"):
        DiffusivityMaker(species="Na").make_batch(CELLS, temperatures_K=[900], seed=3)
