"""`DiffusivityMaker`: a cell and a temperature in, a diffusivity with its interval out; `RefereeMaker` asks again."""

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase.data import atomic_masses
from jobflow import Flow, Job, Maker, job
from pydantic import ValidationError
from pymatgen.core.structure import Structure

from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows import transport
from vitrion_workflows.amorphous.gates import DEFAULT_LIMITS
from vitrion_workflows.amorphous.running import StoppedError, Watch
from vitrion_workflows.dynamics import MDPlan, run_md
from vitrion_workflows.dynamics.state import maxwell_boltzmann
from vitrion_workflows.flows.engines import force_field, method_record
from vitrion_workflows.flows.scratch import Progress, scratch_root, stage_key, stage_seed, write_whole
from vitrion_workflows.flows.stopping import stop_condition
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import LabelOutcome, LabelProtocol, fingerprint, label_key
from vitrion_workflows.schemas.geometry import system_from_structure

AT_REST_eV_PER_A = DEFAULT_LIMITS.greatest_force_eV_per_A
OUTCOME_FILE = "outcome.json"
TRAJECTORY_FILE = "trajectory.h5md"  # where the builder takes it from
RUN_FOLDER = "run"
COLDEST_K, HOTTEST_K = 1.0, 10000.0


@dataclass
class DiffusivityMaker(Maker):
    """NVT molecular dynamics and the tracer diffusivity read off it.

    The run goes on from its last checkpoint after any interruption, bitwise; a finished one is returned, not repeated.
    A cell starts with velocities drawn at the label's temperature, one at rest (no force above 0.5 eV/A) at twice it,
    since its vibrations take up half. Heating and melting are part of the run; what must be discarded is decided by
    the statistical rule of `vitrion_workflows.transport`.

    Attributes:
        name: of the job.
        potential: registry name.
        protocol: numbers of the run.
        species: mobile species.

    Example:
        >>> from pymatgen.core import Lattice, Structure
        >>> crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5] * 3])
        >>> flow = DiffusivityMaker(potential="lennard-jones").make(crystal, temperature_K=1000, seed=1)
        >>> flow.name
        'diffusivity LiCl 1000 K'
    """

    name: str = "diffusivity"
    potential: str = "nep89"
    protocol: LabelProtocol = field(default_factory=LabelProtocol)
    species: str = "Li"

    def make(
        self,
        structure: Structure,
        *,
        temperature_K: float,
        seed: int,
        initial_velocities: list[list[float]] | None = None,
    ) -> Flow:
        """The flow for one label; its output is a `LabelOutcome`.

        Args:
            structure: the cell.
            temperature_K: of the thermostat.
            seed: of velocities and noise.
            initial_velocities: rows in A/ps; drawn at the temperature where not given.

        Raises:
            InputError: impossible temperature, no such species in the cell, partial occupancies, negative seed.
        """
        check_question(structure, species=self.species, temperature_K=temperature_K, seed=seed)
        labelled: Job = label_cell(
            structure,
            temperature_K=float(temperature_K),
            seed=seed,
            potential=self.potential,
            protocol=self.protocol,
            species=self.species,
            initial_velocities=initial_velocities,
        )
        formula = structure.composition.reduced_formula
        return Flow([labelled], output=labelled.output, name=f"{self.name} {formula} {temperature_K:g} K")


@dataclass
class RefereeMaker(Maker):
    """The same question to another potential, starting where the workhorse has equilibrated the cell.

    Costly referees need not pay for heating and melting: the workhorse does, for `equilibration_ps`, and hands over
    positions and velocities. The outcome carries the referee's own identity and, as its structure, the cell that was
    asked about, so that it stands beside the workhorse's label.

    Attributes:
        name: of the job.
        potential: registry name of the referee.
        workhorse: registry name of the potential that equilibrates.
        protocol: numbers of the referee's run.
        equilibration_ps: length of the workhorse's run before.
        species: mobile species.
    """

    name: str = "referee"
    potential: str = "diep"
    workhorse: str = "nep89"
    protocol: LabelProtocol = field(default_factory=LabelProtocol)
    equilibration_ps: float = 4.0
    species: str = "Li"

    def make(self, structure: Structure, *, temperature_K: float, seed: int) -> Flow:
        """The flow for one second opinion; its output is a `LabelOutcome`.

        Args:
            structure: the cell that the workhorse labelled.
            temperature_K: of the thermostat.
            seed: of velocities and noise.

        Raises:
            InputError: as `DiffusivityMaker.make`.
        """
        check_question(structure, species=self.species, temperature_K=temperature_K, seed=seed)
        labelled: Job = referee_cell(
            structure,
            temperature_K=float(temperature_K),
            seed=seed,
            potential=self.potential,
            workhorse=self.workhorse,
            protocol=self.protocol,
            equilibration_ps=self.equilibration_ps,
            species=self.species,
        )
        formula = structure.composition.reduced_formula
        return Flow([labelled], output=labelled.output, name=f"{self.name} {formula} {temperature_K:g} K")


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


@job(output_schema=LabelOutcome)
def label_cell(
    structure: Structure,
    *,
    temperature_K: float,
    seed: int,
    potential: str,
    protocol: LabelProtocol,
    species: str,
    initial_velocities: list[list[float]] | None = None,
) -> LabelOutcome:
    """See `DiffusivityMaker`.

    Raises:
        StoppedError: a stop was asked for; the checkpoint is in the scratch folder.
        VitrionError: the potential, the run or its analysis failed.
    """
    velocities = None if initial_velocities is None else np.array(initial_velocities, dtype=np.float64)
    question = _Question(fingerprint(structure), species, temperature_K, seed, protocol)
    return question.answer(system_from_structure(structure), force_field(potential), velocities)


