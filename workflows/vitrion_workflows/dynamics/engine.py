"""Molecular dynamics: one loop around a thermostat's step, with checkpoints that go on exactly."""

import hashlib
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_masses

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics import h5md
from vitrion_workflows.dynamics.checkpoint import RunFolder, RunIdentity
from vitrion_workflows.dynamics.constants import MASS_FACTOR_eV_PS2_PER_U_A2
from vitrion_workflows.dynamics.errors import DynamicsError
from vitrion_workflows.dynamics.frames import FrameBuffer, Frames
from vitrion_workflows.dynamics.plan import MDPlan
from vitrion_workflows.dynamics.state import MDState, degrees_of_freedom, maxwell_boltzmann, temperature_K
from vitrion_workflows.dynamics.thermostats import THERMOSTATS, Setting
from vitrion_workflows.dynamics.trajectory import FEWEST_FRAMES, Trajectory
from vitrion_workflows.potentials.force_field import ForceField

CHECKPOINT_SECONDS = 10.0
PROGRESS_SECONDS = 0.25
# A run this much hotter than it is set to has overlapping atoms or too long a step. Relaxing an unrelaxed packing may
# heat it for a moment, so the bound is generous; an explosion passes it within a few steps.
EXPLOSION_FACTOR = 20.0
EXPLOSION_FLOOR_K = 20000.0

