"""What the immobile sublattice did while the ions moved."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.analysis.orientation import Orientation, bonded_groups, orientation
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.schemas.label import FrameworkState

# Lindemann: solids melt when atoms stray by about a tenth of the spacing. A difference of two positions doubles the
# square of that, and a glass at temperature shakes more than a crystal; half the spacing no vibration reaches.
MOLTEN_RATIO = 0.5
# Bounded motion (vibrating, turning anions) saturates; a flowing sublattice doubles its MSD from T/4 to T/2.
GROWING_RATIO = 1.25
# Groups turn where a tenth of them has, within half the run.
ROTATING_SHARE = 0.1


@dataclass(frozen=True)
class Framework:
    """State of the sublattice of all other species.

    Attributes:
        state: vibrating, rotating, molten or absent.
        ratio: root mean squared displacement of the least mobile framework species over half the run, divided by the
            mean atomic spacing; None where there is no framework.
        growth: its MSD at half the run over that at a quarter; None where there is no framework.
        species: atomic number of that species.
        orientation: of the bonded groups in it; None where there are none that last.
    """

    state: FrameworkState
    ratio: float | None = None
    growth: float | None = None
    species: int | None = None
    orientation: Orientation | None = None


def framework(displacements_A: FloatArray, start: AtomicSystem, *, mobile: int) -> Framework:
    """Judge the framework by its least mobile species, and by whether the groups in it turn.

    The least mobile one, because anion groups that turn in place (PS4, BH4) carry their outer atoms far while the
    framework stands. A framework that stands is rotating where a tenth of its bonded groups overlaps with itself by
    less than half after half the run.

    Args:
        displacements_A: drift-corrected displacements of all atoms from the first frame, shape (F, N, 3).
        start: the first frame.
        mobile: atomic number of the mobile species.
    """
    others = sorted(set(start.numbers.tolist()) - {mobile})
    if not others:
        return Framework(FrameworkState.ABSENT)
    half = max(2, (len(displacements_A) - 1) // 2)
    spacing = (start.volume_A3 / len(start)) ** (1 / 3)
    levels = {}
    for number in others:
        atoms = displacements_A[:, start.numbers == number]
        msd = mean_squared_displacements(atoms, largest_lag=half).mean(axis=1)
        levels[number] = (float(msd[half]), float(msd[half // 2]))
    species, (end, quarter) = min(levels.items(), key=lambda item: item[1][0])
    ratio = float(np.sqrt(end)) / spacing
    growth = end / quarter if quarter > 0 else 1.0
    turning = orientation(displacements_A, bonded_groups(start, start.numbers != mobile), numbers=start.numbers)
    state = FrameworkState.VIBRATING
    if ratio > MOLTEN_RATIO and growth > GROWING_RATIO:
        state = FrameworkState.MOLTEN
    elif turning is not None and turning.turned >= ROTATING_SHARE:
        state = FrameworkState.ROTATING
    return Framework(state, ratio, growth, species, turning)


def framework_gate(found: Framework) -> GateOutcome:
    """Report what the framework did; both a glass and a melt are labelled, so it always passes."""
    if found.state is FrameworkState.ABSENT:
        return GateOutcome(name="framework", passed=True, value=0.0, message="no framework: every atom is mobile")
    return GateOutcome(
        name="framework",
        passed=True,
        value=found.ratio,
        message=f"framework {found.state.value}: moved {found.ratio:.2f} spacings, growth {found.growth:.2f}",
    )
