"""Force fields under atomate2's names: `atomate2:MACE_MPA_0`."""

import hashlib
import json
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vitrion_models.errors import InputError, MissingDependencyError, first_line
from vitrion_workflows.potentials.adapters.ase_calculator import AseForceField
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.entry import ALL_ELEMENTS, PotentialEntry
from vitrion_workflows.potentials.weights.package import sha256_of

ADVICE = "give atomate2:NAME with a name of its MLFF, for example atomate2:MACE_MPA_0"
FILE_ARGUMENTS = ("model_filename", "param_filename")


def load_atomate2(argument: str, _device: str) -> AseForceField:
    """Load the calculator that atomate2 makes under a name, with its default arguments.

    Its identity is the sha256 of name, arguments and version, and of the file if the arguments name one; weights that
    the calculator downloads by itself do not enter it. Names of `ALIASES` in the registry are our own entries instead.

    Raises:
        InputError: atomate2 has no such name.
        MissingDependencyError: the package or file behind the name is missing.
    """
    available = probe_atomate2(argument)
    if not available.ok:
        raise MissingDependencyError(available.reason)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the package do not concern the caller
        from atomate2.forcefields.utils import ForceFieldMixin, ase_calculator  # noqa: PLC0415 - seconds to import

        try:
            maker: Any = ForceFieldMixin(force_field_name=argument)
        except ValueError as error:
            raise InputError(f"atomate2 has no force field {argument!r}: {ADVICE}") from error
        identity = _identity(argument, maker.calculator_kwargs)
        try:
            calculator = ase_calculator(maker.calculator_meta, **maker.calculator_kwargs)
        except ImportError as error:
            raise MissingDependencyError(f"atomate2:{argument} needs a package: {error}") from error
        except Exception as error:
            # Downloads, files and arguments of any package can fail.
            raise MissingDependencyError(f"atomate2:{argument} cannot be loaded: {first_line(error)}") from error
    return AseForceField(
        calculator,
        name=f"atomate2:{argument}",
        version=f"atomate2 {version('atomate2')}",
        weights_sha256=identity,
        elements=ALL_ELEMENTS,
    )


def probe_atomate2(argument: str) -> Availability:
    """Check that atomate2 is installed; the package behind a name is checked at loading."""
    if find_spec("atomate2") is None:
        return Availability(ok=False, reason="atomate2 is not installed: pip install vitrion")
    return Availability(ok=True, reason=argument or ADVICE)


def _identity(name: str, arguments: dict[str, Any]) -> str:
    words = [name, json.dumps(arguments, sort_keys=True, default=str), version("atomate2")]
    words += [sha256_of(Path(arguments[key])) for key in FILE_ARGUMENTS if Path(arguments.get(key, "")).is_file()]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


ENTRIES = (
    PotentialEntry(
        name="atomate2:",
        version="atomate2's default",
        licence="that of the package",
        functional="that of the calculator",
        elements=frozenset(),
        speed="unknown: that of the calculator",
        citation="A. M. Ganose et al., Digital Discovery 4, 1944 (2025)",
        how_to_install=ADVICE,
        loader=load_atomate2,
        probe=probe_atomate2,
        gpu=False,
    ),
)
