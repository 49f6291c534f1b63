"""Occupation of the sites of a supercell, changed by swaps until no atoms touch and, if asked, the energy is low."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vitrion_models.graphs.neighbours import NeighbourList
from vitrion_models.system import FloatArray, IntArray

VACANCY = -1
CONTACT_eV = 100.0  # cost of two atoms that touch, above any electrostatic gain
HOTTEST_eV, COLDEST_eV = 1.0, 0.01  # of the annealing
SWAPS_OF_A_SITE = 100


class SiteOccupation:
    """Codes of the species on sites; swaps within a group of equal sites keep the composition.

    Attributes:
        codes: species of each site, or `VACANCY`, shape (S,).
        energy_eV: electrostatic energy; None without charges.
    """

    def __init__(
        self, codes: IntArray, near: NeighbourList, movable: NDArray[np.bool_], *, contact_radii_A: FloatArray
    ) -> None:
        """Start from an occupation.

        Args:
            codes: shape (S,), changed in place.
            near: pairs of sites that may touch, both directions.
            movable: True for sites whose content may change, shape (S,).
            contact_radii_A: two atoms touch below the sum of their radii; by code, shape (E,).
        """
        self.codes = codes
        self.energy_eV: float | None = None
        self._movable = movable
        self._radii = np.append(contact_radii_A, -np.inf)  # by code; a vacancy, the last, touches nothing
        first, second = near.edge_index
        starts = np.searchsorted(first, np.arange(len(codes) + 1))
        spans = [slice(starts[site], starts[site + 1]) for site in range(len(codes))]
        # Sites whose content is fixed may touch each other as the crystal states it.
        self._near = [
            (second[span][counts], near.distances_A[span][counts])
            for site, span in enumerate(spans)
            for counts in [movable[second[span]] | movable[site]]
        ]

    def set_charges(self, matrix_eV: FloatArray, charges: FloatArray) -> None:
        """Add the electrostatic energy to what swaps lower.

        Args:
            matrix_eV: energy of unit charges on each pair of sites, shape (S, S).
            charges: by code, shape (E,).
        """
        self._matrix = matrix_eV
        self._charges = np.append(charges, 0.0)
        self._potential = matrix_eV @ self._charges[self.codes]
        self.energy_eV = float(self._charges[self.codes] @ self._potential)

    def anneal(self, rng: np.random.Generator, groups: Sequence[IntArray]) -> bool:
        """Swap sites until no atoms touch, with charges down to a low energy; return False if some touch still.

        Args:
            rng: random numbers.
            groups: indices of sites that may exchange their content.
        """
        group_of = {int(site): group for group in groups for site in group}
        sites = np.array(sorted(group_of), dtype=np.int64)
        steps = SWAPS_OF_A_SITE * len(sites)
        contacts = sum(self._contacts(site) for site in range(len(self.codes))) // 2
        for step in range(steps):
            if self.energy_eV is None and not contacts:
                break
            site = int(rng.choice(sites))
            if self.energy_eV is None and not self._contacts(site):
                continue
            partner = int(rng.choice(group_of[site]))
            if self.codes[site] == self.codes[partner]:
                continue
            temperature_eV = HOTTEST_eV * (COLDEST_eV / HOTTEST_eV) ** (step / steps)
            change_eV, fewer = self._cost_of_swap(site, partner)
            if change_eV <= 0 or rng.random() < math.exp(-change_eV / temperature_eV):
                self._swap(site, partner)
                contacts += fewer
        return contacts == 0

    def _contacts(self, site: int) -> int:
        neighbours, distances_A = self._near[site]
        reach = self._radii[self.codes[site]] + self._radii[self.codes[neighbours]]
        return int(np.count_nonzero(distances_A < reach))

    def _cost_of_swap(self, site: int, partner: int) -> tuple[float, int]:
        """Return the change of the cost in eV, and of the number of contacts."""
        before = self._contacts(site) + self._contacts(partner)
        self._exchange(site, partner)
        change = self._contacts(site) + self._contacts(partner) - before
        self._exchange(site, partner)
        cost_eV = CONTACT_eV * change
        if self.energy_eV is not None:
            cost_eV += self._energy_of_swap(site, partner)
        return cost_eV, change

    def _energy_of_swap(self, site: int, partner: int) -> float:
        moved = self._charges[self.codes[partner]] - self._charges[self.codes[site]]
        own = self._matrix[site, site] + self._matrix[partner, partner] - 2 * self._matrix[site, partner]
        return float(2 * moved * (self._potential[site] - self._potential[partner]) + moved**2 * own)

    def _swap(self, site: int, partner: int) -> None:
        if self.energy_eV is not None:
            self.energy_eV += self._energy_of_swap(site, partner)
            moved = self._charges[self.codes[partner]] - self._charges[self.codes[site]]
            self._potential += moved * (self._matrix[:, site] - self._matrix[:, partner])
        self._exchange(site, partner)

    def _exchange(self, site: int, partner: int) -> None:
        self.codes[site], self.codes[partner] = self.codes[partner], self.codes[site]
