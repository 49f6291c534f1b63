"""State of the immobile sublattice while the ions move."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.analysis.orientation import Orientation, bonded_groups, orientation
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.schemas.gate import GateOutcome, Measurement, gate_of
from vitrion_workflows.schemas.label import FrameworkState

# Lindemann: solids melt when the amplitude is about a tenth of the spacing. A difference of two positions doubles the
# square of that, and a hot glass vibrates more than a crystal; no vibration reaches half the spacing.
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
    """Return the state of the framework by its least mobile species and the turning of the groups in it.

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
    msds = {
        number: mean_squared_displacements(displacements_A[:, start.numbers == number], largest_lag=half).mean(axis=1)
        for number in others
    }
    species = min(msds, key=lambda number: float(msds[number][half]))
    end, quarter = float(msds[species][half]), float(msds[species][half // 2])
    ratio = float(np.sqrt(end)) / spacing
    growth = end / quarter if quarter > 0 else 1.0
    rotation = orientation(displacements_A, bonded_groups(start, start.numbers != mobile), numbers=start.numbers)
    state = FrameworkState.VIBRATING
    if ratio > MOLTEN_RATIO and growth > GROWING_RATIO:
        state = FrameworkState.MOLTEN
    elif rotation is not None and rotation.turned >= ROTATING_SHARE:
        state = FrameworkState.ROTATING
    return Framework(state, ratio, growth, species, rotation)


def framework_gate(framework: Framework) -> GateOutcome:
    """Report the state of the framework; both a glass and a melt are labelled, so it always passes."""
    value, message = 0.0, "no framework: every atom is mobile"
    if framework.ratio is not None:
        value = framework.ratio
        message = f"framework {framework.state.value}: moved {value:.2f} spacings, growth {framework.growth:.2f}"
    return gate_of("framework", [Measurement(name="framework_displacement", passed=True, value=value, message=message)])
