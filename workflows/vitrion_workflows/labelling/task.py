"""One label to be made: its validation and key, its run, and the reuse of a finished result."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from vitrion_models.errors import CheckpointError, VitrionError
from vitrion_models.files import whole_file
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.amorphous.gates import DEFAULT_LIMITS
from vitrion_workflows.dynamics import EarlyEnd, MDPlan, MDResult, run_batch
from vitrion_workflows.dynamics.checkpoint import write_atomically
from vitrion_workflows.dynamics.errors import DynamicsError, StoppedError
from vitrion_workflows.dynamics.state import maxwell_boltzmann
from vitrion_workflows.execution.engines import method_record
from vitrion_workflows.execution.scratch import Progress, scratch_root
from vitrion_workflows.execution.stop_signal import stop_condition
from vitrion_workflows.force_check.check import check_run
from vitrion_workflows.labelling.label import label_trajectory, with_checked_forces
from vitrion_workflows.labelling.stopping import stop_reason, stopping_rule
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import (
    ForceCheckSettings,
    LabelOutcome,
    LabelProtocol,
    StartRecord,
    gate_version_fault,
    label_key,
)
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.trajectory import Trajectory

AT_REST_eV_PER_A = DEFAULT_LIMITS.greatest_force_eV_per_A
OUTCOME_FILE = "outcome.json"
TRAJECTORY_FILE = "trajectory.h5md"  # where the builder takes it from
RUN_FOLDER = "run"


@dataclass(frozen=True)
class LabellingTask:
    """One label to be made; its key is known before its value.

    Attributes:
        structure_fingerprint: of the cell.
        species: mobile species.
        temperature_K: of the thermostat.
        seed: of velocities and noise.
        protocol: numbers of the run.
        start: what prepares positions and velocities, where that is not the ordinary start.
        force_check: settings of the check of the forces, not part of the key; None makes none.
    """

    structure_fingerprint: str
    species: str
    temperature_K: float
    seed: int
    protocol: LabelProtocol
    start: StartRecord | None = None
    force_check: ForceCheckSettings | None = None

    def key(self, potential: ForceField) -> str:
        """Return the identity of the label that a potential gives."""
        return label_key(
            structure_fingerprint=self.structure_fingerprint,
            species=self.species,
            temperature_K=self.temperature_K,
            protocol=self.protocol,
            weights_sha256=potential.weights_sha256,
            seed=self.seed,
            start=self.start,
        )

    def folder(self, potential: ForceField) -> Path:
        """Return the folder of checkpoints, trajectory and outcome."""
        return scratch_root() / self.key(potential)

    def finished(self, potential: ForceField) -> LabelOutcome | None:
        """Return the label, if the scratch folder holds it with the present gates.

        Of a run whose forces were not checked then, and are to be now, they are checked on its stored trajectory;
        where the builder has taken that away, the label stays as it is.

        Raises:
            CheckpointError: its file is damaged.
            VitrionError: the reference potential cannot be loaded.
        """
        path = self.folder(potential) / OUTCOME_FILE
        if not path.is_file():
            return None
        try:
            outcome = LabelOutcome.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise CheckpointError(f"{path} is damaged or of another version: delete it to analyse again") from error
        if gate_version_fault(outcome):
            return None
        trajectory = path.with_name(TRAJECTORY_FILE)
        if self.force_check is None or outcome.force_check is not None or not trajectory.is_file():
            return outcome
        return self._keep_outcome(self._with_checked_forces(outcome, h5md.read(trajectory), potential), potential)

    def plan(self, *, frames: int, seed: int) -> MDPlan:
        """Return a run under the protocol, of so many frames after the first."""
        return MDPlan(
            steps=frames * self.protocol.steps_per_frame,
            time_step_fs=self.protocol.time_step_fs,
            temperature_K=self.temperature_K,
            thermostat=self.protocol.thermostat,
            friction_per_ps=self.protocol.friction_per_ps,
            frame_every=self.protocol.steps_per_frame,
            seed=seed,
        )

    def run(self, system: AtomicSystem, potential: ForceField, velocities: FloatArray | None = None) -> LabelOutcome:
        """Return the label: finished before, or run to its end from the last checkpoint, and analysed.

        Args:
            system: where the run starts.
            potential: energies and forces.
            velocities: in A/ps, shape (N, 3); drawn for the cell where None.

        Raises:
            StoppedError: a stop was requested; the checkpoint is in the scratch folder.
            VitrionError: the run or its analysis failed.
        """
        (outcome,) = run_tasks([self], [system], potential, velocities=[velocities])
        return outcome

    def starting_velocities(self, system: AtomicSystem, potential: ForceField) -> FloatArray:
        """Return velocities drawn for a cell, in A/ps, shape (N, 3).

        A cell at rest shares its kinetic energy with its vibrations within some tenths of a ps, and only the
        thermostat, ten times slower, brings back the half that is lost: it starts with twice the energy instead.
        """
        forces = np.linalg.norm(potential.evaluate(system).forces_eV_per_A, axis=1)
        at_rest = float(forces.max()) < AT_REST_eV_PER_A
        return maxwell_boltzmann(
            system.masses_u,
            temperature_K=self.temperature_K * (2.0 if at_rest else 1.0),
            seed=self.seed,
            remove_drift=True,
        )

    def analyse(self, result: MDResult, potential: ForceField, *, wall_seconds: float) -> LabelOutcome:
        """Return the label of a finished run, written to the scratch folder with its trajectory.

        Args:
            result: of the run in this task's folder.
            potential: with which it was run.
            wall_seconds: time that it took.

        Raises:
            StoppedError: the run is not finished.
            VitrionError: the analysis failed, or the disk is full.
        """
        plan = self.plan(frames=self.protocol.frames, seed=self.seed)
        if not result.finished or result.path is None:
            raise StoppedError(f"stopped after {result.steps_done} of {plan.steps} steps of a label")
        folder = self.folder(potential)
        outcome = label_trajectory(
            result.trajectory,
            species=self.species,
            temperature_K=self.temperature_K,
            protocol=self.protocol,
            method=method_record(
                potential,
                time_step_fs=self.protocol.time_step_fs,
                frame_interval_ps=plan.frame_interval_ps,
                thermostat=plan.describe_thermostat(),
                seed=self.seed,
                start=self.start,
            ),
            structure_fingerprint=self.structure_fingerprint,
            cell_masses_u=result.system.masses_u,
            trajectory_sha256=_keep(result.path, folder / TRAJECTORY_FILE),
            wall_seconds=wall_seconds,
            device=potential.device,
        )
        if (rule := stopping_rule(self.protocol)) is not None:
            reason = stop_reason(result.trajectory, species=self.species, rule=rule)
            outcome = outcome.model_copy(update={"stopped": reason})
        outcome = self._keep_outcome(self._with_checked_forces(outcome, result.trajectory, potential), potential)
        # Whatever happens from here on, the outcome is there; the checkpoints are of no more use.
        shutil.rmtree(folder / RUN_FOLDER, ignore_errors=True)
        return outcome

    def _with_checked_forces(
        self, outcome: LabelOutcome, trajectory: Trajectory, potential: ForceField
    ) -> LabelOutcome:
        if self.force_check is None:
            return outcome
        checked = check_run(trajectory, production=potential, settings=self.force_check)
        return with_checked_forces(outcome, checked)

    def _keep_outcome(self, outcome: LabelOutcome, potential: ForceField) -> LabelOutcome:
        write_atomically(self.folder(potential) / OUTCOME_FILE, outcome.model_dump_json().encode())
        return outcome


def run_tasks(
    tasks: Sequence[LabellingTask],
    systems: Sequence[AtomicSystem],
    potential: ForceField,
    *,
    velocities: Sequence[FloatArray | None],
) -> list[LabelOutcome]:
    """Return the labels of several tasks, their cells run side by side; see `LabellingTask.run`.

    Each label has its own folder and random numbers: on a CPU it is the label of a run alone, and what is stopped
    goes on label by label.

    Args:
        tasks: with different keys, of one species and protocol.
        systems: where each run starts.
        potential: energies and forces.
        velocities: of each cell, in A/ps, shape (N, 3); drawn for the cell where None.

    Raises:
        StoppedError: a stop was requested; finished labels are kept.
        VitrionError: a run or its analysis failed; those of the other cells are kept.
    """
    outcomes = {index: outcome for index, task in enumerate(tasks) if (outcome := task.finished(potential))}
    pending = [index for index in range(len(tasks)) if index not in outcomes]
    if pending:
        first = tasks[pending[0]]
        progress = Progress(first.key(potential), time_step_fs=first.protocol.time_step_fs)
        results = run_batch(
            [systems[index] for index in pending],
            potential,
            [tasks[index].plan(frames=first.protocol.frames, seed=tasks[index].seed) for index in pending],
            folders=[tasks[index].folder(potential) / RUN_FOLDER for index in pending],
            velocities=[_velocities(tasks[index], systems[index], potential, velocities[index]) for index in pending],
            on_progress=lambda done, total: progress("label", done, total),
            should_stop=stop_condition(),
            early_end=_early_end(first),
        )
        share_seconds = progress.seconds / len(pending)
        failures: list[Exception] = []
        for index, result in zip(pending, results, strict=True):
            try:
                if isinstance(result, DynamicsError):
                    raise result
                outcomes[index] = tasks[index].analyse(result, potential, wall_seconds=share_seconds)
            except (StoppedError, VitrionError) as failure:
                failures.append(failure)
        if failures:
            raise failures[0]
    return [outcomes[index] for index in range(len(tasks))]


def _velocities(
    task: LabellingTask, system: AtomicSystem, potential: ForceField, velocities: FloatArray | None
) -> FloatArray:
    return task.starting_velocities(system, potential) if velocities is None else velocities


def _early_end(task: LabellingTask) -> EarlyEnd | None:
    rule = stopping_rule(task.protocol)
    if rule is None:
        return None
    return EarlyEnd(
        decide=lambda frames: stop_reason(frames, species=task.species, rule=rule) is not None,
        frame_counts=frozenset(steps + 1 for steps in rule.looks),
    )


def _keep(source: Path, target: Path) -> str:
    # A copy, and the run's own file last to go: killed anywhere, the run is still finished or the outcome is there.
    try:
        with whole_file(target) as partial:
            shutil.copyfile(source, partial)
    except OSError as error:
        raise CheckpointError(f"cannot write {target} ({error.strerror}): free the disk and start again") from error
    with target.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
