"""Short runs of the engine, and what makes two of them the same."""

import numpy as np

from vitrion_workflows import dynamics

PLAN = {
    "steps": 60,
    "time_step_fs": 2.0,
    "temperature_K": 900.0,
    "thermostat": "langevin",
    "friction_per_ps": 2.0,
    "frame_every": 5,
    "seed": 11,
}


def plan(**changes):
    return dynamics.MDPlan(**(PLAN | changes))


def warm_plan(**changes):
    """A plan of 100 steps at 300 K."""
    warm = {"steps": 100, "temperature_K": 300.0, "friction_per_ps": 1.0, "frame_every": 10, "seed": 7}
    return plan(**(warm | changes))


def same(left, right):
    np.testing.assert_array_equal(left.positions_A, right.positions_A)
    np.testing.assert_array_equal(left.temperatures_K, right.temperatures_K)
    np.testing.assert_array_equal(left.potential_energies_eV, right.potential_energies_eV)
    assert left.frame_interval_ps == right.frame_interval_ps
