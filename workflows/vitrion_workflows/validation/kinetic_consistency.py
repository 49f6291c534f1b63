"""Measurements that compare temperatures and masses with the motion of the species and of the cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.constants import COLDEST_K, HOTTEST_K, BOLTZMANN_u_A2_PER_PS2_K
from vitrion_models.system import FloatArray, IntArray, standard_masses_u
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.validation.equilibration import change_stderr, ratio_stderr, relative_change
from vitrion_workflows.validation.temperature import LARGEST_UNRESOLVED, ThermostatNoise
from vitrion_workflows.validation.velocity_temperature import (
    UNRESOLVED_PER_SQUARED_ROUGHNESS,
    CellTemperature,
    SpeciesTemperature,
    ThermalMotion,
    relative_masses,
)

# Of the whole cell, 0.3 % where all atoms are counted in the same frames. Where bond stretching is left out the rest
# has a temperature of its own, which wanders about the cell's by 1 to 2 %; at most half of a tenth is allowed.
CELL_TOLERANCE, CELL_SIGMAS, LARGEST_CELL_TOLERANCE = 0.03, 3.0, 0.05
LEAST_RATIO = 1 - CELL_TOLERANCE - LARGEST_UNRESOLVED
# Parts of a run in which motion and record are compared, and what their ratio may change by.
PARTS = 8
DRIFT_TOLERANCE, DRIFT_SIGMAS = 0.05, 4.0
# Free flight is a strict bound in equilibrium; the mean temperature may be a twentieth off, the rest is slack.
FREE_FLIGHT_LIMIT = 1.25
# On top, few atoms have a temperature of their own, which decorrelates in about a ps.
FREE_FLIGHT_SIGMAS = 4.0
TEMPERATURE_MEMORY_PS = 1.0
# Numerical error of the velocity temperature where it resolves all of the motion; scatter is allowed for on top.
VELOCITY_TOLERANCE = 0.01
VELOCITY_SIGMAS = 3.5
# A species that scatters by its whole temperature has to have some.
LEAST_LIMIT = 1e-3
# Of a species among others that scatter less.
LARGEST_TOLERANCE = 0.4
# Atoms of a run against their elements' standard weights: D goes as the root.
MASS_TOLERANCE = 0.03


def measure_recorded_temperature(
    motion: ThermalMotion, recorded_K: FloatArray, *, noise: ThermostatNoise
) -> Measurement | None:
    """Compare the temperature computed from the steps between frames with the recorded temperature.

    The measured number is their ratio. Steps over a whole frame interval miss faster motion, so that the ratio of a
    correct run may be as low as one minus the unresolved share. While that share is at most `LARGEST_UNRESOLVED`, the
    lower limit is reduced by it. Beyond, or where it cannot be estimated, a low ratio proves nothing: only a ratio
    above the upper limit, motion hotter than recorded, is a fault then.

    Args:
        motion: of all atoms.
        recorded_K: temperature of the same frames, shape (F,).
        noise: share of the motion that the noise of the thermostat hides, which counts as unresolved; of a common
            thermostat where it is not stated.

    Returns:
        The measurement; None where too much of the motion is unresolved for a lower limit and the upper one is kept.
    """
    cell, mean_K = motion.cell, float(recorded_K.mean())
    ratio = cell.temperature_K / mean_K
    # The same atoms have the same kinetic energy: a record that differs then is not of this motion.
    scatter = 0.0 if motion.complete else ratio_stderr(motion.kinetic_energies, _between_frames(recorded_K))
    tolerance = min(float(np.hypot(CELL_TOLERANCE, CELL_SIGMAS * scatter)), LARGEST_CELL_TOLERANCE)
    unresolved = None if cell.unresolved is None else cell.unresolved + noise.fraction
    lower = None
    if unresolved is not None and unresolved <= LARGEST_UNRESOLVED:
        lower = max(1 - tolerance - unresolved, LEAST_RATIO)
    elif ratio <= 1 + tolerance:
        return None
    message = f"the cell moves as at {cell.temperature_K:.0f} K{' or more' if lower is None else ''}"
    message += f", {mean_K:.0f} K are recorded"
    if not noise.stated and lower is not None:
        message += f" (thermostat unknown: a Langevin one may hide {noise.fraction:.1%})"
    return measurement_of("recorded_temperature", ratio, lower=lower, upper=1 + tolerance, message=message)


def measure_recorded_drift(motion: ThermalMotion, recorded_K: FloatArray) -> Measurement | None:
    """Test whether the ratio of motion to recorded temperature rises or falls through the run.

    Args:
        motion: of all atoms.
        recorded_K: temperature of each frame, shape (F,).

    Returns:
        The measurement, or None where frames are too few.
    """
    if len(motion.kinetic_energies) < PARTS * PARTS:
        return None
    energies = np.array_split(motion.kinetic_energies, PARTS)
    temperatures = np.array_split(_between_frames(recorded_K), PARTS)
    ratios = [float(np.mean(energy) / np.mean(kelvin)) for energy, kelvin in zip(energies, temperatures, strict=True)]
    change, residuals = relative_change(np.array(ratios))
    limit = DRIFT_TOLERANCE + DRIFT_SIGMAS * float(residuals.std(ddof=2)) * change_stderr(PARTS)
    return measurement_of(
        "recorded_drift",
        change / limit,
        lower=-1.0,
        upper=1.0,
        message=f"motion over recorded temperature changes by {change:+z.1%} in the run, allowed {limit:.1%}",
    )


def measure_possible_temperature(cell: CellTemperature, *, frame_interval_ps: float) -> Measurement:
    """Compare the motion of a run of unknown temperature with that of matter at 1 to 10,000 K.

    The velocity temperature is a lower bound, and too low only where motion is rough at the frames' own scale, which
    does not depend on the stated interval.

    Args:
        cell: temperature of the motion of all atoms.
        frame_interval_ps: as stated.
    """
    smooth = UNRESOLVED_PER_SQUARED_ROUGHNESS * cell.roughness**2 <= LARGEST_UNRESOLVED
    wrong = cell.temperature_K > HOTTEST_K or (smooth and cell.temperature_K < COLDEST_K)
    return measurement_of(
        "possible_temperature",
        cell.temperature_K,
        lower=COLDEST_K if smooth else None,
        upper=HOTTEST_K,
        unit="K",
        message=f"the cell moves as at {cell.temperature_K:.3g} K"
        + (f": {frame_interval_ps:g} ps between frames seem to be in another unit" if wrong else ""),
    )


def _between_frames(recorded_K: FloatArray) -> FloatArray:
    between: FloatArray = 0.5 * (recorded_K[1:] + recorded_K[:-1])
    return between


def measure_free_flight_ratio(
    displacements_A: FloatArray,
    numbers: IntArray,
    *,
    masses_u: FloatArray,
    frame_interval_ps: float,
    temperature_K: float,
) -> Measurement:
    """Compare the mean squared step of each species with that of free flight at its thermal velocity.

    In equilibrium no species goes further, <|dr|^2> = (3 kT / m) 2 int_0^dt (dt - s) C(s) ds <= (3 kT / m) dt^2,
    because the normalised velocity autocorrelation C never exceeds one.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3), F >= 2.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        frame_interval_ps: as stated.
        temperature_K: of the run.
    """
    squared_steps = (np.diff(displacements_A, axis=0) ** 2).sum(axis=2)
    windows = max(1.0, len(squared_steps) * frame_interval_ps / TEMPERATURE_MEMORY_PS)
    pairs = []
    for number in np.unique(numbers):
        atoms = numbers == number
        mass_u = masses_u[atoms].mean()
        flight = 3 * BOLTZMANN_u_A2_PER_PS2_K * temperature_K / mass_u * frame_interval_ps**2
        limit = FREE_FLIGHT_LIMIT + FREE_FLIGHT_SIGMAS * float(np.sqrt(2 / (3 * atoms.sum() * windows)))
        weighted = squared_steps[:, atoms] * relative_masses(masses_u[atoms])
        pairs.append((float(weighted.mean() / flight), limit))
    ratio, limit = max(pairs, key=lambda pair: pair[0] / pair[1])
    return measurement_of(
        "free_flight_ratio",
        ratio,
        upper=limit,
        message=f"squared step {ratio:.2g} of free flight"
        + (": interval stated too short, positions wrapped, or too hot" if ratio > limit else ""),
    )


@dataclass(frozen=True)
class ReferenceTemperature:
    """Temperature that species are compared with.

    Attributes:
        kelvin: recorded kinetic temperature, or the set one.
        stderr: its relative standard error as a mean of this run; 0 for the recorded one.
        noise_fraction: fraction of it that the noise of a thermostat hides, see `ThermostatNoise`.
    """

    kelvin: float
    stderr: float
    noise_fraction: float

    def tolerance(self, species: SpeciesTemperature) -> float:
        """Return the relative amount by which a species may differ."""
        return VELOCITY_TOLERANCE + VELOCITY_SIGMAS * float(np.hypot(species.stderr, self.stderr))

    def least_ratio(self, species: SpeciesTemperature) -> float:
        """Return the least ratio of the species' temperature to this one."""
        return max(1 - self.tolerance(species) - species.unresolved - self.noise_fraction, LEAST_LIMIT)

    def well_known(self, species: Sequence[SpeciesTemperature]) -> Sequence[SpeciesTemperature]:
        """Return the species that scatter little; one or two atoms in a short run have no temperature to compare."""
        return [one for one in species if self.tolerance(one) <= LARGEST_TOLERANCE] or [
            min(species, key=self.tolerance)
        ]


