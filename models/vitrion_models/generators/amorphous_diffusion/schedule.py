"""Noise levels of a variance-exploding diffusion on the torus of a periodic cell."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

MEDIAN_NOISE_A = 0.5
LOGARITHMIC_SPREAD = 0.9
RECIPROCAL_REACH = 2


@dataclass(frozen=True)
class NoiseSchedule:
    """Range of noise of one cell: coordinates at level sigma are x0 + sigma n, wrapped into the cell.

    The density waves of the lattice decay as exp(-2 pi^2 sigma^2 |g|^2) under wrapped Gaussian noise (g: reciprocal
    vectors without 2 pi). At `sigma_max_A` the slowest of them has fallen to a stated residual, so that the end of the
    noising process is the uniform distribution that sampling starts from.

    Attributes:
        sigma_min_A: smallest standard deviation for each Cartesian component.
        sigma_max_A: largest.
    """

    sigma_min_A: float
    sigma_max_A: float

    def __post_init__(self) -> None:
        """Check the range.

        Raises:
            InputError: empty range: the cell is so small that sigma_max lies below sigma_min.
        """
        if not 0 < self.sigma_min_A < self.sigma_max_A:
            raise InputError(
                f"the noise range {self.sigma_min_A:.3g} to {self.sigma_max_A:.3g} A is empty: the cell is too small",
            )

    @classmethod
    def for_lattice(cls, lattice_A: FloatArray, *, sigma_min_A: float, end_residual: float) -> "NoiseSchedule":
        """Return the schedule that ends uniform in the given cell up to `end_residual`.

        Args:
            lattice_A: lattice vectors as rows, Angstrom, shape (3, 3).
            sigma_min_A: smallest noise.
            end_residual: relative amplitude of the slowest density wave at the end.
        """
        decay = math.sqrt(math.log(1.0 / end_residual) / (2.0 * math.pi**2))
        return cls(sigma_min_A, decay / shortest_reciprocal_per_A(lattice_A))

    def levels_A(self, count: int) -> FloatArray:
        """Return the falling noise levels of a sampler from sigma_max to sigma_min, Angstrom, shape (count,)."""
        return self.at(np.linspace(1.0, 0.0, count))

    def at(self, quantile: FloatArray | float) -> FloatArray:
        """Return the noise, Angstrom, at quantiles (0 to 1, any shape) of a log-normal cut off at both ends.

        Training (Karras et al., arXiv 2206.00364, section 5) and sampling concentrate on the noise at which structure
        forms: above some 1.5 Angstrom a noised glass keeps no memory of its structure, below 0.1 Angstrom it is nearly
        complete.
        """
        ends = (np.log([self.sigma_min_A, self.sigma_max_A]) - math.log(MEDIAN_NOISE_A)) / LOGARITHMIC_SPREAD
        low, high = ndtr(ends)
        deviate = np.clip(ndtri(low + np.asarray(quantile) * (high - low)), *ends)
        noise: FloatArray = MEDIAN_NOISE_A * np.exp(LOGARITHMIC_SPREAD * deviate)
        return noise


def shortest_reciprocal_per_A(lattice_A: FloatArray) -> float:
    """Return the length of the shortest reciprocal lattice vector (no 2 pi), 1/Angstrom, of lattice rows (3, 3)."""
    reciprocal = np.linalg.inv(lattice_A).T
    reach = range(-RECIPROCAL_REACH, RECIPROCAL_REACH + 1)
    combinations = np.array([c for c in itertools.product(reach, repeat=3) if any(c)])
    return float(np.linalg.norm(combinations @ reciprocal, axis=1).min())
