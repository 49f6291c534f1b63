"""MatterSim v1.0.0: the user's checkpoint through MatterSim's own calculator."""

import warnings
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

from vitrion_models.errors import CheckpointError
from vitrion_workflows.potentials.adapters.ase_import import AseForceField
from vitrion_workflows.potentials.chgnet.force_field import CHGNET_ELEMENTS
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.weights.package import Package
from vitrion_workflows.potentials.weights.user_weights import PlacedFile

PACKAGE = Package(
    "mattersim",
    "mattersim",
    "pip install 'vitrion[mattersim]', in an environment of its own beside mace-torch (they need different e3nn)",
)
# Its paper: 89 elements; taken as those of the Materials Project.
MATTERSIM_ELEMENTS = CHGNET_ELEMENTS


@dataclass(frozen=True)
class MattersimModel:
    """One of the two published sizes.

    Attributes:
        name: registry name.
        published: name of the checkpoint.
    """

    name: str
    published: str

    @property
    def file(self) -> PlacedFile:
        """The checkpoint."""
        return PlacedFile(self.name, ".pth", f"{self.published}, which microsoft/mattersim publishes")

    def load(self, _argument: str, device: str) -> AseForceField:
        """The model with the checkpoint that was installed under its name.

        Raises:
            MissingDependencyError: mattersim or the file is missing.
            CheckpointError: the file is another one than was installed, or no checkpoint of MatterSim's.
        """
        PACKAGE.require(self.name)
        digest = self.file.require()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # third-party deprecations are not the caller's business
            # By name: this module is called as the package is.
            forcefield: Any = import_module("mattersim.forcefield")
            import_module("loguru").logger.disable("mattersim")  # it tells each load on stderr
            try:
                potential = forcefield.Potential.from_checkpoint(
                    str(self.file.path), device=device, load_training_state=False
                )
            except Exception as error:
                # A foreign file can raise anything.
                raise CheckpointError(
                    f"{self.file.path} is no checkpoint of MatterSim's: {self.file.advice}"
                ) from error
        return AseForceField(
            forcefield.MatterSimCalculator(potential=potential, device=device),
            name=self.name,
            version=f"{self.published} (mattersim {version('mattersim')})",
            weights_sha256=digest,
            elements=MATTERSIM_ELEMENTS,
        )

    def probe(self, _argument: str) -> Availability:
        """Whether it can run, and if not what to do."""
        return PACKAGE.probe(self.file.probe)


MATTERSIM_1M = MattersimModel("mattersim-v1.0.0-1m", "mattersim-v1.0.0-1M.pth")
MATTERSIM_5M = MattersimModel("mattersim-v1.0.0-5m", "mattersim-v1.0.0-5M.pth")
