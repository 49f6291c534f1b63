"""Gates of a label: frames that are missing, double, wrapped, too coarse or of another interval, and drift."""

from dataclasses import replace

import numpy as np
import pytest
from labelled_walks import CELL_A, INTERVAL_PS, analyse, label, make_trajectory, measurement
from one_line import error_in_one_line
from planted_errors import keep_frames

from vitrion_models.errors import InputError
from vitrion_workflows.labelling.analysis import TrajectoryState
from vitrion_workflows.schemas import (
    LabelState,
    failed_measurements,
)
from vitrion_workflows.validation.continuity import longest_thermal_step

pytestmark = pytest.mark.usefixtures("independent_walkers")


EVERY = np.arange(601)
FAULTS = {
    "another interval than planned": (lambda _: make_trajectory(interval=0.04), {"planned_interval"}),
    "wrapped": (
        lambda run: replace(run, positions_A=run.positions_A % CELL_A),
        {"wrapped_step", "free_flight_ratio"},
    ),
    **{
        f"frame {frame} missing": (lambda run, at=frame: keep_frames(run, np.delete(EVERY, at)), {"missing_frame"})
        for frame in (3, 300, 597)
    },
    "frame 200 twice": (lambda run: keep_frames(run, np.insert(EVERY, 200, 200)), {"repeated_frame"}),
    "every second frame": (
        lambda _: keep_frames(make_trajectory(mobile_friction=10.0), EVERY[::2]),
        {"free_flight_ratio"},
    ),
    "hotter than planned": (
        lambda run: replace(run, temperatures_K=run.temperatures_K * 1.2),
        {"mean_temperature"},
    ),
    # It could be too short to know its temperature, or be another quantity.
    **{
        f"thermostat {name}": (
            lambda run, name=name, rate=rate: replace(run, thermostat=name, friction_per_ps=rate),
            {"planned_thermostat"},
        )
        for name, rate in (("langevin", 0.3), ("nve", None), ("nose-hoover", 3.0))
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_run_is_refused_by_its_own_measurement(fault):
    change, measured = FAULTS[fault]
    outcome = label(change(make_trajectory()))
    assert outcome.state is LabelState.REJECTED
    assert measured <= set(failed_measurements(outcome.gates))


@pytest.mark.parametrize("factor", [0.1, 0.2, 0.5, 2.5, 5.0, 10.0])
def test_wrong_frame_interval_is_refused(factor):
    trajectory = make_trajectory()
    analysis = analyse(replace(trajectory, frame_interval_ps=INTERVAL_PS * factor))
    assert analysis.state is TrajectoryState.REJECTED
    gate = "free_flight_ratio" if factor < 1 else "frame_interval"
    assert gate in failed_measurements(analysis.gates)


@pytest.mark.parametrize("cells", [0.25, 0.45])
def test_one_ion_that_jumps_once_is_refused(cells):
    """An image that was lost: 3 A in 20 fs are 14 thermal speeds of lithium; means over atoms do not show it."""
    run = make_trajectory()
    assert label(run).state is LabelState.ACCEPTED
    positions = run.positions_A.copy()
    positions[400:, 5, 1] += cells * CELL_A
    outcome = label(replace(run, positions_A=positions))
    assert outcome.state is LabelState.REJECTED
    assert "longest_step" in failed_measurements(outcome.gates)
    assert "of Li" in measurement(outcome.gates, "longest_step").message


def test_speeds_drawn_from_maxwells_distribution_are_no_jumps():
    """500 runs of 64 atoms and 400 steps: one in 10,000 exceeds the limit of ten times as many draws."""
    rng = np.random.default_rng(0)
    fastest = [np.sqrt((rng.normal(size=(64 * 400, 3)) ** 2).sum(axis=1).max()) for _ in range(500)]
    assert max(fastest) < longest_thermal_step(64, steps=400)
    assert longest_thermal_step(64, steps=400) < 7


def test_uniform_drift_changes_nothing():
    trajectory = make_trajectory()
    flow = np.linspace(0, 3.0, 601)[:, None, None] * np.array([1.0, 0.5, 0.0])
    moved = analyse(replace(trajectory, positions_A=trajectory.positions_A + flow))
    still = analyse(trajectory)
    assert moved.value_cm2_per_s == pytest.approx(still.value_cm2_per_s, rel=1e-6)
    assert moved.checks.drift_A > 2.0


def test_flying_cell_is_refused():
    trajectory = make_trajectory()
    flow = np.linspace(0, 200.0, 601)[:, None, None] * np.ones(3)
    analysis = analyse(replace(trajectory, positions_A=trajectory.positions_A + flow))
    assert "cell_drift" in failed_measurements(analysis.gates)


@pytest.mark.parametrize("part", [slice(301, None), slice(None, 300)])
def test_a_run_that_stands_still_for_half_of_it_is_refused_in_one_line(part):
    trajectory = make_trajectory()
    positions = trajectory.positions_A.copy()
    positions[part] = positions[300]

    with error_in_one_line(InputError, "copies"):
        analyse(replace(trajectory, positions_A=positions))


@pytest.mark.parametrize("share", [0.05, 0.15, 0.3])
def test_a_frame_that_is_missing_or_double_where_frames_are_discarded_is_found(share):
    # The energy relaxes over the first two fifths, which are discarded.
    whole = make_trajectory(frames=1001, interval=0.01)
    energies = whole.potential_energies_eV + 30 * np.exp(-np.arange(len(whole)) / 100)
    whole = replace(whole, potential_energies_eV=energies)
    assert analyse(whole).equilibration_ps > 0.3 * 10
    every, at = np.arange(len(whole)), int(share * len(whole))

    for kept, gate in ((np.delete(every, at), "missing_frame"), (np.insert(every, at, at), "repeated_frame")):
        analysis = analyse(keep_frames(whole, kept))
        assert gate in failed_measurements(analysis.gates)
