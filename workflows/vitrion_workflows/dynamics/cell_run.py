"""Run of one cell (plan, folder, frames so far and result), and cells that are stepped together."""

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vitrion_models.constants import BOLTZMANN_eV_PER_K, MASS_FACTOR_eV_PS2_PER_U_A2
from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics.checkpoint import FrameBuffer, Frames, RunFolder, RunIdentity, join
from vitrion_workflows.dynamics.errors import DynamicsError
from vitrion_workflows.dynamics.plan import MDPlan
from vitrion_workflows.dynamics.state import Atoms, BatchState, MDState, degrees_of_freedom, maxwell_boltzmann
from vitrion_workflows.dynamics.thermostats import THERMOSTATS, Setting
from vitrion_workflows.formats.frames import FEWEST_FRAMES
from vitrion_workflows.potentials.force_field import Cells, ForceField
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.trajectory import Trajectory

# A run this much hotter than it is set to has overlapping atoms or too long a step. Relaxing an unrelaxed packing may
# heat it for a moment, so the bound is generous; an explosion passes it within a few steps.
EXPLOSION_FACTOR = 20.0
EXPLOSION_FLOOR_K = 20000.0
# Trajectories are stored in single precision: 6e-5 A at 1000 A from the origin.
SINGLE_PRECISION_A = 1e-3


@dataclass(frozen=True, eq=False)
class MDResult:
    """Result of the run of one cell.

    Attributes:
        system: the cell at the end, positions unwrapped.
        state: at the end; its velocities start a following stage.
        steps_done: integration steps done in all, earlier sessions included.
        finished: True if the plan is complete, False if the run was stopped.
        frames: stored frames so far, or None where a stopped run has fewer than two.
        path: H5MD file of a finished run that had a folder.
    """

    system: AtomicSystem
    state: MDState
    steps_done: int
    finished: bool
    frames: Trajectory | None
    path: Path | None = None

    @property
    def trajectory(self) -> Trajectory:
        """Return the stored frames.

        Raises:
            DynamicsError: the run was stopped before its second frame.
        """
        if self.frames is None:
            raise DynamicsError("the run was stopped before its second frame: continue it")
        return self.frames


