"""The Lennard-Jones fluid of the textbooks, truncated, with the corrections for what lies beyond the cutoff."""

import numpy as np

from vitrion_models.graphs.neighbours import pairs_within
from vitrion_models.system import AtomicSystem
from vitrion_workflows.potentials import ForceField, ForceResult

DEPTH_eV = 0.010341  # 120 K
SIGMA_A = 3.405
# Lattice sums of fcc over r^-12 and r^-6: Ashcroft and Mermin, Solid State Physics, table 20.2.
A12, A6 = 12.13188, 14.45392


class Argon(ForceField):
    """Pair energy 4 eps ((sigma/r)^12 - (sigma/r)^6); helium's mass makes the fluid relax three times faster."""

    def __init__(self, *, cutoff_A=3.0 * SIGMA_A, factor=1.0, weights="a"):
        super().__init__(name="argon", version="1", weights_sha256=weights * 64, elements=frozenset({"He", "Ar"}))
        self.cutoff_A = cutoff_A
        self.factor = factor

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        pairs = pairs_within(positions_A, lattice_A, self.cutoff_A, half=True)
        first, second = pairs.edge_index
        volume = abs(np.linalg.det(lattice_A))
        power6 = (SIGMA_A / pairs.distances_A) ** 6
        slopes = -24 * DEPTH_eV * (2 * power6**2 - power6) / pairs.distances_A**2
        pulls = slopes[:, None] * pairs.vectors_A
        forces = np.zeros_like(positions_A)
        np.add.at(forces, first, pulls)
        np.add.at(forces, second, -pulls)
        # Beyond the cutoff: Allen and Tildesley, Computer Simulation of Liquids, equations 2.142 and 2.145.
        far3 = (SIGMA_A / self.cutoff_A) ** 3
        density = len(numbers) / volume
        energy = 4 * DEPTH_eV * float((power6**2 - power6).sum())
        energy += len(numbers) * 8 * np.pi / 9 * density * DEPTH_eV * SIGMA_A**3 * (far3**3 - 3 * far3)
        pressure = 32 * np.pi / 9 * density**2 * DEPTH_eV * SIGMA_A**3 * (far3**3 - 1.5 * far3)
        tensor = (pairs.vectors_A.T @ pulls) / volume - pressure * np.eye(3)
        scaled = self.factor
        return ForceResult(scaled * energy, scaled * forces, scaled * tensor if stress else None)


def fcc(*, edge_A, number=18):
    """Four atoms of a face-centred cubic crystal."""
    sites = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
    return AtomicSystem(np.full(4, number), sites * edge_A, edge_A * np.eye(3))
