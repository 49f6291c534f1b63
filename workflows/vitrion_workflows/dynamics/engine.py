"""Molecular dynamics of one cell or of many side by side, with exact checkpoints."""

import time
from collections.abc import Callable, Container, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics.cell_run import CellGroup, CellRun, MDResult
from vitrion_workflows.dynamics.errors import DynamicsError
from vitrion_workflows.dynamics.plan import MDPlan
from vitrion_workflows.dynamics.state import BatchState, MDState
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.trajectories.trajectory import Trajectory

CHECKPOINT_SECONDS = 10.0
PROGRESS_SECONDS = 0.25

ProgressCallback = Callable[[int, int], None]
StopCallback = Callable[[], bool]


@dataclass(frozen=True)
class EarlyEnd:
    """Rule by which a run may end before its last step.

    Attributes:
        decide: all frames so far -> whether they are enough. It must be a function of them alone: a run that is killed
            and goes on decides again.
        frame_counts: numbers of frames, the starting frame included, at which it decides.
    """

    decide: Callable[[Trajectory], bool]
    frame_counts: Container[int]


@dataclass(frozen=True)
class _Callbacks:
    on_progress: ProgressCallback
    should_stop: StopCallback
    checkpoint_seconds: float


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
    early_end: EarlyEnd | None = None,
) -> MDResult:
    """Run molecular dynamics, from the last checkpoint where there is one.

    The trajectory is a function of the arguments alone: stopped or killed at any moment and called again with the same
    folder, the run gives bitwise the frames of an uninterrupted one.

    Args:
        system: starting cell.
        force_field: potential.
        plan: numbers of the run.
        folder: where checkpoints and the H5MD trajectory lie; nothing is written where not given.
        velocities: starting velocities in A/ps, shape (N, 3); drawn at the plan's temperature where not given.
        on_progress: called with steps done and steps in all, a few times a second and at the end.
        should_stop: called after each step; True ends the run with a checkpoint.
        checkpoint_seconds: least time between two checkpoints; 0 writes one at each frame.
        early_end: where given, the run is finished as soon as this decides so, at latest after the plan's steps.

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
        early_end=early_end,
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
    early_end: EarlyEnd | None = None,
) -> tuple[MDResult | DynamicsError, ...]:
    """Run several cells of any size side by side, with one call of the potential for all of them at each step.

    Each cell has its own plan, random numbers, checkpoints and end; on a CPU its trajectory is bitwise that of
    `run_md`. Killed at any moment, cells go on from their own checkpoints.

    Args:
        systems: starting cells.
        force_field: potential.
        plans: of each cell, all of one thermostat.
        folders: see `run_md`, one for each cell.
        velocities: of each cell, in A/ps, shape (N, 3), or None; see `run_md`.
        on_progress: called with the steps done and the steps in all of all cells.
        should_stop: see `run_md`.
        checkpoint_seconds: see `run_md`.
        early_end: see `run_md`; decides for each cell.

    Returns:
        For each cell its result, or the error that ended it; the other cells go on.

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
    callbacks = _Callbacks(
        on_progress=on_progress or (lambda _done, _total: None),
        should_stop=should_stop or (lambda: False),
        checkpoint_seconds=checkpoint_seconds,
    )
    with ExitStack() as stack:
        opened = [run.open(folder, stack) for run, folder in zip(runs, folders, strict=True)]
        finished: dict[int, MDResult | DynamicsError] = {
            index: result for index, result in enumerate(opened) if result is not None
        }
        loop = _Loop(runs, force_field, finished, early_end, callbacks)
        if len(finished) < count:
            loop.run()
    return tuple(loop.outcomes[index] for index in range(count))


