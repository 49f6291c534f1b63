"""Comparison of a potential with a reference on given frames: forces, energies and pressure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.constants import GPA_PER_eV_A3
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_workflows.force_check.agreement import agreement_by_species, force_agreement
from vitrion_workflows.potentials import ForceField, ForceResult

MILLI = 1000.0
FEWEST_FOR_SCATTER = 2


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """Force on the atom on which two potentials differ most.

    Attributes:
        species: its element.
        atom: its index in the cell.
        frame: index of the frame.
        force_eV_per_A: length of the force of the judged potential.
        reference_force_eV_per_A: length of that of the reference.
    """

    species: str
    atom: int
    frame: int
    force_eV_per_A: float
    reference_force_eV_per_A: float


@dataclass(frozen=True, kw_only=True)
class FrameComparison:
    """Agreement of a potential with a reference on frames of one cell.

    Attributes:
        source: where the frames come from.
        frames: number of frames.
        r2: explained variance of the reference's forces.
        slope: of forces on reference forces; it falls with softening and with scatter.
        inverse_slope: of reference forces on forces; above 1 where the potential is softer than the reference.
        mae_eV_per_A: mean absolute difference of a force component.
        worst_species: element whose forces agree least.
        worst_r2: explained variance of its forces.
        energy_residual_meV_per_atom: standard deviation over the frames of the energy difference; None for one frame.
            The mean difference has no meaning, since the energy of an atom alone differs between potentials.
        pressure_bias_GPa: mean pressure of the potential less that of the reference; None where one has no stress.
        largest: the atom and frame with the largest difference of forces.
    """

    source: str
    frames: int
    r2: float
    slope: float
    inverse_slope: float
    mae_eV_per_A: float
    worst_species: str
    worst_r2: float
    energy_residual_meV_per_atom: float | None
    pressure_bias_GPa: float | None
    largest: Disagreement


def compare_frames(
    frames: Sequence[AtomicSystem], force_field: ForceField, reference: ForceField, *, source: str
) -> FrameComparison:
    """Evaluate frames by two potentials and compare the results.

    Args:
        frames: cells of the same atoms in the same order.
        force_field: potential to be judged.
        reference: reference potential.
        source: where the frames come from.

    Raises:
        InputError: no frames, elements outside a coverage, or forces that are not finite or all vanish.
    """
    if not frames:
        raise InputError("no frames to compare: give one or more")
    results = [force_field.evaluate(frame, stress=True) for frame in frames]
    references = [reference.evaluate(frame, stress=True) for frame in frames]
    forces, reference_forces = _forces(results), _forces(references)
    agreement = force_agreement(forces, reference_forces)
    by_species = agreement_by_species(frames[0].numbers, forces, reference_forces)
    worst = min(by_species, key=lambda symbol: by_species[symbol].r2)
    return FrameComparison(
        source=source,
        frames=len(frames),
        r2=agreement.r2,
        slope=agreement.slope,
        inverse_slope=agreement.inverse_slope,
        mae_eV_per_A=agreement.mae_eV_per_A,
        worst_species=worst,
        worst_r2=by_species[worst].r2,
        energy_residual_meV_per_atom=_energy_residual(results, references, atoms=len(frames[0])),
        pressure_bias_GPa=_pressure_bias(results, references),
        largest=_largest_disagreement(frames[0].numbers, forces, reference_forces),
    )


def _forces(results: Sequence[ForceResult]) -> FloatArray:
    return np.array([result.forces_eV_per_A for result in results])


def _largest_disagreement(numbers: IntArray, forces: FloatArray, reference_forces: FloatArray) -> Disagreement:
    differences = np.linalg.norm(forces - reference_forces, axis=2)
    frame, atom = (int(index) for index in np.unravel_index(differences.argmax(), differences.shape))
    return Disagreement(
        species=chemical_symbols[numbers[atom]],
        atom=atom,
        frame=frame,
        force_eV_per_A=float(np.linalg.norm(forces[frame, atom])),
        reference_force_eV_per_A=float(np.linalg.norm(reference_forces[frame, atom])),
    )


def _energy_residual(results: Sequence[ForceResult], references: Sequence[ForceResult], *, atoms: int) -> float | None:
    if len(results) < FEWEST_FOR_SCATTER:
        return None
    pairs = zip(results, references, strict=True)
    differences = np.array([result.energy_eV - reference.energy_eV for result, reference in pairs])
    return float(differences.std(ddof=1)) / atoms * MILLI


def _pressure_bias(results: Sequence[ForceResult], references: Sequence[ForceResult]) -> float | None:
    differences = []
    for result, reference in zip(results, references, strict=True):
        if result.stress_eV_per_A3 is None or reference.stress_eV_per_A3 is None:
            return None
        differences.append(-np.trace(result.stress_eV_per_A3 - reference.stress_eV_per_A3) / 3.0)
    return float(np.mean(differences)) * GPA_PER_eV_A3
