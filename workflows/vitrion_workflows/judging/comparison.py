"""Comparison of a potential with a reference on given frames: forces, energies, pressure, holes and denied bonds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.force_check.agreement import force_agreement
from vitrion_workflows.force_check.broken_bonds import measure_broken_bond
from vitrion_workflows.force_check.check import summarize
from vitrion_workflows.force_check.denied_bonds import greatest_repulsions, measure_denied_bond
from vitrion_workflows.force_check.evaluation import EvaluatedFrames, evaluate_systems
from vitrion_workflows.force_check.holes import measure_hole
from vitrion_workflows.judging.errors import NoComparison
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas.force_check import ForceAgreement, ForceCheck


@dataclass(frozen=True, kw_only=True)
class FrameComparison:
    """Agreement of a potential with a reference on frames of one composition.

    Attributes:
        source: where the frames come from.
        check: record of the forces, energies and pressures, as labels carry it.
        hole: the atoms of a hole, where there is one; see `vitrion_workflows.force_check.holes`.
        denied_bond: bonds between like atoms that the reference drives apart or breaks, where there are any.
    """

    source: str
    check: ForceCheck
    hole: str = ""
    denied_bond: str = ""

    @property
    def agreement(self) -> ForceAgreement:
        """Return the agreement over all atoms and frames.

        Raises:
            InputError: the record has none.
        """
        if self.check.agreement is None:
            raise InputError(f"{self.source}: the comparison holds no agreement of forces: judge the potential again")
        return self.check.agreement

    @property
    def worst_species(self) -> str:
        """Return the element whose forces agree least."""
        return min(self.check.by_species, key=lambda symbol: self.check.by_species[symbol].r2)


def compare_frames(
    frames: Sequence[AtomicSystem], force_field: ForceField, reference: ForceField, *, source: str
) -> FrameComparison:
    """Evaluate frames by two potentials and compare the forces, whatever the frames are.

    Args:
        frames: cells of the same atoms in the same order.
        force_field: potential to be judged.
        reference: reference potential.
        source: where the frames come from.

    Raises:
        InputError: elements outside a coverage.
        NoComparison: no frames, or forces that are not finite or all vanish.
    """
    evaluated = _evaluated(frames, force_field, reference)
    return FrameComparison(source=source, check=summarize(evaluated, reference=reference))


def compare_melt(
    frames: Sequence[AtomicSystem], force_field: ForceField, reference: ForceField, *, source: str
) -> FrameComparison:
    """Compare frames of a run at one volume, and look for holes and denied bonds in them; see `compare_frames`."""
    evaluated = _evaluated(frames, force_field, reference)
    hole = measure_hole(evaluated, production=force_field.name, reference=reference.name)
    bond = measure_denied_bond(evaluated, greatest_repulsions(evaluated), reference=reference.name)
    if bond.passed:
        bond = measure_broken_bond(evaluated, reference=reference)
    return FrameComparison(
        source=source,
        check=summarize(evaluated, reference=reference),
        hole="" if hole.passed else hole.message,
        denied_bond="" if bond.passed else bond.message,
    )


def _evaluated(frames: Sequence[AtomicSystem], force_field: ForceField, reference: ForceField) -> EvaluatedFrames:
    if not frames:
        raise NoComparison("no frames to compare: give one or more")
    indices = np.arange(len(frames), dtype=np.int64)
    evaluated = evaluate_systems(frames, frames=indices, production=force_field, reference=reference)
    try:
        force_agreement(evaluated.forces_eV_per_A, evaluated.reference_eV_per_A)
    except InputError as fault:
        raise NoComparison(str(fault)) from fault
    return evaluated
