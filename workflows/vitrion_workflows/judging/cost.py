"""Bound on the time of a judgement: the most evaluations that it may need, times the time of one."""

import time
from dataclasses import dataclass

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous.melt_quench import PACKING_STEPS
from vitrion_workflows.amorphous.volume import MOST_BRACKETING_RUNS, REFINEMENTS, SAMPLES
from vitrion_workflows.force_check.broken_bonds import RELAXED_FRAMES, STEPS_OF_A_FRAME
from vitrion_workflows.judging.crystal import FRAME_VOLUME_FACTORS
from vitrion_workflows.judging.equation_of_state import CELL_STEPS, POSITION_STEPS, VOLUME_FACTORS
from vitrion_workflows.judging.melt import FRAMES_COMPARED, MELTING_PS
from vitrion_workflows.judging.protocol import JudgingProtocol
from vitrion_workflows.potentials import ForceField

REPEATS = 3
# A stage has a whole number of steps between its frames: up to half a step more for each of its frames.
ROUNDING = 1.5


@dataclass(frozen=True)
class Evaluations:
    """Greatest numbers of evaluations of a judgement.

    Attributes:
        judged: of the melt by the judged potential.
        reference: of the melt by the reference potential.
        melter: of the packing by the potential that melts it.
        crystal: of the crystal by each of the two.
    """

    judged: int
    reference: int
    melter: int
    crystal: int


def most_evaluations(protocol: JudgingProtocol, *, melts_itself: bool) -> Evaluations:
    """Return the greatest numbers of evaluations.

    Args:
        protocol: lengths of the runs.
        melts_itself: no faster potential melts the packing.
    """
    time_step_ps = protocol.cell_protocol().time_step_fs / FEMTOSECONDS_PER_PS
    # The first run of a search has twice the length and samples of the others.
    runs = MOST_BRACKETING_RUNS + REFINEMENTS + 1
    compared = 2 * FRAMES_COMPARED
    relaxed = 2 * RELAXED_FRAMES * (STEPS_OF_A_FRAME + 1)  # of frames with bonds that the reference may break
    own = runs * (ROUNDING * protocol.run_ps / time_step_ps + SAMPLES) + compared
    foreign = ROUNDING * protocol.reference_ps / time_step_ps + compared + relaxed
    melting = 0.0 if melts_itself else MELTING_PS / time_step_ps
    return Evaluations(
        judged=round(own),
        reference=round(foreign),
        melter=round(PACKING_STEPS + 1 + melting),
        crystal=CELL_STEPS + 1 + len(VOLUME_FACTORS) * (POSITION_STEPS + 1) + len(FRAME_VOLUME_FACTORS),
    )


def most_seconds(
    melt: AtomicSystem,
    force_field: ForceField,
    reference: ForceField,
    *,
    protocol: JudgingProtocol,
    melter: ForceField,
    crystal: AtomicSystem | None,
) -> float:
    """Return the most seconds that a judgement takes on this machine, from the time of a few evaluations.

    Args:
        melt: a cell of the size and composition of the melt.
        force_field: potential to be judged.
        reference: reference potential.
        protocol: lengths of the runs.
        melter: see `melt_at_zero_pressure`.
        crystal: of the composition, where there is one.
    """
    most = most_evaluations(protocol, melts_itself=melter is force_field)
    seconds = most.judged * seconds_of_evaluation(force_field, melt)
    seconds += most.reference * seconds_of_evaluation(reference, melt)
    seconds += most.melter * seconds_of_evaluation(melter, melt)
    if crystal is not None:
        both = (force_field, reference)
        seconds += most.crystal * sum(seconds_of_evaluation(potential, crystal) for potential in both)
    return seconds


def seconds_of_evaluation(force_field: ForceField, system: AtomicSystem) -> float:
    """Return the least time of three evaluations with stress, after one that warms up."""
    force_field.evaluate(system, stress=True)
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        force_field.evaluate(system, stress=True)
        times.append(time.perf_counter() - begun)
    return min(times)
