"""Agreement of a potential's forces with those of a reference: explained variance, slopes, mean absolute error."""

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.schemas.force_check import ForceAgreement


def force_agreement(forces: FloatArray, reference_forces: FloatArray) -> ForceAgreement:
    """Compare forces with reference forces on the same atoms.

    Args:
        forces: in eV/A, shape (..., 3).
        reference_forces: in eV/A, of the same shape.

    Raises:
        InputError: different shapes, no forces, forces that are not finite, or reference forces that all vanish.
    """
    if forces.shape != reference_forces.shape:
        raise InputError(f"forces of shape {forces.shape} against {reference_forces.shape}: give the same atoms")
    if not (np.isfinite(forces).all() and np.isfinite(reference_forces).all()):
        raise InputError("forces are not all finite numbers: evaluate a cell without overlapping atoms")
    square, reference_square = float(np.sum(forces**2)), float(np.sum(reference_forces**2))
    if reference_square == 0.0:
        raise InputError("all reference forces vanish: compare frames of a run, not a cell at rest")
    product = float(np.sum(forces * reference_forces))
    difference = forces - reference_forces
    return ForceAgreement(
        r2=1.0 - float(np.sum(difference**2)) / reference_square,
        slope=product / reference_square,
        inverse_slope=product / square if square else 0.0,
        mae_eV_per_A=float(np.abs(difference).mean()),
        components=forces.size,
    )


def agreement_by_species(
    numbers: IntArray, forces: FloatArray, reference_forces: FloatArray
) -> dict[str, ForceAgreement]:
    """Compare forces of each species with reference forces.

    Args:
        numbers: atomic numbers, shape (N,).
        forces: in eV/A, shape (F, N, 3).
        reference_forces: in eV/A, of the same shape.

    Returns:
        Chemical symbol -> agreement, in the order of atomic numbers.

    Raises:
        InputError: as `force_agreement`.
    """
    return {
        chemical_symbols[number]: force_agreement(forces[:, numbers == number], reference_forces[:, numbers == number])
        for number in np.unique(numbers).tolist()
    }