@job(output_schema=LabelOutcome)
def referee_cell(
    structure: Structure,
    *,
    temperature_K: float,
    seed: int,
    potential: str,
    workhorse: str,
    protocol: LabelProtocol,
    equilibration_ps: float,
    species: str,
) -> LabelOutcome:
    """See `RefereeMaker`.

    Raises:
        StoppedError: a stop was asked for; the checkpoint is in the scratch folder.
        VitrionError: a potential, a run or its analysis failed.
    """
    question = _Question(fingerprint(structure), species, temperature_K, seed, protocol)
    referee, field_ = force_field(potential), force_field(workhorse)
    finished = question.finished(referee)
    if finished is not None:
        return finished
    start = system_from_structure(structure)
    frames = max(1, round(equilibration_ps * 1000.0 / protocol.frame_interval_fs))
    plan = _plan(protocol, frames=frames, temperature_K=temperature_K, seed=stage_seed(seed, "referee"))
    key = stage_key("referee", start, weights=field_.weights_sha256, plan=plan.sha256())
    progress = Progress(question.key(referee), time_step_fs=protocol.time_step_fs)
    hot = run_md(
        start,
        field_,
        plan,
        folder=scratch_root() / "cells" / key,
        on_progress=lambda done, total: progress("equilibrate", done, total),
        should_stop=stop_condition(),
    )
    if not hot.finished:
        raise StoppedError(f"stopped while the workhorse equilibrated, after {hot.steps_done} steps")
    return question.answer(hot.system, referee, hot.state.velocities_A_per_ps)


@dataclass(frozen=True)
class _Question:
    """What is asked about a cell, whoever answers."""

    structure_fingerprint: str
    species: str
    temperature_K: float
    seed: int
    protocol: LabelProtocol

    def key(self, field_: ForceField) -> str:
        return label_key(
            structure_fingerprint=self.structure_fingerprint,
            species=self.species,
            temperature_K=self.temperature_K,
            protocol=self.protocol,
            weights_sha256=field_.weights_sha256,
            seed=self.seed,
        )

    def finished(self, field_: ForceField) -> LabelOutcome | None:
        path = scratch_root() / self.key(field_) / OUTCOME_FILE
        if not path.is_file():
            return None
        try:
            return LabelOutcome.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise CheckpointError(f"{path} is damaged or of another version: delete it to analyse again") from error

    def answer(self, system: AtomicSystem, field_: ForceField, velocities: FloatArray | None) -> LabelOutcome:
        finished = self.finished(field_)
        if finished is not None:
            return finished
        folder = scratch_root() / self.key(field_)
        progress = Progress(self.key(field_), time_step_fs=self.protocol.time_step_fs)
        watch = Watch(on_progress=progress, should_stop=stop_condition())
        plan = _plan(self.protocol, frames=self.protocol.frames, temperature_K=self.temperature_K, seed=self.seed)
        run = run_md(
            system,
            field_,
            plan,
            folder=folder / RUN_FOLDER,
            velocities=self._start(system, field_) if velocities is None else velocities,
            on_progress=lambda done, total: watch.on_progress("label", done, total),
            should_stop=watch.should_stop,
        )
        if not run.finished or run.path is None:
            raise StoppedError(f"stopped after {run.steps_done} of {plan.steps} steps of a label")
        outcome = transport.label_trajectory(
            run.trajectory,
            species=self.species,
            temperature_K=self.temperature_K,
            protocol=self.protocol,
            method=method_record(
                field_,
                time_step_fs=self.protocol.time_step_fs,
                frame_interval_ps=plan.frame_interval_ps,
                thermostat=plan.describe_thermostat(),
                seed=self.seed,
            ),
            structure_fingerprint=self.structure_fingerprint,
            trajectory_sha256=_keep(run.path, folder / TRAJECTORY_FILE),
            wall_seconds=progress.seconds,
        )
        write_whole(folder / OUTCOME_FILE, outcome.model_dump_json())
        # Whatever happens from here on, the outcome is found again; the checkpoints are of no more use.
        shutil.rmtree(folder / RUN_FOLDER, ignore_errors=True)
        return outcome

    def _start(self, system: AtomicSystem, field_: ForceField) -> FloatArray:
        # A cell at rest shares its kinetic energy with its vibrations within some tenths of a ps, and only the
        # thermostat, ten times slower, brings back the half that is lost: it starts with twice the energy instead.
        forces = np.linalg.norm(field_.evaluate(system).forces_eV_per_A, axis=1)
        at_rest = float(forces.max()) < AT_REST_eV_PER_A
        return maxwell_boltzmann(
            atomic_masses[system.numbers],
            temperature_K=self.temperature_K * (2.0 if at_rest else 1.0),
            seed=self.seed,
            remove_drift=True,
        )


def _plan(protocol: LabelProtocol, *, frames: int, temperature_K: float, seed: int) -> MDPlan:
    return MDPlan(
        steps=frames * protocol.steps_per_frame,
        time_step_fs=protocol.time_step_fs,
        temperature_K=temperature_K,
        thermostat=protocol.thermostat,
        friction_per_ps=protocol.friction_per_ps,
        frame_every=protocol.steps_per_frame,
        seed=seed,
    )


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
