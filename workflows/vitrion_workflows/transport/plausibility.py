"""Gates on what a trajectory claims to be: temperatures of its species, its density, and how near its atoms are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_masses, chemical_symbols
from scipy import stats

from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_workflows.schemas.gate import GateOutcome, gate_of
from vitrion_workflows.transport.equilibration import change_stderr, relative_change, statistical_inefficiency
from vitrion_workflows.transport.frames import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_workflows.transport.statement import COLDEST_K, HOTTEST_K
from vitrion_workflows.transport.temperature import Kicks
from vitrion_workflows.transport.thermometer import (
    UNSEEN_PER_SQUARED_ROUGHNESS,
    CellTemperature,
    SpeciesTemperature,
)

# Numerical error of the thermometer where it sees all of the motion; scatter is allowed for on top.
THERMOMETER_TOLERANCE = 0.01
THERMOMETER_SIGMAS = 3.5
# A species that scatters by its whole temperature has to have some.
LEAST_LIMIT = 1e-3
# Of a species among others that scatter less.
LARGEST_SCATTER = 0.4
# Of the whole cell, in percent 0.6 on 80 melts: the same atoms in the same frames have the same kinetic energy.
CELL_TOLERANCE = 0.03
# What may escape where recorded temperatures are to be judged: an error of a tenth then shows on either side.
LARGEST_UNSEEN = 0.05
# Parts of a run whose motion is compared with their recorded temperatures, and what the ratio may change by.
PARTS = 8
COURSE_TOLERANCE, COURSE_SIGMAS = 0.05, 4.0
# One run in a thousand may be suspected wrongly. Instants within an interval at which an atom may be fastest, and by
# how much the run's own temperature may exceed its mean.
FALSE_ALARM, INSTANTS, FLIGHT_TOLERANCE = 1e-3, 10, 0.1
# A volume that is said to stand still changes by less than the first whatever its scatter, and never by the second.
VOLUME_CHANGES, VOLUME_SIGMAS = (0.03, 0.05), 3.5
# Atoms of a run against their elements' standard weights: D goes as the root.
MASS_TOLERANCE = 0.03
# Volume over the estimate for the solid: hydroxides 0.4 (their ions overlap), melts at 2500 K twice; a gas 10 and more.
VOLUME_RATIOS = (0.3, 4.0)
# Shortest distance over the sum of covalent radii: 0.70 and more in melts at 2500 K.
LEAST_CONTACT = 0.45


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


def recorded_gate(seen: CellTemperature, *, recorded_K: float, kicks: Kicks) -> GateOutcome | None:
    """Whether the recorded temperatures are those of the recorded motion.

    Args:
        seen: from the positions.
        recorded_K: mean of the same frames.
        kicks: of the thermostat, or of a usual one where it is not known.

    Returns:
        The gate, or None where so much may escape that an error of a tenth would, too, and nothing is too hot.
    """
    ratio = seen.temperature_K / recorded_K
    unseen = None if seen.unseen is None else seen.unseen + kicks.share
    judged = unseen is not None and unseen <= LARGEST_UNSEEN
    if not judged and ratio <= 1 + CELL_TOLERANCE:
        return None
    return gate_of(
        "recorded_temperature",
        ratio,
        lower=1 - CELL_TOLERANCE - unseen if unseen is not None and judged else None,
        upper=1 + CELL_TOLERANCE,
        message=f"the cell moves as at {seen.temperature_K:.0f} K{'' if judged else ' or more'}, "
        f"{recorded_K:.0f} K are recorded"
        + ("" if kicks.stated or not judged else f" (thermostat unknown: a Langevin one may hide {kicks.share:.1%})"),
    )


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


def course_gate(kinetic: FloatArray, recorded_K: FloatArray) -> GateOutcome | None:
    """Whether recorded temperatures follow the motion through the run: their ratio does not rise or fall.

    Args:
        kinetic: kinetic energy of the steps in any unit, shape (F - 1,).
        recorded_K: temperature of each frame, shape (F,).

    Returns:
        The gate, or None where frames are too few.
    """
    between = 0.5 * (recorded_K[1:] + recorded_K[:-1])
    if len(kinetic) < PARTS * PARTS:
        return None
    parts = [
        float(np.mean(motion) / np.mean(said))
        for motion, said in zip(np.array_split(kinetic, PARTS), np.array_split(between, PARTS), strict=True)
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


def free_flight_limit(atoms: int, *, steps: int) -> float:
    """Longest step in units of sqrt(k_B T / m) dt that one run in a thousand exceeds.

    A step is the mean velocity of one interval, whose every component is no wider spread than the velocity's own:
    speeds follow Maxwell's distribution (chi, three degrees of freedom). So many instants are drawn as there are atoms
    and steps, and ten times more, for the frames see one phase of each interval only.

    Args:
        atoms: of the cell.
        steps: between frames.
    """
    draws = INSTANTS * atoms * steps
    return float(stats.chi.isf(FALSE_ALARM / draws, 3) * np.sqrt(1 + FLIGHT_TOLERANCE))


def free_flight_gate(
    displacements_A: FloatArray,
    numbers: IntArray,
    *,
    masses_u: FloatArray,
    frame_interval_ps: float,
    temperature_K: float,
) -> GateOutcome:
    """Whether no single atom goes further in one frame than any thermal velocity carries it.

    Means over atoms hide one ion whose image was lost: it jumps by a cell vector, once.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3), F >= 2.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        frame_interval_ps: as stated.
        temperature_K: of the run.
    """
    steps = np.diff(displacements_A, axis=0)
    longest = np.sqrt(np.einsum("fni,fni->fn", steps, steps).max(axis=0))
    speeds = np.sqrt(BOLTZMANN_u_A2_PER_PS2_K * temperature_K / masses_u)
    ratios = longest / (speeds * frame_interval_ps)
    atom = int(ratios.argmax())
    limit = free_flight_limit(len(numbers), steps=len(steps))
    name = chemical_symbols[numbers[atom]]
    return gate_of(
        "free_flight",
        float(ratios[atom]),
        upper=limit,
        message=f"longest step {longest[atom]:.2g} A, of {name}, {ratios[atom]:.1f} thermal speeds"
        + (f": atom {atom} jumps, its path is not whole" if ratios[atom] > limit else ""),
    )


def volume_gate(volumes_A3: FloatArray) -> GateOutcome:
    """Whether the cell of a run at constant pressure keeps its size: a volume that goes on changing has no D.

    A straight line through the volumes; its own error is that of what it leaves, correlated as that is.

    Args:
        volumes_A3: of the frames, less at most a quarter as equilibration, since a drift looks like a long one; (F,).
    """
    change, left = relative_change(volumes_A3)
    error = float(left.std() * np.sqrt(statistical_inefficiency(left))) * change_stderr(len(volumes_A3))
    limit = float(np.clip(VOLUME_SIGMAS * error, *VOLUME_CHANGES))
    return gate_of(
        "volume",
        change / limit,
        lower=-1.0,
        upper=1.0,
        message=f"the cell's volume changes by {change:+.1%} over the run, allowed {limit:.1%}",
    )


def foreign_masses(numbers: IntArray, masses_u: FloatArray) -> str | None:
    """What is said of atoms that do not weigh what their elements do; None where all do.

    Isotopes, and masses that were moved from heavy to light atoms for longer steps, have a diffusivity of their own.

    Args:
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
    """
    ratios = masses_u / atomic_masses[numbers]
    atom = int(np.abs(np.log(ratios)).argmax())
    if abs(ratios[atom] - 1) <= MASS_TOLERANCE:
        return None
    name = chemical_symbols[numbers[atom]]
    return (
        f"{name} of {masses_u[atom]:.4g} u is {ratios[atom]:.3g} times as heavy as {name} is: "
        "this D is not the natural element's"
    )


def density_gate(system: AtomicSystem) -> GateOutcome:
    """Whether the atoms have the room of condensed matter, against the volume of the solid by ionic radii."""
    from vitrion_workflows.amorphous.estimate import estimate_volume  # noqa: PLC0415 - pymatgen is slow to import

    amounts = Counter(system.numbers.tolist())
    formula = " ".join(f"{chemical_symbols[number]}{count}" for number, count in sorted(amounts.items()))
    volume = system.volume_A3 / len(system)
    solid = estimate_volume(formula).volume_A3_per_atom
    return gate_of(
        "density",
        volume,
        lower=VOLUME_RATIOS[0] * solid,
        upper=VOLUME_RATIOS[1] * solid,
        unit="A3/atom",
        message=f"{volume:.3g} A3 an atom, {volume / solid:.2g} times the solid's",
    )


def contact_gate(system: AtomicSystem) -> GateOutcome:
    """Whether no two atoms of the first frame are nearer to each other than any potential lets them come."""
    from vitrion_workflows.amorphous.gates import closest_pair  # noqa: PLC0415 - pymatgen is slow to import

    ratio, distance, name = closest_pair(system)
    # Nothing near anything is the density gate's business.
    value = min(ratio, 9.99)
    return gate_of(
        "contact",
        value,
        lower=LEAST_CONTACT,
        message=f"closest pair {name} at {distance:.2f} A, {value:.2f} of its covalent radii",
    )
