"""Gates of a label: temperature, thermostat, masses and names of the species."""

from dataclasses import replace

import numpy as np
import pytest
import walks
from ase.data import atomic_numbers
from labelled_walks import (
    CHLORINE,
    FRICTION,
    INTERVAL_PS,
    LITHIUM,
    PROTOCOL,
    TEMPERATURE_K,
    analyse,
    label,
    make_trajectory,
    measurement,
)

from vitrion_workflows.labelling.analysis import TrajectoryState, analyse_trajectory
from vitrion_workflows.schemas import (
    LabelProtocol,
    LabelState,
    failed_measurements,
)
from vitrion_workflows.validation.temperature import Coupling

pytestmark = pytest.mark.usefixtures("independent_walkers")


def test_unrecorded_temperature_makes_no_label_but_can_be_analysed():
    trajectory = replace(make_trajectory(), temperatures_K=None)
    outcome = label(trajectory)
    assert outcome.state is LabelState.REJECTED
    assert failed_measurements(outcome.gates) == ("recorded_temperature",)
    analysis = analyse_trajectory(replace(trajectory, set_temperature_K=None), species="Li")
    assert analysis.state is TrajectoryState.UNVERIFIED
    assert analysis.checked_state is LabelState.ACCEPTED
    assert analysis.status.startswith("accepted as far as could be checked: not checked are ")
    assert "no temperature was given" in analysis.checks.not_checked.values()


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_temperature_other_than_the_trajectory_carries_is_refused_at_the_python_face_too(factor):
    analysis = analyse(make_trajectory(), temperature_K=TEMPERATURE_K * factor)
    assert analysis.state is TrajectoryState.REJECTED
    assert "set_temperature" in failed_measurements(analysis.gates)


@pytest.mark.parametrize(("factor", "sound"), [(0.01, False), (0.5, True), (1.0, True), (2.0, True), (1e3, False)])
def test_an_impossible_temperature_is_refused_where_none_is_stated(factor, sound):
    """In fs for ps the ions move as at 1 mK, the other way round as at 1 GK; a factor of two cannot be known."""
    run = replace(make_trajectory(), set_temperature_K=None, temperatures_K=None)
    analysis = analyse_trajectory(replace(run, frame_interval_ps=INTERVAL_PS * factor), species="Li")
    assert analysis.state is (TrajectoryState.UNVERIFIED if sound else TrajectoryState.REJECTED)
    gate = measurement(analysis.gates, "possible_temperature")
    assert gate.passed is sound
    assert sound or f"{INTERVAL_PS * factor:g} ps between frames seem to be in another unit" in gate.message


@pytest.mark.parametrize(("factor", "natural"), [(1 / 1.02, True), (1.02, True), (1.1, False), (2.0, False)])
def test_another_isotope_is_no_label_and_an_analysis_says_so(factor, natural):
    """Masses and squared times by one factor: the same paths at the same temperature, right in all but the name."""
    run = make_trajectory()
    masses, interval = run.masses_u * factor, INTERVAL_PS * factor**0.5
    slower = replace(run, masses_u=masses, frame_interval_ps=interval)
    analysis = analyse(slower, coupling=Coupling(FRICTION, noisy=True))
    reason = analysis.checks.not_checked.get("natural_masses")
    assert analysis.state is (TrajectoryState.ACCEPTED if natural else TrajectoryState.UNVERIFIED)
    assert natural == (reason is None)
    assert natural or f"{factor:.3g} times as heavy as" in reason
    plan = LabelProtocol(
        **PROTOCOL.model_dump() | {"frame_interval_fs": interval * 1000, "time_step_fs": interval * 100}
    )
    plan = plan.model_copy(update={"production_ps": 600 * interval})
    outcome = label(slower, protocol=plan)
    assert outcome.state is (LabelState.ACCEPTED if natural else LabelState.REJECTED)
    assert failed_measurements(outcome.gates) == (() if natural else ("natural_masses",))
    # It is a label of a cell of these isotopes, and of no other.
    assert label(slower, protocol=plan, cell_masses_u=masses).state is LabelState.ACCEPTED
    other = label(slower, protocol=plan, cell_masses_u=masses * 1.1)
    assert failed_measurements(other.gates) == ("natural_masses",)


def test_isotopes_of_one_element_have_one_temperature():
    """Half of the lithium four times as heavy: the mean of m v^2 is that of any atom, m and v^2 apart are not."""
    run = make_trajectory()
    heavy = slice(12, 24)
    masses, positions = run.masses_u.copy(), run.positions_A.copy()
    masses[heavy] *= 4
    steps = {"frames": len(run), "ions": 12, "interval": INTERVAL_PS}
    walk = walks.langevin(
        np.random.default_rng(5), mass=masses[12], friction=FRICTION, temperature=TEMPERATURE_K, **steps
    )
    positions[:, heavy] = positions[0, heavy] + walk
    mixed = replace(run, positions_A=positions, masses_u=masses)
    outcome = label(mixed, cell_masses_u=masses)
    assert outcome.state is LabelState.ACCEPTED, failed_measurements(outcome.gates)
    assert measurement(outcome.gates, "species_mass").value == pytest.approx(1.0, abs=0.15)
    assert label(mixed).state is LabelState.REJECTED


