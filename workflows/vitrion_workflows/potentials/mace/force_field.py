"""MACE models from the user's files: `mace:FILE`, and published foundation models by name."""

import contextlib
import io
import os
import warnings
from importlib.metadata import version
from pathlib import Path

from ase.data import chemical_symbols

from vitrion_models.errors import CheckpointError, MissingDependencyError
from vitrion_workflows.potentials.adapters.ase_calculator import AseForceField
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.entry import MATERIALS_PROJECT_ELEMENTS, MPTRJ, PotentialEntry
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.potentials.graph.force_field import GraphForceField
from vitrion_workflows.potentials.weights.package import Package, sha256_of
from vitrion_workflows.potentials.weights.user_weights import UserWeights

PACKAGE = Package("mace", "mace-torch", "pip install 'vitrion[mace]'")
# Models whose energy is a function of the bond vectors alone.
ENERGY_MODELS = ("MACE", "ScaleShiftMACE")
FILE_ADVICE = "download a model yourself and give mace:/path/to/file.model"
PAPER = "I. Batatia et al., arXiv:2401.00096 (2023)"
SPEED = "slow: some 10 milliseconds an atom and step on one core"


def load_mace(argument: str, device: str) -> ForceField:
    """Load a MACE model from a file, in single precision; models with other outputs through mace-torch's calculator.

    A MACE file is a pickled model: reading it runs the code in it. It is therefore read only if the user names the
    file, never from a database or a download of ours.

    Args:
        argument: path of the file.
        device: ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        MissingDependencyError: mace-torch or the file is missing.
        CheckpointError: mace-torch cannot read the file.
    """
    available = probe_mace(argument)
    if not available.ok:
        raise MissingDependencyError(available.reason)
    path = Path(argument)
    if not path.is_file():
        raise MissingDependencyError(f"mace:{argument} names no file: {FILE_ADVICE}")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # deprecations inside the package do not concern the caller
        from mace.calculators import MACECalculator  # noqa: PLC0415 - an optional package, seconds to import

        # mace-torch sets this when it is first imported, for every torch.load of the process; only its own file may.
        os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
        try:
            calculator = MACECalculator(model_paths=str(path), device=device, default_dtype="")
        except Exception as error:
            # Unpickling a foreign file can raise anything.
            raise CheckpointError(f"{path} cannot be read as a MACE model: {FILE_ADVICE}") from error
        finally:
            os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)
    identity = {
        "name": f"mace:{path.name}",
        "version": f"mace-torch {version('mace-torch')}",
        "weights_sha256": sha256_of(path),
    }
    elements = frozenset(chemical_symbols[number] for number in calculator.z_table.zs)
    (model,) = calculator.models
    if type(model).__name__ not in ENERGY_MODELS:
        return AseForceField(calculator, elements=elements, **identity)
    from vitrion_workflows.potentials.mace.folding import network_of  # noqa: PLC0415 - imports torch

    network = network_of(model, head=calculator.available_heads.index(calculator.head), device=device)
    return GraphForceField(network, elements=elements, device=device, **identity)


def probe_mace(argument: str) -> Availability:
    """Check that the package and the file are there."""
    return PACKAGE.probe_file(argument, potential=f"mace:{argument}", advice=FILE_ADVICE)


def _entry(
    name: str, file: str, *, functional: str = MPTRJ, licence: str = "MIT", citation: str = PAPER
) -> PotentialEntry:
    # A published foundation model, which the user has installed under its name.
    weights = UserWeights(name, ".model", f"{file}, from the releases of ACEsuit's foundation models")

    def load(_argument: str, device: str) -> ForceField:
        PACKAGE.require(name)
        weights.require()
        force_field = load_mace(str(weights.path), device)
        force_field.name, force_field.version = name, f"{file} ({force_field.version})"
        return force_field

    return PotentialEntry(
        name=name,
        version=file,
        licence=f"MIT (mace-torch); {licence} (weights)",
        functional=functional,
        elements=MATERIALS_PROJECT_ELEMENTS,
        speed=SPEED,
        citation=citation,
        how_to_install=f"{PACKAGE.advice}; {weights.advice}",
        loader=load,
        probe=lambda _argument: PACKAGE.probe(weights.probe),
        user_weights=weights,
    )


ENTRIES = (
    _entry("mace-mp-0", "2023-12-03-mace-128-L1_epoch-199.model"),
    _entry("mace-mp-0b3", "mace-mp-0b3-medium.model"),
    _entry("mace-mpa-0", "mace-mpa-0-medium.model", functional="PBE and PBE+U (MPtrj and sAlex)"),
    _entry(
        "mace-matpes-r2scan-0",
        "MACE-matpes-r2scan-omat-ft.model",
        functional="r2SCAN (MatPES), fine-tuned from OMat24",
        licence="Academic Software License",
        citation=f"{PAPER}; A. D. Kaplan et al., arXiv:2503.04070 (2025)",
    ),
    PotentialEntry(
        name="mace:",
        version="that of the file",
        licence="MIT (mace-torch); that of the file",
        functional="that of the file",
        elements=frozenset(),
        speed=SPEED,
        citation="I. Batatia et al., NeurIPS 35, 11423 (2022)",
        how_to_install=f"{PACKAGE.advice}; {FILE_ADVICE}",
        loader=load_mace,
        probe=probe_mace,
    ),
)
