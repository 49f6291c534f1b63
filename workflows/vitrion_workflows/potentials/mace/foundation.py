"""MACE's published foundation models under their names: the user's file, loaded as `mace:FILE` is."""

from dataclasses import dataclass

from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.potentials.mace import force_field as mace
from vitrion_workflows.potentials.weights.user_weights import PlacedFile


@dataclass(frozen=True)
class MaceModel:
    """One published model.

    Attributes:
        name: registry name.
        published: name of its file, as mace-torch's own table of foundation models has it.
    """

    name: str
    published: str

    @property
    def file(self) -> PlacedFile:
        """The model."""
        return PlacedFile(self.name, ".model", f"{self.published}, from the releases of ACEsuit's foundation models")

    def load(self, _argument: str, device: str) -> ForceField:
        """The model that was installed under its name.

        Raises:
            MissingDependencyError: mace-torch or the file is missing.
            CheckpointError: the file is another one than was installed, or no MACE model.
        """
        mace.PACKAGE.require(self.name)
        self.file.require()
        field = mace.load_mace(str(self.file.path), device)
        field.name = self.name
        field.version = f"{self.published} ({field.version})"
        return field

    def probe(self, _argument: str) -> Availability:
        """Whether it can run, and if not what to do."""
        return mace.PACKAGE.probe(self.file.probe)


MACE_MP_0 = MaceModel("mace-mp-0", "2023-12-03-mace-128-L1_epoch-199.model")
MACE_MP_0B3 = MaceModel("mace-mp-0b3", "mace-mp-0b3-medium.model")
MACE_MPA_0 = MaceModel("mace-mpa-0", "mace-mpa-0-medium.model")
MACE_MATPES_R2SCAN_0 = MaceModel("mace-matpes-r2scan-0", "MACE-matpes-r2scan-omat-ft.model")