ProgressCallback = Callable[[int, int], None]
StopCallback = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class MDResult:
    """Outcome of `run_md`.

    Attributes:
        system: the cell at the end, positions unwrapped.
        state: the whole state at the end; its velocities start a following stage.
        steps_done: integration steps done in all, earlier sessions included.
        finished: whether the plan is complete; False where it was stopped.
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
        """The stored frames.

        Raises:
            DynamicsError: the run was stopped before its second frame.
        """
        if self.frames is None:
            raise DynamicsError("the run was stopped before its second frame: let it go on")
        return self.frames


def run_md(
    system: AtomicSystem,
    force_field: ForceField,
    plan: MDPlan,
    *,
    folder: Path | str | None = None,
    velocities: FloatArray | None = None,
    on_progress: ProgressCallback | None = None,
    should_stop: StopCallback | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> MDResult:
    """Run molecular dynamics, or go on with it.

    The trajectory is a function of the arguments alone: stopped or killed at any moment and called again with the same
    folder, the run gives bitwise the frames of an uninterrupted one.

    Args:
        system: starting cell.
        force_field: potential.
        plan: what to do.
        folder: where checkpoints and the H5MD trajectory lie; nothing is written where not given.
        velocities: starting velocities in A/ps, shape (N, 3); drawn at the plan's temperature where not given.
        on_progress: called with steps done and steps in all, a few times a second and at the end.
        should_stop: asked after each step; True ends the run with a checkpoint.
        checkpoint_seconds: least time between two checkpoints; 0 writes one at each frame.

    Raises:
        InputError: elements outside the potential's coverage, or velocities of another shape.
        DynamicsError: forces are not finite, the temperature explodes, or the folder belongs to another run.
        CheckpointError: the folder's files are damaged.

    Example:
        >>> import numpy as np
        >>> from vitrion_models.system import AtomicSystem
        >>> from vitrion_workflows import potentials
        >>> argon = AtomicSystem([18, 18], [[0.0, 0, 0], [3.0, 3, 3]], np.eye(3) * 6)
        >>> plan = MDPlan(steps=20, time_step_fs=2, temperature_K=90, thermostat="nve", frame_every=10, seed=1)
        >>> len(run_md(argon, potentials.load("lennard-jones"), plan).trajectory)
        3
    """
    force_field.require_elements(system.numbers)
    start = _starting_velocities(system, plan, velocities)
    run = _Run(system, force_field, plan)
    with ExitStack() as stack:
        store = None
        if folder is not None:
            store = stack.enter_context(RunFolder(Path(folder), _identity(system, force_field, plan, start)))
            if store.trajectory_path.is_file():
                return run.finished_before(store)
        return run.go(store, start, on_progress or _silent, should_stop or _never, checkpoint_seconds)


class _Run:
    """One call of `run_md`: what stays fixed during it."""

    def __init__(self, system: AtomicSystem, force_field: ForceField, plan: MDPlan) -> None:
        self.system = system
        self.plan = plan
        self.force_field = force_field
        self.masses_u = atomic_masses[system.numbers].astype(np.float64)
        remove_drift = plan.remove_drift and len(system) > 1
        self.setting = Setting(
            compute=self._compute,
            masses_u=self.masses_u,
            accelerations_per_force=1.0 / (MASS_FACTOR_eV_PS2_PER_U_A2 * self.masses_u[:, None]),
            time_step_ps=plan.time_step_ps,
            friction_per_ps=plan.friction_per_ps or 0.0,
            degrees_of_freedom=degrees_of_freedom(len(system), remove_drift=remove_drift),
            remove_drift=remove_drift,
            seed=plan.seed,
        )
        self.limit_K = EXPLOSION_FACTOR * plan.hottest_K + EXPLOSION_FLOOR_K

    def _compute(self, positions_A: FloatArray) -> tuple[FloatArray, float]:
        result = self.force_field.compute(self.system.numbers, positions_A, self.system.lattice_A)
        return result.forces_eV_per_A, result.energy_eV

    def go(
        self,
        store: RunFolder | None,
        velocities: FloatArray,
        on_progress: ProgressCallback,
        should_stop: StopCallback,
        checkpoint_seconds: float,
    ) -> MDResult:
        """The loop."""
        plan = self.plan
        advance = THERMOSTATS[plan.thermostat].step
        buffer = FrameBuffer()
        state = store.load_state() if store is not None else None
        if state is None:
            state = self._first_state(velocities)
            self._measure(state, buffer)
        saved_at = shown_at = time.monotonic()
        while state.step < plan.steps:
            state = advance(state, self.setting, plan.target_temperature_K(state.step))
            on_frame = state.step % plan.frame_every == 0
            self._measure(state, buffer if on_frame else None)
            now = time.monotonic()
            if store is not None and on_frame and now - saved_at >= checkpoint_seconds:
                store.save(state, buffer.drain())
                saved_at = now
            if now - shown_at >= PROGRESS_SECONDS:
                on_progress(state.step, plan.steps)
                shown_at = now
            if should_stop():
                break
        on_progress(state.step, plan.steps)
        return self._close(store, state, buffer)

    def finished_before(self, store: RunFolder) -> MDResult:
        """Result of a run whose trajectory lies in the folder already."""
        state = store.load_state()
        if state is None:
            raise DynamicsError(f"{store.folder} has a trajectory but no state: delete the folder to start again")
        store.remove_frame_files()
        return self._result(state, h5md.read(store.trajectory_path), store.trajectory_path)

    def _first_state(self, velocities: FloatArray) -> MDState:
        forces, energy = self._compute(self.system.positions_A)
        thermostat = THERMOSTATS[self.plan.thermostat].start()
        return MDState(0, self.system.positions_A.copy(), velocities, forces, energy, thermostat)

    def _measure(self, state: MDState, buffer: FrameBuffer | None) -> None:
        # One sum over everything that could be NaN or infinite is the cheapest honest check of each step.
        now_K = temperature_K(state.velocities_A_per_ps, self.masses_u, self.setting.degrees_of_freedom)
        if not np.isfinite(now_K + state.potential_energy_eV + float(np.abs(state.forces_eV_per_A).sum())):
            raise DynamicsError(
                f"step {state.step}: forces or energy are not finite: atoms overlap or the step is too long; "
                "relax the cell first or shorten time_step_fs",
            )
        if now_K > self.limit_K:
            raise DynamicsError(
                f"step {state.step}: the temperature has risen to {now_K:.0f} K (set to {self.plan.hottest_K:g} K): "
                "relax the cell first or shorten time_step_fs",
            )
        if buffer is not None:
            buffer.add(state.positions_A, now_K, state.potential_energy_eV)

    def _close(self, store: RunFolder | None, state: MDState, buffer: FrameBuffer) -> MDResult:
        frames: Frames | None = buffer.drain() if len(buffer) else None
        path: Path | None = None
        if store is not None:
            store.save(state, frames if frames is not None else buffer.drain())
            frames = store.load_frames()
        trajectory = None
        if frames is not None and len(frames) >= FEWEST_FRAMES:
            source = str(store.trajectory_path) if store is not None else "run_md"
            trajectory = frames.trajectory(
                numbers=self.system.numbers,
                lattice_A=self.system.lattice_A,
                frame_interval_ps=self.plan.frame_interval_ps,
                masses_u=self.masses_u,
                source=source,
            )
        if store is not None and state.step == self.plan.steps and trajectory is not None:
            path = h5md.write(
                store.trajectory_path,
                trajectory,
                steps_per_frame=self.plan.frame_every,
                provenance=self._provenance(),
            )
            store.remove_frame_files()
        return self._result(state, trajectory, path)

    def _result(self, state: MDState, trajectory: Trajectory | None, path: Path | None) -> MDResult:
        return MDResult(
            system=AtomicSystem(self.system.numbers, state.positions_A, self.system.lattice_A),
            state=state,
            steps_done=state.step,
            finished=state.step == self.plan.steps,
            frames=trajectory,
            path=path,
        )

    def _provenance(self) -> dict[str, Any]:
        return {
            "plan": asdict(self.plan),
            "potential": self.force_field.name,
            "potential_version": self.force_field.version,
            "weights_sha256": self.force_field.weights_sha256,
        }


def _starting_velocities(system: AtomicSystem, plan: MDPlan, given: FloatArray | None) -> FloatArray:
    if given is None:
        masses = atomic_masses[system.numbers].astype(np.float64)
        return maxwell_boltzmann(
            masses, temperature_K=plan.temperature_K, seed=plan.seed, remove_drift=plan.remove_drift
        )
    velocities = np.array(given, dtype=np.float64)
    if velocities.shape != (len(system), 3) or not np.isfinite(velocities).all():
        raise InputError(f"starting velocities must be {len(system)} x 3 finite numbers in A/ps")
    return velocities


def _identity(system: AtomicSystem, force_field: ForceField, plan: MDPlan, velocities: FloatArray) -> RunIdentity:
    start = hashlib.sha256()
    for array in (system.numbers, system.positions_A, system.lattice_A, velocities):
        start.update(np.ascontiguousarray(array).tobytes())
    return RunIdentity(
        plan=asdict(plan),
        plan_sha256=plan.sha256(),
        potential=force_field.name,
        potential_version=force_field.version,
        weights_sha256=force_field.weights_sha256,
        start_sha256=start.hexdigest(),
    )


def _silent(_done: int, _steps: int) -> None:
    """Progress nobody asked for."""


def _never() -> bool:
    """Nobody asks for a stop."""
    return False
