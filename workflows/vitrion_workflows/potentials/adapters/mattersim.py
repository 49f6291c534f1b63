"""MatterSim v1.0.0: the user's checkpoint through MatterSim's own calculator."""

import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any

from vitrion_models.errors import CheckpointError
from vitrion_workflows.potentials.adapters.ase_calculator import AseForceField
from vitrion_workflows.potentials.entry import MATERIALS_PROJECT_ELEMENTS, PotentialEntry
from vitrion_workflows.potentials.weights.package import Package
from vitrion_workflows.potentials.weights.user_weights import UserWeights

PACKAGE = Package(
    "mattersim",
    "mattersim",
    "pip install 'vitrion[mattersim]', in an environment of its own beside mace-torch (they need different e3nn)",
)


def _entry(name: str, checkpoint: str) -> PotentialEntry:
    weights = UserWeights(name, ".pth", f"{checkpoint}, which microsoft/mattersim publishes")
    return PotentialEntry(
        name=name,
        version=checkpoint,
        licence="MIT",
        functional="PBE and PBE+U, cells up to 5000 K and 1000 GPa among them",
        elements=MATERIALS_PROJECT_ELEMENTS,
        speed="slow: not measured by us",
        citation="H. Yang et al., MatterSim, arXiv:2405.04967 (2024)",
        how_to_install=f"{PACKAGE.advice}; {weights.advice}",
        loader=lambda _argument, device: load_mattersim(weights, checkpoint, device),
        probe=lambda _argument: PACKAGE.probe(weights.probe),
        user_weights=weights,
    )


def load_mattersim(weights: UserWeights, checkpoint: str, device: str) -> AseForceField:
    """Load MatterSim with the checkpoint that was installed under its name.

    Raises:
        MissingDependencyError: mattersim or the file is missing.
        CheckpointError: the file has changed since it was installed, or is not a checkpoint of MatterSim.
    """
    PACKAGE.require(weights.potential)
    digest = weights.require()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the package do not concern the caller
        # By name: this module has the name of the package.
        forcefield: Any = import_module("mattersim.forcefield")
        import_module("loguru").logger.disable("mattersim")  # it reports each load on stderr
        try:
            potential = forcefield.Potential.from_checkpoint(
                str(weights.path), device=device, load_training_state=False
            )
        except Exception as error:
            # A foreign file can raise anything.
            raise CheckpointError(f"{weights.path} is not a checkpoint of MatterSim: {weights.advice}") from error
    return AseForceField(
        forcefield.MatterSimCalculator(potential=potential, device=device),
        name=weights.potential,
        version=f"{checkpoint} (mattersim {version('mattersim')})",
        weights_sha256=digest,
        elements=MATERIALS_PROJECT_ELEMENTS,
    )


ENTRIES = (
    _entry("mattersim-v1.0.0-1m", "mattersim-v1.0.0-1M.pth"),
    _entry("mattersim-v1.0.0-5m", "mattersim-v1.0.0-5M.pth"),
)
