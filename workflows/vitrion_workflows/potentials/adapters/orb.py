"""Orb v3, the conservative models: the user's file of weights through orb-models' own calculator."""

import warnings
from dataclasses import dataclass
from importlib.metadata import version

from vitrion_models.errors import CheckpointError
from vitrion_workflows.potentials.adapters.ase_import import AseForceField
from vitrion_workflows.potentials.chgnet.force_field import CHGNET_ELEMENTS
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.weights.package import Package
from vitrion_workflows.potentials.weights.user_weights import PlacedFile

PACKAGE = Package("orb_models", "orb-models", "pip install 'vitrion[orb]'")
# OMat24 and MPtrj are data of the Materials Project's 89 elements.
ORB_ELEMENTS = CHGNET_ELEMENTS
# Tensor-float products would cost forces their last digits, and the package sets them for the whole process.
PRECISION = "float32-highest"


@dataclass(frozen=True)
class OrbModel:
    """One of the package's architectures with the user's weights.

    Attributes:
        name: registry name, which is the package's own.
    """

    name: str

    @property
    def file(self) -> PlacedFile:
        """The weights."""
        return PlacedFile(self.name, ".ckpt", f"{self.name}-*.ckpt, which orbital-materials/orb-models names")

    def load(self, _argument: str, device: str) -> AseForceField:
        """The model with the weights that were installed under its name.

        Raises:
            MissingDependencyError: orb-models or the file is missing.
            CheckpointError: the file is another one than was installed, or holds another model.
        """
        PACKAGE.require(self.name)
        digest = self.file.require()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # third-party deprecations are not the caller's business
            from orb_models.forcefield.calculator import ORBCalculator  # noqa: PLC0415 - optional, seconds to import
            from orb_models.forcefield.pretrained import ORB_PRETRAINED_MODELS  # noqa: PLC0415

            try:
                model = ORB_PRETRAINED_MODELS[self.name](
                    weights_path=str(self.file.path), device=device, precision=PRECISION, compile=False
                )
            except Exception as error:
                # A foreign file can raise anything.
                raise CheckpointError(
                    f"{self.file.path} holds no weights of {self.name}: {self.file.advice}"
                ) from error
        return AseForceField(
            ORBCalculator(model, device=device),
            name=self.name,
            version=f"{self.name} (orb-models {version('orb-models')})",
            weights_sha256=digest,
            elements=ORB_ELEMENTS,
        )

    def probe(self, _argument: str) -> Availability:
        """Whether it can run, and if not what to do."""
        return PACKAGE.probe(self.file.probe)


ORB_OMAT = OrbModel("orb-v3-conservative-inf-omat")
ORB_MPA = OrbModel("orb-v3-conservative-inf-mpa")
