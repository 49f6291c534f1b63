"""Synthetic runs of lithium in a framework that rattles or diffuses, and their labels."""

from dataclasses import replace

import numpy as np
import walks
from plain_labels import METHOD

from vitrion_workflows.labelling.analysis import analyse_trajectory
from vitrion_workflows.labelling.label import label_trajectory
from vitrion_workflows.schemas import (
    LabelProtocol,
)
from vitrion_workflows.trajectories.trajectory import Trajectory

INTERVAL_PS = 0.02
TEMPERATURE_K = 1000.0
CELL_A = 12.0
# Thermostat noise faster than the frames shows in part only.
FRICTION = 6.0
LITHIUM, CHLORINE = 3, 17
MASSES = {LITHIUM: 6.94, CHLORINE: 35.45}


def make_trajectory(*, seed=0, frames=601, mobile_friction=FRICTION, framework_friction=None, interval=INTERVAL_PS):
    """Lithium that diffuses with inertia in a framework that rattles with inertia, or diffuses."""
    rng = np.random.default_rng(seed)
    both = {"frames": frames, "ions": 24, "interval": interval}
    thermal = {"temperature": TEMPERATURE_K, **both}
    lithium = walks.langevin(rng, mass=MASSES[LITHIUM], friction=mobile_friction, **thermal)
    if framework_friction is None:
        chlorine = harmonic(rng, **both)
    else:
        chlorine = walks.langevin(rng, mass=MASSES[CHLORINE], friction=framework_friction, **thermal)
    # Rock salt with 16 sites empty: no two atoms nearer than 3 A.
    sites = np.stack(np.meshgrid(*[np.arange(4)] * 3), axis=-1).reshape(-1, 3)
    odd = sites.sum(axis=1) % 2 == 1
    start = np.concatenate([sites[odd][:24], sites[~odd][:24]]) * 3.0
    temperatures = TEMPERATURE_K * (1 + 0.1 * rng.normal(size=frames))
    return Trajectory(
        numbers=np.repeat([LITHIUM, CHLORINE], 24),
        positions_A=start + np.concatenate([lithium, chlorine], axis=1),
        lattice_A=np.eye(3) * CELL_A,
        frame_interval_ps=interval,
        temperatures_K=temperatures,
        potential_energies_eV=-200 + 0.3 * rng.normal(size=frames),
        source="synthetic",
        set_temperature_K=TEMPERATURE_K,
    )


def harmonic(rng, *, frames, ions, interval, frequency=25.0):
    """Einstein crystal: undamped, random phases and amplitudes, equipartition over the cell (<x^2> = kT / m w^2)."""
    rates = frequency * (1 + 0.3 * rng.random((ions, 1)))
    cosine, sine = rng.normal(size=(2, ions, 3))
    norm = np.sqrt(walks.BOLTZMANN * TEMPERATURE_K / MASSES[CHLORINE] / ((cosine**2 + sine**2).mean() / 2)) / rates
    phase = rates * interval * np.arange(frames)[:, None, None]
    return norm * (cosine * np.cos(phase) + sine * np.sin(phase))


def lithium_alone(trajectory):
    """The trajectory without its framework."""
    kept = trajectory.numbers == LITHIUM
    return replace(
        trajectory,
        numbers=trajectory.numbers[kept],
        positions_A=trajectory.positions_A[:, kept],
        masses_u=trajectory.masses_u[kept],
    )


def measurement(gates, name):
    return next((one for gate in gates for one in gate.numbers if one.name == name), None)


# Kicks are the only force on the lithium of these runs: they are their own thermostat.
PROTOCOL = LabelProtocol(frame_interval_fs=20.0, production_ps=12.0, thermostat="langevin", friction_per_ps=FRICTION)


def label(trajectory, *, protocol=PROTOCOL, **changes):
    return label_trajectory(
        trajectory,
        species="Li",
        temperature_K=TEMPERATURE_K,
        protocol=protocol,
        method=METHOD,
        structure_fingerprint="f" * 64,
        **changes,
    )


def analyse(trajectory, *, temperature_K=TEMPERATURE_K, **options):
    return analyse_trajectory(trajectory, species="Li", temperature_K=temperature_K, **options)
