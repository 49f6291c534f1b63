"""Errors planted in good trajectories: none comes out as an accepted label."""

import numpy as np
import pytest
from one_line import error_in_one_line
from planted_errors import MUTATIONS, STATISTICAL, Claim, label
from pymatgen.core import Lattice, Structure

from vitrion_models.errors import InputError
from vitrion_workflows import potentials
from vitrion_workflows.dynamics import MDPlan, run_md
from vitrion_workflows.schemas import FrameworkState, LabelState, failed_measurements
from vitrion_workflows.schemas.geometry import system_from_structure
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.validation.interruptions import frame_steps, most_likely_interruption
from vitrion_workflows.validation.velocity_temperature import thermal_motion

TEMPERATURE_K = 1000.0
MELTING_K = 2500.0


def melt(*, seed, thermostat, steps=2000):
    """Molten chloride of a Lennard-Jones mixture, 64 atoms, 4 ps in frames of 10 fs."""
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.8), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    start = system_from_structure(crystal * (2, 2, 2))
    model = potentials.load("lennard-jones")
    common = {"time_step_fs": 2.0, "seed": seed, "thermostat": "langevin"}
    hot = run_md(start, model, MDPlan(steps=800, temperature_K=MELTING_K, friction_per_ps=5, frame_every=100, **common))
    plan = MDPlan(steps=steps, temperature_K=TEMPERATURE_K, friction_per_ps=10, frame_every=100, **common)
    cold = run_md(hot.system, model, plan.__class__(**vars(plan) | {"steps": 800}))
    # At 2 / ps, which this was before, 8 ps of 64 atoms know their temperature within 2.5 % only.
    run = vars(plan) | {"thermostat": thermostat, "frame_every": 5, "friction_per_ps": 10.0}
    result = run_md(cold.system, model, MDPlan(**run), velocities=cold.state.velocities_A_per_ps)
    return Claim(result.trajectory, temperature_K=TEMPERATURE_K, thermostat=thermostat, friction_per_ps=10.0)


@pytest.fixture(scope="module", params=["langevin", "nose-hoover"])
def good(request):
    return melt(seed=3, thermostat=request.param)


@pytest.fixture(scope="module")
def sound(good):
    return label(good)


def test_good_run_is_accepted(sound):
    assert sound.state is LabelState.ACCEPTED, failed_measurements(sound.gates)
    assert sound.framework_state is FrameworkState.MOLTEN


@pytest.mark.parametrize("name", MUTATIONS)
def test_no_planted_error_is_accepted(good, name):
    planted = MUTATIONS[name](good, np.random.default_rng(0))
    if name == "lengths x 1000":  # a cell of a micrometre is refused before any gate
        with error_in_one_line(InputError, "lattice vector"):
            label(planted)
        return
    outcome = label(planted)
    assert outcome.state is LabelState.REJECTED
    assert failed_measurements(outcome.gates)


def test_drift_of_the_whole_cell_changes_nothing(good, sound):
    run = good.trajectory
    path = 0.3 * run.frame_interval_ps * np.arange(len(run))
    moved = label(good.changed(positions_A=run.positions_A + path[:, None, None]))
    assert moved.state is LabelState.ACCEPTED
    assert moved.value == pytest.approx(sound.value, rel=1e-6)


def test_positions_alone_give_the_kinetic_temperature(good):
    """Recorded temperatures, of velocities that are not stored, agree with those from positions within 2 %."""
    run = good.trajectory
    path = remove_drift(run.positions_A, run.masses_u)
    motion = thermal_motion(
        run.positions_A[0] + path,
        run.numbers,
        masses_u=run.masses_u,
        lattice_A=run.lattice_A,
        frame_interval_ps=run.frame_interval_ps,
    )
    assert motion.cell.temperature_K == pytest.approx(run.temperatures_K.mean(), rel=0.02)
    assert all(one.resolves_dynamics for one in motion.species)


def test_a_drift_of_the_ions_too_slow_to_detect_changes_nothing_that_matters(good, sound):
    """A drift that passes moves the value by less than its own 95 % interval."""
    for name in ("ions drift 1 A/ps", "ions drift 0.5 A/ps"):
        outcome = label(STATISTICAL[name](good, None))
        if outcome.state is LabelState.ACCEPTED:
            assert sound.interval_95[0] <= outcome.value <= sound.interval_95[1], name


@pytest.mark.parametrize("at", [2, 3, 150, 396, 397])
def test_one_missing_frame_stands_out_wherever_it_is(good, at):
    run = good.trajectory
    path = remove_drift(run.positions_A, run.masses_u)
    whole, cut = (
        most_likely_interruption(frame_steps(one, run.numbers, masses_u=run.masses_u), run.numbers)
        for one in (path, np.delete(path, at, axis=0))
    )
    assert whole.log_odds < 0 < 3 * cut.limit < cut.log_odds
    assert cut.frame == at