def measure_species_temperatures(
    species: Sequence[SpeciesTemperature], *, mobile: int, reference: ReferenceTemperature
) -> list[Measurement]:
    """Compare the velocity temperatures of the species with the temperature of the run.

    The velocity temperature is a lower bound, so a species above the reference is wrong whichever it is: an interval
    stated too short, positions in a larger unit, or the name of a heavier species. A species whose motion the frames
    resolve is no colder either: where all are, the interval is stated too long; where one is, it bears the name of a
    lighter one.

    Args:
        species: their temperatures.
        mobile: atomic number of the mobile species, which must be resolved for the masses to be compared.
        reference: temperature of the run.

    Returns:
        `species_temperature` of the hottest species and, as far as the frames resolve the motion, `frame_interval`
        and `species_mass`.
    """
    measurements = [_hottest_species(species, reference)]
    resolved = [one for one in species if one.resolves_dynamics]
    if resolved:
        measurements.append(_frame_interval(resolved, reference))
    if any(one.number == mobile for one in resolved):
        measurements.append(_species_mass(resolved, reference))
    return measurements


def _hottest_species(species: Sequence[SpeciesTemperature], reference: ReferenceTemperature) -> Measurement:
    hottest = max(reference.well_known(species), key=lambda one: one.temperature_K / (1 + reference.tolerance(one)))
    ratio, upper = hottest.temperature_K / reference.kelvin, 1 + reference.tolerance(hottest)
    return measurement_of(
        "species_temperature",
        ratio,
        upper=upper,
        message=f"{chemical_symbols[hottest.number]} moves as at {hottest.temperature_K:.0f} K"
        + (f", not {reference.kelvin:.0f} K: wrong unit, interval or species" if ratio > upper else ""),
    )


