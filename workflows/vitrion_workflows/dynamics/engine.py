"""Molecular dynamics: one loop around a thermostat's step, for one cell or many, with exact checkpoints."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from vitrion_models.constants import BOLTZMANN_eV_PER_K, MASS_FACTOR_eV_PS2_PER_U_A2
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics.cell_run import CellRun, MDResult
from vitrion_workflows.dynamics.errors import DynamicsError
from vitrion_workflows.dynamics.plan import MDPlan
from vitrion_workflows.dynamics.state import Atoms, BatchState, MDState, degrees_of_freedom
from vitrion_workflows.dynamics.thermostats import THERMOSTATS, Setting
from vitrion_workflows.potentials.force_field import Cells, ForceField
from vitrion_workflows.trajectories.trajectory import Trajectory

CHECKPOINT_SECONDS = 10.0
PROGRESS_SECONDS = 0.25

ProgressCallback = Callable[[int, int], None]
StopCallback = Callable[[], bool]
EnoughCallback = Callable[[Trajectory], bool]


@dataclass(frozen=True)
class Enough:
    """When a run may end before its last step.

    Attributes:
        decide: all frames so far -> whether they will do. It must be a function of them alone: a run that is killed
            and goes on asks again.
        least_frames: it is not asked before there are so many (the starting frame included).
        every_frames: then it is asked each time so many more have come.
    """

    decide: EnoughCallback
    least_frames: int
    every_frames: int

    def due(self, frames: int) -> bool:
        """Whether it is to be asked at a number of frames."""
        return frames >= self.least_frames and (frames - self.least_frames) % self.every_frames == 0


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
    enough: Enough | None = None,
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
        enough: where given, the run is finished as soon as this says so, at latest after the plan's steps.

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
    (outcome,) = run_batch(
        [system],
        force_field,
        [plan],
        folders=[folder],
        velocities=[velocities],
        on_progress=on_progress,
        should_stop=should_stop,
        checkpoint_seconds=checkpoint_seconds,
        enough=enough,
    )
    if isinstance(outcome, DynamicsError):
        raise outcome
    return outcome


def run_batch(
    systems: Sequence[AtomicSystem],
    force_field: ForceField,
    plans: Sequence[MDPlan],
    *,
    folders: Sequence[Path | str | None] | None = None,
    velocities: Sequence[FloatArray | None] | None = None,
    on_progress: ProgressCallback | None = None,
    should_stop: StopCallback | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    enough: Enough | None = None,
) -> tuple[MDResult | DynamicsError, ...]:
    """Run several cells of any size side by side, one call of the potential a step for all of them.

    Each cell has its own plan, random numbers, checkpoints and end; on a CPU its trajectory is bitwise that of
    `run_md`. Killed at any moment, cells go on from their own checkpoints.

    Args:
        systems: starting cells.
        force_field: potential.
        plans: what to do with each; the thermostat must be the same.
        folders: see `run_md`, one for each cell.
        velocities: see `run_md`, one for each cell.
        on_progress: called with the steps done and the steps in all of all cells.
        should_stop: see `run_md`.
        checkpoint_seconds: see `run_md`.
        enough: see `run_md`; asked of each cell.

    Returns:
        For each cell its result, or the error that ended it: the others go on.

    Raises:
        InputError: elements outside the coverage, velocities of another shape, or lists of different lengths.
        DynamicsError: a folder belongs to another run or cannot be written.
        CheckpointError: a folder's files are damaged.
    """
    count = len(systems)
    folders = [None] * count if folders is None else folders
    velocities = [None] * count if velocities is None else velocities
    if not count or not len(plans) == len(folders) == len(velocities) == count:
        raise InputError(f"{count} cells need as many plans, folders and velocities: give one of each for each cell")
    if len({plan.thermostat for plan in plans}) > 1:
        raise InputError("the cells of a batch must share one thermostat: make a batch of each")
    runs = [
        CellRun(system, force_field, plan, velocities=start)
        for system, plan, start in zip(systems, plans, velocities, strict=True)
    ]
    outcomes: list[MDResult | DynamicsError | None] = [None] * count
    with ExitStack() as stack:
        for index, (run, folder) in enumerate(zip(runs, folders, strict=True)):
            outcomes[index] = run.open(folder, stack)
        loop = _Loop(runs, force_field, outcomes, enough)
        loop.go(on_progress or _silent, should_stop or _never, checkpoint_seconds)
    return tuple(outcome for outcome in outcomes if outcome is not None)


class _Loop:
    """One call of `run_batch`."""

    def __init__(
        self,
        runs: list[CellRun],
        force_field: ForceField,
        outcomes: list[MDResult | DynamicsError | None],
        enough: Enough | None,
    ) -> None:
        self._runs = runs
        self._force_field = force_field
        self._outcomes = outcomes
        self._enough = enough
        self._total = sum(run.plan.steps for run in runs)

    def go(self, on_progress: ProgressCallback, should_stop: StopCallback, checkpoint_seconds: float) -> None:
        """Step until every cell has an outcome, or somebody stops it."""
        if all(outcome is not None for outcome in self._outcomes):
            return
        active = self._settle(dict(self._begin()))
        shown_at = time.monotonic()
        saved_at = dict.fromkeys(active, shown_at)
        stopped = False
        while active and not stopped:
            group = _Group([self._runs[index] for index in active], self._force_field)
            state = BatchState.of(list(active.values()))
            pending: set[int] = set()
            while not (pending or stopped):
                state = group.advance(state)
                pending = self._look(group, state, list(active))
                now = time.monotonic()
                if now - shown_at >= PROGRESS_SECONDS:
                    on_progress(self._done() + int(state.steps.sum()), self._total)
                    shown_at = now
                for place, index in enumerate(active):
                    # A folder gets frames and state together, hence at frames only.
                    run = self._runs[index]
                    if (
                        run.store is not None
                        and now - saved_at[index] >= checkpoint_seconds
                        and state.steps[place] % run.plan.frame_every == 0
                        and index not in pending
                    ):
                        run.save(state.cell(place, group.cells.slices[place]))
                        saved_at[index] = now
                stopped = should_stop()
            states = {index: state.cell(place, group.cells.slices[place]) for place, index in enumerate(active)}
            active = self._settle({index: one for index, one in states.items() if self._outcomes[index] is None})
        for index, one in active.items():
            self._outcomes[index] = self._runs[index].close(one, finished=False)
        on_progress(self._done(), self._total)

    def _begin(self) -> Sequence[tuple[int, MDState]]:
        # States of the cells that are not finished: from their checkpoints, or new, the new ones in one call.
        open_cells = [index for index, outcome in enumerate(self._outcomes) if outcome is None]
        states = {index: self._runs[index].state() for index in open_cells}
        fresh = [index for index, state in states.items() if state is None]
        begun = {index: state for index, state in states.items() if state is not None}
        if fresh:
            cells = Cells.of([self._runs[index].system for index in fresh])
            forces = self._force_field.compute_batch(
                cells, np.concatenate([self._runs[index].system.positions_A for index in fresh])
            )
            for place, index in enumerate(fresh):
                atoms = cells.slices[place]
                begun[index] = self._runs[index].first_state(
                    forces.forces_eV_per_A[atoms].copy(), float(forces.energies_eV[place])
                )
            group = _Group([self._runs[index] for index in fresh], self._force_field)
            self._look(group, BatchState.of([begun[index] for index in fresh]), fresh)
        return [(index, begun[index]) for index in open_cells if self._outcomes[index] is None]

    def _look(self, group: "_Group", state: BatchState, active: Sequence[int]) -> set[int]:
        # Take frames that are due; end cells that broke; say which are to be settled.
        temperatures = group.temperatures_K(state)
        # One sum over everything that could be NaN or infinite is the cheapest honest check of each step.
        if not (
            np.isfinite(state.forces_eV_per_A.sum() + state.potential_energies_eV.sum())
            and (temperatures < group.limits_K).all()
        ):
            for place, index in enumerate(active):
                fault = self._runs[index].fault(state.cell(place, group.cells.slices[place]), temperatures[place])
                self._outcomes[index] = fault
        pending = set()
        for place, (index, step) in enumerate(zip(active, state.steps.tolist(), strict=True)):
            run = self._runs[index]
            if self._outcomes[index] is not None:
                pending.add(index)
            elif step % run.plan.frame_every == 0:
                run.buffer.add(
                    state.positions_A[group.cells.slices[place]].copy(),
                    float(temperatures[place]),
                    float(state.potential_energies_eV[place]),
                )
                if step >= run.plan.steps or self._asks(run, step):
                    pending.add(index)
        return pending

    def _asks(self, run: CellRun, step: int) -> bool:
        return (
            self._enough is not None
            and step % run.plan.frame_every == 0
            and self._enough.due(step // run.plan.frame_every + 1)
        )

    def _settle(self, states: dict[int, MDState]) -> dict[int, MDState]:
        # End the cells that have done their steps or have enough frames; the others go on.
        going_on = {}
        for index, state in states.items():
            run = self._runs[index]
            ended = state.step >= run.plan.steps
            if not ended and self._enough is not None and self._asks(run, state.step):
                frames = run.so_far()
                ended = frames is not None and self._enough.decide(frames)
            if ended:
                self._outcomes[index] = run.close(state, finished=True)
            else:
                going_on[index] = state
        return going_on

    def _done(self) -> int:
        return sum(outcome.steps_done for outcome in self._outcomes if isinstance(outcome, MDResult))


class _Group:
    """The cells that are stepped together, until one of them leaves."""

    def __init__(self, runs: list[CellRun], force_field: ForceField) -> None:
        self._runs = runs
        self._force_field = force_field
        self.cells = Cells.of([run.system for run in runs])
        self.limits_K = np.array([run.limit_K for run in runs])
        self._step = THERMOSTATS[runs[0].plan.thermostat].step
        self._setting = self._make_setting()
        self._ramps = any(run.plan.final_temperature_K is not None for run in runs)
        self._targets_K = np.array([run.plan.temperature_K for run in runs])
        self._per_eV = 2 / (self._setting.degrees_of_freedom * BOLTZMANN_eV_PER_K)

    def advance(self, state: BatchState) -> BatchState:
        """One step of all cells."""
        if self._ramps:
            targets = [
                run.plan.target_temperature_K(step) for run, step in zip(self._runs, state.steps.tolist(), strict=True)
            ]
            return self._step(state, self._setting, np.array(targets))
        return self._step(state, self._setting, self._targets_K)

    def temperatures_K(self, state: BatchState) -> FloatArray:
        """Kinetic temperature of each cell, shape (C,)."""
        temperatures: FloatArray = self._per_eV * self._setting.atoms.kinetic_energies_eV(state.velocities_A_per_ps)
        return temperatures

    def _compute(self, positions_A: FloatArray) -> tuple[FloatArray, FloatArray]:
        result = self._force_field.compute_batch(self.cells, positions_A)
        return result.forces_eV_per_A, result.energies_eV

    def _make_setting(self) -> Setting:
        plans = [run.plan for run in self._runs]
        sizes = self.cells.counts
        masses = np.concatenate([run.masses_u for run in self._runs])
        frictions = np.array([plan.friction_per_ps or 0.0 for plan in plans])
        steps_ps = np.array([plan.time_step_ps for plan in plans])
        by_atom = partial(np.repeat, repeats=sizes)
        kept = np.array([np.exp(-rate * step) for rate, step in zip(frictions, steps_ps, strict=True)])
        inertia = MASS_FACTOR_eV_PS2_PER_U_A2 * masses
        return Setting(
            compute=self._compute,
            atoms=Atoms(masses, self.cells.starts, self.cells.owners),
            kick=(0.5 * by_atom(steps_ps) / inertia)[:, None],
            half_ps=(0.5 * by_atom(steps_ps))[:, None],
            time_steps_ps=tuple(steps_ps.tolist()),
            friction_per_ps=tuple(frictions.tolist()),
            kept=by_atom(kept)[:, None],
            noise_A_per_ps=np.sqrt((1 - by_atom(kept) ** 2) * BOLTZMANN_eV_PER_K / inertia)[:, None],
            degrees_of_freedom=np.array(
                [degrees_of_freedom(len(run.system), remove_drift=run.remove_drift) for run in self._runs]
            ),
            held=np.array([float(run.remove_drift) for run in self._runs])[:, None],
            seeds=tuple(plan.seed for plan in plans),
            sizes=tuple(sizes.tolist()),
        )


def _silent(_done: int, _steps: int) -> None:
    """Progress nobody asked for."""


def _never() -> bool:
    """Nobody asks for a stop."""
    return False
