"""One stretch of dynamics inside a longer preparation: its length in ps, its progress, its stop."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics import MDPlan, MDResult, run_md
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import CellProtocol

FRAMES_OF_A_STAGE = 10


@dataclass(frozen=True)
class Watch:
    """How a caller follows and stops a preparation.

    Attributes:
        on_progress: called with the stage's name, steps done and steps in all.
        should_stop: asked after each step.
    """

    on_progress: Callable[[str, int, int], None] = field(default=lambda _stage, _done, _total: None)
    should_stop: Callable[[], bool] = field(default=lambda: False)


UNWATCHED = Watch()


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of NVT dynamics.

    Attributes:
        stage: name shown to people.
        duration_ps: length; rounded to whole frames.
        temperature_K: of the thermostat, and of velocities that are drawn.
        final_temperature_K: end of a linear ramp, where given.
        frames: stored frames after the first.
    """

    stage: str
    duration_ps: float
    temperature_K: float
    final_temperature_K: float | None = None
    frames: int = FRAMES_OF_A_STAGE

    def plan(self, protocol: CellProtocol, *, seed: int) -> MDPlan:
        """The run as the engine takes it."""
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
        """Length after rounding to whole frames, in ps."""
        return self._steps_per_frame(protocol) * self.frames * protocol.time_step_fs / FEMTOSECONDS_PER_PS

    def _steps_per_frame(self, protocol: CellProtocol) -> int:
        wanted_steps = self.duration_ps * FEMTOSECONDS_PER_PS / protocol.time_step_fs
        return max(1, round(wanted_steps / self.frames))


def run_stretch(
    system: AtomicSystem,
    force_field: ForceField,
    stretch: Stretch,
    *,
    protocol: CellProtocol,
    seed: int,
    velocities: FloatArray | None = None,
    folder: Path | None = None,
    watch: Watch = UNWATCHED,
) -> MDResult:
    """Run a stretch to its end.

    Args:
        system: starting cell.
        force_field: potential.
        stretch: what to run.
        protocol: time step and friction.
        seed: of velocities and noise.
        velocities: starting velocities in A/ps, drawn where not given.
        folder: for checkpoints, where wanted.
        watch: progress and stop.

    Raises:
        StoppedError: the watch asked for it.
        DynamicsError: see `run_md`.
    """
    result = run_md(
        system,
        force_field,
        stretch.plan(protocol, seed=seed),
        folder=folder,
        velocities=velocities,
        on_progress=lambda done, total: watch.on_progress(stretch.stage, done, total),
        should_stop=watch.should_stop,
    )
    if not result.finished:
        raise StoppedError(f"stopped in the stage {stretch.stage} after {result.steps_done} steps")
    return result
