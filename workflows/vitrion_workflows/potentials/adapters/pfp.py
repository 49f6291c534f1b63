"""PFP, Matlantis' licensed potential, through its own client: `pfp:MODE@VERSION`, for example `pfp:R2SCAN@v8.0.0`.

The weights stay with their owner. The potential is identified by the calculation mode (the functional, with or without
dispersion) and the model version, both given by the user; ``latest`` changes with time and is refused.
"""

import hashlib
import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from vitrion_models.errors import InputError, MissingDependencyError, first_line
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.adapters.ase_calculator import AseForceField
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.entry import PotentialEntry
from vitrion_workflows.potentials.force_field import ForceResult
from vitrion_workflows.potentials.remote.errors import RemoteError
from vitrion_workflows.potentials.weights.package import Package

PACKAGE = Package(
    "pfp_api_client", "pfp-api-client", "install pfp-api-client from Matlantis, which comes with a licence"
)
ARGUMENT_ADVICE = "give pfp:MODE@VERSION, for example pfp:R2SCAN@v8.0.0"
# Another version is another potential: a full version number is required.
ARGUMENT = re.compile(r"(?P<mode>[A-Za-z0-9_]+)@(?P<version>v\d+\.\d+\.\d+)")


class PfpForceField(AseForceField):
    """PFP's calculator; a service that does not answer is an error of the machine, not of the cell."""

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
            RemoteError: the service returned no forces.
        """
        try:
            return super().compute(numbers, positions_A, lattice_A, stress=stress)
        except Exception as error:
            # The client has exception classes of its own.
            raise RemoteError(f"{self.name}: {first_line(error)}: check the service, then continue") from error


def load_pfp(argument: str, _device: str) -> PfpForceField:
    """Load PFP in one mode and version.

    Raises:
        InputError: mode or version are missing, or the service does not offer them.
        MissingDependencyError: the licensed client is not installed, or refuses (no licence, no connection).
    """
    match = ARGUMENT.fullmatch(argument)
    if match is None:
        raise InputError(f"pfp:{argument} lacks a mode and version: {ARGUMENT_ADVICE}")
    available = probe_pfp(argument)
    if not available.ok:
        raise MissingDependencyError(available.reason)
    mode, model_version = match["mode"].upper(), match["version"]
    try:
        names = ("pfp.estimator", "pfp.calculators.ase_calculator")
        modules = tuple(import_module(f"{PACKAGE.module}.{name}") for name in names)
        estimator: Any = modules[0].Estimator(model_version=model_version, calc_mode=mode)
        elements = frozenset(estimator.supported_elements(model_version=model_version, calc_mode=mode))
        calculator = modules[1].ASECalculator(estimator)
    except (ValueError, KeyError) as error:
        raise InputError(f"pfp:{argument} is not available ({first_line(error)}): {ARGUMENT_ADVICE}") from error
    except Exception as error:
        # The client has exception classes of its own.
        raise MissingDependencyError(f"pfp:{argument}: {first_line(error)}: {PACKAGE.advice}") from error
    if estimator.model_version != model_version:
        raise InputError(f"pfp:{argument}: the service offers {estimator.model_version} instead: {ARGUMENT_ADVICE}")
    name = f"pfp:{mode}@{model_version}"
    return PfpForceField(
        calculator,
        name=name,
        version=f"{model_version} {mode} ({PACKAGE.distribution} {_client_version()})",
        # No file to hash: mode and version identify the weights, whatever the version of the client.
        weights_sha256=hashlib.sha256(name.encode()).hexdigest(),
        elements=elements,
    )


def probe_pfp(_argument: str) -> Availability:
    """Check that the client is installed; the service is not contacted."""
    return PACKAGE.probe(lambda: Availability(ok=True, reason=ARGUMENT_ADVICE))


def _client_version() -> str:
    try:
        return version(PACKAGE.distribution)
    except PackageNotFoundError:
        return "of unknown version"


ENTRIES = (
    PotentialEntry(
        name="pfp:",
        version="given by the user",
        licence="commercial (Matlantis)",
        functional="that of the mode: PBE, PBE+U, r2SCAN or wB97X-D, with or without D3",
        elements=frozenset(),
        speed="unknown: that of the service",
        citation="S. Takamoto et al., Nature Communications 13, 2991 (2022)",
        how_to_install=f"{PACKAGE.advice}; {ARGUMENT_ADVICE}",
        loader=load_pfp,
        probe=probe_pfp,
        gpu=False,
    ),
)