def test_noise_of_an_unstated_thermostat_refuses_no_sound_run():
    """Langevin at 10 / ps, ASE's usual: frames 20 fs apart do not show 4 % of the kinetic energy."""
    hot = {"mobile_friction": 10.0, "framework_friction": 10.0, "frames": 1201}
    runs = [replace(make_trajectory(seed=seed, **hot), set_temperature_K=None) for seed in range(5)]
    stated = Coupling(10.0, noisy=True)
    for run in runs:
        states = [analyse(run, coupling=it).state for it in (None, stated)]
        assert TrajectoryState.REJECTED not in states
    analysis = analyse(runs[0])
    assert "a Langevin one may hide 4.0%" in measurement(analysis.gates, "recorded_temperature").message


@pytest.mark.parametrize("factor", [5.0, 10.0])
def test_thermostat_noise_excuses_no_interval_that_is_several_times_too_long(factor):
    """Coarse frames, stated coarser yet, hide much of the noise, and never all."""
    run = replace(make_trajectory(interval=0.05), temperatures_K=None, set_temperature_K=None)
    analysis = analyse(replace(run, frame_interval_ps=0.05 * factor))
    assert "frame_interval" in failed_measurements(analysis.gates)


def test_an_unstated_thermostat_allows_no_more_checks_than_a_stated_one():
    """Frames 50 fs apart hide 10 % of the energy under Langevin at 10 / ps, 5 % at 5 / ps: neither can be checked."""
    coarse = make_trajectory(interval=0.05, mobile_friction=5.0, framework_friction=5.0)
    for run in (coarse, replace(coarse, thermostat="langevin", friction_per_ps=5.0)):
        analysis = analyse(run)
        assert analysis.state is not TrajectoryState.ACCEPTED
        assert "recorded_temperature" in analysis.checks.not_checked


@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize("thermostat", [("", None), ("nve", None), ("langevin", 10.0), ("nose-hoover", 10.0)])
def test_records_a_tenth_off_are_refused_whatever_the_thermostat(thermostat, factor):
    name, rate = thermostat
    run = make_trajectory(mobile_friction=3.0)
    run = replace(run, temperatures_K=run.temperatures_K / factor, thermostat=name, friction_per_ps=rate)
    analysis = analyse(replace(run, set_temperature_K=None), temperature_K=1000.0 / factor)
    assert analysis.state is TrajectoryState.REJECTED


def test_a_run_that_does_not_resolve_its_temperature_is_no_label():
    """48 atoms, Langevin at 1 / ps: 12 ps know it within sqrt(2 / 3 N gamma t) = 3.4 %, 30 ps are needed."""
    weak = LabelProtocol(frame_interval_fs=20.0, production_ps=12.0, thermostat="langevin", friction_per_ps=1.0)
    outcome = label(make_trajectory(), protocol=weak)
    assert outcome.state is LabelState.REJECTED
    assert failed_measurements(outcome.gates) == ("temperature_stderr",)
    gate = measurement(outcome.gates, "temperature_stderr")
    assert gate.value == pytest.approx(0.034, rel=0.05)
    assert "analyse 30 ps instead of 12, or 2.3 under a Nose-Hoover chain" in gate.message


@pytest.mark.parametrize(("name", "measured"), [("H", "species_mass"), ("Na", "species_temperature")])
def test_mobile_ions_under_another_name_are_refused(name, measured):
    trajectory = make_trajectory()
    numbers = np.where(trajectory.numbers == LITHIUM, atomic_numbers[name], trajectory.numbers)
    named = replace(trajectory, numbers=numbers, masses_u=np.empty(0))
    analysis = analyse_trajectory(named, species=name, temperature_K=TEMPERATURE_K)
    assert analysis.state is not TrajectoryState.ACCEPTED
    # These ions pass through each other: as hydrogen they seem bonded, and 20 fs cannot judge bonded hydrogen.
    assert measured in failed_measurements(analysis.gates) or measured in analysis.checks.not_checked


@pytest.mark.parametrize("name", ["H", "B", "C", "N"])
def test_anions_under_the_name_of_a_lighter_element_are_refused(name):
    trajectory = make_trajectory()
    numbers = np.where(trajectory.numbers == CHLORINE, atomic_numbers[name], trajectory.numbers)
    named = replace(trajectory, numbers=numbers, masses_u=np.empty(0))
    assert "species_mass" in failed_measurements(label(named).gates)


def test_heating_shows_in_positions_where_no_temperature_is_recorded():
    steady = replace(make_trajectory(), temperatures_K=None, potential_energies_eV=None, set_temperature_K=None)
    pace = np.sqrt(np.linspace(0.6, 1.4, len(steady) - 1))[:, None, None]
    path = np.cumsum(np.diff(steady.positions_A, axis=0) * pace, axis=0)
    heated = replace(steady, positions_A=np.concatenate([steady.positions_A[:1], steady.positions_A[0] + path]))

    sound = analyse(steady)
    analysis = analyse(heated)

    assert measurement(sound.gates, "temperature_drift").passed
    assert "temperature_drift" in failed_measurements(analysis.gates)


def test_frames_too_far_apart_to_show_heating_say_so():
    steady = make_trajectory(frames=2001, interval=0.01, mobile_friction=30.0)
    coarse = replace(
        steady,
        positions_A=steady.positions_A[::20],
        frame_interval_ps=0.2,
        temperatures_K=None,
        potential_energies_eV=None,
    )
    analysis = analyse(coarse)
    assert "temperature_drift" in analysis.checks.not_checked
