"""Cells of a run at constant pressure, as files hold them."""

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

# A cell under constant pressure breathes by some per cent.
LARGEST_BREATH = 2.0
SMALLEST_RATIO = 1e-12


def check_breath(lattices_A: FloatArray, *, source: str) -> None:
    """Refuse cells of which one is unlike the others: a frame in another unit, or a torn one.

    Args:
        lattices_A: of each frame, shape (F, 3, 3).
        source: file, for the message.

    Raises:
        InputError: the volume of one is half or twice that of the others.
    """
    volumes = np.abs(np.linalg.det(lattices_A))
    if not np.median(volumes) > 0:
        return  # flat, which is told for any file
    ratios = volumes / np.median(volumes)
    worst = int(np.abs(np.log(np.maximum(ratios, SMALLEST_RATIO))).argmax())
    if not 1 / LARGEST_BREATH < ratios[worst] < LARGEST_BREATH:
        raise InputError(
            f"{source}: the cell of frame {worst + 1} has {ratios[worst]:.3g} times the volume of the others: mend it"
        )