class CellRun:
    """Run of one cell in progress.

    Attributes:
        system: starting cell.
        plan: of the run.
        masses_u: shape (N,).
        remove_drift: True if the total momentum is held at zero.
        limit_K: temperature at which the run counts as exploded.
        buffer: frames since the last checkpoint.
        store: folder of the run, or None.
    """

    def __init__(
        self, system: AtomicSystem, force_field: ForceField, plan: MDPlan, *, velocities: FloatArray | None
    ) -> None:
        """Check the cell and draw its velocities where none are given.

        Raises:
            InputError: elements outside the potential's coverage, or velocities of another shape.
        """
        force_field.require_elements(system.numbers)
        self.system = system
        self.plan = plan
        self.masses_u = system.masses_u
        self.remove_drift = plan.remove_drift and len(system) > 1
        self.limit_K = EXPLOSION_FACTOR * plan.hottest_K + EXPLOSION_FLOOR_K
        self.buffer = FrameBuffer()
        self.store: RunFolder | None = None
        self._force_field = force_field
        self._velocities = self._starting_velocities(velocities)

    def open(self, folder: Path | str | None, stack: ExitStack) -> MDResult | None:
        """Lock and check the folder; return the result of a run that is finished already.

        Raises:
            DynamicsError: the folder is in use, or belongs to another run.
            CheckpointError: its files are damaged.
        """
        if folder is None:
            return None
        self.store = stack.enter_context(RunFolder(Path(folder), self._identity()))
        if not self.store.trajectory_path.is_file():
            return None
        state = self.store.load_state()
        if state is None:
            raise DynamicsError(f"{self.store.folder} has a trajectory but no state: delete the folder to start again")
        trajectory = h5md.read(self.store.trajectory_path)
        self._require_own(trajectory, state)
        self.store.remove_frame_files()
        return self._result(state, trajectory, self.store.trajectory_path, finished=True)

    def state(self) -> MDState | None:
        """Return the state of the last checkpoint, or None where there is none."""
        return self.store.load_state() if self.store is not None else None

    def first_state(self, forces_eV_per_A: FloatArray, energy_eV: float) -> MDState:
        """Return the state at step 0.

        Args:
            forces_eV_per_A: shape (N, 3).
            energy_eV: potential energy.
        """
        thermostat = THERMOSTATS[self.plan.thermostat].start()
        return MDState(0, self.system.positions_A.copy(), self._velocities, forces_eV_per_A, energy_eV, thermostat)

    def save(self, state: MDState) -> None:
        """Write a checkpoint.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written.
        """
        if self.store is not None:
            self.store.save(state, self.buffer.drain())

    def so_far(self) -> Trajectory | None:
        """Return the trajectory of all frames recorded so far, or None where there are fewer than two frames."""
        stored = self.store.load_frames() if self.store is not None else None
        parts = [part for part in (stored, self.buffer.content()) if part is not None and len(part)]
        return self._trajectory(join(parts)) if parts else None

    def close(self, state: MDState, *, finished: bool) -> MDResult:
        """Write the last checkpoint and, of a finished run, the trajectory.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written.
        """
        if self.store is None:
            return self._result(state, self.so_far(), None, finished=finished)
        self.save(state)
        trajectory = self.so_far()
        path: Path | None = None
        if finished and trajectory is not None:
            path = h5md.write(
                self.store.trajectory_path,
                trajectory,
                steps_per_frame=self.plan.frame_every,
                provenance=self._provenance(),
            )
            self.store.remove_frame_files()
        return self._result(state, trajectory, path, finished=finished)

    def fault(self, state: MDState, temperature_K: float) -> DynamicsError | None:
        """Return the error of a state that is not finite or too hot, or None."""
        finite = np.isfinite(temperature_K + state.potential_energy_eV + float(np.abs(state.forces_eV_per_A).sum()))
        if not finite:
            return DynamicsError(
                f"step {state.step}: forces or energy are not finite: atoms overlap or the step is too long; "
                "relax the cell first or shorten time_step_fs",
            )
        if temperature_K > self.limit_K:
            return DynamicsError(
                f"step {state.step}: the temperature has risen to {temperature_K:.0f} K "
                f"(set to {self.plan.hottest_K:g} K): relax the cell first or shorten time_step_fs",
            )
        return None

    def _require_own(self, trajectory: Trajectory, state: MDState) -> None:
        last = trajectory.positions_A[-1]
        if last.shape != state.positions_A.shape or not np.allclose(last, state.positions_A, atol=SINGLE_PRECISION_A):
            raise CheckpointError(
                f"{trajectory.source} does not end in the state of its run: delete the folder to start again"
            )

    def _trajectory(self, frames: Frames) -> Trajectory | None:
        if len(frames) < FEWEST_FRAMES:
            return None
        return Trajectory(
            numbers=self.system.numbers,
            positions_A=frames.positions_A,
            lattice_A=self.system.lattice_A,
            frame_interval_ps=self.plan.frame_interval_ps,
            temperatures_K=frames.temperatures_K,
            potential_energies_eV=frames.potential_energies_eV,
            masses_u=self.masses_u,
            source=str(self.store.trajectory_path) if self.store is not None else "run_md",
            set_temperature_K=self.plan.set_temperature_K,
            thermostat=self.plan.thermostat,
            friction_per_ps=self.plan.friction_per_ps,
        )

    def _result(self, state: MDState, trajectory: Trajectory | None, path: Path | None, *, finished: bool) -> MDResult:
        return MDResult(
            system=replace(self.system, positions_A=state.positions_A),
            state=state,
            steps_done=state.step,
            finished=finished,
            frames=trajectory,
            path=path,
        )

    def _starting_velocities(self, given: FloatArray | None) -> FloatArray:
        plan = self.plan
        if given is None:
            return maxwell_boltzmann(
                self.masses_u, temperature_K=plan.temperature_K, seed=plan.seed, remove_drift=plan.remove_drift
            )
        velocities = np.array(given, dtype=np.float64)
        if velocities.shape != (len(self.system), 3) or not np.isfinite(velocities).all():
            raise InputError(f"starting velocities must be {len(self.system)} x 3 finite numbers in A/ps")
        return velocities

    def _identity(self) -> RunIdentity:
        start = hashlib.sha256()
        arrays = [self.system.numbers, self.system.positions_A, self.system.lattice_A, self._velocities]
        if self.system.has_isotopes:
            arrays.append(self.system.masses_u)
        for array in arrays:
            start.update(np.ascontiguousarray(array).tobytes())
        return RunIdentity(
            plan=asdict(self.plan),
            plan_sha256=self.plan.sha256(),
            potential=self._force_field.name,
            potential_version=self._force_field.version,
            weights_sha256=self._force_field.weights_sha256,
            start_sha256=start.hexdigest(),
        )

    def _provenance(self) -> dict[str, Any]:
        return {
            "plan": asdict(self.plan),
            "potential": self._force_field.name,
            "potential_version": self._force_field.version,
            "weights_sha256": self._force_field.weights_sha256,
        }


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
