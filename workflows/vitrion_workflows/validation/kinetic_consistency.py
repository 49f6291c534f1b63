"""Gates on motion by equipartition: species and cell move as the temperatures and masses that are stated demand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.constants import COLDEST_K, HOTTEST_K
from vitrion_models.system import FloatArray
from vitrion_workflows.schemas.gate import GateOutcome, gate_of
from vitrion_workflows.validation.equilibration import change_stderr, relative_change
from vitrion_workflows.validation.temperature import Kicks
from vitrion_workflows.validation.velocity_temperature import (
    UNSEEN_PER_SQUARED_ROUGHNESS,
    CellTemperature,
    SpeciesTemperature,
    ThermalMotion,
    ratio_stderr,
)

# Numerical error of the thermometer where it sees all of the motion; scatter is allowed for on top.
THERMOMETER_TOLERANCE = 0.01
THERMOMETER_SIGMAS = 3.5
# A species that scatters by its whole temperature has to have some.
LEAST_LIMIT = 1e-3
# Of a species among others that scatter less.
LARGEST_SCATTER = 0.4
# Of the whole cell, 0.3 % where all atoms are counted in the same frames. Where stretches are left out the rest has a
# temperature of its own, which wanders about the cell's by 1 to 2 %; so much is allowed at most: half of a tenth.
CELL_TOLERANCE, CELL_SIGMAS, CELL_SCATTER_AT_MOST = 0.03, 3.0, 0.05
# What may escape where recorded temperatures are to be judged; an error of a tenth shows beyond it and the tolerance.
LARGEST_UNSEEN = 0.05
LEAST_RECORDED = 1 - CELL_TOLERANCE - LARGEST_UNSEEN
# Parts of a run whose motion is compared with their recorded temperatures, and what the ratio may change by.
PARTS = 8
COURSE_TOLERANCE, COURSE_SIGMAS = 0.05, 4.0


def velocity_gates(
    found: Sequence[SpeciesTemperature], *, mobile: int, reference_K: float, stderr: float, hidden: float
) -> list[GateOutcome]:
    """Whether positions move as fast as their temperature and masses demand.

    The thermometer never reads too much, so a species above the reference is a fault whichever it is: an interval
    stated too short, positions in a larger unit, or a lighter species in its place. Where one is seen whole, it is no
    colder either: where all are, the interval is stated too long, where one is, it bears the name of a lighter one.

    Args:
        found: temperatures of the species.
        mobile: atomic number of the mobile species, which has to be seen whole for the names to be judged.
        reference_K: recorded kinetic temperature, or the set one.
        stderr: relative standard error of the reference as a mean of this run; 0 for the recorded one.
        hidden: share that the kicks of a thermostat hide, see `Kicks`.

    Returns:
        The gate on the hottest species, and as far as they can be told those on the frame interval and the names.
    """
    reference = _Reference(reference_K, stderr, hidden)
    made = [_hottest_gate(found, reference)]
    telling = [one for one in found if one.telling]
    if telling:
        made.append(_interval_gate(telling, reference))
    if any(one.number == mobile for one in telling):
        made.append(_mass_gate(telling, reference))
    return made


@dataclass(frozen=True)
class _Reference:
    """What the temperatures of species are held against, its relative standard error, and what kicks hide of them."""

    kelvin: float
    stderr: float
    hidden: float

    def scatter(self, one: SpeciesTemperature) -> float:
        return THERMOMETER_TOLERANCE + THERMOMETER_SIGMAS * float(np.hypot(one.stderr, self.stderr))

    def coldest(self, one: SpeciesTemperature) -> float:
        return max(1 - self.scatter(one) - one.unseen - self.hidden, LEAST_LIMIT)

    def sharpest(self, among: Sequence[SpeciesTemperature]) -> Sequence[SpeciesTemperature]:
        # One or two atoms, in a short run, have no temperature that would tell anything.
        return [one for one in among if self.scatter(one) <= LARGEST_SCATTER] or [min(among, key=self.scatter)]


def _hottest_gate(found: Sequence[SpeciesTemperature], reference: _Reference) -> GateOutcome:
    hottest = max(reference.sharpest(found), key=lambda one: one.temperature_K / (1 + reference.scatter(one)))
    ratio, upper = hottest.temperature_K / reference.kelvin, 1 + reference.scatter(hottest)
    return gate_of(
        "species_temperature",
        ratio,
        upper=upper,
        message=f"{chemical_symbols[hottest.number]} moves as at {hottest.temperature_K:.0f} K"
        + (f", not {reference.kelvin:.0f} K: wrong unit, interval or species" if ratio > upper else ""),
    )


def _interval_gate(telling: Sequence[SpeciesTemperature], reference: _Reference) -> GateOutcome:
    best = max(reference.sharpest(telling), key=lambda one: one.temperature_K / reference.coldest(one))
    ratio, lower = best.temperature_K / reference.kelvin, reference.coldest(best)
    seems = ratio**-0.5 if ratio > 0 else float("inf")
    return gate_of(
        "frame_interval",
        ratio,
        lower=lower,
        message=f"{chemical_symbols[best.number]} moves as at {best.temperature_K:.0f} K"
        + (f": the interval seems {seems:.2f} times too long" if ratio < lower else ""),
    )


def _mass_gate(telling: Sequence[SpeciesTemperature], reference: _Reference) -> GateOutcome:
    worst = min(reference.sharpest(telling), key=lambda one: one.temperature_K / reference.coldest(one))
    ratio, lower = worst.temperature_K / reference.kelvin, reference.coldest(worst)
    name = chemical_symbols[worst.number]
    return gate_of(
        "species_mass",
        ratio,
        lower=lower,
        message=f"{name} moves as at {worst.temperature_K:.0f} K"
        + (f": {ratio**-1:.2g} times as heavy as {name}, or in another unit" if 0 < ratio < lower else ""),
    )


def recorded_gate(motion: ThermalMotion, recorded_K: FloatArray, *, kicks: Kicks) -> GateOutcome | None:
    """Whether the recorded temperatures are those of the recorded motion.

    Args:
        motion: as the positions show it.
        recorded_K: of the same frames, shape (F,).
        kicks: of the thermostat, or of a usual one where it is not known.

    Returns:
        The gate, or None where so much may escape that an error of a tenth would, too, and nothing is too hot.
    """
    seen, mean_K = motion.cell, float(recorded_K.mean())
    ratio = seen.temperature_K / mean_K
    # The same atoms have the same kinetic energy: a record that differs then is not of this motion.
    scatter = 0.0 if motion.whole else ratio_stderr(motion.course, _between(recorded_K))
    allowed = min(float(np.hypot(CELL_TOLERANCE, CELL_SIGMAS * scatter)), CELL_SCATTER_AT_MOST)
    unseen = None if seen.unseen is None else seen.unseen + kicks.share
    judged = unseen is not None and unseen <= LARGEST_UNSEEN
    if not judged and ratio <= 1 + allowed:
        return None
    lower = max(1 - allowed - unseen, LEAST_RECORDED) if unseen is not None and judged else None
    return gate_of(
        "recorded_temperature",
        ratio,
        lower=lower,
        upper=1 + allowed,
        message=f"the cell moves as at {seen.temperature_K:.0f} K{'' if judged else ' or more'}, "
        f"{mean_K:.0f} K are recorded"
        + ("" if kicks.stated or not judged else f" (thermostat unknown: a Langevin one may hide {kicks.share:.1%})"),
    )


def _between(recorded_K: FloatArray) -> FloatArray:
    between: FloatArray = 0.5 * (recorded_K[1:] + recorded_K[:-1])
    return between


def possible_gate(seen: CellTemperature, *, frame_interval_ps: float) -> GateOutcome:
    """Whether a run of which no temperature is known moves as matter does at any.

    The thermometer never reads too much; too little only where motion is rough at the frames' own scale, which does not
    depend on what the interval is believed to be.

    Args:
        seen: from the positions.
        frame_interval_ps: as stated.
    """
    smooth = UNSEEN_PER_SQUARED_ROUGHNESS * seen.roughness**2 <= LARGEST_UNSEEN
    wrong = seen.temperature_K > HOTTEST_K or (smooth and seen.temperature_K < COLDEST_K)
    return gate_of(
        "possible_temperature",
        seen.temperature_K,
        lower=COLDEST_K if smooth else None,
        upper=HOTTEST_K,
        unit="K",
        message=f"the cell moves as at {seen.temperature_K:.3g} K"
        + (f": {frame_interval_ps:g} ps between frames seem to be in another unit" if wrong else ""),
    )


def course_gate(motion: ThermalMotion, recorded_K: FloatArray) -> GateOutcome | None:
    """Whether recorded temperatures follow the motion through the run: their ratio does not rise or fall.

    Args:
        motion: as the positions show it.
        recorded_K: temperature of each frame, shape (F,).

    Returns:
        The gate, or None where frames are too few.
    """
    if len(motion.course) < PARTS * PARTS:
        return None
    parts = [
        float(np.mean(moved) / np.mean(said))
        for moved, said in zip(
            np.array_split(motion.course, PARTS), np.array_split(_between(recorded_K), PARTS), strict=True
        )
    ]
    change, left = relative_change(np.array(parts))
    error = float(left.std(ddof=2)) * change_stderr(PARTS)
    limit = COURSE_TOLERANCE + COURSE_SIGMAS * error
    return gate_of(
        "recorded_course",
        change / limit,
        lower=-1.0,
        upper=1.0,
        message=f"motion over recorded temperature changes by {change:+.1%} in the run, allowed {limit:.1%}",
    )
