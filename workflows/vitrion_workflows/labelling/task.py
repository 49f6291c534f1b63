"""What is asked about a cell, whoever answers: checked, keyed, run once, and found again."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import atomic_masses
from pydantic import ValidationError
from pymatgen.core.structure import Structure

from vitrion_models.constants import COLDEST_K, HOTTEST_K
from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.amorphous.gates import DEFAULT_LIMITS
from vitrion_workflows.dynamics import Enough, MDPlan, run_md
from vitrion_workflows.dynamics.stage import StoppedError, Watch
from vitrion_workflows.dynamics.state import maxwell_boltzmann
from vitrion_workflows.execution.engines import method_record
from vitrion_workflows.execution.scratch import Progress, scratch_root, write_whole
from vitrion_workflows.execution.stop_signal import stop_condition
from vitrion_workflows.labelling.label import label_trajectory
from vitrion_workflows.labelling.stopping import stop_reason, stopping_rule
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import LabelOutcome, LabelProtocol, StartRecord, gate_version_fault, label_key

AT_REST_eV_PER_A = DEFAULT_LIMITS.greatest_force_eV_per_A
OUTCOME_FILE = "outcome.json"
TRAJECTORY_FILE = "trajectory.h5md"  # where the builder takes it from
RUN_FOLDER = "run"


def check_question(structure: Structure, *, species: str, temperature_K: float, seed: int) -> None:
    """Refuse what cannot be labelled, before anything starts.

    Raises:
        InputError: impossible temperature, no such species in the cell, partial occupancies, negative seed.
    """
    formula = structure.composition.reduced_formula
    if not COLDEST_K <= temperature_K <= HOTTEST_K:
        raise InputError(f"{formula}: a temperature of {temperature_K:g} K is impossible: give 1 to 10000 K")
    if seed < 0:
        raise InputError(f"seed {seed} must not be negative")
    if not structure.is_ordered:
        raise InputError(f"{formula} has partially occupied sites: order it first")
    if species not in {element.symbol for element in structure.composition.elements}:
        raise InputError(f"{formula} holds no {species}: name the mobile species with --species")


@dataclass(frozen=True)
class Question:
    """One label that is wanted; its key is known before the answer.

    Attributes:
        structure_fingerprint: the cell.
        species: mobile species.
        temperature_K: of the thermostat.
        seed: of velocities and noise.
        protocol: numbers of the run.
        start: what prepares positions and velocities, where that is not the ordinary start.
    """

    structure_fingerprint: str
    species: str
    temperature_K: float
    seed: int
    protocol: LabelProtocol
    start: StartRecord | None = None

    def key(self, potential: ForceField) -> str:
        """Identity of the label that a potential would give."""
        return label_key(
            structure_fingerprint=self.structure_fingerprint,
            species=self.species,
            temperature_K=self.temperature_K,
            protocol=self.protocol,
            weights_sha256=potential.weights_sha256,
            seed=self.seed,
            start=self.start,
        )

    def finished(self, potential: ForceField) -> LabelOutcome | None:
        """The label, where the scratch folder has it, of the current gate version.

        Raises:
            CheckpointError: its file is damaged.
        """
        path = scratch_root() / self.key(potential) / OUTCOME_FILE
        if not path.is_file():
            return None
        try:
            found = LabelOutcome.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise CheckpointError(f"{path} is damaged or of another version: delete it to analyse again") from error
        return None if gate_version_fault(found) else found

    def plan(self, *, frames: int, seed: int) -> MDPlan:
        """A run under the protocol, of so many frames after the first."""
        return MDPlan(
            steps=frames * self.protocol.steps_per_frame,
            time_step_fs=self.protocol.time_step_fs,
            temperature_K=self.temperature_K,
            thermostat=self.protocol.thermostat,
            friction_per_ps=self.protocol.friction_per_ps,
            frame_every=self.protocol.steps_per_frame,
            seed=seed,
        )

    def answer(self, system: AtomicSystem, potential: ForceField, velocities: FloatArray | None) -> LabelOutcome:
        """Run and analyse, or go on with what was begun, or return what is finished.

        Args:
            system: where the run starts.
            potential: who answers.
            velocities: in A/ps, shape (N, 3); drawn for the cell where None.

        Raises:
            StoppedError: a stop was asked for; the checkpoint is in the scratch folder.
            VitrionError: the run or its analysis failed.
        """
        finished = self.finished(potential)
        if finished is not None:
            return finished
        folder = scratch_root() / self.key(potential)
        progress = Progress(self.key(potential), time_step_fs=self.protocol.time_step_fs)
        watch = Watch(on_progress=progress, should_stop=stop_condition())
        plan = self.plan(frames=self.protocol.frames, seed=self.seed)
        run = run_md(
            system,
            potential,
            plan,
            folder=folder / RUN_FOLDER,
            velocities=self._drawn(system, potential) if velocities is None else velocities,
            on_progress=lambda done, total: watch.on_progress("label", done, total),
            should_stop=watch.should_stop,
            enough=self._enough(),
        )
        if not run.finished or run.path is None:
            raise StoppedError(f"stopped after {run.steps_done} of {plan.steps} steps of a label")
        rule = stopping_rule(self.protocol)
        outcome = label_trajectory(
            run.trajectory,
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
            trajectory_sha256=_keep(run.path, folder / TRAJECTORY_FILE),
            wall_seconds=progress.seconds,
            device=potential.device,
        )
        if rule is not None:
            why = stop_reason(run.trajectory, species=self.species, rule=rule)
            outcome = outcome.model_copy(update={"stopped": why})
        write_whole(folder / OUTCOME_FILE, outcome.model_dump_json())
        # Whatever happens from here on, the outcome is found again; the checkpoints are of no more use.
        shutil.rmtree(folder / RUN_FOLDER, ignore_errors=True)
        return outcome

    def _enough(self) -> Enough | None:
        rule = stopping_rule(self.protocol)
        if rule is None or not rule.looks:
            return None
        return _Looks(
            decide=lambda frames: stop_reason(frames, species=self.species, rule=rule) is not None,
            least_frames=rule.looks[0] + 1,
            every_frames=1,
            steps=rule.looks,
        )

    def _drawn(self, system: AtomicSystem, potential: ForceField) -> FloatArray:
        # A cell at rest shares its kinetic energy with its vibrations within some tenths of a ps, and only the
        # thermostat, ten times slower, brings back the half that is lost: it starts with twice the energy instead.
        forces = np.linalg.norm(potential.evaluate(system).forces_eV_per_A, axis=1)
        at_rest = float(forces.max()) < AT_REST_eV_PER_A
        return maxwell_boltzmann(
            atomic_masses[system.numbers],
            temperature_K=self.temperature_K * (2.0 if at_rest else 1.0),
            seed=self.seed,
            remove_drift=True,
        )


@dataclass(frozen=True)
class _Looks(Enough):
    """Asked at the lengths of a stopping rule."""

    steps: tuple[int, ...] = ()

    def due(self, frames: int) -> bool:
        return frames - 1 in self.steps


def _keep(source: Path, target: Path) -> str:
    # A copy, and the run's own file last to go: killed anywhere, the run is still finished or the outcome is there.
    partial = target.with_name(f".{target.name}.partial")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CheckpointError(f"cannot write {target} ({error.strerror}): free the disk and start again") from error
    with target.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
