"""The force check of a run: its record, and the measurements of its gate."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_workflows.execution.engines import force_field
from vitrion_workflows.force_check.agreement import agreement_by_species, force_agreement
from vitrion_workflows.force_check.broken_bonds import measure_broken_bond
from vitrion_workflows.force_check.denied_bonds import (
    GREATEST_REPULSION_AT_REST_eV_PER_A,
    greatest_repulsions,
    measure_denied_bond,
)
from vitrion_workflows.force_check.evaluation import EvaluatedFrames, evaluate_run, evaluate_systems
from vitrion_workflows.force_check.holes import measure_hole, measure_hole_at_rest
from vitrion_workflows.force_check.reference import reference_potential
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas.force_check import (
    AUTO,
    ForceCheck,
    ForceCheckSettings,
    ForceCheckState,
    ForceDisagreement,
)
from vitrion_workflows.schemas.gate import GateOutcome, Measurement, gate_of
from vitrion_workflows.trajectories.trajectory import Trajectory

MEV_PER_EV = 1000.0


@dataclass(frozen=True)
class CheckedForces:
    """Result of a force check.

    Attributes:
        record: stored with the label or the cell.
        measurements: of the gate `force_check`; none where the check was not made.
    """

    record: ForceCheck
    measurements: tuple[Measurement, ...] = ()

    @property
    def gates(self) -> tuple[GateOutcome, ...]:
        """The gate `force_check`; none where the check was not made."""
        return (gate_of("force_check", self.measurements),) if self.measurements else ()


def check_run(trajectory: Trajectory, *, production: ForceField, settings: ForceCheckSettings) -> CheckedForces:
    """Compare the forces on decorrelated frames of a run with those of a reference potential.

    Args:
        trajectory: the run.
        production: potential that made it.
        settings: reference potential and number of frames.

    Raises:
        VitrionError: the reference potential that was named cannot be loaded.
    """
    chosen = choose_reference(trajectory.numbers, production=production, settings=settings)
    if isinstance(chosen, ForceCheck):
        return CheckedForces(chosen)
    evaluated = evaluate_run(trajectory, production=production, reference=chosen, count=settings.frames)
    if not np.isfinite(evaluated.reference_eV_per_A).all():
        return CheckedForces(not_made(f"{chosen.name} gives forces that are not finite"))
    names = {"production": production.name, "reference": chosen.name}
    return CheckedForces(
        summarize(evaluated, reference=chosen),
        (
            measure_hole(evaluated, **names),
            *_measure_bonds(evaluated, greatest_repulsions(evaluated), reference=chosen),
        ),
    )


def check_cell(system: AtomicSystem, *, production: ForceField, settings: ForceCheckSettings) -> CheckedForces:
    """Compare the forces on a relaxed cell with those of a reference potential.

    Production's forces nearly vanish there, so that no agreement is stated: the reference's own forces are judged.

    Args:
        system: the cell.
        production: potential that relaxed it.
        settings: reference potential.

    Raises:
        VitrionError: the reference potential that was named cannot be loaded.
    """
    chosen = choose_reference(system.numbers, production=production, settings=settings)
    if isinstance(chosen, ForceCheck):
        return CheckedForces(chosen)
    evaluated = evaluate_systems([system], frames=np.zeros(1, dtype=np.int64), production=production, reference=chosen)
    if not np.isfinite(evaluated.reference_eV_per_A).all():
        return CheckedForces(not_made(f"{chosen.name} gives forces that are not finite"))
    limits = np.full(len(system), GREATEST_REPULSION_AT_REST_eV_PER_A)
    return CheckedForces(
        summarize(evaluated, reference=chosen, at_rest=True),
        (
            measure_hole_at_rest(evaluated, production=production.name, reference=chosen.name),
            *_measure_bonds(evaluated, limits, reference=chosen),
        ),
    )


def _measure_bonds(
    evaluated: EvaluatedFrames, limits_eV_per_A: FloatArray, *, reference: ForceField
) -> Iterator[Measurement]:
    denied = measure_denied_bond(evaluated, limits_eV_per_A, reference=reference.name)
    yield denied
    if denied.passed:  # the relaxation costs as much as 75 frames
        yield measure_broken_bond(evaluated, reference=reference)


def choose_reference(
    numbers: IntArray, *, production: ForceField, settings: ForceCheckSettings
) -> ForceField | ForceCheck:
    """Return the loaded reference potential for a cell, or the record that says why no check is made.

    Args:
        numbers: atomic numbers of the cell, shape (N,).
        production: potential to be checked.
        settings: names the reference potential, or leaves the choice.
    """
    elements = {chemical_symbols[number] for number in np.unique(numbers).tolist()}
    name: str | None = settings.reference
    if name == AUTO:
        name = reference_potential(elements, production=production.name)
    if name is None:
        return not_made(f"no reference potential for {production.name} with {', '.join(sorted(elements))}")
    reference = force_field(name, production.device)
    if reference.weights_sha256 == production.weights_sha256:
        return not_made(f"{production.name} is the reference potential itself")
    if missing := sorted(elements - reference.elements):
        return not_made(f"{reference.name} does not cover {', '.join(missing)}")
    return reference


def not_made(reason: str) -> ForceCheck:
    """Return the record of a check that was not made."""
    return ForceCheck(state=ForceCheckState.NOT_MADE, reason=reason)


def summarize(evaluated: EvaluatedFrames, *, reference: ForceField, at_rest: bool = False) -> ForceCheck:
    """Return the record of evaluated frames.

    Args:
        evaluated: frames by both potentials.
        reference: potential to compare with.
        at_rest: the frame is a relaxed cell, of which no agreement is stated.
    """
    ours, theirs = evaluated.forces_eV_per_A, evaluated.reference_eV_per_A
    pressures = evaluated.pressure_differences_GPa
    residuals = evaluated.energy_residuals_eV_per_atom
    return ForceCheck(
        state=ForceCheckState.MADE,
        reference=reference.name,
        reference_weights_sha256=reference.weights_sha256,
        frames=tuple(evaluated.frames.tolist()),
        agreement=None if at_rest else force_agreement(ours, theirs),
        by_species={} if at_rest else agreement_by_species(evaluated.numbers, ours, theirs),
        pressure_difference_GPa=None if pressures is None else float(pressures.mean()),
        energy_scatter_meV_per_atom=float(residuals.std(ddof=1)) * MEV_PER_EV if len(evaluated) > 1 else None,
        greatest_reference_eV_per_A=float(np.linalg.norm(theirs, axis=2).max()),
        largest=largest_disagreement(evaluated),
    )


def largest_disagreement(evaluated: EvaluatedFrames) -> ForceDisagreement:
    """Return the atom whose two forces differ most."""
    differences = np.linalg.norm(evaluated.reference_eV_per_A - evaluated.forces_eV_per_A, axis=2)
    frame, atom = (int(index) for index in np.unravel_index(int(differences.argmax()), differences.shape))
    return ForceDisagreement(
        frame=int(evaluated.frames[frame]),
        atom=atom,
        species=chemical_symbols[evaluated.numbers[atom]],
        force_eV_per_A=float(np.linalg.norm(evaluated.forces_eV_per_A[frame, atom])),
        reference_eV_per_A=float(np.linalg.norm(evaluated.reference_eV_per_A[frame, atom])),
        difference_eV_per_A=float(differences[frame, atom]),
    )
