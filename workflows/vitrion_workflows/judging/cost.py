"""Bound on the time of a judgement: the most evaluations that it may need, times the time of one."""

import time

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous.melt_quench import PACKING_STEPS
from vitrion_workflows.amorphous.volume import MOST_BRACKETING_RUNS, REFINEMENTS, SAMPLES
from vitrion_workflows.judging.crystal import FRAME_VOLUME_FACTORS
from vitrion_workflows.judging.equation_of_state import CELL_STEPS, POSITION_STEPS, VOLUME_FACTORS
from vitrion_workflows.judging.melt import FRAMES_COMPARED, MELTING_PS
from vitrion_workflows.judging.protocol import JudgingProtocol
from vitrion_workflows.potentials import ForceField

REPEATS = 3


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
    time_step_ps = protocol.cell_protocol().time_step_fs / FEMTOSECONDS_PER_PS
    compared = 2 * FRAMES_COMPARED
    # The first run of a search has twice the length and samples of the others.
    runs = MOST_BRACKETING_RUNS + REFINEMENTS + 1
    own = runs * (protocol.run_ps / time_step_ps + SAMPLES) + compared
    foreign = protocol.reference_ps / time_step_ps + compared
    seconds = own * seconds_of_evaluation(force_field, melt) + foreign * seconds_of_evaluation(reference, melt)
    melting = PACKING_STEPS + (0 if melter is force_field else MELTING_PS / time_step_ps)
    seconds += melting * seconds_of_evaluation(melter, melt)
    if crystal is not None:
        each = CELL_STEPS + len(VOLUME_FACTORS) * POSITION_STEPS + len(FRAME_VOLUME_FACTORS)
        seconds += each * (seconds_of_evaluation(force_field, crystal) + seconds_of_evaluation(reference, crystal))
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
