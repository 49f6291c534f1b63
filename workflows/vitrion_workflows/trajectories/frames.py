"""Motion between neighbouring frames against free flight, and against the size of the cell."""

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.trajectories.displacements import compact_cell


def largest_fractional_step(positions_A: FloatArray, lattice_A: FloatArray) -> float:
    """Longest step between two frames in units of the cell vectors.

    Whole paths of coarse frames may well step by more than half a cell; from 0.85 on (`gates.WRAPPED_STEP`) positions
    are taken to have jumped across it. The cell is the most compact one of the same lattice, so that it does not matter
    which one is given.

    Args:
        positions_A: shape (F, N, 3).
        lattice_A: shape (3, 3).
    """
    compact_A, _ = compact_cell(lattice_A)
    return float(np.abs(np.diff(positions_A, axis=0) @ np.linalg.inv(compact_A)).max())


# Whole paths of 47 sound runs of small cells, frames 100 fs apart, step up to 0.77 of a cell; an atom that is put back
# into the cell goes by one less its own step, and some atom by 0.99.
WRAPPED_STEP = 0.85
