"""MACE models from a file of the user's: `mace:FILE`."""

import contextlib
import io
import os
import warnings
from importlib.metadata import version
from pathlib import Path

from ase.data import chemical_symbols

from vitrion_models.errors import CheckpointError, MissingDependencyError
from vitrion_workflows.potentials.adapters.ase_import import AseForceField
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.potentials.graph.force_field import GraphForceField
from vitrion_workflows.potentials.weights.identity import sha256_of
from vitrion_workflows.potentials.weights.package import Package

PACKAGE = Package("mace", "mace-torch", "pip install 'vitrion[mace]'")
# Models whose energy is a function of the bond vectors alone.
PLAIN_MODELS = ("MACE", "ScaleShiftMACE")
FILE_ADVICE = "download a model yourself and give mace:/path/to/file.model"


def load_mace(argument: str, device: str) -> ForceField:
    """A MACE model from a file, in single precision; models of other kinds of output through their own calculator.

    A MACE file is a pickled model: reading it runs what it holds. It is therefore read only when the user names the
    file, never from a database or a download of ours.

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
        warnings.simplefilter("ignore")  # third-party deprecations are not the caller's business
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
    if type(model).__name__ not in PLAIN_MODELS:
        return AseForceField(calculator, elements=elements, **identity)
    from vitrion_workflows.potentials.mace.folding import network_of  # noqa: PLC0415 - imports torch

    network = network_of(model, head=calculator.available_heads.index(calculator.head), device=device)
    return GraphForceField(network, elements=elements, device=device, **identity)


def probe_mace(argument: str) -> Availability:
    """Whether a MACE file can be evaluated, and if not what to do."""

    def file() -> Availability:
        if argument and not Path(argument).is_file():
            return Availability(ok=False, reason=f"mace:{argument} names no file: {FILE_ADVICE}")
        return Availability(ok=True, reason=argument or FILE_ADVICE)

    return PACKAGE.probe(file)
