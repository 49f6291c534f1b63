import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from md_runs import warm_plan as plan
from model_force_fields import FreeParticles, Poisoned, rock_salt, scattered
from one_line import error_in_one_line

from vitrion_models.errors import InputError, VitrionError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import dynamics, potentials


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"steps": 105}, "multiple"),
        ({"steps": 0}, "multiple"),
        ({"frame_every": 0}, "multiple"),
        ({"time_step_fs": 0.0}, "time_step_fs"),
        ({"time_step_fs": float("nan")}, "time_step_fs"),
        ({"temperature_K": -1.0}, "temperature_K"),
        ({"temperature_K": float("inf")}, "temperature_K"),
        ({"final_temperature_K": 0.0}, "final_temperature_K"),
        ({"thermostat": "andersen"}, "andersen"),
        ({"friction_per_ps": None}, "friction_per_ps"),
        ({"friction_per_ps": -2.0}, "friction_per_ps"),
        ({"thermostat": "nve"}, "friction_per_ps"),
        ({"thermostat": "nve", "friction_per_ps": None, "final_temperature_K": 100.0}, "final_temperature_K"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_plans_are_refused_in_one_line(change, word):
    with error_in_one_line(InputError, word):
        plan(**change)


def test_plan_hash_sees_every_field():
    base = plan()
    changes = [
        {"steps": 200},
        {"time_step_fs": 1.0},
        {"temperature_K": 301.0},
        {"final_temperature_K": 100.0},
        {"thermostat": "nose-hoover"},
        {"friction_per_ps": 2.0},
        {"frame_every": 20},
        {"seed": 8},
        {"remove_drift": False},
    ]
    hashes = {base.sha256(), *(plan(**change).sha256() for change in changes)}
    assert len(hashes) == len(changes) + 1
    assert plan().sha256() == base.sha256()


def test_frames_start_with_the_start_and_end_with_the_end():
    system = rock_salt(noise_A=0.1)
    result = dynamics.run_md(system, potentials.load("lennard-jones"), plan())
    assert result.finished
    assert result.steps_done == 100
    assert len(result.trajectory) == 11
    assert result.trajectory.frame_interval_ps == pytest.approx(0.02)
    np.testing.assert_array_equal(result.trajectory.positions_A[0], system.positions_A)
    np.testing.assert_array_equal(result.trajectory.positions_A[-1], result.system.positions_A)
    assert result.path is None


def test_same_seed_same_run_other_seed_other_run():
    system, force_field = rock_salt(noise_A=0.1), potentials.load("lennard-jones")
    first, again, other = (dynamics.run_md(system, force_field, plan(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.trajectory.positions_A, again.trajectory.positions_A)
    assert np.abs(first.trajectory.positions_A[-1] - other.trajectory.positions_A[-1]).max() > 1e-3


def test_unwrapped_positions_leave_the_cell():
    system = scattered([3] * 4, edge_A=4.0)
    velocities = np.tile([50.0, 0.0, 0.0], (4, 1))
    p = plan(thermostat="nve", friction_per_ps=None, remove_drift=False, steps=100, time_step_fs=1)
    result = dynamics.run_md(system, FreeParticles(), p, velocities=velocities)
    np.testing.assert_allclose(result.system.positions_A - system.positions_A, 0.1 * velocities, atol=1e-9)


def test_given_velocities_start_a_following_stage():
    system, force_field = rock_salt(noise_A=0.1), potentials.load("lennard-jones")
    nve = {"thermostat": "nve", "friction_per_ps": None}
    whole = dynamics.run_md(system, force_field, plan(steps=40, **nve))
    half = dynamics.run_md(system, force_field, plan(steps=20, **nve))
    rest = dynamics.run_md(half.system, force_field, plan(steps=20, **nve), velocities=half.state.velocities_A_per_ps)
    np.testing.assert_allclose(rest.system.positions_A, whole.system.positions_A, atol=1e-10)


@pytest.mark.parametrize("velocities", [np.zeros((3, 3)), np.full((8, 3), np.nan)])
def test_wrong_velocities_are_refused(velocities):
    with pytest.raises(InputError, match="velocities"):
        dynamics.run_md(rock_salt(), potentials.load("lennard-jones"), plan(), velocities=velocities)


def test_unknown_elements_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match="Cl"):
        dynamics.run_md(rock_salt(), FreeParticles(), plan(), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_forces_that_are_not_finite_stop_the_run_at_once():
    with error_in_one_line(dynamics.DynamicsError, "step 4: forces or energy are not finite"):
        dynamics.run_md(scattered([3] * 4), Poisoned(5), plan())


def test_an_exploding_temperature_stops_the_run_at_once():
    overlapping = AtomicSystem([3, 3, 3], [[0, 0, 0], [0.3, 0, 0], [2, 2, 2]], np.eye(3) * 6)
    with pytest.raises(dynamics.DynamicsError, match="temperature has risen"):
        dynamics.run_md(overlapping, potentials.load("lennard-jones"), plan())


def test_a_chain_that_overflows_is_told_as_what_it_is():
    cell = rock_salt()
    positions = cell.positions_A.copy()
    positions[1] = positions[0] + 0.05
    overlapping = AtomicSystem(cell.numbers, positions, cell.lattice_A)
    with pytest.raises(dynamics.DynamicsError, match="not finite"):
        dynamics.run_md(overlapping, potentials.load("lennard-jones"), plan(thermostat="nose-hoover"))


def test_progress_ends_at_the_end():
    seen = []
    dynamics.run_md(
        scattered([3] * 4), FreeParticles(), plan(), on_progress=lambda done, steps: seen.append((done, steps))
    )
    assert seen[-1] == (100, 100)


def test_a_stopped_run_without_folder_says_so():
    calls = iter(range(1000))
    result = dynamics.run_md(scattered([3] * 4), FreeParticles(), plan(), should_stop=lambda: next(calls) == 34)
    assert (result.steps_done, result.finished, len(result.trajectory)) == (35, False, 4)
    with pytest.raises(dynamics.DynamicsError, match="second frame"):
        _ = dynamics.run_md(scattered([3] * 4), FreeParticles(), plan(), should_stop=lambda: True).trajectory


def test_one_atom_can_run():
    result = dynamics.run_md(scattered([3]), FreeParticles(), plan())
    assert np.isfinite(result.trajectory.temperatures_K).all()


@settings(max_examples=40, deadline=None)
@given(
    steps=st.integers(-3, 60),
    every=st.integers(-2, 12),
    step_fs=st.floats(allow_nan=True, allow_infinity=True),
    friction=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    thermostat=st.sampled_from(["langevin", "nose-hoover", "nve", ""]),
)
def test_a_plan_is_either_refused_in_one_line_or_runs(steps, every, step_fs, friction, thermostat):
    said, result = [], None
    try:
        p = plan(steps=steps, frame_every=every, time_step_fs=step_fs, friction_per_ps=friction, thermostat=thermostat)
        result = dynamics.run_md(scattered([3, 53]), FreeParticles(), p)
    except VitrionError as error:
        said = str(error).splitlines()
    assert (result is None) == (len(said) == 1)
    if result is not None:
        assert len(result.trajectory) == p.frames
        assert np.isfinite(result.trajectory.positions_A).all()
