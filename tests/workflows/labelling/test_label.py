"""State and numbers of a label: accepted, censored, rejected or unverified, and input that makes none."""

from dataclasses import replace

import numpy as np
import pytest
import walks
from labelled_walks import (
    CHLORINE,
    FRICTION,
    INTERVAL_PS,
    LITHIUM,
    MASSES,
    TEMPERATURE_K,
    analyse,
    harmonic,
    label,
    make_trajectory,
    measurement,
)
from one_line import error_in_one_line
from plain_labels import plain_label
from pydantic import ValidationError

from vitrion_models.errors import InputError
from vitrion_workflows.diffusivity.gates import describe_exponent
from vitrion_workflows.labelling.analysis import TrajectoryState, analyse_trajectory
from vitrion_workflows.schemas import (
    FrameworkState,
    GateOutcome,
    LabelState,
    failed_measurements,
)
from vitrion_workflows.validation.gates import TRAJECTORY_GATES
from vitrion_workflows.validation.temperature import Coupling

pytestmark = pytest.mark.usefixtures("independent_walkers")


def test_sound_run_is_accepted_with_everything_stored():
    outcome = label(make_trajectory())
    assert outcome.state is LabelState.ACCEPTED, outcome.gates
    assert outcome.framework_state is FrameworkState.VIBRATING
    assert not failed_measurements(outcome.gates)
    assert all(one.value is not None and one.message for gate in outcome.gates for one in gate.numbers)
    assert all(gate.message and "\n" not in gate.message for gate in outcome.gates)
    assert [gate.name for gate in outcome.gates] == [*TRAJECTORY_GATES, "resolution", "linearity", "framework"]
    names = {one.name for gate in outcome.gates for one in gate.numbers}
    # Those that only a fault, a changing cell or an unknown temperature brings.
    special = {"planned_thermostat", "natural_masses", "volume_change", "possible_temperature"}
    assert {name for measurements in TRAJECTORY_GATES.values() for name in measurements} - names == special
    assert outcome.mean_temperature_K == pytest.approx(TEMPERATURE_K, rel=0.05)
    assert outcome.production_ps + outcome.equilibration_ps == pytest.approx(12.0)
    assert np.mean(outcome.motion.principal) == pytest.approx(outcome.value)
    assert outcome.motion.green_kubo == pytest.approx(outcome.value, rel=0.5)
    assert type(outcome).model_validate_json(outcome.model_dump_json()) == outcome


@pytest.mark.parametrize(
    "change",
    [
        {"value": None},
        {"interval_95": None},
        {"gates": ()},
        {"gates": (GateOutcome(name="drift", passed=False),)},
    ],
)
def test_an_accepted_label_needs_value_interval_and_passed_gates(change):
    with pytest.raises(ValidationError):
        plain_label("f" * 64, **change)


def test_sound_runs_are_seldom_refused():
    """A dozen gates of 1 % and less, 30 runs: more than four refusals, or four misses, happen in 2 % of seeds."""
    analyses = [analyse(make_trajectory(seed=seed), coupling=Coupling(FRICTION, noisy=True)) for seed in range(30)]
    assert sum(one.state is not TrajectoryState.ACCEPTED for one in analyses) <= 4
    truth = walks.BOLTZMANN * TEMPERATURE_K / MASSES[LITHIUM] / FRICTION * 1e-4
    assert sum(not one.estimate.interval_95[0] <= truth <= one.estimate.interval_95[1] for one in analyses) <= 4


def test_the_description_of_the_exponent_names_the_favoured_model():
    """-38 favours diffusion, whatever exponent a power law would have."""
    assert "diffusion is favoured by 38.0" in describe_exponent(0.37, stderr=0.03, evidence=-38.0)
    assert "power law is favoured by 5.0" in describe_exponent(0.5, stderr=0.03, evidence=5.0)
    run = label(make_trajectory())
    gate = measurement(run.gates, "exponent")
    assert gate.message == describe_exponent(run.exponent, stderr=run.exponent_stderr, evidence=gate.value)


