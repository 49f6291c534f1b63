"""Closest pair and density of a cell."""

from ase.data import atomic_masses, chemical_symbols, covalent_radii

from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3
from vitrion_models.graphs import neighbour_list
from vitrion_models.system import AtomicSystem


def density_g_cm3(system: AtomicSystem) -> float:
    """Return the mass density in g/cm3."""
    return float(atomic_masses[system.numbers].sum() / system.volume_A3 * U_PER_A3_IN_G_PER_CM3)


def closest_pair(system: AtomicSystem) -> tuple[float, float, str]:
    """Find the pair of atoms with the least distance relative to its covalent radii.

    Returns:
        Distance over the sum of covalent radii (Cordero et al., 2008), distance in Angstrom, and the elements of the
        pair; infinite ratio and distance where no two atoms lie within twice the largest radius.
    """
    radii = covalent_radii[system.numbers]
    pairs = neighbour_list(system, 2.0 * float(radii.max()))
    if not len(pairs):
        return float("inf"), float("inf"), "no pair"
    ratios = pairs.distances_A / radii[pairs.edge_index].sum(axis=0)
    worst = int(ratios.argmin())
    names = sorted(chemical_symbols[number] for number in system.numbers[pairs.edge_index[:, worst]])
    return float(ratios[worst]), float(pairs.distances_A[worst]), "-".join(names)
