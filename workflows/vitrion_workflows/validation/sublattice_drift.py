"""Does a sublattice flow through the others? A drift of one species is no diffusion."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.trajectories.displacements import centre_of_mass

BLOCKS = 30
# One run in a thousand may be suspected wrongly.
FALSE_ALARM = 1e-3
AXES = 3


@dataclass(frozen=True)
class SublatticeFlow:
    """The species whose centre of mass moves most steadily against the cell's.

    Attributes:
        number: atomic number.
        ratio: squared mean of its block displacements over their scatter, F distributed without flow.
        limit: of the ratio.
        speed_A_per_frame: mean displacement of the sublattice in one frame.
    """

    number: int
    ratio: float
    limit: float
    speed_A_per_frame: float


def sublattice_flow(displacements_A: FloatArray, numbers: IntArray, *, masses_u: FloatArray) -> SublatticeFlow | None:
    """Look for steady motion of a sublattice.

    The path of each species' centre of mass is cut into thirty blocks. Without a driving force their displacements are
    random: thirty times the squared mean over the variance within is F distributed (3 and 87 degrees of freedom).

    Args:
        displacements_A: of all atoms from the first frame, drift of the cell removed, shape (F, N, 3), F > 3.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).

    Returns:
        The species that stands out most; None where there is but one, whose drift is the cell's.
    """
    species = np.unique(numbers)
    if len(species) == 1:
        return None
    blocks_wanted = min(BLOCKS, len(displacements_A) - 1)
    edges = np.linspace(0, len(displacements_A) - 1, blocks_wanted + 1).round().astype(int)
    # The cell is at rest: one of the sublattices moves as the others make it.
    limit = float(stats.f.isf(FALSE_ALARM / (len(species) - 1), AXES, AXES * (blocks_wanted - 1)))
    found = []
    for number in species:
        atoms = numbers == number
        blocks = np.diff(centre_of_mass(displacements_A[:, atoms], masses_u[atoms])[edges], axis=0)
        mean = blocks.mean(axis=0)
        scatter = float(blocks.var(axis=0, ddof=1).mean())
        ratio = blocks_wanted * float(mean @ mean) / (AXES * scatter) if scatter > 0 else 0.0
        speed = float(np.linalg.norm(mean)) * blocks_wanted / (len(displacements_A) - 1)
        found.append(SublatticeFlow(int(number), ratio, limit, speed))
    return max(found, key=lambda one: one.ratio)
