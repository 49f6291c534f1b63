"""Generated cells: drawn by the generator in force, relaxed by the potential, judged by the same gates as all."""

from collections.abc import Sequence
from dataclasses import dataclass

from vitrion.database import Database
from vitrion.database.records import StructureRecord
from vitrion.learning.acquisition.knowledge import forecast
from vitrion.learning.acquisition.pool import Candidate
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.retraining import model_registry as shelf
from vitrion.learning.seeds import derive_seed
from vitrion.learning.tasks import TaskFactory
from vitrion.running.task import Task
from vitrion_models.surrogates import TrainedSurrogate
from vitrion_workflows.model_error.compound_error import SystematicErrors
from vitrion_workflows.schemas import Origin, StructureKind
from vitrion_workflows.schemas.geometry import structure_from_system


@dataclass(frozen=True)
class Draw:
    """One cell to draw: a composition in the lattice of an accepted cell of it."""

    formula: str
    template: str
    number: int
    cycle: int


def quenched_cells(db: Database, campaign: str) -> list[StructureRecord]:
    """The accepted melt-quenched cells of a campaign, by fingerprint."""
    rows = db.structures.search(
        campaign=campaign, kind=StructureKind.AMORPHOUS.value, origin=Origin.MELT_QUENCH.value, sort="fingerprint"
    )
    return [row for row in rows if row.accepted]


def choose_draws(
    db: Database,
    configuration: CampaignConfiguration,
    surrogate: TrainedSurrogate,
    rows: Sequence[StructureRecord],
    *,
    errors: SystematicErrors,
    cycle: int,
) -> list[Draw]:
    """Which compositions to draw: the most promising of nature at the target temperature, in turn.

    Args:
        db: where the cells are.
        configuration: the campaign's.
        surrogate: the one in force.
        rows: accepted melt-quenched cells of compositions that may be proposed.
        errors: what the potential of its labels is off by.
        cycle: index of the cycle; later cycles begin further down the list, so that the draws do not repeat.
    """
    if not rows or not configuration.generator.samples:
        return []
    pool = [
        Candidate(
            row.reduced_formula,
            row.fingerprint,
            is_cell=True,
            material=db.structures.system(row.fingerprint),
            asked_K=frozenset(),
        )
        for row in rows
    ]
    target = configuration.labels.target_temperature_K
    expected = forecast(
        surrogate,
        pool,
        temperatures_K=configuration.labels.temperatures_K,
        target_K=target,
        errors=errors,
        seed=derive_seed(configuration.root_seed, "draws", cycle),
    )
    ranking = sorted(range(len(pool)), key=lambda column: -expected.nature[column])
    best_first = [rows[column] for column in ranking]
    by_formula = list({row.reduced_formula: row for row in reversed(best_first)}.values())[::-1]
    count = configuration.generator.samples
    chosen = [by_formula[(cycle * count + number) % len(by_formula)] for number in range(count)]
    return [
        Draw(formula=row.reduced_formula, template=row.fingerprint, number=number, cycle=cycle)
        for number, row in enumerate(chosen)
    ]


def draw_tasks(
    db: Database, configuration: CampaignConfiguration, factory: TaskFactory, draws: Sequence[Draw]
) -> list[Task]:
    """Draw the cells and make the tasks that relax and judge them."""
    found = shelf.promoted_generator(db, configuration.name)
    if found is None or not draws:
        return []
    sha256, generator = found
    tasks = []
    for draw in draws:
        template = db.structures.get(draw.template)
        system = db.structures.system(draw.template)
        seed = derive_seed(configuration.root_seed, "draw", sha256, draw.formula, draw.cycle, draw.number)
        drawn = generator.sample(system.numbers, system.lattice_A, count=1, seed=seed)[0]
        crystal = None if template.twin is None else db.structures.structure(template.twin)
        tasks.append(
            factory.relax(
                draw.formula,
                structure_from_system(drawn),
                twin=crystal,
                model_version=sha256,
                number=draw.number,
                cycle=draw.cycle,
            )
        )
    return tasks
