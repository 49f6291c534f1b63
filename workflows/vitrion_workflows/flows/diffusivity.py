"""`DiffusivityMaker`: the tracer diffusivity of a cell at a temperature, with its interval."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jobflow import Flow, Job, Maker, job
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.amorphous.volume import scale_to
from vitrion_workflows.execution.engines import force_field
from vitrion_workflows.labelling.requirements import check_task
from vitrion_workflows.labelling.task import LabellingTask, run_tasks
from vitrion_workflows.potentials.devices import AUTO, CPU
from vitrion_workflows.schemas import (
    ForceCheckSettings,
    LabelOutcome,
    LabelProtocol,
    StartKind,
    StartRecord,
    fingerprint,
    scaled_start,
)
from vitrion_workflows.schemas.geometry import explicit_isotopes, system_from_structure

Rows = list[list[float]]


@dataclass
class DiffusivityMaker(Maker):
    """Tracer diffusivity from NVT molecular dynamics.

    The run goes on from its last checkpoint after any interruption, bitwise; a finished one is returned, not repeated.
    A cell starts with velocities drawn at the label's temperature, one at rest (no force above 0.5 eV/A) at twice it,
    since its vibrations take up half. Heating and melting are part of the run; how many of its frames are discarded
    is decided by `vitrion_workflows.validation.equilibration`.

    Attributes:
        name: of the job.
        potential: registry name.
        protocol: numbers of the run.
        species: mobile species.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``; not part of the label's key.
        force_check: settings of the check of the forces against a reference potential, made after the run and not
            part of the label's key; None makes none.

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
    device: str = AUTO
    force_check: ForceCheckSettings | None = field(default_factory=ForceCheckSettings)

    def make(
        self,
        structure: Structure,
        *,
        temperature_K: float,
        seed: int,
        initial_velocities: Rows | None = None,
        volume_A3_per_atom: float | None = None,
    ) -> Flow:
        """Return the flow for one label; its output is a `LabelOutcome`.

        Args:
            structure: the cell.
            temperature_K: of the thermostat.
            seed: of velocities and noise.
            initial_velocities: rows in A/ps; drawn at the temperature where not given. Part of the label's identity.
            volume_A3_per_atom: to which the cell is scaled before the run (`VolumeEstimates.of_label`); None keeps
                its own. Part of the label's identity.

        Raises:
            InputError: impossible temperature, no such species in the cell, partial occupancies, too few atoms,
                negative seed, velocities that are not one row of three finite numbers an atom, or velocities and a
                volume.
        """
        check_task(structure, species=self.species, temperature_K=temperature_K, seed=seed)
        if initial_velocities is not None and volume_A3_per_atom is not None:
            raise InputError("give initial velocities or a volume: velocities belong to the cell as it is")
        if initial_velocities is not None:
            _velocities(initial_velocities, atoms=len(structure))
        labelled: Job = label_cell(
            explicit_isotopes(structure),
            temperature_K=float(temperature_K),
            seed=seed,
            potential=self.potential,
            protocol=self.protocol,
            species=self.species,
            device=self.device,
            force_check=self.force_check,
            initial_velocities=initial_velocities,
            volume_A3_per_atom=volume_A3_per_atom,
        )
        formula = structure.composition.reduced_formula
        return Flow([labelled], output=labelled.output, name=f"{self.name} {formula} {temperature_K:g} K")

    def key(
        self, structure_fingerprint: str, *, temperature_K: float, seed: int, volume_A3_per_atom: float | None = None
    ) -> str:
        """Return the key of the label that `make` leads to when no velocities are given; loads the potential.

        Args:
            structure_fingerprint: of the cell.
            temperature_K: of the thermostat.
            seed: of velocities and noise.
            volume_A3_per_atom: as in `make`.
        """
        start = scaled_start(volume_A3_per_atom)
        task = LabellingTask(structure_fingerprint, self.species, temperature_K, seed, self.protocol, start)
        return task.key(force_field(self.potential, CPU))

    def make_batch(
        self,
        structures: Sequence[Structure],
        *,
        temperatures_K: Sequence[float],
        seed: int,
        volumes_A3_per_atom: Sequence[Sequence[float | None]] | None = None,
    ) -> Flow:
        """Return the flow that labels several cells side by side; its output is a list of `LabelOutcome`.

        One call of the potential evaluates all cells at each step, which is meant for GPUs (their speed is not
        measured). Each label is the one that `make` leads to, and the unit of restart.

        Args:
            structures: the cells.
            temperatures_K: of the thermostat; each cell is run at each.
            seed: of velocities and noise.
            volumes_A3_per_atom: of each cell at each temperature, as in `make`.

        Raises:
            InputError: as `make`.
        """
        for structure in structures:
            for temperature_K in temperatures_K:
                check_task(structure, species=self.species, temperature_K=temperature_K, seed=seed)
        labelled: Job = label_cells(
            [explicit_isotopes(structure) for structure in structures],
            temperatures_K=[float(temperature_K) for temperature_K in temperatures_K],
            seed=seed,
            potential=self.potential,
            protocol=self.protocol,
            species=self.species,
            device=self.device,
            force_check=self.force_check,
            volumes_A3_per_atom=volumes_A3_per_atom,
        )
        labels = len(structures) * len(temperatures_K)
        return Flow([labelled], output=labelled.output, name=f"{self.name} of {labels} labels")


