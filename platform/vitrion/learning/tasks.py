"""From proposals to tasks: which flow answers a question, under an identity that a restart finds again."""

import hashlib
import json
from dataclasses import dataclass

from pymatgen.core.structure import Structure

from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.seeds import derive_seed
from vitrion.running.task import Task, TaskKind
from vitrion_workflows.flows import DiffusivityMaker, MeltQuenchMaker, RelaxGeneratedMaker
from vitrion_workflows.schemas import LabelProtocol, label_key


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

    def cell(self, formula: str, twin: Structure, *, twin_fingerprint: str, attempt: int) -> Task:
        """Melt and quench one cell of a composition; another attempt has another seed."""
        config = self.configuration
        seed = derive_seed(config.seed, "cell", formula, attempt)
        maker = MeltQuenchMaker(potential=self.potential, protocol=config.cells.protocol)
        flow = maker.make(formula, n_atoms=config.cells.atoms, seed=seed, twin=twin)
        identity = _identity(
            "cell",
            formula,
            twin_fingerprint,
            config.cells.atoms,
            config.cells.protocol.model_dump(),
            seed,
            self.weights_sha256,
        )
        return Task(id=identity, kind=TaskKind.CELL, title=f"{formula} melt and quench", flow=flow)

    def label_seed(self, fingerprint: str, temperature_K: float) -> int:
        """Seed of a labelling run."""
        return derive_seed(self.configuration.seed, "label", fingerprint, temperature_K)

    def label_key(self, fingerprint: str, temperature_K: float) -> str:
        """Identity of a label before it is made."""
        return label_key(
            structure_fingerprint=fingerprint,
            species=self.configuration.species,
            temperature_K=temperature_K,
            protocol=self.configuration.labels.protocol,
            weights_sha256=self.weights_sha256,
            seed=self.label_seed(fingerprint, temperature_K),
        )

    def label(self, formula: str, cell: Structure, *, fingerprint: str, temperature_K: float) -> Task:
        """Label one cell at one temperature with the workhorse."""
        maker = DiffusivityMaker(
            potential=self.potential,
            protocol=self.configuration.labels.protocol,
            species=self.configuration.species,
        )
        flow = maker.make(cell, temperature_K=temperature_K, seed=self.label_seed(fingerprint, temperature_K))
        return Task(
            id=self.label_key(fingerprint, temperature_K),
            kind=TaskKind.LABEL,
            title=f"{formula} label {temperature_K:.0f} K",
            flow=flow,
        )

    def relax(self, formula: str, cell: Structure, *, twin: Structure | None, model_version: str, number: int) -> Task:
        """Relax one generated cell and put it before the gates."""
        seed = derive_seed(self.configuration.seed, "relax", model_version, formula, number)
        maker = RelaxGeneratedMaker(potential=self.potential)
        flow = maker.make(cell, formula=formula, twin=twin, model_version=model_version, seed=seed)
        identity = _identity("relax", formula, model_version, number, seed, self.weights_sha256)
        return Task(id=identity, kind=TaskKind.RELAX, title=f"{formula} generated cell {number + 1}", flow=flow)


def _identity(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def referee_protocol(protocol: LabelProtocol, production_ps: float) -> LabelProtocol:
    """The workhorse's protocol at the referee's length."""
    return protocol.model_copy(update={"production_ps": production_ps})
