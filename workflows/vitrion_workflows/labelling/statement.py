"""What a stated number may be: unit, convention, size, and intervals that hold it."""

from collections.abc import Iterator

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, COLDEST_K, HOTTEST_K, BOLTZMANN_u_A2_PER_PS2_K
from vitrion_workflows.schemas.label import Convention

TRACER_DIFFUSIVITY = "tracer_diffusivity"
IONIC_CONDUCTIVITY = "ionic_conductivity"
UNITS = {TRACER_DIFFUSIVITY: "cm2/s", IONIC_CONDUCTIVITY: "S/cm"}
CONVENTIONS = {TRACER_DIFFUSIVITY: Convention.EINSTEIN_3D.value, IONIC_CONDUCTIVITY: "as_published"}
# Half the 68 % interval in decades over the stated standard error: a gamma's skewness and rounding leave more room.
STDERR_RATIOS = (0.6, 1.6)
TWO_SIDED_95 = 1.96
# Ions of condensed matter forget their velocity within so long: the greatest diffusivity is k_B T / m times this.
LONGEST_MEMORY_PS = 0.3
LARGEST_CONDUCTIVITY_S_PER_CM = 100.0


def largest_diffusivity_cm2_per_s(species: str, temperature_K: float) -> float:
    """What no ion of condensed matter exceeds: k_B T / m times the longest memory of a velocity."""
    thermal = BOLTZMANN_u_A2_PER_PS2_K * temperature_K / atomic_masses[atomic_numbers[species]]
    return float(thermal * LONGEST_MEMORY_PS * A2_PER_PS_IN_CM2_PER_S)


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
    """What is wrong with a number by its unit, convention, size and intervals, however it was made.

    Args:
        property_name: ``tracer_diffusivity`` or ``ionic_conductivity``.
        species: mobile species.
        temperature_K: of the measurement.
        value: in `unit`; the bound of a censored label.
        unit: as stored.
        convention: of a diffusivity ``einstein_3d``, of a conductivity ``as_published``.
        interval_68: where known.
        interval_95: where known.
        log10_stderr: in decades, where known.
    """
    if property_name not in UNITS:
        return [f"property {property_name!r} is none of {', '.join(UNITS)}"]
    if atomic_numbers.get(species, 0) < 1:
        return [f"species {species!r} is no element"]
    found = []
    if not COLDEST_K <= temperature_K <= HOTTEST_K:
        found.append(f"temperature {temperature_K:g} K is not one of {COLDEST_K:g} to {HOTTEST_K:g}")
    if unit != UNITS[property_name]:
        found.append(f"unit {unit!r} where {property_name} is stored in {UNITS[property_name]}")
    if convention != (known := CONVENTIONS[property_name]):
        found.append(f"convention {convention!r} where {property_name} is stored as {known}")
    if value is None or not (np.isfinite(value) and value > 0):
        return [*found, f"value {value} is no positive number"]
    largest = {
        TRACER_DIFFUSIVITY: largest_diffusivity_cm2_per_s(species, temperature_K),
        IONIC_CONDUCTIVITY: LARGEST_CONDUCTIVITY_S_PER_CM,
    }[property_name]
    if value > largest:
        found.append(
            f"value {value:.3g} {unit} is above what {species} can reach at {temperature_K:g} K ({largest:.2g})"
        )
    return found + list(_interval_faults(value, interval_68, interval_95, log10_stderr))


def _interval_faults(
    value: float,
    narrow: tuple[float, float] | None,
    wide: tuple[float, float] | None,
    log10_stderr: float | None,
) -> Iterator[str]:
    for name, bounds in (("68 %", narrow), ("95 %", wide)):
        if bounds is not None and not 0 < bounds[0] <= value <= bounds[1]:
            yield f"its {name} interval {bounds[0]:.3g} to {bounds[1]:.3g} does not hold its value {value:.3g}"
    if narrow and wide and not wide[0] <= narrow[0] <= narrow[1] <= wide[1]:
        yield "its 95 % interval does not hold its 68 % interval"
    if log10_stderr is None:
        return
    if not (np.isfinite(log10_stderr) and log10_stderr > 0):
        yield f"its standard error {log10_stderr} is no positive number"
        return
    for name, bounds, deviations in (("68 %", narrow, 1.0), ("95 %", wide, TWO_SIDED_95)):
        if bounds is None or not 0 < bounds[0] < bounds[1]:
            continue
        half = 0.5 * float(np.log10(bounds[1] / bounds[0]))
        if not STDERR_RATIOS[0] <= half / deviations / log10_stderr <= STDERR_RATIOS[1]:
            yield f"its {name} interval is +-{half:.3f} decades wide, its standard error {log10_stderr:.3f}"