@job(output_schema=LabelOutcome)
def label_cell(
    structure: Structure,
    *,
    temperature_K: float,
    seed: int,
    potential: str,
    protocol: LabelProtocol,
    species: str,
    device: str,
    force_check: ForceCheckSettings | None = None,
    initial_velocities: Rows | None = None,
    volume_A3_per_atom: float | None = None,
) -> LabelOutcome:
    """Label one cell at one temperature; see `DiffusivityMaker.make`.

    Raises:
        StoppedError: a stop was requested; the checkpoint is in the scratch folder.
        VitrionError: the potential, the run or its analysis failed.
    """
    velocities = None if initial_velocities is None else _velocities(initial_velocities, atoms=len(structure))
    start = scaled_start(volume_A3_per_atom) if velocities is None else given_start(velocities)
    task = LabellingTask(fingerprint(structure), species, temperature_K, seed, protocol, start, force_check)
    system = at_volume(system_from_structure(structure), volume_A3_per_atom)
    return task.run(system, force_field(potential, device), velocities)


@job
def label_cells(
    structures: list[Structure],
    *,
    temperatures_K: list[float],
    seed: int,
    potential: str,
    protocol: LabelProtocol,
    species: str,
    device: str,
    force_check: ForceCheckSettings | None = None,
    volumes_A3_per_atom: list[list[float | None]] | None = None,
) -> list[LabelOutcome]:
    """Label several cells at several temperatures side by side; see `DiffusivityMaker.make_batch`.

    Raises:
        StoppedError: a stop was requested; the checkpoints are in the scratch folder.
        VitrionError: the potential, a run or its analysis failed; finished labels are kept.
    """
    loaded = force_field(potential, device)
    volumes = volumes_A3_per_atom or [[None] * len(temperatures_K)] * len(structures)
    runs = [
        (structure, kelvin, volume)
        for structure, of_cell in zip(structures, volumes, strict=True)
        for kelvin, volume in zip(temperatures_K, of_cell, strict=True)
    ]
    tasks = [
        LabellingTask(fingerprint(structure), species, kelvin, seed, protocol, scaled_start(volume), force_check)
        for structure, kelvin, volume in runs
    ]
    unique = {task.key(loaded): index for index, task in enumerate(tasks)}
    outcomes = run_tasks(
        [tasks[index] for index in unique.values()],
        [at_volume(system_from_structure(runs[index][0]), runs[index][2]) for index in unique.values()],
        loaded,
        velocities=[None] * len(unique),
    )
    by_key = dict(zip(unique, outcomes, strict=True))
    return [by_key[task.key(loaded)] for task in tasks]


def at_volume(system: AtomicSystem, volume_A3_per_atom: float | None) -> AtomicSystem:
    """Return a cell scaled to a volume, or as it is."""
    return system if volume_A3_per_atom is None else scale_to(system, volume_A3_per_atom * len(system))


def given_start(velocities_A_per_ps: FloatArray) -> StartRecord:
    """Return the record of a start from given velocities.

    Args:
        velocities_A_per_ps: shape (N, 3).
    """
    content = np.ascontiguousarray(velocities_A_per_ps, dtype="<f8").tobytes()
    return StartRecord(kind=StartKind.GIVEN, velocities_sha256=hashlib.sha256(content).hexdigest())


def _velocities(rows: Rows, *, atoms: int) -> FloatArray:
    try:
        velocities = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError):
        velocities = np.empty(0)
    if velocities.shape != (atoms, 3) or not np.isfinite(velocities).all():
        raise InputError(f"initial velocities must be {atoms} rows of three finite numbers in A/ps")
    return velocities
