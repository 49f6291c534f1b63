"""CHGNet: the checkpoints that its package carries, 0.3.0, 0.2.0 and the one re-trained on r2SCAN."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ase.data import chemical_symbols

from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.graph.force_field import GraphForceField
from vitrion_workflows.potentials.weights.package import Package, PackagedFile

PACKAGE = Package("chgnet", "chgnet", "pip install chgnet")
# Trained on elements 1-94 without Po, At, Rn, Fr and Ra (its paper: 89 elements).
ABSENT = {"Po", "At", "Rn", "Fr", "Ra"}
CHGNET_ELEMENTS = frozenset(chemical_symbols[1:95]) - ABSENT


class ChgnetForceField(GraphForceField):
    """CHGNet's weights in our own evaluation of its network (`chgnet_network`); the package's code is not run."""

    def __init__(self, path: Path, *, name: str, release: str, weights_sha256: str, device: str) -> None:
        import torch  # noqa: PLC0415 - seconds to import, and only the graph networks need it

        from vitrion_workflows.potentials.chgnet.network import ChgnetNetwork  # noqa: PLC0415 - imports torch

        stored = torch.load(path, map_location="cpu", weights_only=True)["model"]
        super().__init__(
            ChgnetNetwork(stored["state_dict"], stored["model_args"], device=device),
            name=name,
            version=f"{release} (chgnet {version('chgnet')})",
            weights_sha256=weights_sha256,
            elements=CHGNET_ELEMENTS,
            device=device,
        )


@dataclass(frozen=True)
class ChgnetCheckpoint:
    """One file of the package.

    Attributes:
        name: registry name.
        release: version of the weights.
        file: its name under the package's folder of that release.
        weights_sha256: of the file.
    """

    name: str
    release: str
    file: str
    weights_sha256: str

    @property
    def weights(self) -> PackagedFile:
        """The file in its place."""
        return PackagedFile(self.name, PACKAGE, f"pretrained/{self.release}/{self.file}", self.weights_sha256)

    def load(self, _argument: str, device: str) -> ChgnetForceField:
        """The checkpoint behind our array interface.

        Raises:
            MissingDependencyError: the package or the file is missing.
            CheckpointError: the package carries another file.
        """
        return ChgnetForceField(
            self.weights.require(),
            name=self.name,
            release=self.release,
            weights_sha256=self.weights_sha256,
            device=device,
        )

    def probe(self, _argument: str) -> Availability:
        """Whether it can run, and if not what to do."""
        return self.weights.probe()


CHGNET_030 = ChgnetCheckpoint(
    name="chgnet",
    release="0.3.0",
    file="chgnet_0.3.0_e29f68s314m37.pth.tar",
    weights_sha256="d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1",
)
CHGNET_020 = ChgnetCheckpoint(
    name="chgnet:0.2.0",
    release="0.2.0",
    file="chgnet_0.2.0_e30f77s348m32.pth.tar",
    weights_sha256="ef624f78b6db9d315b4ef256f1bb3207449924191b91720dc17d3f60c5df980e",
)
CHGNET_R2SCAN = ChgnetCheckpoint(
    name="chgnet:r2scan",
    release="r2scan",
    file="chgnet_r2scan_transfer_learning_e15f36s161m23.pth.tar",
    weights_sha256="8eba3db0f35a2788bb3ae22885ad340591e27996f213c6643af522a633b50dad",
)
