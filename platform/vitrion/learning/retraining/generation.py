"""Generated cells: drawn by the promoted generator, relaxed by the potential, tested by the same gates as all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vitrion.database import Database
from vitrion.database.records import StructureRecord
from vitrion.learning.acquisition.forecast import forecast
from vitrion.learning.acquisition.pool import Candidate
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.retraining import model_registry
from vitrion.learning.seeds import derive_seed
from vitrion.learning.tasks import TaskFactory
from vitrion.running.task import Task
from vitrion_models.generators import GenerationRequest
from vitrion_models.surrogates import TrainedSurrogate
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.schemas import Origin, StructureKind
from vitrion_workflows.schemas.geometry import structure_from_system


@dataclass(frozen=True)
class Draw:
    """One cell to draw: a composition in the lattice of an accepted cell of it."""

    template: StructureRecord
    number: int
    cycle: int


def quenched_cells(db: Database, campaign: str) -> list[StructureRecord]:
    """Return the accepted melt-quenched cells of a campaign, by fingerprint."""
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
    errors: ModelErrors,
    cycle: int,
) -> list[Draw]:
    """Choose compositions to draw: in turn those with the largest corrected diffusivity at the target temperature.

    Args:
        db: database of the campaign.
        configuration: its configuration.
        surrogate: the promoted one.
        rows: accepted melt-quenched cells of compositions that may be proposed.
        errors: systematic error of the potential.
        cycle: index of the cycle; later cycles begin further down the ranking, so that draws are not repeated.
    """
    count = configuration.generated_cells
    if not rows or not count:
        return []
    systems = db.structures.systems([row.fingerprint for row in rows])
    pool = [
        Candidate(
            row.reduced_formula,
            row.fingerprint,
            is_cell=True,
            material=systems[row.fingerprint],
            proposed_K=frozenset(),
        )
        for row in rows
    ]
    predictions = forecast(
        surrogate,
        pool,
        temperatures_K=configuration.labels.temperatures_K,
        target_K=configuration.labels.target_temperature_K,
        errors=errors,
        seed=derive_seed(configuration.root_seed, "draws", cycle),
    )
    best_first = [rows[column] for column in sorted(range(len(pool)), key=lambda c: -predictions.corrected[c])]
    best_by_formula: dict[str, StructureRecord] = {}
    for row in best_first:
        best_by_formula.setdefault(row.reduced_formula, row)
    ranking = list(best_by_formula.values())
    return [
        Draw(template=ranking[(cycle * count + number) % len(ranking)], number=number, cycle=cycle)
        for number in range(count)
    ]


def draw_tasks(
    db: Database, configuration: CampaignConfiguration, factory: TaskFactory, draws: Sequence[Draw]
) -> list[Task]:
    """Draw the cells and return the tasks that relax and test them; none where there is no generator."""
    promoted = model_registry.promoted_generator(db, configuration.name)
    if promoted is None or not draws:
        return []
    sha256, generator = promoted
    templates = [draw.template for draw in draws]
    systems = db.structures.systems([row.fingerprint for row in templates])
    crystals = db.structures.structures([row.twin for row in templates if row.twin is not None])
    tasks = []
    for draw in draws:
        formula, system = draw.template.reduced_formula, systems[draw.template.fingerprint]
        seed = derive_seed(configuration.root_seed, "draw", sha256, formula, draw.cycle, draw.number)
        request = GenerationRequest(count=1, seed=seed, composition=system.numbers, cell_A=system.lattice_A)
        cell = replace(generator.sample(request)[0], masses_u=system.masses_u)
        tasks.append(
            factory.relax(
                formula,
                structure_from_system(cell),
                twin=None if draw.template.twin is None else crystals[draw.template.twin],
                volumes=draw.template.volumes,
                model_version=sha256,
                number=draw.number,
                cycle=draw.cycle,
            )
        )
    return tasks
