"""What the immobile sublattice did while the ions moved."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.schemas.label import FrameworkState
from vitrion_workflows.transport.msd import mean_squared_displacements

# Lindemann: solids melt when atoms stray by about a tenth of the spacing. A difference of two positions doubles the
# square of that, and a glass at temperature shakes more than a crystal; half the spacing no vibration reaches.
MOLTEN_RATIO = 0.5
# Bounded motion (vibrating, turning anions) saturates; a flowing sublattice doubles its MSD from T/4 to T/2.
GROWING_RATIO = 1.25


@dataclass(frozen=True)
class Framework:
    """State of the sublattice of all other species.

    Attributes:
        state: vibrating, molten or absent.
        ratio: root mean squared displacement of the least mobile framework species over half the run, divided by the
            mean atomic spacing; None where there is no framework.
        growth: its MSD at half the run over that at a quarter; None where there is no framework.
        species: atomic number of that species.
    """

    state: FrameworkState
    ratio: float | None = None
    growth: float | None = None
    species: int | None = None


def framework(displacements_A: FloatArray, numbers: IntArray, *, mobile: int, volume_A3: float) -> Framework:
    """Judge the framework by its least mobile species.

    The least mobile one, because anion groups that turn in place (PS4, BH4) carry their outer atoms far while the
    framework stands.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3).
        numbers: atomic numbers, shape (N,).
        mobile: atomic number of the mobile species.
        volume_A3: of the cell.
    """
    others = sorted(set(numbers.tolist()) - {mobile})
    if not others:
        return Framework(FrameworkState.ABSENT)
    half = max(2, (len(displacements_A) - 1) // 2)
    spacing = (volume_A3 / len(numbers)) ** (1 / 3)
    levels = {}
    for number in others:
        msd = mean_squared_displacements(displacements_A[:, numbers == number], largest_lag=half).mean(axis=1)
        levels[number] = (float(msd[half]), float(msd[half // 2]))
    species, (end, quarter) = min(levels.items(), key=lambda item: item[1][0])
    ratio = float(np.sqrt(end)) / spacing
    growth = end / quarter if quarter > 0 else 1.0
    molten = ratio > MOLTEN_RATIO and growth > GROWING_RATIO
    return Framework(FrameworkState.MOLTEN if molten else FrameworkState.VIBRATING, ratio, growth, species)