@pytest.mark.parametrize(
    ("checked", "not_checked", "state", "sentence"),
    [
        ("accepted", (), "accepted", "accepted"),
        ("accepted", ("energy_drift", "cell_drift"), "unverified", "accepted as"),
        ("accepted", ("density",), "unverified", "not checked are density"),
        ("rejected", ("energy_drift",), "rejected", "rejected as far as could be checked"),
        ("censored", ("energy_drift",), "unverified", "censored as far as could be checked"),
    ],
)
def test_nothing_is_plainly_accepted_that_lacks_a_check(checked, not_checked, state, sentence):
    sound = analyse(make_trajectory())
    checks = replace(sound.checks, not_checked=dict.fromkeys(not_checked, "nothing recorded"))
    analysis = replace(sound, checked_state=LabelState(checked), checks=checks)
    assert analysis.state is TrajectoryState(state)
    assert sentence in analysis.status


def test_nothing_moved_far_is_censored_with_a_bound():
    rng = np.random.default_rng(1)
    base = make_trajectory()
    lithium, chlorine = (harmonic(rng, frames=601, ions=24, interval=INTERVAL_PS) for _ in range(2))
    lithium *= np.sqrt(MASSES[CHLORINE] / MASSES[LITHIUM])  # the lithium is as hot
    rattle = np.concatenate([lithium, chlorine], axis=1)
    outcome = label(replace(base, positions_A=base.positions_A[0] + rattle))
    assert outcome.state is LabelState.CENSORED, outcome.gates
    # Three jumps of 3 A by 24 ions in the 12 ps or less that were analysed: more than that would have shown.
    assert 9 * 2.99 / (6 * 24 * 12.0) * 1e-4 <= outcome.value <= 1e-5
    assert "n_jumps" in failed_measurements(outcome.gates)
    assert outcome.interval_95 is None
    assert outcome.log10_stderr is None


@pytest.mark.parametrize("rate", [0.002, 0.01])
def test_bound_of_censored_labels_holds(rate):
    """95 % one-sided: 50 runs, more than six misses in 2 % of seeds."""
    from vitrion_workflows.diffusivity.gates import diffusivity, resolution

    rng = np.random.default_rng(2)
    held = []
    for _ in range(50):
        path = walks.caged_hops(rng, frames=601, ions=20, D=rate, interval=0.02)
        result = resolution(diffusivity(path, 0.02), ions=20)
        assert not result.resolved
        held.append(result.upper_bound_cm2_per_s >= rate * 1e-4)
    assert np.sum(held) >= 44


def test_halves_that_differ_are_refused():
    """An ion that stops half way: the mean is the D of neither half."""
    trajectory = make_trajectory(frames=1201, mobile_friction=30.0)
    positions = trajectory.positions_A.copy()
    mobile = trajectory.numbers == LITHIUM
    walk = positions[:, mobile] - positions[0, mobile]
    quiet = harmonic(np.random.default_rng(4), frames=601, ions=24, interval=INTERVAL_PS)
    positions[600:, mobile] = positions[0, mobile] + walk[600] + quiet - quiet[0]
    outcome = label(replace(trajectory, positions_A=positions))
    assert outcome.state is LabelState.REJECTED
    # Or the run is so uneven that its own noise swallows the value.
    assert {"halves", "curvature", "exponent", "signal_to_noise"} & set(failed_measurements(outcome.gates))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"species": "Xx"}, "Xx"),
        ({"species": "Na"}, "holds no Na"),
        ({"temperature_K": -3.0}, "impossible"),
        ({"temperature_K": 1e6}, "impossible"),
        ({"temperature_K": float("nan")}, "impossible"),
    ],
)
def test_wrong_input_is_refused_in_one_line(changes, fault):
    with error_in_one_line(InputError, fault):
        analyse_trajectory(make_trajectory(frames=40), **({"species": "Li", "temperature_K": 1000.0} | changes))


def test_a_run_that_is_too_short_is_refused():
    with pytest.raises(InputError, match="too few"):
        analyse_trajectory(make_trajectory(frames=12), species="Li")
