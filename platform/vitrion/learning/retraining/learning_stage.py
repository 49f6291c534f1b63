"""Learning stage of a cycle: retrain, promote, and draw new cells."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from vitrion.database.queries.gate_versions import summarize_others
from vitrion.database.records import StructureRecord
from vitrion.keys import cycle_number
from vitrion.learning.cycle_run import CycleRun
from vitrion.learning.given_labels import given_labels
from vitrion.learning.retraining import model_registry
from vitrion.learning.retraining.generation import choose_draws, draw_tasks, quenched_cells
from vitrion.learning.retraining.training import retrain_generator, retrain_surrogate
from vitrion.learning.tasks import outcome_of
from vitrion.learning.training_data import TrainingData, gather
from vitrion.running.task import Task, TaskKind, TaskResult
from vitrion_models.errors import InputError
from vitrion_models.surrogates import TrainedSurrogate
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import CellOutcome

GENERATED_ARM = "generated"


@dataclass
class LearningStage:
    """Retraining of both models; work that an interrupted attempt has finished is not repeated."""

    run: CycleRun

    def retrain(self) -> None:
        """Train, store and promote the surrogate and the generator, unless the record says that this is done.

        Raises:
            InputError: there is no label, or no cell, to learn from.
        """
        if "surrogate" not in self.run.ledger.record:
            self._retrain_surrogate()
        if "generator" not in self.run.ledger.record:
            self._retrain_generator()

    def draws(self) -> list[Task]:
        """Return the tasks that draw, relax and test cells, without those that are finished."""
        run = self.run
        finished = set(run.ledger.record.get("drawn", {}))
        rows = [
            row for row in quenched_cells(run.db, run.configuration.name) if row.reduced_formula in run.plan.proposable
        ]
        draws = choose_draws(
            run.db, run.configuration, self._surrogate(), rows, errors=self._data.errors, cycle=run.ledger.index
        )
        tasks = draw_tasks(run.db, run.configuration, run.factory, draws)
        run.begin_display("drawn cells", total=len(tasks), done=len(finished))
        return [task for task in tasks if task.id not in finished]

    def on_result(self, result: TaskResult) -> Iterable[Task]:
        """Store a drawn cell, accepted or not."""
        run = self.run
        if result.error is None:
            run.keep(result, TaskKind.RELAX, GENERATED_ARM)
        outcome = outcome_of(result)
        cell = outcome if isinstance(outcome, CellOutcome) else None
        drawn = dict(run.ledger.record.get("drawn", {}))
        drawn[result.task_id] = {
            "accepted": cell is not None and cell.accepted,
            "fingerprint": None if cell is None else cell.fingerprint,
            "reason": result.error or "",
        }
        run.ledger.remember("drawn", drawn)
        run.display.tally.tasks_done += 1
        return []

    def _retrain_surrogate(self) -> None:
        run, data = self.run, self._data
        name = run.configuration.name
        if left_out := summarize_others(data.other_gate_versions):
            run.display.say(f"cycle {cycle_number(run.ledger.index)}: left out: {left_out}")
        if not data.training:
            refused = Counter(entry.reason for entry in run.ledger.cycle.proposals if entry.reason)
            cells = "".join(f"; {reason} ({count} times)" for reason, count in refused.items())
            reason = f"; left out: {left_out}" if left_out else f": none passed its gates{cells}"
            raise InputError(f"campaign {name} has no label to learn from{reason}")
        result = retrain_surrogate(run.db, run.configuration, data, cycle=run.ledger.index, on_progress=self._progress)
        run.ledger.spend("surrogate", result.artefact_sha256, result.seconds)
        run.ledger.remember("surrogate", asdict(result))
        self._announce("surrogate", result.reason)

    def _retrain_generator(self) -> None:
        run = self.run
        rows = quenched_cells(run.db, run.configuration.name)
        test = [row for row in rows if row.reduced_formula in run.plan.test_formulas]
        training = [row for row in rows if row.reduced_formula not in run.plan.test_formulas]
        if not training:
            raise InputError(f"campaign {run.configuration.name}: no cell to train the generator on passed its gates")
        result = retrain_generator(
            run.db,
            run.configuration,
            self._cells(training),
            self._cells(test),
            cycle=run.ledger.index,
            on_progress=self._progress,
        )
        run.ledger.spend("generator", result.artefact_sha256, result.seconds)
        run.ledger.remember("generator", asdict(result))
        self._announce("generator", result.reason)

    def _cells(self, rows: Sequence[StructureRecord]) -> list[tuple[str, AtomicSystem]]:
        names = [row.fingerprint for row in rows]
        systems = self.run.db.structures.systems(names)
        return [(name, systems[name]) for name in names]

    def _surrogate(self) -> TrainedSurrogate:
        promoted = model_registry.promoted_surrogate(self.run.db, self.run.configuration.name)
        if promoted is None:
            raise InputError(
                f"campaign {self.run.configuration.name} has no promoted surrogate: run cycles until one is promoted"
            )
        return promoted[1]

    @cached_property
    def _data(self) -> TrainingData:
        """Labels of the campaign, read once: those of this cycle are complete before the stage begins."""
        run = self.run
        return gather(
            run.db,
            campaign=run.configuration.name,
            potential=run.factory.potential,
            weights_sha256=run.factory.weights_sha256,
            species=run.configuration.species,
            test_formulas=run.plan.test_formulas,
            dearer=run.configuration.dearer,
            given=given_labels(run.db, run.configuration, run.plan.test_formulas),
        )

    def _progress(self, text: str) -> None:
        self.run.ledger.keep_alive()
        self.run.display.note(text)

    def _announce(self, kind: str, reason: str) -> None:
        self.run.display.say(f"cycle {cycle_number(self.run.ledger.index)}: {kind}: {reason}")
