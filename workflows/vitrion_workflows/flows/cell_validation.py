"""Validation of a relaxed cell: one set of gates for quenched and generated cells."""

from pymatgen.core.structure import Structure

from vitrion_models.system import AtomicSystem
from vitrion_workflows import amorphous
from vitrion_workflows.dynamics.stage import FRAMES_OF_A_STAGE, MDStage
from vitrion_workflows.execution.engines import method_record
from vitrion_workflows.force_check.check import check_cell
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import (
    CellOutcome,
    CellProtocol,
    ForceCheckSettings,
    GateOutcome,
    Origin,
    StructureKind,
    failed_gates,
    fingerprint,
)
from vitrion_workflows.schemas.geometry import structure_from_system
from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.structure.homonuclear import summarize_bonds
from vitrion_workflows.validation.density_and_contacts import density_g_cm3

ORDER_GATES = frozenset({"orientational_order", "hidden_symmetry"})


def validate_structure(
    system: AtomicSystem,
    *,
    formula: str,
    twin: Structure | None,
    potential: ForceField,
    origin: Origin,
    stage: MDStage,
    protocol: CellProtocol,
    seed: int,
    force_check: ForceCheckSettings | None = None,
) -> CellOutcome:
    """Return the outcome of a relaxed cell: its gates, energy, pressure, density and provenance.

    Args:
        system: the cell.
        formula: of the compound.
        twin: crystal of the compound, the reference for density and energy; None where there is none.
        potential: energy, forces and stress.
        origin: of the cell.
        stage: of the dynamics that made it.
        protocol: time step and friction of that stage.
        seed: of the cell.
        force_check: settings of the check of the forces against a reference potential; None makes none.
    """
    forces = potential.evaluate(system, stress=True)
    reference = amorphous.cell_reference(formula, twin=twin, force_field=potential)
    gates = amorphous.validate_cell(system, reference=reference, force_result=forces)
    checked = None if force_check is None else check_cell(system, production=potential, settings=force_check)
    gates = gates if checked is None else (*gates, *checked.gates)
    structure = structure_from_system(system)
    bonds = summarize_bonds([system], twin=twin)
    return CellOutcome(
        structure=structure.as_dict(),
        fingerprint=fingerprint(structure),
        kind=_kind(gates),
        origin=origin,
        accepted=not failed_gates(gates),
        gates=gates,
        force_check=None if checked is None else checked.record,
        homonuclear_bonds=bonds,
        unexpected_bonds=sum(record.unexpected for record in bonds),
        formula=parse_formula(formula).reduced_formula,
        density_g_cm3=density_g_cm3(system),
        energy_eV_per_atom=forces.energy_eV / len(system),
        pressure_GPa=forces.static_pressure_GPa,
        parent_fingerprint=None if twin is None else fingerprint(twin),
        method=method_record(
            potential,
            time_step_fs=protocol.time_step_fs,
            frame_interval_ps=stage.duration_ps / FRAMES_OF_A_STAGE,
            thermostat=stage.plan(protocol, seed=seed).describe_thermostat(),
            seed=seed,
        ),
        seed=seed,
        device=potential.device,
    )


def _kind(gates: tuple[GateOutcome, ...]) -> StructureKind:
    return StructureKind.CRYSTAL if ORDER_GATES & set(failed_gates(gates)) else StructureKind.AMORPHOUS
