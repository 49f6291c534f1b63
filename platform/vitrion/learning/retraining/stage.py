"""The learning stage of a cycle: retrain, promote, draw new cells, write down what the models say."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from vitrion.database.queries.comparison import systematic_errors
from vitrion.database.queries.gate_versions import summarize_others
from vitrion.learning.acquisition.knowledge import Knowledge, gather
from vitrion.learning.retraining import model_registry as shelf
from vitrion.learning.retraining.generation import choose_draws, draw_tasks, quenched_cells
from vitrion.learning.retraining.retrain import retrain_generator, retrain_surrogate
from vitrion.learning.stage import Stage
from vitrion.learning.tasks import outcome_of
from vitrion.running.task import Task, TaskKind, TaskResult
from vitrion_models.errors import InputError
from vitrion_models.surrogates import TrainedSurrogate
from vitrion_workflows.model_error.compound_error import SystematicErrors

GENERATED_ARM = "generated"


@dataclass
class LearningStage:
    """Retrains both models once; what an interrupted attempt has finished is not done again.

    Attributes:
        stage: the cycle and what it may write.
    """

    stage: Stage

    def retrain(self) -> None:
        """Train, store and promote the surrogate and the generator, unless the record says that it is done.

        Raises:
            InputError: there is no label, or no cell, to learn from.
        """
        if "surrogate" not in self.stage.ledger.record:
            self._retrain_surrogate()
        if "generator" not in self.stage.ledger.record:
            self._retrain_generator()

    def draws(self) -> list[Task]:
        """Tasks that draw, relax and judge cells; those that are in the database are left out."""
        stage = self.stage
        done = set(stage.ledger.record.get("drawn", {}))
        rows = [
            row
            for row in quenched_cells(stage.db, stage.configuration.name)
            if row.reduced_formula in stage.plan.proposable
        ]
        draws = choose_draws(
            stage.db, stage.configuration, self._surrogate(), rows, errors=self._errors(), cycle=stage.ledger.index
        )
        tasks = draw_tasks(stage.db, stage.configuration, stage.factory, draws)
        stage.begin_display("drawn cells", known=len(tasks), done=len(done))
        return [task for task in tasks if task.id not in done]

    def on_result(self, result: TaskResult) -> Iterable[Task]:
        """Keep a drawn cell, accepted or not."""
        stage = self.stage
        if result.error is None:
            stage.keep(result, TaskKind.RELAX, GENERATED_ARM)
        drawn = dict(stage.ledger.record.get("drawn", {}))
        outcome = outcome_of(result)
        accepted = result.error is None and bool(getattr(outcome, "accepted", False))
        drawn[result.task_id] = {
            "accepted": accepted,
            "fingerprint": getattr(outcome, "fingerprint", None),
            "reason": result.error or "",
        }
        stage.ledger.remember("drawn", drawn)
        stage.display.tally.tasks_done += 1
        return []

    def conclude(self) -> None:
        """Write down what the surrogate in force says of labels and cells: parity and ranking."""
        surrogate, knowledge = self._surrogate(), self._knowledge()
        self.stage.ledger.remember("parity", _parity(surrogate, knowledge))
        self.stage.ledger.remember("ranking", self._ranking(surrogate))

    def _retrain_surrogate(self) -> None:
        stage, knowledge = self.stage, self._knowledge()
        name = stage.configuration.name
        if left_out := summarize_others(knowledge.other_gate_versions):
            stage.display.say(f"cycle {stage.ledger.index + 1}: left out: {left_out}")
        if not knowledge.training:
            why = f"; left out: {left_out}" if left_out else ": none passed its gates"
            raise InputError(f"campaign {name} has no label to learn from{why}")
        learned = retrain_surrogate(
            stage.db, stage.configuration, knowledge, cycle=stage.ledger.index, on_progress=self._progress
        )
        stage.ledger.spend("surrogate", learned.artefact_sha256, learned.seconds)
        stage.ledger.remember("surrogate", asdict(learned))
        self._announce("surrogate", learned.reason)

    def _retrain_generator(self) -> None:
        stage = self.stage
        rows = quenched_cells(stage.db, stage.configuration.name)
        test = set(stage.plan.test_formulas)
        cells = [
            (row.fingerprint, stage.db.structures.system(row.fingerprint))
            for row in rows
            if row.reduced_formula not in test
        ]
        test_cells = [
            (row.fingerprint, stage.db.structures.system(row.fingerprint))
            for row in rows
            if row.reduced_formula in test
        ]
        if not cells:
            raise InputError(
                f"campaign {stage.configuration.name}: no cell passed its gates, so there is nothing to learn"
            )
        learned = retrain_generator(
            stage.db, stage.configuration, cells, test_cells, cycle=stage.ledger.index, on_progress=self._progress
        )
        stage.ledger.spend("generator", learned.artefact_sha256, learned.seconds)
        stage.ledger.remember("generator", asdict(learned))
        self._announce("generator", learned.reason)

    def _ranking(self, surrogate: TrainedSurrogate) -> list[dict[str, Any]]:
        """Every accepted cell at the target temperature, the best of nature first."""
        stage = self.stage
        target = stage.configuration.labels.target_temperature_K
        rows = [
            row
            for row in stage.db.structures.search(campaign=stage.configuration.name, sort="fingerprint")
            if row.accepted
        ]
        if not rows:
            return []
        answer = surrogate.predict([stage.db.structures.system(row.fingerprint) for row in rows], target)
        off = self._errors().ask_all([(row.reduced_formula, row.elements, target) for row in rows])
        entries = [
            {
                "fingerprint": row.fingerprint,
                "formula": row.reduced_formula,
                "origin": row.origin,
                "temperature_K": target,
                "log10_D": float(answer.mean[place]),
                "std": float(answer.std[place]),
                "lower_95": float(answer.lower_95[place]),
                "upper_95": float(answer.upper_95[place]),
                "Ea_eV": float(answer.Ea_eV[place]),
                "extrapolating": bool(answer.extrapolating[place]),
                "nature_log10_D": float(answer.mean[place]) - off[place].offset_decades,
                "model_std": off[place].stderr_decades,
                "model_error_by": off[place].evidence,
            }
            for place, row in enumerate(rows)
        ]
        return sorted(entries, key=lambda entry: -entry["nature_log10_D"])

    def _surrogate(self) -> TrainedSurrogate:
        found = shelf.promoted_surrogate(self.stage.db, self.stage.configuration.name)
        if found is None:
            raise InputError(f"campaign {self.stage.configuration.name} has no surrogate in force")
        return found[1]

    def _knowledge(self) -> Knowledge:
        stage = self.stage
        return gather(
            stage.db,
            campaign=stage.configuration.name,
            potential=stage.factory.potential,
            weights_sha256=stage.factory.weights_sha256,
            test_formulas=stage.plan.test_formulas,
        )

    def _errors(self) -> SystematicErrors:
        stage = self.stage
        return systematic_errors(
            stage.db,
            stage.factory.potential,
            stage.factory.weights_sha256,
            campaign=stage.configuration.name,
            without=stage.plan.test_formulas,
        )

    def _progress(self, text: str) -> None:
        self.stage.ledger.keep_alive()
        self.stage.display.note(text)

    def _announce(self, kind: str, reason: str) -> None:
        self.stage.display.say(f"cycle {self.stage.ledger.index + 1}: {kind}: {reason}")


def _parity(surrogate: TrainedSurrogate, knowledge: Knowledge) -> list[dict[str, Any]]:
    """Labels beside what the surrogate says of them; those of the frozen test were never trained on."""
    rows = [entry for entry in knowledge.observations if not entry.censored]
    if not rows:
        return []
    answer = surrogate.predict([row.material for row in rows], [row.temperature_K for row in rows])
    return [
        {
            "key": row.key,
            "formula": knowledge.formulas[row.key],
            "temperature_K": row.temperature_K,
            "measured": row.log10_D,
            "measured_stderr": row.log10_stderr,
            "predicted": float(answer.mean[place]),
            "predicted_std": float(answer.label_std[place]),
            "lower_95": float(answer.lower_95[place]),
            "upper_95": float(answer.upper_95[place]),
            "held_out": row.key in knowledge.test_keys,
        }
        for place, row in enumerate(rows)
    ]
