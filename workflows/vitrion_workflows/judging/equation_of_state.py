"""Equation of state of a crystal: Birch and Murnaghan's, fitted to relaxed cells around zero pressure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.analysis.eos import EOS, EOSError

from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous.volume import scale_to
from vitrion_workflows.dynamics import DynamicsError, relax
from vitrion_workflows.judging.errors import EquationOfStateFailed
from vitrion_workflows.potentials import ForceField

VOLUME_FACTORS = (0.92, 0.95, 0.975, 1.0, 1.025, 1.05, 1.08)
FORCE_TOLERANCE_eV_PER_A = 0.02
CELL_STEPS = 150
POSITION_STEPS = 30


@dataclass(frozen=True)
class EquationOfState:
    """Volume and stiffness of a crystal at zero pressure and zero temperature.

    Attributes:
        volume_A3_per_atom: at the minimum of energy.
        bulk_modulus_GPa: there.
    """

    volume_A3_per_atom: float
    bulk_modulus_GPa: float


def equation_of_state(crystal: AtomicSystem, force_field: ForceField) -> EquationOfState:
    """Fit the equation of state of a crystal whose cell keeps its shape.

    The cell is relaxed to zero pressure, then positions are relaxed at seven volumes from 0.92 to 1.08 of that, and
    the third-order equation of Birch (Phys. Rev. 71, 809 (1947)) is fitted to their energies.

    Args:
        crystal: an ordered cell.
        force_field: potential.

    Raises:
        InputError: an element outside the coverage.
        EquationOfStateFailed: forces are not finite, or the energies have no minimum inside these volumes.
    """
    try:
        start = relax(
            crystal,
            force_field,
            force_tolerance_eV_per_A=FORCE_TOLERANCE_eV_PER_A,
            max_steps=CELL_STEPS,
            relax_cell=True,
        ).system
        volumes = [factor * start.volume_A3 for factor in VOLUME_FACTORS]
        energies = [_relaxed_energy_eV(scale_to(start, volume), force_field) for volume in volumes]
    except DynamicsError as failure:
        raise EquationOfStateFailed(str(failure)) from failure
    return fit_birch_murnaghan(volumes, energies, atoms=len(crystal))


def fit_birch_murnaghan(volumes_A3: Sequence[float], energies_eV: Sequence[float], *, atoms: int) -> EquationOfState:
    """Fit the third-order Birch-Murnaghan equation to energies of a cell.

    Args:
        volumes_A3: of the cell.
        energies_eV: of the cell, one for each volume.
        atoms: number of atoms of the cell.

    Raises:
        EquationOfStateFailed: the energies have no minimum inside the volumes.
    """
    message = (
        f"no minimum of energy between {min(volumes_A3) / atoms:.1f} and {max(volumes_A3) / atoms:.1f} A3/atom: "
        "the crystal is not stable with this potential"
    )
    try:
        with np.errstate(invalid="ignore"):  # negative volumes that the optimiser tries
            fit = EOS(eos_name="birch_murnaghan").fit(volumes_A3, energies_eV)
    except EOSError as failure:
        raise EquationOfStateFailed(message) from failure
    if not (min(volumes_A3) < fit.v0 < max(volumes_A3) and fit.b0 > 0):
        raise EquationOfStateFailed(message)
    return EquationOfState(float(fit.v0) / atoms, float(fit.b0_GPa))


def _relaxed_energy_eV(cell: AtomicSystem, force_field: ForceField) -> float:
    tolerance = FORCE_TOLERANCE_eV_PER_A
    return relax(cell, force_field, force_tolerance_eV_per_A=tolerance, max_steps=POSITION_STEPS).energy_eV
