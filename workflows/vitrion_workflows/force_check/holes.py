"""Holes: atoms that a reference potential drives away by a force far beyond the thermal range, and production does not.

The thermal range is measured in the run itself: the median magnitude of the reference's forces on each species, which
a few atoms in a hole do not change. How near sound melts come to the limits is measured in docs/design/force-check.md.
"""

from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.graphs.neighbours import pairs_within
from vitrion_models.system import FloatArray
from vitrion_workflows.force_check.evaluation import EvaluatedFrames, repulsion
from vitrion_workflows.schemas.gate import Measurement, measurement_of

# Difference of the two forces over the thermal force of the species, where the reference's is clearly the greater.
GREATEST_EXCESS = 4.0
CLEARLY_GREATER = 1.5
# Reference's force over the thermal force, whatever production makes of it: no run at this temperature holds it.
GREATEST_FORCE = 10.0
# Reference's force on an atom of a relaxed cell, where there is no thermal force.
GREATEST_AT_REST_eV_PER_A = 8.0
# Greatest median of a species over that of all atoms: 2.7 in 130 melts. More has a species that is in holes itself.
GREATEST_SPECIES_RATIO = 3.0
NAMED_WITHIN_A = 3.5
"""Distance within which the nearest atom is named as the other one of a hole."""


@dataclass(frozen=True)
class Hole:
    """Atom that the two potentials judge most differently.

    Attributes:
        severity: largest ratio to a limit; above 1 it is a hole.
        frame: position of the frame among the evaluated ones.
        atom: index of the atom.
    """

    severity: float
    frame: int
    atom: int


def thermal_forces(evaluated: EvaluatedFrames) -> FloatArray:
    """Return the median reference force on each atom's species over all frames, eV/A, shape (N,).

    Of a rare species of which half sits in holes the median is no thermal one: it is at most three times that of all.
    """
    magnitudes = np.linalg.norm(evaluated.reference_eV_per_A, axis=2)
    medians = np.empty(len(evaluated.numbers))
    for number in np.unique(evaluated.numbers):
        atoms = evaluated.numbers == number
        medians[atoms] = np.median(magnitudes[:, atoms])
    return np.minimum(medians, GREATEST_SPECIES_RATIO * float(np.median(magnitudes)))


def worst_hole(evaluated: EvaluatedFrames) -> Hole:
    """Return the atom and frame nearest to a hole, or furthest in one."""
    thermal = thermal_forces(evaluated)
    reference = np.linalg.norm(evaluated.reference_eV_per_A, axis=2)
    production = np.linalg.norm(evaluated.forces_eV_per_A, axis=2)
    difference = np.linalg.norm(evaluated.reference_eV_per_A - evaluated.forces_eV_per_A, axis=2)
    excess = np.where(reference > CLEARLY_GREATER * production, difference, 0.0)
    severity = np.maximum(excess / (GREATEST_EXCESS * thermal), reference / (GREATEST_FORCE * thermal))
    frame, atom = np.unravel_index(int(severity.argmax()), severity.shape)
    return Hole(float(severity[frame, atom]), int(frame), int(atom))


def measure_hole(evaluated: EvaluatedFrames, *, production: str, reference: str) -> Measurement:
    """Compare the worst atom with the limits of a hole; the message names its pair.

    Args:
        evaluated: frames by both potentials.
        production: name of the potential that made the run.
        reference: name of the reference potential.
    """
    hole = worst_hole(evaluated)
    return measurement_of(
        "hole",
        hole.severity,
        upper=1.0,
        message=describe_hole(evaluated, hole, production=production, reference=reference),
    )


def measure_hole_at_rest(evaluated: EvaluatedFrames, *, production: str, reference: str) -> Measurement:
    """Compare the reference's greatest force on a relaxed cell with its limit; the message names its pair.

    Args:
        evaluated: the cell by both potentials, one frame.
        production: name of the potential that relaxed it.
        reference: name of the reference potential.
    """
    forces = np.linalg.norm(evaluated.reference_eV_per_A[0], axis=1)
    hole = Hole(float(forces.max()) / GREATEST_AT_REST_eV_PER_A, frame=0, atom=int(forces.argmax()))
    return measurement_of(
        "hole",
        float(forces.max()),
        upper=GREATEST_AT_REST_eV_PER_A,
        unit="eV/A",
        message=describe_hole(evaluated, hole, production=production, reference=reference),
    )


def describe_hole(evaluated: EvaluatedFrames, hole: Hole, *, production: str, reference: str) -> str:
    """Return ``Zr 12 - Zr 40 at 1.78 A: diep 40.1 eV/A, nep89 4.5 eV/A (frame 240)``, atoms counted from 0."""
    magnitudes = [
        float(np.linalg.norm(forces[hole.frame, hole.atom]))
        for forces in (evaluated.reference_eV_per_A, evaluated.forces_eV_per_A)
    ]
    return (
        f"{_pair(evaluated, hole)}: {reference} {magnitudes[0]:.1f} eV/A, {production} {magnitudes[1]:.1f} eV/A "
        f"(frame {evaluated.frames[hole.frame]})"
    )


def _pair(evaluated: EvaluatedFrames, hole: Hole) -> str:
    """Return the atom with the neighbour that the reference drives away from it hardest."""
    named = f"{chemical_symbols[evaluated.numbers[hole.atom]]} {hole.atom}"
    pairs = pairs_within(evaluated.positions_A[hole.frame], evaluated.lattice_A, NAMED_WITHIN_A)
    pairs = pairs.where(pairs.edge_index[0] == hole.atom)
    if not len(pairs):
        return named
    hardest = int(repulsion(pairs, evaluated.reference_eV_per_A[hole.frame]).argmax())
    other = int(pairs.edge_index[1, hardest])
    return f"{named} - {chemical_symbols[evaluated.numbers[other]]} {other} at {pairs.distances_A[hardest]:.2f} A"
