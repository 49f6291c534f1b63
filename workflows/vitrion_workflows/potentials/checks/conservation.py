"""Energy conservation of a potential: the drift of the total energy in a short run without a thermostat."""

import numpy as np
from ase import units

from vitrion_models.system import AtomicSystem
from vitrion_workflows.potentials.force_field import ForceField

TIME_STEP_FS = 0.5
STEPS = 400
TEMPERATURE_K = 300.0
# A run is ended at this gain: atoms may be collapsing onto each other.
RUNAWAY_eV_PER_ATOM = 1.0


def energy_drift_eV_per_atom_ps(force_field: ForceField, system: AtomicSystem, *, seed: int) -> float:
    """Return the absolute slope of the total energy in a run of 0.2 ps by velocity Verlet; infinite if not a number.

    With a time step of 0.5 fs the integrator's own error is an oscillation of the order of 1e-5 eV an atom without a
    slope: a drift comes from forces that are not the gradient of the energy. A drift of d heats a harmonic cell by
    d / (3 k_B), against which a thermostat of friction g holds a temperature error of d / (3 k_B g).

    Args:
        force_field: the potential.
        system: starting cell.
        seed: seed of the velocities, drawn at 300 K.
    """
    generator = np.random.default_rng(seed)
    masses = system.masses_u[:, None]
    momenta = generator.normal(size=(len(system), 3)) * np.sqrt(units.kB * TEMPERATURE_K * masses)
    velocities = (momenta - momenta.mean(axis=0)) / masses
    step = TIME_STEP_FS * units.fs
    positions = system.positions_A.copy()
    result = force_field.evaluate(system)
    totals = np.empty(STEPS + 1)
    for index in range(STEPS + 1):
        totals[index] = result.energy_eV + 0.5 * float((masses * velocities**2).sum())
        gained = (totals[index] - totals[0]) / len(system)
        if not abs(gained) < RUNAWAY_eV_PER_ATOM:
            return float(abs(gained) / (index * TIME_STEP_FS / 1000)) if np.isfinite(gained) else float("inf")
        velocities += 0.5 * step * result.forces_eV_per_A / masses
        positions = positions + step * velocities
        result = force_field.compute(system.numbers, positions, system.lattice_A)
        velocities += 0.5 * step * result.forces_eV_per_A / masses
    times_ps = np.arange(STEPS + 1) * TIME_STEP_FS / 1000
    slope = np.polyfit(times_ps, totals / len(system), 1)[0]
    return float(abs(slope))
