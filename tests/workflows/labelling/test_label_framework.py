"""Gates of a label: density and volume of the cell, and the state of its framework."""

from dataclasses import replace

import numpy as np
import pytest
from labelled_walks import (
    FRICTION,
    INTERVAL_PS,
    LITHIUM,
    analyse,
    harmonic,
    label,
    lithium_alone,
    make_trajectory,
    measurement,
)

from vitrion_models.system import AtomicSystem
from vitrion_workflows.labelling.analysis import TrajectoryState, analyse_trajectory
from vitrion_workflows.schemas import (
    FrameworkState,
    LabelState,
    failed_measurements,
)
from vitrion_workflows.validation.density_and_contacts import measure_volume_change

pytestmark = pytest.mark.usefixtures("independent_walkers")


def test_a_gas_of_one_species_is_unverified():
    """Its density says gas, or ions whose framework was left out of the file: nobody can tell."""
    lithium = lithium_alone(make_trajectory())
    analysis = analyse(replace(lithium, lattice_A=lithium.lattice_A * 10))
    assert analysis.state in (TrajectoryState.UNVERIFIED, TrajectoryState.REJECTED)
    assert "density" in analysis.checks.not_checked


def volumes(*, seed, change=0.0, scatter=0.02, memory=0.95, frames=601):
    """Of a cell under a barostat: an autoregression of so much scatter about a straight line."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=frames)
    for frame in range(1, frames):
        noise[frame] = memory * noise[frame - 1] + np.sqrt(1 - memory**2) * noise[frame]
    return 1728.0 * (1 + scatter * noise + change * np.linspace(-0.5, 0.5, frames))


@pytest.mark.parametrize("change", [-0.24, -0.12, 0.12])
@pytest.mark.parametrize("seed", range(4))
def test_a_cell_that_goes_on_changing_its_volume_is_refused(seed, change):
    """Half of the run may be discarded as equilibration: what is left must stand still."""
    run = replace(make_trajectory(seed=seed), volumes_A3=volumes(seed=seed, change=change))
    outcome = label(run)
    assert outcome.state is LabelState.REJECTED
    assert {"volume_change", "energy_drift"} & set(failed_measurements(outcome.gates))


def test_a_fluctuating_volume_passes_and_a_fixed_one_is_not_measured():
    """3.5 standard errors, themselves uncertain: of 200 cells one or two; more than four in one of 50 such tables."""
    refused = [not measure_volume_change(volumes(seed=seed)).passed for seed in range(200)]
    assert sum(refused) <= 4
    assert measurement(label(make_trajectory()).gates, "volume_change") is None
    breathing = label(replace(make_trajectory(), volumes_A3=volumes(seed=1)))
    assert not {"volume_change", "energy_drift"} & set(failed_measurements(breathing.gates))
    assert measurement(breathing.gates, "volume_change").passed


def test_melt_is_reported_as_molten():
    outcome = label(make_trajectory(framework_friction=FRICTION))
    assert outcome.state is LabelState.ACCEPTED
    assert outcome.framework_state is FrameworkState.MOLTEN


def test_turning_anions_leave_the_framework_standing():
    """Outer atoms of PS4-like groups travel over 2 A while the centres vibrate."""
    from vitrion_workflows.transport.framework import framework

    rng = np.random.default_rng(6)
    centres = harmonic(rng, frames=400, ions=8, interval=INTERVAL_PS)
    outer = rng.normal(size=(400, 32, 3))
    outer *= 2.05 / np.linalg.norm(outer, axis=2, keepdims=True)
    displacements = np.concatenate([centres, np.repeat(centres, 4, axis=1) + outer], axis=1)
    numbers = np.repeat([15, 16], [8, 32])
    grid = np.stack(np.meshgrid(*[[0.0, 7.0]] * 3), axis=-1).reshape(-1, 3)
    start = AtomicSystem(numbers, np.concatenate([grid, np.repeat(grid, 4, axis=0)]) + displacements[0], np.eye(3) * 14)
    framework_state = framework(displacements - displacements[0], start, mobile=LITHIUM)
    assert framework_state.state is not FrameworkState.MOLTEN
    assert framework_state.species == 15


def test_single_species_has_no_framework():
    assert analyse_trajectory(lithium_alone(make_trajectory()), species="Li").framework.state is FrameworkState.ABSENT
