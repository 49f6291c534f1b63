"""atomate2's names of force fields (`atomate2:MACE_MPA_0`): those that are potentials of ours, and all the others."""

import hashlib
import json
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ase.data import chemical_symbols

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows.potentials.adapters.ase_import import AseForceField
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.weights.identity import sha256_of

# What atomate2 runs under these names are the very weights of these entries, whose sha256 is known.
SAME_AS = {
    "CHGNet": "chgnet",
    "MACE": "mace-mp-0",
    "MACE_MP_0": "mace-mp-0",
    "MACE-MP-0": "mace-mp-0",
    "MACE_MP_0B3": "mace-mp-0b3",
    "MACE-MP-0b3": "mace-mp-0b3",
    "MACE_MPA_0": "mace-mpa-0",
    "MACE-MPA-0": "mace-mpa-0",
    "MatterSim": "mattersim-v1.0.0-1m",
    "SevenNet": "sevennet",
}
ADVICE = "give atomate2:NAME with a name of its MLFF, for example atomate2:MACE_MPA_0"
FILE_ARGUMENTS = ("model_filename", "param_filename")


def load_atomate2(argument: str, _device: str) -> AseForceField:
    """The calculator that atomate2 makes under a name, with atomate2's default arguments.

    Its identity is the sha256 of name, arguments and version, and of the file where the arguments name one: what such
    a calculator downloads by itself cannot be seen. The names in `SAME_AS` never come here.

    Raises:
        InputError: atomate2 has no such name, or it stands for no calculator.
        MissingDependencyError: the package or file behind the name is missing.
    """
    available = probe_atomate2(argument)
    if not available.ok:
        raise MissingDependencyError(available.reason)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third-party deprecations are not the caller's business
        from atomate2.forcefields.utils import ForceFieldMixin, ase_calculator  # noqa: PLC0415 - seconds to import

        try:
            maker: Any = ForceFieldMixin(force_field_name=argument)
        except ValueError as error:
            raise InputError(f"atomate2 knows no force field {argument!r}: {ADVICE}") from error
        identity = _identity(argument, maker.calculator_kwargs)
        try:
            calculator = ase_calculator(maker.calculator_meta, **maker.calculator_kwargs)
        except ImportError as error:
            raise MissingDependencyError(f"atomate2:{argument} needs a package: {error}") from error
        except Exception as error:
            # Downloads, files and arguments of any package can be at fault.
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            raise MissingDependencyError(f"atomate2:{argument} cannot be made: {first_line}") from error
    return AseForceField(
        calculator,
        name=f"atomate2:{argument}",
        version=f"atomate2 {version('atomate2')}",
        weights_sha256=identity,
        elements=frozenset(chemical_symbols[1:]),
    )


def probe_atomate2(argument: str) -> Availability:
    """Whether atomate2 is there; which packages its names need is found at loading."""
    if find_spec("atomate2") is None:
        return Availability(ok=False, reason="atomate2 is not installed: pip install vitrion")
    return Availability(ok=True, reason=argument or ADVICE)


def _identity(name: str, arguments: dict[str, Any]) -> str:
    words = [name, json.dumps(arguments, sort_keys=True, default=str), version("atomate2")]
    words += [sha256_of(Path(arguments[key])) for key in FILE_ARGUMENTS if Path(arguments.get(key, "")).is_file()]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()
