"""Frames of one run: what belongs to each of them is there for each of them."""

from dataclasses import fields, replace

import numpy as np
import pytest
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows.dynamics import MDPlan
from vitrion_workflows.trajectories.trajectory import Trajectory

FRAMES = 6
SERIES = ("temperatures_K", "potential_energies_eV", "volumes_A3")


def example():
    rng = np.random.default_rng(0)
    return Trajectory(
        numbers=np.array([3, 17]),
        positions_A=rng.normal(size=(FRAMES, 2, 3)),
        lattice_A=np.eye(3) * 7,
        frame_interval_ps=0.02,
        velocities_A_per_ps=rng.normal(size=(FRAMES, 2, 3)),
        source="run.h5",
        **{name: rng.uniform(1, 2, size=FRAMES) for name in SERIES},
    )


@pytest.mark.parametrize("length", [FRAMES - 1, FRAMES + 1, 0])
@pytest.mark.parametrize("name", SERIES)
def test_a_series_of_another_length_is_refused_by_its_name(name, length):
    with error_in_one_line(InputError, f"^run.h5: {name} .*{FRAMES} frames"):
        replace(example(), **{name: np.ones(length)})
    with pytest.raises(InputError, match=name):
        replace(example(), **{name: np.ones((FRAMES, 1))})


def test_the_first_frames_are_cut_from_everything_that_frames_have():
    whole = example()
    part = whole.first(3)
    assert len(part) == 3
    for field in fields(Trajectory):
        before, after = getattr(whole, field.name), getattr(part, field.name)
        cut = isinstance(before, np.ndarray) and len(before) == FRAMES
        np.testing.assert_array_equal(after, before[:3] if cut else before)
    bare = replace(whole, velocities_A_per_ps=None, **dict.fromkeys(SERIES))
    assert bare.first(2).volumes_A3 is None
    with pytest.raises(InputError, match="two frames"):
        whole.first(1)


@pytest.mark.parametrize(
    ("name", "rate"), [("csvr", 1.0), ("nve", 1.0), ("langevin", None), ("langevin", -1.0), ("nose-hoover", np.inf)]
)
def test_a_trajectory_and_a_plan_say_the_same_of_a_wrong_thermostat(name, rate):
    with pytest.raises(InputError) as planned:
        MDPlan(
            steps=10, time_step_fs=1, temperature_K=300, thermostat=name, friction_per_ps=rate, frame_every=1, seed=0
        )
    with pytest.raises(InputError) as read:
        replace(example(), thermostat=name, friction_per_ps=rate)
    assert str(read.value) == f"run.h5: {planned.value}"
