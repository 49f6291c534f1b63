"""Cells that are stepped together: one thermostat step and one call of the potential for all of them."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from vitrion_models.constants import BOLTZMANN_eV_PER_K, MASS_FACTOR_eV_PS2_PER_U_A2
from vitrion_models.system import FloatArray
from vitrion_workflows.dynamics.cell_run import CellRun
from vitrion_workflows.dynamics.state import Atoms, BatchState, MDState, degrees_of_freedom
from vitrion_workflows.dynamics.thermostats import THERMOSTATS, Setting
from vitrion_workflows.potentials.force_field import Cells, ForceField


class CellGroup:
    """Cells of one thermostat, stepped together until one of them ends.

    Attributes:
        limits_K: temperature at which each cell counts as exploded, shape (C,).
    """

    def __init__(self, runs: Sequence[CellRun], force_field: ForceField) -> None:
        self._runs = runs
        self._force_field = force_field
        self._cells = Cells.of([run.system for run in runs])
        self.limits_K = np.array([run.limit_K for run in runs])
        self._step = THERMOSTATS[runs[0].plan.thermostat].step
        self._setting = self._make_setting()
        self._ramps = any(run.plan.final_temperature_K is not None for run in runs)
        self._targets_K = np.array([run.plan.temperature_K for run in runs])
        self._per_eV = 2 / (self._setting.degrees_of_freedom * BOLTZMANN_eV_PER_K)

    def first_states(self) -> list[MDState]:
        """Return the state of each cell at step 0."""
        positions = np.concatenate([run.system.positions_A for run in self._runs])
        forces, energies = self._compute(positions)
        return [
            run.first_state(forces[atoms].copy(), float(energy))
            for run, atoms, energy in zip(self._runs, self._cells.slices, energies, strict=True)
        ]

    def cell_state(self, state: BatchState, place: int) -> MDState:
        """Return the state of one cell, copied.

        Args:
            state: of the group.
            place: of the cell in the group.
        """
        return state.cell(place, self._cells.slices[place])

    def cell_positions_A(self, state: BatchState, place: int) -> FloatArray:
        """Return the positions of one cell, copied, shape (N, 3)."""
        return state.positions_A[self._cells.slices[place]].copy()

    def is_sound(self, state: BatchState) -> bool:
        """Return False if a force or energy is not finite, or a cell as hot as its limit."""
        # One sum over everything that could be NaN or infinite is the cheapest honest check of each step.
        finite = np.isfinite(state.forces_eV_per_A.sum() + state.potential_energies_eV.sum())
        return bool(finite and (self.temperatures_K(state) < self.limits_K).all())

    def advance(self, state: BatchState) -> BatchState:
        """Return the state after one step of all cells."""
        if self._ramps:
            targets = [
                run.plan.target_temperature_K(step) for run, step in zip(self._runs, state.steps.tolist(), strict=True)
            ]
            return self._step(state, self._setting, np.array(targets))
        return self._step(state, self._setting, self._targets_K)

    def temperatures_K(self, state: BatchState) -> FloatArray:
        """Return the kinetic temperature of each cell, shape (C,)."""
        temperatures: FloatArray = self._per_eV * self._setting.atoms.kinetic_energies_eV(state.velocities_A_per_ps)
        return temperatures

    def _compute(self, positions_A: FloatArray) -> tuple[FloatArray, FloatArray]:
        result = self._force_field.compute_batch(self._cells, positions_A)
        return result.forces_eV_per_A, result.energies_eV

    def _make_setting(self) -> Setting:
        plans = [run.plan for run in self._runs]
        sizes = self._cells.counts
        masses = np.concatenate([run.masses_u for run in self._runs])
        frictions = np.array([plan.friction_per_ps or 0.0 for plan in plans])
        steps_ps = np.array([plan.time_step_ps for plan in plans])
        by_atom = partial(np.repeat, repeats=sizes)
        damping = np.array([np.exp(-rate * step) for rate, step in zip(frictions, steps_ps, strict=True)])
        inertia = MASS_FACTOR_eV_PS2_PER_U_A2 * masses
        return Setting(
            compute=self._compute,
            atoms=Atoms(masses, self._cells.starts, self._cells.owners),
            velocity_per_force=(0.5 * by_atom(steps_ps) / inertia)[:, None],
            half_ps=(0.5 * by_atom(steps_ps))[:, None],
            time_steps_ps=tuple(steps_ps.tolist()),
            friction_per_ps=tuple(frictions.tolist()),
            damping=by_atom(damping)[:, None],
            noise_A_per_ps=np.sqrt((1 - by_atom(damping) ** 2) * BOLTZMANN_eV_PER_K / inertia)[:, None],
            degrees_of_freedom=np.array(
                [degrees_of_freedom(len(run.system), remove_drift=run.remove_drift) for run in self._runs]
            ),
            fixed_momentum=np.array([float(run.remove_drift) for run in self._runs])[:, None],
            seeds=tuple(plan.seed for plan in plans),
            sizes=tuple(sizes.tolist()),
        )
