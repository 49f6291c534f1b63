"""Tasks of a campaign: the flow of each proposal, under an identity that is the same after a restart."""

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
from vitrion_workflows.schemas import CellOutcome, LabelOutcome, LabelProtocol, VolumeEstimates


@dataclass(frozen=True)
class LabelRequest:
    """Everything that determines one label of a campaign."""

    formula: str
    fingerprint: str
    temperature_K: float
    potential: str
    protocol: LabelProtocol
    seed: int
    arm: Arm


@dataclass(frozen=True)
class TaskFactory:
    """Maker of the tasks of one campaign."""

    configuration: CampaignConfiguration
    potential: str
    weights_sha256: str

    def cell(self, formula: str, twin: Structure | None, *, attempt: int) -> Task:
        """Return the task that melts and quenches one cell of a composition; each attempt has its own seed."""
        config = self.configuration
        seed = derive_seed(config.root_seed, "cell", formula, attempt)
        maker = MeltQuenchMaker(
            potential=self.potential,
            protocol=config.cells.protocol,
            volume=config.cells.volume,
            device=config.runner.device,
            force_check=config.labels.force_check,
        )
        flow = maker.make(formula, n_atoms=config.cells.atoms, seed=seed, twin=twin)
        protocol = config.cells.protocol.model_dump(mode="json")
        identity = _identity(
            "cell", formula, config.cells.atoms, protocol, config.cells.volume, seed, self.weights_sha256
        )
        return Task(id=identity, kind=TaskKind.CELL, title=f"{formula} melt and quench", flow=flow)

    def label_request(self, proposal: Proposal) -> LabelRequest:
        """Return the label that a proposal with a cell asks for.

        Raises:
            InputError: a label by a potential that is not in the configuration.
        """
        config = self.configuration
        potential, protocol = self.potential, config.labels.protocol
        if proposal.arm is Arm.REFERENCE:
            by_name = {reference.potential: reference for reference in config.references}
            potential = proposal.potential or next(iter(by_name), "a reference potential")
            if potential not in by_name:
                raise InputError(
                    f"campaign {config.name} has a proposal for {potential}, which is neither in `reference` nor in "
                    "`fidelities`: restore it"
                )
            protocol = protocol.lasting(by_name[potential].production_ps)
        fingerprint = str(proposal.structure_fingerprint)
        return LabelRequest(
            formula=proposal.formula,
            fingerprint=fingerprint,
            temperature_K=proposal.temperature_K,
            potential=potential,
            protocol=protocol,
            seed=derive_seed(config.root_seed, "label", fingerprint, proposal.temperature_K),
            arm=proposal.arm,
        )

    def label(self, request: LabelRequest, cell: Structure, volumes: VolumeEstimates | None = None) -> Task:
        """Return the task that labels one cell at one temperature; its id is the key of the label.

        Args:
            request: settings of the label.
            cell: the cell.
            volumes: of the cell; the run has the volume of its temperature.
        """
        volume = None if volumes is None else volumes.of_label(request.temperature_K)
        kelvin, seed = request.temperature_K, request.seed
        is_reference = request.arm is Arm.REFERENCE
        maker = self._maker(request)
        by = f" by {request.potential}" if is_reference else ""
        return Task(
            id=maker.key(request.fingerprint, temperature_K=kelvin, seed=seed, volume_A3_per_atom=volume),
            kind=TaskKind.REFERENCE if is_reference else TaskKind.LABEL,
            title=f"{request.formula} label {request.temperature_K:.0f} K{by}",
            flow=maker.make(cell, temperature_K=kelvin, seed=seed, volume_A3_per_atom=volume),
        )

    def _maker(self, request: LabelRequest) -> DiffusivityMaker | ReferenceMaker:
        species, device = self.configuration.species, self.configuration.runner.device
        if request.arm is Arm.REFERENCE:
            return ReferenceMaker(
                potential=request.potential,
                production_potential=self.potential,
                protocol=request.protocol,
                species=species,
                device=device,
            )
        return DiffusivityMaker(
            potential=request.potential,
            protocol=request.protocol,
            species=species,
            device=device,
            force_check=self.configuration.labels.force_check,
        )

    def relax(
        self,
        formula: str,
        cell: Structure,
        *,
        twin: Structure | None,
        volumes: VolumeEstimates | None,
        model_version: str,
        cycle: int,
        number: int,
    ) -> Task:
        """Return the task that relaxes one generated cell and tests it by the gates."""
        seed = derive_seed(self.configuration.root_seed, "relax", model_version, formula, cycle, number)
        config = self.configuration
        maker = RelaxGeneratedMaker(
            potential=self.potential, device=config.runner.device, force_check=config.labels.force_check
        )
        flow = maker.make(cell, formula=formula, twin=twin, volumes=volumes, model_version=model_version, seed=seed)
        identity = _identity("relax", formula, model_version, cycle, number, seed, self.weights_sha256)
        return Task(id=identity, kind=TaskKind.RELAX, title=f"{formula} generated cell {number + 1}", flow=flow)


def outcome_of(result: TaskResult) -> CellOutcome | LabelOutcome | None:
    """Return the last outcome that the jobs of a task left, or None after an error."""
    outcomes = outcomes_in(result.documents)
    return outcomes[-1] if outcomes else None


def _identity(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
