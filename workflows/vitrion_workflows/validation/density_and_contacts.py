"""Density and closest pair of a cell, and the measurements that compare them: too dilute, overlapping, expanding."""

from collections import Counter

import numpy as np
from ase.data import chemical_symbols, covalent_radii

from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3
from vitrion_models.graphs import neighbour_list
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.validation.equilibration import change_stderr, relative_change, statistical_inefficiency

# A volume may change by the first in any case, and by the second however large its fluctuations are.
VOLUME_CHANGES, VOLUME_SIGMAS = (0.03, 0.05), 3.5
# Volume over the estimate for the solid: hydroxides 0.4 (their ions overlap), melts at 2500 K twice; a gas 10 and more.
VOLUME_RATIOS = (0.3, 4.0)
# Shortest distance over the sum of covalent radii: 0.70 and more in melts at 2500 K.
LEAST_CONTACT = 0.45
# Over the largest covalent radius. Atoms that touch lie within the first; the second is for ionic crystals.
REACHES = (2.0, 2.5)
NO_CONTACT = f"no two atoms within {REACHES[-1]:g} times the largest covalent radius"


def density_g_cm3(system: AtomicSystem) -> float:
    """Return the mass density in g/cm3."""
    return float(system.masses_u.sum() / system.volume_A3 * U_PER_A3_IN_G_PER_CM3)


def closest_pair(system: AtomicSystem) -> tuple[float, float, str]:
    """Find the pair of atoms with the least distance relative to its covalent radii.

    Returns:
        Distance over the sum of covalent radii (Cordero et al., 2008), distance in Angstrom, and the elements of the
        pair; infinite ratio and distance where no two atoms lie within 2.5 times the largest radius.
    """
    radii = covalent_radii[system.numbers]
    for reach in REACHES:
        pairs = neighbour_list(system, reach * float(radii.max()))
        if len(pairs):
            break
    else:
        return float("inf"), float("inf"), "no pair"
    ratios = pairs.distances_A / radii[pairs.edge_index].sum(axis=0)
    worst = int(ratios.argmin())
    names = sorted(chemical_symbols[number] for number in system.numbers[pairs.edge_index[:, worst]])
    return float(ratios[worst]), float(pairs.distances_A[worst]), "-".join(names)


def measure_density(system: AtomicSystem) -> Measurement:
    """Compare the volume of an atom with that of the solid by ionic radii."""
    from pymatgen.core.composition import Composition  # noqa: PLC0415 - slow to import

    from vitrion_workflows.structure.volume_estimate import estimate_from_composition  # noqa: PLC0415

    composition = Composition(Counter(chemical_symbols[number] for number in sorted(system.numbers.tolist())))
    volume = system.volume_A3 / len(system)
    solid = estimate_from_composition(composition).volume_A3_per_atom
    return measurement_of(
        "density",
        volume,
        lower=VOLUME_RATIOS[0] * solid,
        upper=VOLUME_RATIOS[1] * solid,
        unit="A3/atom",
        message=f"{volume:.3g} A3 an atom, {volume / solid:.2g} times the solid's",
    )


def measure_closest_contact(system: AtomicSystem) -> Measurement:
    """Compare the closest pair of atoms with the sum of its covalent radii."""
    ratio, distance, name = closest_pair(system)
    if not np.isfinite(ratio):
        # Whether such a cell is too dilute is for the density to decide.
        return Measurement(name="closest_contact", passed=True, message=NO_CONTACT)
    return measurement_of(
        "closest_contact",
        ratio,
        lower=LEAST_CONTACT,
        message=f"closest pair {name} at {distance:.2f} A, {ratio:.2f} of its covalent radii",
    )


def measure_volume_change(volumes_A3: FloatArray) -> Measurement:
    """Test whether the volume of a cell at constant pressure goes on changing: such a run has no D.

    A straight line is fitted to the volumes; its error is that of the residuals, correlated as they are.

    Args:
        volumes_A3: of the frames, shape (F,), less at most a quarter as equilibration: a drift looks like a long one.
    """
    change, residuals = relative_change(volumes_A3)
    correlated = float(residuals.std() * np.sqrt(statistical_inefficiency(residuals)))
    limit = float(np.clip(VOLUME_SIGMAS * correlated * change_stderr(len(volumes_A3)), *VOLUME_CHANGES))
    return measurement_of(
        "volume_change",
        change / limit,
        lower=-1.0,
        upper=1.0,
        message=f"the cell's volume changes by {change:+z.1%} over the run, allowed {limit:.1%}",
    )
