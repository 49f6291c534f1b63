"""The other checkpoints that the package chgnet carries: 0.2.0, and the one re-trained on r2SCAN."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from vitrion_models.errors import MissingDependencyError
from vitrion_workflows.potentials.chgnet import ADVICE, ChgnetForceField
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.weights import require_weights


@dataclass(frozen=True)
class ChgnetCheckpoint:
    """One file of the package.

    Attributes:
        name: registry name.
        release: version of the weights.
        file: its place under the package's folder of pretrained models.
        weights_sha256: of the file.
    """

    name: str
    release: str
    file: str
    weights_sha256: str

    def load(self, _argument: str, device: str) -> ChgnetForceField:
        """The checkpoint behind our array interface.

        Raises:
            MissingDependencyError: the package or the file is missing.
            CheckpointError: the package carries another file.
        """
        path = self._path()
        if path is None:
            raise MissingDependencyError(f"potential {self.name} needs the package chgnet: {ADVICE}")
        require_weights(path, sha256=self.weights_sha256, name=self.name, advice=ADVICE)
        return ChgnetForceField(
            path, name=self.name, release=self.release, weights_sha256=self.weights_sha256, device=device
        )

    def probe(self, _argument: str) -> Availability:
        """Whether it can run, and if not what to do."""
        path = self._path()
        if path is None:
            return Availability(ok=False, reason=f"chgnet is not installed: {ADVICE}")
        if not path.is_file():
            return Availability(ok=False, reason=f"no {path}: {ADVICE}")
        return Availability(ok=True, reason=str(path))

    def _path(self) -> Path | None:
        # find_spec does not run the package, which would import torch.
        found = find_spec("chgnet")
        return None if found is None or found.origin is None else Path(found.origin).parent / "pretrained" / self.file


CHGNET_020 = ChgnetCheckpoint(
    name="chgnet:0.2.0",
    release="0.2.0",
    file="0.2.0/chgnet_0.2.0_e30f77s348m32.pth.tar",
    weights_sha256="ef624f78b6db9d315b4ef256f1bb3207449924191b91720dc17d3f60c5df980e",
)
CHGNET_R2SCAN = ChgnetCheckpoint(
    name="chgnet:r2scan",
    release="r2scan",
    file="r2scan/chgnet_r2scan_transfer_learning_e15f36s161m23.pth.tar",
    weights_sha256="8eba3db0f35a2788bb3ae22885ad340591e27996f213c6643af522a633b50dad",
)
