"""`ReferenceMaker`: the same labelling task for a reference potential."""

from dataclasses import dataclass, field

from jobflow import Flow, Job, Maker, job
from pymatgen.core.structure import Structure

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_workflows.dynamics import run_md
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.execution.engines import force_field
from vitrion_workflows.execution.scratch import Progress, scratch_root, stage_key, stage_seed
from vitrion_workflows.execution.stop_signal import stop_condition
from vitrion_workflows.flows.diffusivity import at_volume
from vitrion_workflows.labelling.requirements import check_task
from vitrion_workflows.labelling.task import LabellingTask
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.potentials.devices import AUTO, CPU
from vitrion_workflows.schemas import LabelOutcome, LabelProtocol, StartKind, StartRecord, fingerprint
from vitrion_workflows.schemas.geometry import explicit_isotopes, system_from_structure

# Name of the equilibration in seeds and folders: another one would change the random numbers of every such label.
STAGE = "referee"


@dataclass
class ReferenceMaker(Maker):
    """A diffusivity by a reference potential, from a cell that the production potential has equilibrated.

    A costly reference potential need not pay for heating and melting: the production potential runs for
    `equilibration_ps` and hands over positions and velocities. The outcome names the reference potential and, as its
    structure, the cell that was given, so that it stands beside the label of the production potential. The production
    potential is part of its key: labels that start from different production potentials are different.

    Attributes:
        name: of the flow.
        potential: registry name of the reference potential.
        production_potential: registry name of the potential that equilibrates.
        protocol: numbers of the run with the reference potential.
        equilibration_ps: length of the run before, rounded to whole frames.
        species: mobile species.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``, of both potentials; not part of the label's key.
    """

    name: str = "reference"
    potential: str = "diep"
    production_potential: str = "nep89"
    protocol: LabelProtocol = field(default_factory=LabelProtocol)
    equilibration_ps: float = 4.0
    species: str = "Li"
    device: str = AUTO

    def make(
        self, structure: Structure, *, temperature_K: float, seed: int, volume_A3_per_atom: float | None = None
    ) -> Flow:
        """Return the flow for one label; its output is a `LabelOutcome`.

        Args:
            structure: the cell that the production potential labelled.
            temperature_K: of the thermostat.
            seed: of velocities and noise.
            volume_A3_per_atom: as in `DiffusivityMaker.make`.

        Raises:
            InputError: as `DiffusivityMaker.make`.
        """
        check_task(structure, species=self.species, temperature_K=temperature_K, seed=seed)
        labelled: Job = reference_label(
            explicit_isotopes(structure),
            temperature_K=float(temperature_K),
            seed=seed,
            potential=self.potential,
            production_potential=self.production_potential,
            protocol=self.protocol,
            equilibration_ps=self.equilibration_ps,
            species=self.species,
            device=self.device,
            volume_A3_per_atom=volume_A3_per_atom,
        )
        formula = structure.composition.reduced_formula
        return Flow([labelled], output=labelled.output, name=f"{self.name} {formula} {temperature_K:g} K")

    def key(
        self, structure_fingerprint: str, *, temperature_K: float, seed: int, volume_A3_per_atom: float | None = None
    ) -> str:
        """Return the key of the label that `make` leads to; loads both potentials.

        Args:
            structure_fingerprint: of the cell.
            temperature_K: of the thermostat.
            seed: of velocities and noise.
            volume_A3_per_atom: as in `make`.
        """
        production = force_field(self.production_potential, CPU)
        start = _start(production, self.protocol, self.equilibration_ps, volume_A3_per_atom)
        task = LabellingTask(structure_fingerprint, self.species, temperature_K, seed, self.protocol, start)
        return task.key(force_field(self.potential, CPU))


@job(output_schema=LabelOutcome)
def reference_label(
    structure: Structure,
    *,
    temperature_K: float,
    seed: int,
    potential: str,
    production_potential: str,
    protocol: LabelProtocol,
    equilibration_ps: float,
    species: str,
    device: str,
    volume_A3_per_atom: float | None = None,
) -> LabelOutcome:
    """Equilibrate a cell with the production potential, then label it with the reference potential.

    Raises:
        StoppedError: a stop was requested; the checkpoint is in the scratch folder.
        VitrionError: a potential, a run or its analysis failed.
    """
    reference, production = force_field(potential, device), force_field(production_potential, device)
    start = _start(production, protocol, equilibration_ps, volume_A3_per_atom)
    task = LabellingTask(fingerprint(structure), species, temperature_K, seed, protocol, start)
    finished = task.finished(reference)
    if finished is not None:
        return finished
    system = at_volume(system_from_structure(structure), volume_A3_per_atom)
    plan = task.plan(frames=_frames(protocol, equilibration_ps), seed=stage_seed(seed, STAGE))
    key = stage_key(STAGE, system, weights=production.weights_sha256, plan=plan.sha256())
    progress = Progress(task.key(reference), time_step_fs=protocol.time_step_fs)
    equilibrated = run_md(
        system,
        production,
        plan,
        folder=scratch_root() / "cells" / key,
        on_progress=lambda done, total: progress("equilibrate", done, total),
        should_stop=stop_condition(),
    )
    if not equilibrated.finished:
        raise StoppedError(f"stopped in the equilibration after {equilibrated.steps_done} steps")
    return task.run(equilibrated.system, reference, equilibrated.state.velocities_A_per_ps)


def _frames(protocol: LabelProtocol, equilibration_ps: float) -> int:
    return max(1, round(equilibration_ps * FEMTOSECONDS_PER_PS / protocol.frame_interval_fs))


def _start(
    production: ForceField, protocol: LabelProtocol, equilibration_ps: float, volume_A3_per_atom: float | None
) -> StartRecord:
    # The length after rounding to whole frames: two lengths that give the same run give one label.
    return StartRecord(
        kind=StartKind.EQUILIBRATED,
        potential=production.name,
        potential_version=production.version,
        weights_sha256=production.weights_sha256,
        equilibration_ps=_frames(protocol, equilibration_ps) * protocol.frame_interval_fs / FEMTOSECONDS_PER_PS,
        volume_A3_per_atom=volume_A3_per_atom,
    )
