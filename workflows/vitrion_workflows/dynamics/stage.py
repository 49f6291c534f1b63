"""One stage of a longer preparation: a run of NVT dynamics with its length in ps, its progress and its stop."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics import MDPlan, MDResult, run_md
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import CellProtocol

FRAMES_OF_A_STAGE = 10


@dataclass(frozen=True)
class Callbacks:
    """Functions by which a caller follows and stops a preparation.

    Attributes:
        on_progress: called with the stage's name, steps done and steps in all.
        should_stop: called after each step; True stops the run at a checkpoint.
        on_part: called with one line for people about each finished part of longer work.
    """

    on_progress: Callable[[str, int, int], None] = field(default=lambda _stage, _done, _total: None)
    should_stop: Callable[[], bool] = field(default=lambda: False)
    on_part: Callable[[str], None] = field(default=lambda _line: None)

    def within(self, part: str) -> "Callbacks":
        """Return callbacks that show stages as those of a part of the work."""
        return replace(self, on_progress=lambda stage, done, total: self.on_progress(f"{part}, {stage}", done, total))


NO_CALLBACKS = Callbacks()


@dataclass(frozen=True, kw_only=True)
class MDStage:
    """A stage of NVT dynamics under a Langevin thermostat.

    Attributes:
        name: shown to people.
        duration_ps: length; rounded to whole frames.
        temperature_K: of the thermostat, and of velocities that are drawn.
        final_temperature_K: end of a linear ramp, where given.
        frames: stored frames after the first.
    """

    name: str
    duration_ps: float
    temperature_K: float
    final_temperature_K: float | None = None
    frames: int = FRAMES_OF_A_STAGE

    def plan(self, protocol: CellProtocol, *, seed: int) -> MDPlan:
        """Return the plan of the run.

        Args:
            protocol: time step and friction.
            seed: of velocities and noise.
        """
        frame_every = self._steps_per_frame(protocol)
        return MDPlan(
            steps=frame_every * self.frames,
            time_step_fs=protocol.time_step_fs,
            temperature_K=self.temperature_K,
            final_temperature_K=self.final_temperature_K,
            thermostat="langevin",
            friction_per_ps=protocol.friction_per_ps,
            frame_every=frame_every,
            seed=seed,
        )

    def duration_as_run_ps(self, protocol: CellProtocol) -> float:
        """Return the length after rounding to whole frames, in ps."""
        return self._steps_per_frame(protocol) * self.frames * protocol.time_step_fs / FEMTOSECONDS_PER_PS

    def _steps_per_frame(self, protocol: CellProtocol) -> int:
        steps = self.duration_ps * FEMTOSECONDS_PER_PS / protocol.time_step_fs
        return max(1, round(steps / self.frames))


def run_stage(
    system: AtomicSystem,
    force_field: ForceField,
    stage: MDStage,
    *,
    protocol: CellProtocol,
    seed: int,
    velocities: FloatArray | None = None,
    folder: Path | None = None,
    callbacks: Callbacks = NO_CALLBACKS,
) -> MDResult:
    """Run a stage to its end.

    Args:
        system: starting cell.
        force_field: potential.
        stage: length and temperatures.
        protocol: time step and friction.
        seed: of velocities and noise.
        velocities: starting velocities in A/ps, shape (N, 3); drawn at the stage's temperature where None.
        folder: for checkpoints, where wanted.
        callbacks: progress and stop.

    Raises:
        StoppedError: a callback stopped it.
        DynamicsError: see `run_md`.
    """
    result = run_md(
        system,
        force_field,
        stage.plan(protocol, seed=seed),
        folder=folder,
        velocities=velocities,
        on_progress=lambda done, total: callbacks.on_progress(stage.name, done, total),
        should_stop=callbacks.should_stop,
    )
    if not result.finished:
        raise StoppedError(f"stopped in the stage {stage.name} after {result.steps_done} steps")
    return result
