"""Quality gates that every amorphous cell must pass before it is labelled.

The limits, and the error rates on real crystals and glasses, are measured in docs/design/cell-gates.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous.orientation import orientational_coherence
from vitrion_workflows.amorphous.reference import CellReference
from vitrion_workflows.amorphous.symmetry import hidden_symmetry
from vitrion_workflows.potentials import ForceResult
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.structure.contacts import NO_CONTACT, closest_contact, least_ratio
from vitrion_workflows.structure.volume_estimate import VolumeSource
from vitrion_workflows.validation.density_and_contacts import density_g_cm3


@dataclass(frozen=True, kw_only=True)
class CellLimits:
    """Limits of the gates on a cell.

    Attributes:
        least_distance_ratio: shortest distance of a pair over the sum of its contact radii (`structure.contacts`).
        volume_ratio: least and greatest volume over the reference volume, by the source of the latter.
        energy_above_crystal_eV_per_atom: least and greatest.
        greatest_coherence: greatest coherence of bond orientations, see `orientation`.
        greatest_symmetry: greatest overlap of the cell with itself, see `symmetry`.
        greatest_force_eV_per_A: greatest force in a relaxed cell.
        pressure_GPa: least and greatest static pressure of a relaxed cell.
    """

    least_distance_ratio: float = least_ratio()
    volume_ratio: Mapping[VolumeSource, tuple[float, float]]
    energy_above_crystal_eV_per_atom: tuple[float, float] = (-0.05, 0.6)
    greatest_coherence: float = 6.0
    greatest_symmetry: float = 0.47
    greatest_force_eV_per_A: float = 0.5
    pressure_GPa: tuple[float, float] = (-12.0, 12.0)


DEFAULT_LIMITS = CellLimits(
    volume_ratio={
        VolumeSource.TWIN: (0.75, 1.9),
        VolumeSource.IONS: (0.5, 2.5),
        VolumeSource.ELEMENTS: (0.45, 2.2),
    },
)


@dataclass(frozen=True, eq=False)
class CellEvidence:
    """Quantities that the gates need; a gate whose quantity is missing returns None."""

    system: AtomicSystem
    reference: CellReference
    force_result: ForceResult | None
    limits: CellLimits


CellGate: TypeAlias = Callable[[CellEvidence], GateOutcome | None]


def validate_cell(
    system: AtomicSystem,
    *,
    reference: CellReference,
    force_result: ForceResult | None = None,
    limits: CellLimits = DEFAULT_LIMITS,
) -> tuple[GateOutcome, ...]:
    """Apply all gates to a cell.

    Args:
        system: the cell.
        reference: volume and energy of the solid compound, see `cell_reference`.
        force_result: energy, forces and stress of the relaxed cell; without it the three gates that need it are
            omitted, and so is the energy gate without a crystal twin.
        limits: limits of the gates.

    Returns:
        Outcomes in the order of `CELL_GATES`, each with its number and limits.
    """
    evidence = CellEvidence(system, reference, force_result, limits)
    outcomes = (gate(evidence) for gate in CELL_GATES.values())
    return tuple(outcome for outcome in outcomes if outcome is not None)


def _minimum_distance(evidence: CellEvidence) -> GateOutcome:
    contact = closest_contact(evidence.system)
    if contact is None:
        # A cell without any close pair (a gas) is the concern of the density gate.
        return GateOutcome(name="minimum_distance", passed=True, message=NO_CONTACT)
    return _within(
        "minimum_distance",
        contact.ratio,
        (evidence.limits.least_distance_ratio, None),
        message=f"closest pair {contact}",
    )


def _density(evidence: CellEvidence) -> GateOutcome:
    reference = evidence.reference
    volume = evidence.system.volume_A3 / len(evidence.system)
    ratio = volume / reference.volume_A3_per_atom
    density = density_g_cm3(evidence.system)
    least, greatest = evidence.limits.volume_ratio[reference.volume_source]
    return _within(
        "density",
        density,
        (density * ratio / greatest, density * ratio / least),
        unit="g/cm3",
        message=f"{volume:.2f} A3/atom, {ratio:.2f} times the estimate from {reference.volume_source}",
    )


def _orientational_order(evidence: CellEvidence) -> GateOutcome:
    value = orientational_coherence(evidence.system)
    return _within(
        "orientational_order",
        value,
        (None, evidence.limits.greatest_coherence),
        message="cell too narrow to distinguish a glass from a crystal"
        if value is None
        else f"bond orientations {value:.1f} times as coherent as independent ones",
    )


def _hidden_symmetry(evidence: CellEvidence) -> GateOutcome:
    value = hidden_symmetry(evidence.system)
    return _within(
        "hidden_symmetry",
        value,
        (None, evidence.limits.greatest_symmetry),
        message="too few atoms to distinguish a glass from a crystal"
        if value is None
        else f"the cell overlaps itself by {value:.0%} under its best symmetry operation",
    )


def _energy_above_crystal(evidence: CellEvidence) -> GateOutcome | None:
    crystal = evidence.reference.energy_eV_per_atom
    if evidence.force_result is None or crystal is None:
        return None
    value = evidence.force_result.energy_eV / len(evidence.system) - crystal
    return _within(
        "energy_above_crystal",
        value,
        evidence.limits.energy_above_crystal_eV_per_atom,
        unit="eV/atom",
        message=f"{value:+.3f} eV/atom against the crystal twin",
    )


def _forces(evidence: CellEvidence) -> GateOutcome | None:
    if evidence.force_result is None:
        return None
    greatest = float(np.linalg.norm(evidence.force_result.forces_eV_per_A, axis=1).max())
    return _within(
        "forces",
        greatest,
        (None, evidence.limits.greatest_force_eV_per_A),
        unit="eV/A",
        message=f"greatest force {greatest:.3g} eV/A",
    )


def _pressure(evidence: CellEvidence) -> GateOutcome | None:
    value = None if evidence.force_result is None else evidence.force_result.static_pressure_GPa
    if value is None:
        return None
    return _within(
        "pressure", value, evidence.limits.pressure_GPa, unit="GPa", message=f"static pressure {value:.2f} GPa"
    )


CELL_GATES: Mapping[str, CellGate] = {
    "minimum_distance": _minimum_distance,
    "density": _density,
    "orientational_order": _orientational_order,
    "hidden_symmetry": _hidden_symmetry,
    "energy_above_crystal": _energy_above_crystal,
    "forces": _forces,
    "pressure": _pressure,
}


def _within(
    name: str,
    value: float | None,
    limits: tuple[float | None, float | None],
    *,
    unit: str = "",
    message: str,
) -> GateOutcome:
    lower, upper = limits
    finite = value is not None and bool(np.isfinite(value))
    passed = finite and value is not None and (lower is None or value >= lower) and (upper is None or value <= upper)
    return GateOutcome(
        name=name,
        passed=passed,
        value=value if finite else None,
        lower=lower,
        upper=upper,
        unit=unit,
        message=message,
    )
