"""From proposals to tasks: which flow answers a question, under an identity that a restart finds again."""

import hashlib
import json
from dataclasses import dataclass

from pymatgen.core.structure import Structure

from vitrion.database.records import Arm, Proposal
from vitrion.ingest.outcomes import outcomes_in
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.seeds import derive_seed
from vitrion.running.task import Task, TaskKind, TaskResult
from vitrion_models.errors import InputError
from vitrion_workflows.flows import DiffusivityMaker, MeltQuenchMaker, ReferenceMaker, RelaxGeneratedMaker
from vitrion_workflows.schemas import CellOutcome, LabelOutcome, LabelProtocol


@dataclass(frozen=True)
class Question:
    """All that decides one label.

    Attributes:
        formula: reduced formula, for people.
        fingerprint: the cell.
        temperature_K: temperature of the run.
        potential: registry name.
        protocol: numbers of the run.
        seed: of the run.
        arm: who asked.
    """

    formula: str
    fingerprint: str
    temperature_K: float
    potential: str
    protocol: LabelProtocol
    seed: int
    arm: Arm


@dataclass(frozen=True)
class TaskFactory:
    """Makes the tasks of one campaign.

    Attributes:
        configuration: the campaign's.
        potential: registry name of the workhorse, resolved.
        weights_sha256: identity of its weights.
    """

    configuration: CampaignConfiguration
    potential: str
    weights_sha256: str

    def cell(self, formula: str, twin: Structure | None, *, attempt: int) -> Task:
        """Melt and quench one cell of a composition; another attempt has another seed."""
        config = self.configuration
        seed = derive_seed(config.root_seed, "cell", formula, attempt)
        maker = MeltQuenchMaker(potential=self.potential, protocol=config.cells.protocol, device=config.runner.device)
        flow = maker.make(formula, n_atoms=config.cells.atoms, seed=seed, twin=twin)
        protocol = config.cells.protocol.model_dump(mode="json")
        identity = _identity("cell", formula, config.cells.atoms, protocol, seed, self.weights_sha256)
        return Task(id=identity, kind=TaskKind.CELL, title=f"{formula} melt and quench", flow=flow)

    def question(self, proposal: Proposal) -> Question:
        """What a proposal with a cell asks.

        Raises:
            InputError: a referee's question in a campaign without referee.
        """
        config = self.configuration
        potential, protocol = self.potential, config.labels.protocol
        if proposal.arm is Arm.REFERENCE:
            if config.reference is None:
                raise InputError(f"campaign {config.name} has a proposal for a referee but no referee: restore it")
            potential = config.reference.potential
            protocol = protocol.lasting(config.reference.production_ps)
        fingerprint = str(proposal.structure_fingerprint)
        return Question(
            formula=proposal.formula,
            fingerprint=fingerprint,
            temperature_K=proposal.temperature_K,
            potential=potential,
            protocol=protocol,
            seed=derive_seed(config.root_seed, "label", fingerprint, proposal.temperature_K),
            arm=proposal.arm,
        )

    def label(self, question: Question, cell: Structure) -> Task:
        """Label one cell at one temperature."""
        referee = question.arm is Arm.REFERENCE
        maker = self._maker(question)
        identity = maker.key(question.fingerprint, temperature_K=question.temperature_K, seed=question.seed)
        by = f" by {question.potential}" if referee else ""
        return Task(
            id=identity,
            kind=TaskKind.REFERENCE if referee else TaskKind.LABEL,
            title=f"{question.formula} label {question.temperature_K:.0f} K{by}",
            flow=maker.make(cell, temperature_K=question.temperature_K, seed=question.seed),
        )

    def _maker(self, question: Question) -> DiffusivityMaker | ReferenceMaker:
        species, device = self.configuration.species, self.configuration.runner.device
        if question.arm is Arm.REFERENCE:
            return ReferenceMaker(
                potential=question.potential,
                production_potential=self.potential,
                protocol=question.protocol,
                species=species,
                device=device,
            )
        return DiffusivityMaker(
            potential=question.potential, protocol=question.protocol, species=species, device=device
        )

    def relax(
        self, formula: str, cell: Structure, *, twin: Structure | None, model_version: str, cycle: int, number: int
    ) -> Task:
        """Relax one generated cell and put it before the gates."""
        seed = derive_seed(self.configuration.root_seed, "relax", model_version, formula, cycle, number)
        maker = RelaxGeneratedMaker(potential=self.potential, device=self.configuration.runner.device)
        flow = maker.make(cell, formula=formula, twin=twin, model_version=model_version, seed=seed)
        identity = _identity("relax", formula, model_version, cycle, number, seed, self.weights_sha256)
        return Task(id=identity, kind=TaskKind.RELAX, title=f"{formula} generated cell {number + 1}", flow=flow)


def outcome_of(result: TaskResult) -> CellOutcome | LabelOutcome | None:
    """What a task was run for: the last outcome that its jobs left, or None after an error."""
    found = outcomes_in(result.documents)
    return found[-1] if found else None


def _identity(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
