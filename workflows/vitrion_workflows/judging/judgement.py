"""Judgement of a potential on one composition: its melt, its forces against a reference, and its crystal."""

from dataclasses import dataclass

from vitrion_models.system import AtomicSystem
from vitrion_workflows.dynamics import DynamicsError
from vitrion_workflows.dynamics.stage import MDStage, run_stage
from vitrion_workflows.judging.comparison import FrameComparison, compare_melt
from vitrion_workflows.judging.crystal import CrystalComparison, compare_crystal
from vitrion_workflows.judging.errors import NoComparison
from vitrion_workflows.judging.melt import FRAMES_COMPARED, MeltVolume, melt_at_zero_pressure, spread_frames
from vitrion_workflows.judging.protocol import JudgingProtocol
from vitrion_workflows.potentials import ForceField


@dataclass(frozen=True, eq=False)
class NamedCrystal:
    """A crystal and where it comes from."""

    system: AtomicSystem
    source: str


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Figures of a potential on one composition.

    Attributes:
        melt: volume of its melt at zero pressure; None where the run ended with an error.
        own_frames: forces on frames of the potential's own melt, which show wrong structures and holes.
        reference_frames: forces on frames of a run of the reference from there, which show softening.
        crystal: where a crystal of the composition was given.
        failure: reason why there is no melt, or no crystal where one was given.
    """

    melt: MeltVolume | None = None
    own_frames: FrameComparison | None = None
    reference_frames: FrameComparison | None = None
    crystal: CrystalComparison | None = None
    failure: str = ""


def judge(
    formula: str,
    force_field: ForceField,
    reference: ForceField,
    *,
    protocol: JudgingProtocol,
    melter: ForceField,
    crystal: NamedCrystal | None = None,
) -> Judgement:
    """Judge a potential on one composition; the result is a function of the arguments alone.

    Args:
        formula: chemical formula.
        force_field: potential to be judged.
        reference: reference potential.
        protocol: size, temperature, lengths and seed.
        melter: see `melt_at_zero_pressure`.
        crystal: ordered crystal of the composition, where there is one.

    Raises:
        InputError: bad formula, or an element outside a coverage.
    """
    compared, reasons = None, []
    if crystal is not None:
        try:
            compared = compare_crystal(
                crystal.system, force_field, reference, source=crystal.source, seed=protocol.seed
            )
        except NoComparison as failure:
            reasons.append(f"crystal: {failure}")
    try:
        melt = melt_at_zero_pressure(formula, force_field, protocol=protocol, melter=melter)
        own = compare_melt(melt.frames, force_field, reference, source=f"run of {force_field.name}")
        frames = _reference_frames(melt.frames[-1], reference, protocol)
        foreign = compare_melt(frames, force_field, reference, source=f"run of {reference.name}")
    except (DynamicsError, NoComparison) as failure:
        return Judgement(crystal=compared, failure="; ".join([*reasons, f"melt: {failure}"]))
    return Judgement(
        melt=melt.volume,
        own_frames=own,
        reference_frames=foreign,
        crystal=compared,
        failure="; ".join(reasons),
    )


def _reference_frames(
    start: AtomicSystem, reference: ForceField, protocol: JudgingProtocol
) -> tuple[AtomicSystem, ...]:
    stage = MDStage(
        name=f"run of {reference.name}", duration_ps=protocol.reference_ps, temperature_K=protocol.temperature_K
    )
    seed = protocol.seed + 100
    result = run_stage(start, reference, stage, protocol=protocol.cell_protocol(), seed=seed)
    return spread_frames(result.trajectory, FRAMES_COMPARED)