class _Loop:
    """One call of `run_batch`: step the cells until each has an outcome or a stop is requested.

    Cells are stepped as a group. Whenever one of them has ended or failed, the group is made anew of the others.
    """

    def __init__(
        self,
        runs: Sequence[CellRun],
        force_field: ForceField,
        outcomes: dict[int, MDResult | DynamicsError],
        early_end: EarlyEnd | None,
        callbacks: _Callbacks,
    ) -> None:
        self.outcomes = outcomes
        self._runs = runs
        self._force_field = force_field
        self._early_end = early_end
        self._callbacks = callbacks
        self._total = sum(run.plan.steps for run in runs)
        self._stopped = False
        self._reported_at = time.monotonic()
        self._saved_at = dict.fromkeys(range(len(runs)), self._reported_at)

    def run(self) -> None:
        """Give every cell an outcome."""
        states = self._close_ended(self._starting_states())
        while states and not self._stopped:
            states = self._close_ended(self._step_together(states))
        for index, state in states.items():
            self.outcomes[index] = self._runs[index].close(state, finished=False)
        self._callbacks.on_progress(self._steps_closed(), self._total)

    def _starting_states(self) -> dict[int, MDState]:
        """Return the states of the unfinished cells: from checkpoints, or new with their first frame recorded."""
        unfinished = [index for index in range(len(self._runs)) if index not in self.outcomes]
        stored = {index: self._runs[index].state() for index in unfinished}
        states = {index: state for index, state in stored.items() if state is not None}
        if fresh := [index for index, state in stored.items() if state is None]:
            group = CellGroup([self._runs[index] for index in fresh], self._force_field)
            states |= zip(fresh, group.first_states(), strict=True)
            self._record(group, BatchState.of([states[index] for index in fresh]), fresh)
        return {index: states[index] for index in unfinished if index not in self.outcomes}

    def _step_together(self, states: dict[int, MDState]) -> dict[int, MDState]:
        """Step cells until one of them may have ended, has failed, or a stop is requested; return those not failed."""
        indices = list(states)
        group = CellGroup([self._runs[index] for index in indices], self._force_field)
        state = BatchState.of(list(states.values()))
        leaving: set[int] = set()
        while not (leaving or self._stopped):
            state = group.advance(state)
            leaving = self._record(group, state, indices)
            self._report(state)
            self._save(group, state, {index: place for place, index in enumerate(indices) if index not in leaving})
            self._stopped = self._callbacks.should_stop()
        return {
            index: group.cell_state(state, place) for place, index in enumerate(indices) if index not in self.outcomes
        }

    def _record(self, group: CellGroup, state: BatchState, indices: Sequence[int]) -> set[int]:
        """Store the frames that are due, fail the cells that broke; return these and those that may have ended."""
        temperatures = group.temperatures_K(state)
        if not group.is_sound(state):
            for place, index in enumerate(indices):
                if fault := self._runs[index].fault(group.cell_state(state, place), temperatures[place]):
                    self.outcomes[index] = fault
        leaving = set()
        for place, (index, step) in enumerate(zip(indices, state.steps.tolist(), strict=True)):
            run = self._runs[index]
            if index in self.outcomes:
                leaving.add(index)
            elif step % run.plan.frame_every == 0:
                run.buffer.add(
                    group.cell_positions_A(state, place),
                    float(temperatures[place]),
                    float(state.potential_energies_eV[place]),
                )
                if step >= run.plan.steps or self._may_end_early(run, step):
                    leaving.add(index)
        return leaving

    def _report(self, state: BatchState) -> None:
        if time.monotonic() - self._reported_at >= PROGRESS_SECONDS:
            self._callbacks.on_progress(self._steps_closed() + int(state.steps.sum()), self._total)
            self._reported_at = time.monotonic()

    def _save(self, group: CellGroup, state: BatchState, places: dict[int, int]) -> None:
        """Write the checkpoints that are due; a folder gets frames and state together, hence at frames only."""
        now = time.monotonic()
        for index, place in places.items():
            run = self._runs[index]
            due = run.store is not None and now - self._saved_at[index] >= self._callbacks.checkpoint_seconds
            if due and state.steps[place] % run.plan.frame_every == 0:
                run.save(group.cell_state(state, place))
                self._saved_at[index] = now

    def _close_ended(self, states: dict[int, MDState]) -> dict[int, MDState]:
        """Close the cells that have done their steps or may end early; return the others."""
        remaining = {}
        for index, state in states.items():
            run = self._runs[index]
            if state.step >= run.plan.steps or self._ends_early(run, state.step):
                self.outcomes[index] = run.close(state, finished=True)
            else:
                remaining[index] = state
        return remaining

    def _may_end_early(self, run: CellRun, step: int) -> bool:
        every = run.plan.frame_every
        return self._early_end is not None and step % every == 0 and step // every + 1 in self._early_end.frame_counts

    def _ends_early(self, run: CellRun, step: int) -> bool:
        if self._early_end is None or not self._may_end_early(run, step):
            return False
        frames = run.so_far()
        return frames is not None and self._early_end.decide(frames)

    def _steps_closed(self) -> int:
        return sum(outcome.steps_done for outcome in self.outcomes.values() if isinstance(outcome, MDResult))
