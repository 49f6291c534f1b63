"""SevenNet: checkpoints inside the package sevenn, and files of the user's (`sevennet:FILE`, `sevennet:FILE@MODAL`)."""

import hashlib
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ase.data import chemical_symbols

from vitrion_models.errors import CheckpointError, MissingDependencyError
from vitrion_workflows.potentials.adapters.ase_import import AseForceField
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.weights.identity import sha256_of
from vitrion_workflows.potentials.weights.package import Package, PackagedFile

PACKAGE = Package(
    "sevenn",
    "sevenn",
    "pip install 'vitrion[sevennet]', in an environment of its own beside mace-torch (they need different e3nn)",
)
FILE_ADVICE = "download a checkpoint yourself and give sevennet:/path/to/checkpoint.pth"


@dataclass(frozen=True)
class SevennetCheckpoint:
    """One checkpoint of the package.

    Attributes:
        name: registry name.
        release: the package's name of the model.
        file: its place under the package's folder of pretrained models.
        weights_sha256: of the file.
        modal: which of its data sets' levels of theory is asked, for a checkpoint that knows several.
    """

    name: str
    release: str
    file: str
    weights_sha256: str
    modal: str | None = None

    @property
    def weights(self) -> PackagedFile:
        """The file in its place."""
        return PackagedFile(self.name, PACKAGE, f"pretrained_potentials/{self.file}", self.weights_sha256)

    def load(self, _argument: str, device: str) -> AseForceField:
        """The checkpoint through SevenNet's own calculator.

        Raises:
            MissingDependencyError: the package or the file is missing.
            CheckpointError: the package carries another file.
        """
        return _force_field(
            self.weights.require(),
            name=self.name,
            release=self.release,
            identity=self.weights_sha256,
            modal=self.modal,
            device=device,
        )

    def probe(self, _argument: str) -> Availability:
        """Whether it can run, and if not what to do."""
        return self.weights.probe()


SEVENNET_0 = SevennetCheckpoint(
    name="sevennet",
    release="7net-0 (11 July 2024)",
    file="SevenNet_0__11Jul2024/checkpoint_sevennet_0.pth",
    weights_sha256="7052cb42b7b3be42b40b97fa0d21077a48c54b5548948fc4dcf346629f813c36",
)
SEVENNET_L3I5 = SevennetCheckpoint(
    name="sevennet:l3i5",
    release="7net-l3i5",
    file="SevenNet_l3i5/checkpoint_l3i5.pth",
    weights_sha256="a7ff190d41efe5b8317a03d20a468e4036a1a3e64e0b14fdbab64ac3f4bfc09d",
)
# The only one of the package's two modalities that is offered: one sha256 must stand for one potential.
SEVENNET_R2SCAN = SevennetCheckpoint(
    name="sevennet:mf-0-r2scan",
    release="7net-mf-0, R2SCAN",
    file="SevenNet_MF_0/checkpoint_sevennet_mf_0.pth",
    weights_sha256="81791329b37d445f46b531578c182c41792d98c7814222c9e5dde276402225fd",
    modal="R2SCAN",
)


def load_sevennet_file(argument: str, device: str) -> AseForceField:
    """A SevenNet checkpoint from a file: a pickle, hence only ever one that the user names.

    Raises:
        MissingDependencyError: sevenn or the file is missing.
        CheckpointError: sevenn cannot read the file, or it needs (another) modality.
    """
    available = probe_sevennet_file(argument)
    if not available.ok or not argument:
        raise MissingDependencyError(available.reason)
    path, modal = _file_and_modal(argument)
    digest = sha256_of(path)
    # Two modalities of one file are two potentials: the modality is part of the identity.
    identity = digest if modal is None else hashlib.sha256(f"{digest} {modal}".encode()).hexdigest()
    release = path.name if modal is None else f"{path.name}, {modal}"
    return _force_field(
        path, name=f"sevennet:{path.name}", release=release, identity=identity, modal=modal, device=device
    )


def probe_sevennet_file(argument: str) -> Availability:
    """Whether a file can be evaluated, and if not what to do."""

    def file() -> Availability:
        if argument and not _file_and_modal(argument)[0].is_file():
            return Availability(ok=False, reason=f"sevennet:{argument} names no file: {FILE_ADVICE}")
        return Availability(ok=True, reason=argument or FILE_ADVICE)

    return PACKAGE.probe(file)


def _force_field(
    path: Path, *, name: str, release: str, identity: str, modal: str | None, device: str
) -> AseForceField:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # accelerators that are not there are not the caller's business
        from sevenn.calculator import SevenNetCalculator  # noqa: PLC0415 - an optional package, seconds to import

        try:
            calculator = SevenNetCalculator(str(path), device=device, modal=modal)
        except Exception as error:
            # Unpickling a foreign file can raise anything.
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            raise CheckpointError(f"{path} cannot be read by sevenn ({first_line}): {FILE_ADVICE}") from error
    return AseForceField(
        calculator,
        name=name,
        version=f"{release} (sevenn {version('sevenn')})",
        weights_sha256=identity,
        elements=frozenset(chemical_symbols[number] for number in calculator.type_map),
    )


def _file_and_modal(argument: str) -> tuple[Path, str | None]:
    file, separator, modal = argument.rpartition("@")
    return (Path(file), modal) if separator else (Path(argument), None)
