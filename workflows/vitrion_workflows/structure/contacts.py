"""Closest pair and density of a cell."""

from ase.data import atomic_masses, chemical_symbols, covalent_radii

from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3
from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous.neighbours import pairs_within


def density_g_cm3(system: AtomicSystem) -> float:
    """Mass density."""
    return float(atomic_masses[system.numbers].sum() / system.volume_A3 * U_PER_A3_IN_G_PER_CM3)


def closest_pair(system: AtomicSystem) -> tuple[float, float, str]:
    """The pair that overlaps most.

    Returns:
        Distance over the sum of covalent radii, distance in Angstrom, and the pair's name; infinite ratio and
        distance where no two atoms come within twice the largest radius.
    """
    radii = covalent_radii[system.numbers]
    pairs = pairs_within(system, 2.0 * float(radii.max()))
    if not len(pairs.first):
        return float("inf"), float("inf"), "no pair"
    ratios = pairs.distances_A / (radii[pairs.first] + radii[pairs.second])
    worst = int(ratios.argmin())
    names = sorted(chemical_symbols[system.numbers[index]] for index in (pairs.first[worst], pairs.second[worst]))
    return float(ratios[worst]), float(pairs.distances_A[worst]), "-".join(names)
