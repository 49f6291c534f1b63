"""PFP, Matlantis' licensed potential, through its own client: `pfp:MODE@VERSION`, for example `pfp:R2SCAN@v8.0.0`.

The weights stay with their owner. What identifies the potential is the calculation mode (the functional, with or
without dispersion) and the model version, both stated by the user; ``latest`` is a moving target and refused.
"""

import hashlib
import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.adapters.ase_import import AseForceField
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.force_field import ForceResult
from vitrion_workflows.potentials.remote import RemoteError
from vitrion_workflows.potentials.weights.package import Package

PACKAGE = Package(
    "pfp_api_client", "pfp-api-client", "install pfp-api-client from Matlantis, which comes with a licence"
)
ARGUMENT_ADVICE = "give pfp:MODE@VERSION, for example pfp:R2SCAN@v8.0.0"
# Version 2 of a mode is another potential than version 1: nothing but a full version number names one.
ARGUMENT = re.compile(r"(?P<mode>[A-Za-z0-9_]+)@(?P<version>v\d+\.\d+\.\d+)")


class PfpForceField(AseForceField):
    """PFP's calculator; a service that does not answer is a fault of the machine, not of the cell."""

    def compute(
        self,
        numbers: IntArray,
        positions_A: FloatArray,
        lattice_A: FloatArray,
        *,
        stress: bool = False,
    ) -> ForceResult:
        """See `ForceField.compute`.

        Raises:
            RemoteError: the service gave no forces.
        """
        try:
            return super().compute(numbers, positions_A, lattice_A, stress=stress)
        except Exception as error:
            # The client has exceptions of its own, which only it can name.
            raise RemoteError(f"{self.name}: {_first_line(error)}: see that the service runs, then go on") from error


def load_pfp(argument: str, device: str) -> PfpForceField:
    """PFP in one mode and version.

    Raises:
        InputError: mode or version are not stated, or the service has no such ones.
        MissingDependencyError: the licensed client is not installed, or refuses (no licence, no connection).
    """
    stated = ARGUMENT.fullmatch(argument)
    if stated is None:
        raise InputError(f"pfp:{argument} states no mode and version: {ARGUMENT_ADVICE}")
    if device != "cpu":
        raise InputError("PFP computes on its own service: leave --device out")
    available = probe_pfp(argument)
    if not available.ok:
        raise MissingDependencyError(available.reason)
    mode, model_version = stated["mode"].upper(), stated["version"]
    try:
        names = ("pfp.estimator", "pfp.calculators.ase_calculator")
        modules = tuple(import_module(f"{PACKAGE.module}.{name}") for name in names)
        estimator: Any = modules[0].Estimator(model_version=model_version, calc_mode=mode)
        elements = frozenset(estimator.supported_elements(model_version=model_version, calc_mode=mode))
        calculator = modules[1].ASECalculator(estimator)
    except (ValueError, KeyError) as error:
        raise InputError(f"pfp:{argument} is not to be had ({_first_line(error)}): {ARGUMENT_ADVICE}") from error
    except Exception as error:
        # The client has exceptions of its own, which only it can name.
        raise MissingDependencyError(f"pfp:{argument}: {_first_line(error)}: {PACKAGE.advice}") from error
    if estimator.model_version != model_version:
        raise InputError(f"pfp:{argument}: the service offers {estimator.model_version} instead: {ARGUMENT_ADVICE}")
    name = f"pfp:{mode}@{model_version}"
    return PfpForceField(
        calculator,
        name=name,
        version=f"{model_version} {mode} ({PACKAGE.distribution} {_client_version()})",
        # No file to hash: mode and version stand for the weights, and the client's version does not change them.
        weights_sha256=hashlib.sha256(name.encode()).hexdigest(),
        elements=elements,
    )


def probe_pfp(_argument: str) -> Availability:
    """Whether the client is installed; the service is not asked."""
    return PACKAGE.probe(lambda: Availability(ok=True, reason=ARGUMENT_ADVICE))


def _client_version() -> str:
    try:
        return version(PACKAGE.distribution)
    except PackageNotFoundError:
        return "of unknown version"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
