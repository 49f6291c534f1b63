"""`RelaxGeneratedMaker`: relaxation and validation of a cell that a generator drew."""

import time
from dataclasses import dataclass, field

from jobflow import Flow, Job, Maker, job
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows import amorphous
from vitrion_workflows.dynamics.stage import Callbacks, MDStage, run_stage
from vitrion_workflows.execution.engines import force_field
from vitrion_workflows.execution.scratch import Progress, stage_key, stage_seed
from vitrion_workflows.execution.stop_signal import stop_condition
from vitrion_workflows.flows.cell_validation import validate_structure
from vitrion_workflows.potentials.devices import AUTO
from vitrion_workflows.schemas import CellOutcome, CellProtocol, ForceCheckSettings, Origin, VolumeEstimates
from vitrion_workflows.schemas.geometry import explicit_isotopes, system_from_structure
from vitrion_workflows.structure import composition
from vitrion_workflows.structure.element_masses import compound_masses, with_element_masses
from vitrion_workflows.structure.volume_estimate import estimate_volume


@dataclass
class RelaxGeneratedMaker(Maker):
    """Push overlapping atoms apart, relax, hold warm for a moment, relax again, validate as a quenched cell.

    Attributes:
        name: of the job.
        potential: registry name.
        hold_temperature_K: of the hold: enough to leave shallow minima, too little to lose the generator's structure.
        hold_ps: its length.
        time_step_fs: integration time step.
        friction_per_ps: of the Langevin thermostat.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
        force_check: settings of the check of the forces against a reference potential; None makes none.
    """

    name: str = "relax generated cell"
    potential: str = "nep89"
    hold_temperature_K: float = 400.0
    hold_ps: float = 0.5
    time_step_fs: float = 2.0
    friction_per_ps: float = 10.0
    device: str = AUTO
    force_check: ForceCheckSettings | None = field(default_factory=ForceCheckSettings)

    def make(
        self,
        structure: Structure,
        *,
        model_version: str,
        seed: int,
        formula: str | None = None,
        twin: Structure | None = None,
        volumes: VolumeEstimates | None = None,
    ) -> Flow:
        """Return the flow for one cell; its output is a `CellOutcome` of origin ``generated``.

        Args:
            structure: as it was drawn, with the masses of its isotopes.
            model_version: sha256 of the generator.
            seed: of the hold.
            formula: of the compound; the cell's own reduced formula where not given.
            twin: crystal of the same compound, for the gates on density and energy.
            volumes: estimates by which the volume of the cell was chosen; stored with it, used by its labels.

        Raises:
            InputError: a cell that is not of that compound, a twin of another one, a negative seed.
        """
        if seed < 0:
            raise InputError(f"seed {seed} must not be negative")
        compound = formula or structure.composition.reduced_formula
        wanted = composition.parse_formula(compound).reduced_formula
        if wanted != structure.composition.reduced_formula:
            raise InputError(f"the generated cell is {structure.composition.reduced_formula}, not {wanted}")
        estimate_volume(compound, twin)
        relaxed: Job = relax_generated_cell(
            with_element_masses(structure, compound_masses(compound)),
            formula=compound,
            twin=None if twin is None else explicit_isotopes(twin),
            model_version=model_version,
            potential=self.potential,
            hold=CellProtocol(
                melt_temperature_K=self.hold_temperature_K,
                quench_temperature_K=self.hold_temperature_K,
                hold_ps=self.hold_ps,
                time_step_fs=self.time_step_fs,
                friction_per_ps=self.friction_per_ps,
            ),
            seed=seed,
            device=self.device,
            force_check=self.force_check,
            volumes=volumes,
        )
        return Flow([relaxed], output=relaxed.output, name=f"{self.name} {wanted}")


@job(output_schema=CellOutcome)
def relax_generated_cell(
    structure: Structure,
    *,
    formula: str,
    twin: Structure | None,
    model_version: str,
    potential: str,
    hold: CellProtocol,
    seed: int,
    device: str,
    force_check: ForceCheckSettings | None = None,
    volumes: VolumeEstimates | None = None,
) -> CellOutcome:
    """Relax and validate a generated cell; see `RelaxGeneratedMaker`.

    Args:
        structure: as it was drawn.
        formula: compound.
        twin: its crystal, or None.
        model_version: sha256 of the generator.
        potential: registry name.
        hold: temperature, length and time step of the hold (its other numbers are not used).
        seed: of the hold.
        device: on which the potential runs.
        force_check: settings of the check of the forces against a reference potential; None makes none.
        volumes: estimates by which the volume of the cell was chosen.

    Raises:
        StoppedError: a stop was requested.
    """
    begun = time.monotonic()
    loaded = force_field(potential, device)
    drawn = system_from_structure(structure)
    key = stage_key("relax", drawn, weights=loaded.weights_sha256, seed=seed)
    callbacks = Callbacks(on_progress=Progress(key, time_step_fs=hold.time_step_fs), should_stop=stop_condition())
    loaded.require_elements(drawn.numbers)
    apart = amorphous.push_apart(drawn, seed=seed)
    rested = amorphous.relax_quenched(
        amorphous.relax_packing(apart, loaded, callbacks=callbacks), loaded, callbacks=callbacks
    ).system
    stage = MDStage(name="hold", duration_ps=hold.hold_ps, temperature_K=hold.quench_temperature_K)
    held = run_stage(rested, loaded, stage, protocol=hold, seed=stage_seed(seed, "hold"), callbacks=callbacks)
    system = amorphous.relax_quenched(held.system, loaded).system
    outcome = validate_structure(
        system,
        formula=formula,
        twin=twin,
        potential=loaded,
        origin=Origin.GENERATED,
        stage=stage,
        protocol=hold,
        seed=seed,
        force_check=force_check,
    )
    return outcome.model_copy(
        update={"model_version": model_version, "volumes": volumes, "wall_seconds": time.monotonic() - begun}
    )
