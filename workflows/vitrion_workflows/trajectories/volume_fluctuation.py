"""Volume fluctuation of a cell at constant pressure."""

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

# A cell at constant pressure fluctuates by some per cent.
LARGEST_RATIO = 2.0
SMALLEST_RATIO = 1e-12


def check_volume_fluctuation(lattices_A: FloatArray) -> None:
    """Refuse cells of which one is unlike the others: a frame in another unit, or a damaged one.

    Args:
        lattices_A: lattice vectors of each frame as rows, shape (F, 3, 3).

    Raises:
        InputError: a volume of half or twice the median.
    """
    volumes = np.abs(np.linalg.det(lattices_A))
    ratios = volumes / np.median(volumes)
    worst = int(np.abs(np.log(np.maximum(ratios, SMALLEST_RATIO))).argmax())
    if not 1 / LARGEST_RATIO < ratios[worst] < LARGEST_RATIO:
        raise InputError(
            f"the cell of frame {worst + 1} has {ratios[worst]:.3g} times the median volume: correct or remove it"
        )