def _frame_interval(resolved: Sequence[SpeciesTemperature], reference: ReferenceTemperature) -> Measurement:
    best = max(reference.well_known(resolved), key=lambda one: one.temperature_K / reference.least_ratio(one))
    ratio, lower = best.temperature_K / reference.kelvin, reference.least_ratio(best)
    factor = ratio**-0.5 if ratio > 0 else float("inf")
    return measurement_of(
        "frame_interval",
        ratio,
        lower=lower,
        message=f"{chemical_symbols[best.number]} moves as at {best.temperature_K:.0f} K"
        + (f": the interval seems {factor:.2f} times too long" if ratio < lower else ""),
    )


def _species_mass(resolved: Sequence[SpeciesTemperature], reference: ReferenceTemperature) -> Measurement:
    coldest = min(reference.well_known(resolved), key=lambda one: one.temperature_K / reference.least_ratio(one))
    ratio, lower = coldest.temperature_K / reference.kelvin, reference.least_ratio(coldest)
    name = chemical_symbols[coldest.number]
    heavier = float(f"{1 / ratio:.2g}") if ratio > 0 else float("inf")
    return measurement_of(
        "species_mass",
        ratio,
        lower=lower,
        message=f"{name} moves as at {coldest.temperature_K:.0f} K"
        + (f": {heavier:g} times as heavy as {name}, or in another unit" if 0 < ratio < lower else ""),
    )


def mass_fault(numbers: IntArray, masses_u: FloatArray, *, cell_masses_u: FloatArray | None = None) -> str | None:
    """Return how the masses of a run differ from those of its cell; None where none does by 3 %.

    Isotopes, and masses moved from heavy to light atoms for longer time steps, have a diffusivity of their own.

    Args:
        numbers: atomic numbers, shape (N,).
        masses_u: of the run, shape (N,).
        cell_masses_u: of the cell, shape (N,); None for the standard weights of the elements.
    """
    ratios = masses_u / (standard_masses_u(numbers) if cell_masses_u is None else cell_masses_u)
    atom = int(np.abs(np.log(ratios)).argmax())
    if abs(ratios[atom] - 1) <= MASS_TOLERANCE:
        return None
    name = chemical_symbols[numbers[atom]]
    return f"{name} of {masses_u[atom]:.4g} u is {ratios[atom]:.3g} times as heavy as " + (
        f"{name} is: this diffusivity is not the natural element's"
        if cell_masses_u is None
        else "in the cell of the label"
    )
