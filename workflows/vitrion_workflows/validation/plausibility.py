"""Gates on what a trajectory claims to be made of: its steps, its atoms and their weights, its cell and their room."""

from collections import Counter

import numpy as np
from ase.data import atomic_masses, chemical_symbols
from scipy import stats

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_workflows.schemas.gate import GateOutcome, gate_of
from vitrion_workflows.validation.equilibration import change_stderr, relative_change, statistical_inefficiency

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
    from vitrion_workflows.structure.volume_estimate import estimate_volume  # noqa: PLC0415 - pymatgen is slow to import

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
    from vitrion_workflows.structure.contacts import closest_pair  # noqa: PLC0415 - pymatgen is slow to import

    ratio, distance, name = closest_pair(system)
    # Nothing near anything is the density gate's business.
    value = min(ratio, 9.99)
    return gate_of(
        "contact",
        value,
        lower=LEAST_CONTACT,
        message=f"closest pair {name} at {distance:.2f} A, {value:.2f} of its covalent radii",
    )
