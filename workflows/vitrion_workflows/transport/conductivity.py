"""Ionic conductivity from diffusivities: Nernst-Einstein, and from the motion of the summed charge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from vitrion_models.conductivity import conductivity_per_diffusivity
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.diffusivity.variance import Intervals, gamma_intervals
from vitrion_workflows.transport.collective import CollectiveDiffusivity

# An atom, where formal charges are stated for every species.
LARGEST_NET_CHARGE = 1e-6


@dataclass(frozen=True)
class ChargeCarriers:
    """A species that carries charge.

    Attributes:
        count: ions in the cell.
        charge: of each in elementary charges.
        value_cm2_per_s: its tracer diffusivity.
        stderr_cm2_per_s: its statistical error.
    """

    count: int
    charge: float
    value_cm2_per_s: float
    stderr_cm2_per_s: float


@dataclass(frozen=True)
class Conductivity:
    """An ionic conductivity.

    Attributes:
        value_S_per_cm: best estimate.
        stderr_S_per_cm: its standard error.
        intervals: in S/cm; None where the value is not resolved.
    """

    value_S_per_cm: float
    stderr_S_per_cm: float
    intervals: Intervals | None


def nernst_einstein(carriers: Sequence[ChargeCarriers], *, volume_A3: float, temperature_K: float) -> Conductivity:
    """Compute the conductivity of ions that move independently, e^2 / (V k T) sum_s N_s z_s^2 D_s.

    Args:
        carriers: every species that carries charge and moves.
        volume_A3: of the cell.
        temperature_K: of the run.

    Raises:
        InputError: no carrier, or an impossible volume or temperature.
    """
    if not carriers:
        raise InputError("no species carries a charge: state the charge of at least one")
    factor = conductivity_per_diffusivity(squared_charges=1.0, volume_A3=volume_A3, temperature_K=temperature_K)
    weights = np.array([factor * species.count * species.charge**2 for species in carriers])
    value = float(weights @ [species.value_cm2_per_s for species in carriers])
    stderr = float(np.linalg.norm(weights * [species.stderr_cm2_per_s for species in carriers]))
    return Conductivity(value, stderr, gamma_intervals(value, stderr**2) if value > 0 and stderr > 0 else None)


def collective_conductivity(
    collective: CollectiveDiffusivity, charges: FloatArray, *, volume_A3: float, temperature_K: float
) -> Conductivity:
    """Compute the conductivity from the motion of the summed charge, lim e^2 |sum_i z_i dr_i|^2 / (6 V k T t).

    This is the Einstein form of the Green-Kubo integral over the charge current; it includes correlations between ions.

    Args:
        collective: collective diffusivity for the same charges.
        charges: of each ion in elementary charges, shape (N,).
        volume_A3: of the cell.
        temperature_K: of the run.

    Raises:
        InputError: an impossible volume or temperature.
    """
    factor = conductivity_per_diffusivity(
        squared_charges=float((charges**2).sum()), volume_A3=volume_A3, temperature_K=temperature_K
    )
    value, stderr = factor * collective.value_cm2_per_s, factor * collective.stderr_cm2_per_s
    return Conductivity(value, stderr, gamma_intervals(value, stderr**2) if collective.intervals else None)


def charges_of(numbers: IntArray, charges: Mapping[str, float], *, source: str = "the cell") -> FloatArray:
    """Return the charge of each atom in elementary charges, zero for species that are not named, shape (N,).

    A species without a charge belongs to the host, whose charge does not move; nothing is assumed for it.

    Args:
        numbers: atomic numbers, shape (N,).
        charges: chemical symbol to formal charge in elementary charges.
        source: file or run, for messages.

    Raises:
        InputError: no charge stated, an unknown or absent species, or charges of every species that do not add to zero.
    """
    if not any(charges.values()):
        raise InputError(f"{source}: no charge is stated: give one for each species that carries charge, such as Li=1")
    charges_of_atoms = np.zeros(len(numbers))
    for symbol, charge in charges.items():
        number = atomic_numbers.get(symbol)
        if not number or not (numbers == number).any():
            present = ", ".join(chemical_symbols[element] for element in sorted(set(numbers.tolist())))
            raise InputError(f"{source}: a charge is stated for {symbol!r}, which is absent: it holds {present}")
        if not np.isfinite(charge):
            raise InputError(f"{source}: the charge of {symbol} must be a finite number of elementary charges")
        charges_of_atoms[numbers == number] = charge
    complete, net = len(charges) == len(set(numbers.tolist())), charges_of_atoms.sum()
    if complete and abs(net) > LARGEST_NET_CHARGE * len(numbers):
        raise InputError(f"{source}: the charges of all species add to {net:+g}: they must add to zero")
    return charges_of_atoms
