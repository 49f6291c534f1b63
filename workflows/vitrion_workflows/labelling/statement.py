"""Checks of a stated diffusivity or conductivity: unit, convention, size and intervals."""

from collections.abc import Iterator

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, COLDEST_K, HOTTEST_K, Z_95, BOLTZMANN_u_A2_PER_PS2_K
from vitrion_workflows.schemas.label import Convention, LabelFields, LabelState

TRACER_DIFFUSIVITY = "tracer_diffusivity"
IONIC_CONDUCTIVITY = "ionic_conductivity"
UNITS = {TRACER_DIFFUSIVITY: "cm2/s", IONIC_CONDUCTIVITY: "S/cm"}
CONVENTIONS = {TRACER_DIFFUSIVITY: Convention.EINSTEIN_3D.value, IONIC_CONDUCTIVITY: "as_published"}
# Half the 68 % interval in decades over the stated standard error: a gamma's skewness and rounding leave more room.
STDERR_RATIOS = (0.6, 1.6)
# Velocities of ions in condensed matter decorrelate within this time: the greatest diffusivity is k_B T / m times it.
LONGEST_MEMORY_PS = 0.3
LARGEST_CONDUCTIVITY_S_PER_CM = 100.0


def largest_diffusivity_cm2_per_s(species: str, temperature_K: float) -> float:
    """Return the greatest diffusivity of an ion in condensed matter, k_B T / m times the longest velocity memory."""
    thermal = BOLTZMANN_u_A2_PER_PS2_K * temperature_K / atomic_masses[atomic_numbers[species]]
    return float(thermal * LONGEST_MEMORY_PS * A2_PER_PS_IN_CM2_PER_S)


def label_faults(label: LabelFields) -> list[str]:
    """Return the faults of a label's unit, convention, size and intervals; of a rejected one unit and convention."""
    if label.state is LabelState.REJECTED:
        return convention_faults(property_name=label.property, unit=label.unit, convention=str(label.convention))
    return stated_faults(
        property_name=label.property,
        species=label.species,
        temperature_K=label.temperature_K,
        value=label.value,
        unit=label.unit,
        convention=str(label.convention),
        interval_68=label.interval_68,
        interval_95=label.interval_95,
        log10_stderr=label.log10_stderr,
    )


def stated_faults(
    *,
    property_name: str,
    species: str,
    temperature_K: float,
    value: float | None,
    unit: str,
    convention: str | None,
    interval_68: tuple[float, float] | None = None,
    interval_95: tuple[float, float] | None = None,
    log10_stderr: float | None = None,
) -> list[str]:
    """Return the faults of a number in unit, convention, size and intervals, however it was made; empty if none.

    Args:
        property_name: ``tracer_diffusivity`` or ``ionic_conductivity``.
        species: mobile species.
        temperature_K: of the measurement.
        value: in `unit`; the bound of a censored label.
        unit: as stored.
        convention: of a diffusivity ``einstein_3d``, of a conductivity ``as_published``.
        interval_68: in `unit`, or None.
        interval_95: in `unit`, or None.
        log10_stderr: in decades, or None.
    """
    faults = convention_faults(property_name=property_name, unit=unit, convention=convention)
    if property_name not in UNITS:
        return faults
    if atomic_numbers.get(species, 0) < 1:
        return [f"species {species!r} is not an element"]
    if not COLDEST_K <= temperature_K <= HOTTEST_K:
        faults.append(f"temperature {temperature_K:g} K is outside {COLDEST_K:g} to {HOTTEST_K:g} K")
    if value is None or not (np.isfinite(value) and value > 0):
        return [*faults, f"value {value} is not a positive number"]
    largest = {
        TRACER_DIFFUSIVITY: largest_diffusivity_cm2_per_s(species, temperature_K),
        IONIC_CONDUCTIVITY: LARGEST_CONDUCTIVITY_S_PER_CM,
    }[property_name]
    if value > largest:
        faults.append(
            f"value {value:.3g} {unit} is above what {species} can reach at {temperature_K:g} K ({largest:.2g})"
        )
    return faults + list(_interval_faults(value, interval_68, interval_95, log10_stderr))


def convention_faults(*, property_name: str, unit: str, convention: str | None) -> list[str]:
    """Return the faults of a property's unit and convention; empty if none."""
    if property_name not in UNITS:
        return [f"property {property_name!r} is unknown: give {' or '.join(UNITS)}"]
    faults = []
    if unit != UNITS[property_name]:
        faults.append(f"unit {unit!r} where {property_name} is stored in {UNITS[property_name]}")
    if convention != CONVENTIONS[property_name]:
        faults.append(f"convention {convention!r} where {property_name} is stored as {CONVENTIONS[property_name]}")
    return faults


def _interval_faults(
    value: float,
    interval_68: tuple[float, float] | None,
    interval_95: tuple[float, float] | None,
    log10_stderr: float | None,
) -> Iterator[str]:
    for name, bounds in (("68 %", interval_68), ("95 %", interval_95)):
        if bounds is not None and not 0 < bounds[0] <= value <= bounds[1]:
            yield f"its {name} interval {bounds[0]:.3g} to {bounds[1]:.3g} does not contain its value {value:.3g}"
    if interval_68 and interval_95 and not interval_95[0] <= interval_68[0] <= interval_68[1] <= interval_95[1]:
        yield "its 95 % interval does not contain its 68 % interval"
    if log10_stderr is None:
        return
    if not (np.isfinite(log10_stderr) and log10_stderr > 0):
        yield f"its standard error {log10_stderr} is not a positive number"
        return
    for name, bounds, deviations in (("68 %", interval_68, 1.0), ("95 %", interval_95, Z_95)):
        if bounds is None or not 0 < bounds[0] < bounds[1]:
            continue
        half = 0.5 * float(np.log10(bounds[1] / bounds[0]))
        if not STDERR_RATIOS[0] <= half / deviations / log10_stderr <= STDERR_RATIOS[1]:
            yield f"its {name} interval is +-{half:.3f} decades wide, its standard error {log10_stderr:.3f}"
