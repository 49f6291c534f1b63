"""SevenNet: checkpoints of the package sevenn, and the user's own files (`sevennet:FILE`, `sevennet:FILE@MODAL`)."""

import hashlib
import warnings
from importlib.metadata import version
from pathlib import Path

from ase.data import chemical_symbols

from vitrion_models.errors import CheckpointError, MissingDependencyError, first_line
from vitrion_workflows.potentials.adapters.ase_calculator import AseForceField
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.entry import MATERIALS_PROJECT_ELEMENTS, MPTRJ, PotentialEntry
from vitrion_workflows.potentials.weights.package import Package, PackagedWeights, sha256_of

PACKAGE = Package(
    "sevenn",
    "sevenn",
    "pip install 'vitrion[sevennet]', in an environment of its own beside mace-torch (they need different e3nn)",
)
FILE_ADVICE = "download a checkpoint yourself and give sevennet:/path/to/checkpoint.pth"
PAPER = "Y. Park et al., J. Chem. Theory Comput. 20, 4857 (2024)"
SPEED = "slow: about 7 milliseconds an atom and step on one core"


def load_sevennet_file(argument: str, device: str) -> AseForceField:
    """Load a SevenNet checkpoint from a file. It is a pickle, hence only ever one that the user names.

    Args:
        argument: path, or path@modal for a checkpoint with several levels of theory.
        device: ``cpu``, ``cuda`` or ``cuda:1``.

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
    """Check that the package and the file are there."""
    path = str(_file_and_modal(argument)[0]) if argument else ""
    return PACKAGE.probe_file(path, potential=f"sevennet:{argument}", advice=FILE_ADVICE)


def _force_field(
    path: Path, *, name: str, release: str, identity: str, modal: str | None, device: str
) -> AseForceField:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # missing accelerators do not concern the caller
        from sevenn.calculator import SevenNetCalculator  # noqa: PLC0415 - an optional package, seconds to import

        try:
            calculator = SevenNetCalculator(str(path), device=device, modal=modal)
        except Exception as error:
            # Unpickling a foreign file can raise anything.
            raise CheckpointError(f"{path} cannot be read by sevenn ({first_line(error)}): {FILE_ADVICE}") from error
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


def _entry(
    name: str,
    release: str,
    file: str,
    sha256: str,
    *,
    functional: str,
    speed: str = SPEED,
    citation: str = PAPER,
    modal: str | None = None,
) -> PotentialEntry:
    weights = PackagedWeights(name, PACKAGE, f"pretrained_potentials/{file}", sha256)
    return PotentialEntry(
        name=name,
        version=release,
        weights_sha256=sha256,
        licence="MIT",
        functional=functional,
        elements=MATERIALS_PROJECT_ELEMENTS,
        speed=speed,
        citation=citation,
        how_to_install=PACKAGE.advice,
        loader=lambda _argument, device: _force_field(
            weights.require(), name=name, release=release, identity=sha256, modal=modal, device=device
        ),
        probe=weights.probe,
    )


ENTRIES = (
    _entry(
        "sevennet",
        "7net-0 (11 July 2024)",
        "SevenNet_0__11Jul2024/checkpoint_sevennet_0.pth",
        "7052cb42b7b3be42b40b97fa0d21077a48c54b5548948fc4dcf346629f813c36",
        functional=MPTRJ,
    ),
    _entry(
        "sevennet:l3i5",
        "7net-l3i5",
        "SevenNet_l3i5/checkpoint_l3i5.pth",
        "a7ff190d41efe5b8317a03d20a468e4036a1a3e64e0b14fdbab64ac3f4bfc09d",
        functional=MPTRJ,
        speed="very slow: not measured by us",
    ),
    # One of the two modalities of the checkpoint: one sha256 stands for one potential.
    _entry(
        "sevennet:mf-0-r2scan",
        "7net-mf-0, R2SCAN",
        "SevenNet_MF_0/checkpoint_sevennet_mf_0.pth",
        "81791329b37d445f46b531578c182c41792d98c7814222c9e5dde276402225fd",
        functional="r2SCAN (Materials Project), learned together with PBE",
        citation=f"{PAPER}; J. Kim et al., J. Am. Chem. Soc. 147, 1042 (2025)",
        modal="R2SCAN",
    ),
    PotentialEntry(
        name="sevennet:",
        version="that of the file",
        licence="MIT (sevenn); that of the file",
        functional="that of the file",
        elements=frozenset(),
        speed="slow: as sevennet",
        citation=PAPER,
        how_to_install=f"{PACKAGE.advice}; {FILE_ADVICE}",
        loader=load_sevennet_file,
        probe=probe_sevennet_file,
    ),
)
