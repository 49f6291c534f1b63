"""`RefereeMaker`: the question of a label again, answered by another potential."""

from dataclasses import dataclass, field

from jobflow import Flow, Job, Maker, job
from pymatgen.core.structure import Structure

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_workflows.dynamics import run_md
from vitrion_workflows.dynamics.stage import StoppedError
from vitrion_workflows.execution.engines import force_field
from vitrion_workflows.execution.scratch import Progress, scratch_root, stage_key, stage_seed
from vitrion_workflows.execution.stop_signal import stop_condition
from vitrion_workflows.labelling.task import Question, check_question
from vitrion_workflows.schemas import LabelOutcome, LabelProtocol, StartKind, StartRecord, fingerprint
from vitrion_workflows.schemas.geometry import system_from_structure


@dataclass
class RefereeMaker(Maker):
    """The same question to another potential, starting where the workhorse has equilibrated the cell.

    Costly referees need not pay for heating and melting: the workhorse does, for `equilibration_ps`, and hands over
    positions and velocities. The outcome carries the referee's own identity and, as its structure, the cell that was
    asked about, so that it stands beside the workhorse's label; its method names the workhorse, which is part of its
    key: two referees that start from different workhorses give two labels.

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

    def key(self, structure_fingerprint: str, *, temperature_K: float, seed: int) -> str:
        """Key of the label that `make` leads to; loads both potentials.

        Args:
            structure_fingerprint: of the cell.
            temperature_K: of the thermostat.
            seed: of velocities and noise.
        """
        start = _start(self.workhorse, self.protocol, self.equilibration_ps)
        question = Question(structure_fingerprint, self.species, temperature_K, seed, self.protocol, start)
        return question.key(force_field(self.potential))


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
    start = _start(workhorse, protocol, equilibration_ps)
    question = Question(fingerprint(structure), species, temperature_K, seed, protocol, start)
    referee, field_ = force_field(potential), force_field(workhorse)
    finished = question.finished(referee)
    if finished is not None:
        return finished
    system = system_from_structure(structure)
    plan = question.plan(frames=_frames(protocol, equilibration_ps), seed=stage_seed(seed, "referee"))
    key = stage_key("referee", system, weights=field_.weights_sha256, plan=plan.sha256())
    progress = Progress(question.key(referee), time_step_fs=protocol.time_step_fs)
    hot = run_md(
        system,
        field_,
        plan,
        folder=scratch_root() / "cells" / key,
        on_progress=lambda done, total: progress("equilibrate", done, total),
        should_stop=stop_condition(),
    )
    if not hot.finished:
        raise StoppedError(f"stopped while the workhorse equilibrated, after {hot.steps_done} steps")
    return question.answer(hot.system, referee, hot.state.velocities_A_per_ps)


def _frames(protocol: LabelProtocol, equilibration_ps: float) -> int:
    return max(1, round(equilibration_ps * FEMTOSECONDS_PER_PS / protocol.frame_interval_fs))


def _start(workhorse: str, protocol: LabelProtocol, equilibration_ps: float) -> StartRecord:
    # The length that is run, in whole frames: two requests that run alike are one label.
    potential = force_field(workhorse)
    return StartRecord(
        kind=StartKind.EQUILIBRATED,
        potential=potential.name,
        potential_version=potential.version,
        weights_sha256=potential.weights_sha256,
        equilibration_ps=_frames(protocol, equilibration_ps) * protocol.frame_interval_fs / FEMTOSECONDS_PER_PS,
    )
