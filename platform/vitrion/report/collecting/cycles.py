"""Cells and cycles of a campaign, their models and costs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from vitrion.database import Database
from vitrion.database.records import Arm, CycleRecord, ModelRecord, StructureRecord
from vitrion.report import data
from vitrion_workflows.schemas import Origin

MADE = (Origin.MELT_QUENCH.value, Origin.GENERATED.value)


def made_cells(db: Database, campaign: str) -> dict[str, StructureRecord]:
    """Return the cells made by the campaign by fingerprint, oldest first."""
    rows = db.structures.search(campaign=campaign, origin=MADE, sort="created_at")
    return {row.fingerprint: row for row in rows}


def report_cell(row: StructureRecord) -> data.Cell:
    """Return a stored cell as the report shows it."""
    return data.Cell(
        fingerprint=row.fingerprint,
        formula=row.reduced_formula,
        origin=Origin(row.origin),
        accepted=row.accepted,
        gates=row.gates,
        atoms=row.n_atoms,
        density_g_cm3=row.density_g_cm3,
        homonuclear_bonds=row.homonuclear_bonds,
        reference=row.force_check.reference if row.force_check else None,
        volumes=row.volumes,
        quench_rate_K_per_ps=row.quench_rate_K_per_ps,
        wall_seconds=row.wall_seconds or 0.0,
    )


STAGES = {
    "cell": "melt and quench",
    "relax": "relaxing generated cells",
    "label": "labels",
    "reference": "labels by the reference potential",
}
TRAINING = {"surrogate": "training the surrogate", "generator": "training the generator"}


def report_cycles(
    cycles: Sequence[CycleRecord], models: Sequence[ModelRecord], cells: Mapping[str, StructureRecord]
) -> tuple[data.Cycle, ...]:
    """Return one row for each cycle."""
    return tuple(_report_cycle(cycle, models, cells) for cycle in cycles)


def _report_cycle(
    cycle: CycleRecord, models: Sequence[ModelRecord], cells: Mapping[str, StructureRecord]
) -> data.Cycle:
    trained = {row.kind: row for row in models if row.cycle == cycle.index}
    surrogate, generator = trained.get("surrogate"), trained.get("generator")
    drawn = [row for row in cells.values() if row.cycle == cycle.index and row.origin == Origin.GENERATED.value]
    production = [proposal for proposal in cycle.proposals if proposal.arm is not Arm.REFERENCE]
    seconds = 0.0
    if cycle.created_at is not None and cycle.closed_at is not None:
        seconds = (cycle.closed_at - cycle.created_at).total_seconds()
    return data.Cycle(
        index=cycle.index,
        state=cycle.state,
        labels=len({proposal.label_key for proposal in production if proposal.label_state}),
        surrogate_promoted=surrogate.promoted if surrogate else None,
        surrogate_reason=surrogate.promotion_reason if surrogate else "",
        generator_promoted=generator.promoted if generator else None,
        generator_reason=generator.promotion_reason if generator else "",
        drawn=len(drawn),
        drawn_accepted=sum(row.accepted for row in drawn),
        wall_seconds=seconds,
    )


def costs(cycles: Sequence[CycleRecord], models: Sequence[ModelRecord]) -> tuple[data.StageCost, ...]:
    """Return tasks and worker time by stage over all cycles, in the order of the stages."""
    tasks: defaultdict[str, int] = defaultdict(int)
    seconds: defaultdict[str, float] = defaultdict(float)
    for cycle in cycles:
        for kind, spent in (cycle.budget or {}).items():
            if kind in TRAINING:
                continue  # recorded with each model
            stage = STAGES.get(kind, kind)
            tasks[stage] += int(spent["tasks"])
            seconds[stage] += float(spent["seconds"])
    for model in models:
        stage = TRAINING.get(model.kind, model.kind)
        tasks[stage] += 1
        seconds[stage] += model.wall_seconds or 0.0
    order = [*STAGES.values(), *TRAINING.values()]
    names = sorted(tasks, key=lambda stage: (order.index(stage) if stage in order else len(order), stage))
    return tuple(data.StageCost(stage, tasks[stage], seconds[stage]) for stage in names)
