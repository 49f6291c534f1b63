"""Velocities and kinetic temperature from momenta in ASE's units, and keys of times."""

import numpy as np
from ase import units

from vitrion_models.system import FloatArray, IntArray, standard_masses_u
from vitrion_workflows.formats.frames import check_masses, check_numbers

# Keys of ASE's info that state the time of a frame, with their factor to ps.
TIME_KEYS = {"time_ps": 1.0, "time_fs": 1e-3}


def velocities_A_per_ps(
    momenta: FloatArray | None, numbers: IntArray, masses_u: FloatArray | None
) -> FloatArray | None:
    """Return velocities in Angstrom per ps, shape (N, 3); None for atoms at rest, whose momenta were not stored.

    Args:
        momenta: in ASE's unit, sqrt(u eV), shape (N, 3); None where not stored.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,); None for standard weights.
    """
    if momenta is None or not momenta.any():
        return None
    masses = _masses(numbers, masses_u)
    velocities: FloatArray = momenta / masses[:, None] * units.fs * 1e3
    return velocities


def kinetic_temperature_K(momenta: FloatArray | None, numbers: IntArray, masses_u: FloatArray | None) -> float | None:
    """Return the kinetic temperature about the centre of mass; None for atoms at rest, whose momenta were not stored.

    ASE counts the motion of the centre of mass, too; most engines leave it out.

    Args:
        momenta: in ASE's unit, sqrt(u eV), shape (N, 3); None where not stored.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,); None for standard weights.
    """
    if momenta is None or not momenta.any():
        return None
    check_numbers(momenta, place="the momenta")
    masses = _masses(numbers, masses_u)
    relative = momenta - masses[:, None] / masses.sum() * momenta.sum(axis=0)
    kinetic_eV = float(np.einsum("ni,ni,n->", relative, relative, 0.5 / masses))
    return kinetic_eV / (0.5 * units.kB * max(3 * len(masses) - 3, 1))


def momenta_of(velocities_A_per_ps: FloatArray, masses_u: FloatArray) -> FloatArray:
    """Return momenta in ASE's unit, sqrt(u eV), shape (N, 3), of velocities, shape (N, 3), and masses, shape (N,)."""
    momenta: FloatArray = velocities_A_per_ps * masses_u[:, None] / (units.fs * 1e3)
    return momenta


def _masses(numbers: IntArray, masses_u: FloatArray | None) -> FloatArray:
    if masses_u is None:
        return standard_masses_u(numbers)
    check_masses(masses_u, numbers)
    return masses_u
