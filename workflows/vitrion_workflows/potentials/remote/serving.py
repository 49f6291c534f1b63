"""Serve a potential of the registry to a driver in another process: the client side of `remote:`."""

import os
from pathlib import Path

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.potentials.remote import client
from vitrion_workflows.potentials.remote.description import RemoteIdentity, parse_address


def identity_of(force_field: ForceField) -> RemoteIdentity:
    """Return the identity of a loaded potential."""
    return RemoteIdentity(
        name=force_field.name,
        version=force_field.version,
        weights_sha256=force_field.weights_sha256,
        elements=tuple(sorted(force_field.elements)),
    )


def write_identity(force_field: ForceField, path: Path) -> None:
    """Write the ``identity_file`` of a description.

    Raises:
        InputError: it cannot be written.
    """
    try:
        client.write_identity(path, identity_of(force_field).model_dump(mode="json"))
    except OSError as error:
        raise InputError(f"cannot write {path} ({os.strerror(error.errno or 0)}): give a path in a folder") from error


def serve(force_field: ForceField, *, address: str, patience_s: float = client.PATIENCE_SECONDS) -> None:
    """Compute forces for drivers at an address until one sends EXIT, or none is there for too long.

    Args:
        force_field: potential that computes.
        address: where the driver listens: ``host:port`` or ``unix:/path``.
        patience_s: longest time without a driver in s.

    Raises:
        InputError: the address is not valid.
    """
    parse_address(address)

    def evaluate(
        numbers: IntArray,
        positions_A: FloatArray,
        lattice_A: FloatArray,
        stress: bool,  # noqa: FBT001 - the client's signature
    ) -> tuple[float, FloatArray, FloatArray | None]:
        force_field.require_elements(np.asarray(numbers))
        result = force_field.compute(numbers, positions_A, lattice_A, stress=stress)
        return result.energy_eV, result.forces_eV_per_A, result.stress_eV_per_A3

    identity = identity_of(force_field).model_dump(mode="json")
    client.serve(evaluate, address=address, identity=identity, patience_s=patience_s)
