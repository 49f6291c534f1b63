"""Ionic conductivity from diffusivities: Nernst-Einstein, and from the motion of the summed charge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from vitrion_models.constants import BOLTZMANN_J_PER_K, CM3_PER_A3, ELEMENTARY_CHARGE_C
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.diffusivity.interval import Spread, spread
from vitrion_workflows.transport.collective import CollectiveDiffusivity

# Formal charges of a whole cell must add to zero within rounding.
NEUTRAL = 1e-6


@dataclass(frozen=True)
class ChargeCarriers:
    """One species that carries charge.

    Attributes:
        count: ions in the cell.
        charge: of each in elementary charges.
        value_cm2_per_s: its tracer diffusivity.
        stderr_cm2_per_s: statistical error of that.
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
        spread: its intervals in S/cm; None where the value is not known.
    """

    value_S_per_cm: float
    stderr_S_per_cm: float
    spread: Spread | None


def conductivity_per_diffusivity(*, squared_charges: float, volume_A3: float, temperature_K: float) -> float:
    """Factor from cm2/s to S/cm, e^2 sum_i z_i^2 / (V k T).

    Args:
        squared_charges: sum of the squares of the ions' charges, in elementary charges.
        volume_A3: of the cell that holds them.
        temperature_K: of the run.

    Raises:
        InputError: a volume or temperature that is not positive.
    """
    if not (volume_A3 > 0 and temperature_K > 0):
        raise InputError(
            f"a conductivity needs a volume and a temperature, not {volume_A3:g} A3 at {temperature_K:g} K"
        )
    thermal = BOLTZMANN_J_PER_K * temperature_K
    return squared_charges * ELEMENTARY_CHARGE_C**2 / (volume_A3 * CM3_PER_A3 * thermal)


def nernst_einstein(carriers: Sequence[ChargeCarriers], *, volume_A3: float, temperature_K: float) -> Conductivity:
    """Conductivity of ions that move independently, e^2 / (V k T) sum_s N_s z_s^2 D_s.

    Args:
        carriers: every species that carries charge and moves.
        volume_A3: of the cell.
        temperature_K: of the run.

    Raises:
        InputError: no carrier, or an impossible volume or temperature.
    """
    if not carriers:
        raise InputError("no species carries a charge: state at least one")
    factor = conductivity_per_diffusivity(squared_charges=1.0, volume_A3=volume_A3, temperature_K=temperature_K)
    weights = np.array([factor * one.count * one.charge**2 for one in carriers])
    value = float(weights @ [one.value_cm2_per_s for one in carriers])
    stderr = float(np.linalg.norm(weights * [one.stderr_cm2_per_s for one in carriers]))
    known = value > 0 and stderr > 0
    return Conductivity(value, stderr, spread(value, stderr**2, freedom=float("inf")) if known else None)


def collective_conductivity(
    collective: CollectiveDiffusivity, charges: FloatArray, *, volume_A3: float, temperature_K: float
) -> Conductivity:
    """Conductivity of the motion of the summed charge, lim e^2 |sum_i z_i dr_i|^2 / (6 V k T t).

    The Einstein form of the Green-Kubo integral over the charge current: correlations between ions are in it.

    Args:
        collective: from the same charges.
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
    known = collective.spread is not None
    return Conductivity(value, stderr, spread(value, stderr**2, freedom=float("inf")) if known else None)


def charges_of(numbers: IntArray, charges: Mapping[str, float], *, source: str = "the cell") -> FloatArray:
    """Charge of each atom from those that the caller states, zero for species that are not named.

    A species without a charge is taken as a host whose charge stays where it is; nothing is assumed for it.

    Args:
        numbers: atomic numbers, shape (N,).
        charges: chemical symbol to formal charge in elementary charges.
        source: file or run, for messages.

    Returns:
        Shape (N,).

    Raises:
        InputError: none stated, an unknown or absent species, or charges of every species that do not add to zero.
    """
    if not any(charges.values()):
        raise InputError(f"{source}: no charge is stated: give one for each species that carries, such as Li=1")
    found = np.zeros(len(numbers))
    for symbol, charge in charges.items():
        number = atomic_numbers.get(symbol)
        if not number or not (numbers == number).any():
            held = ", ".join(chemical_symbols[one] for one in sorted(set(numbers.tolist())))
            raise InputError(f"{source}: a charge is stated for {symbol!r}, which it does not hold: it holds {held}")
        if not np.isfinite(charge):
            raise InputError(f"{source}: the charge of {symbol} must be a finite number of elementary charges")
        found[numbers == number] = charge
    everyone = len(charges) == len(set(numbers.tolist()))
    if everyone and abs(found.sum()) > NEUTRAL * len(numbers):
        raise InputError(f"{source}: the stated charges of all species add to {found.sum():+g}: they must add to zero")
    return found
