"""Closest pair and density of a cell."""

from ase.data import atomic_masses, chemical_symbols, covalent_radii

from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3
from vitrion_models.graphs import neighbour_list
from vitrion_models.system import AtomicSystem

# Over the largest covalent radius. Atoms that touch lie within the first; the second is for ionic crystals.
REACHES = (2.0, 2.5)
NO_CONTACT = f"no two atoms within {REACHES[-1]:g} times the largest covalent radius"


def density_g_cm3(system: AtomicSystem) -> float:
    """Return the mass density in g/cm3."""
    return float(atomic_masses[system.numbers].sum() / system.volume_A3 * U_PER_A3_IN_G_PER_CM3)


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
