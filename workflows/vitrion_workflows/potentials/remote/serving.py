"""Serve one of our potentials to a driver in another process: the other end of `remote:`."""

import os
from pathlib import Path

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.potentials.remote import client
from vitrion_workflows.potentials.remote.description import RemoteIdentity, parse_address


def identity_of(force_field: ForceField) -> RemoteIdentity:
    """Who a loaded potential is."""
    return RemoteIdentity(
        name=force_field.name,
        version=force_field.version,
        weights_sha256=force_field.weights_sha256,
        elements=tuple(sorted(force_field.elements)),
    )


def write_identity(force_field: ForceField, path: Path) -> None:
    """Write the file that a description names as its ``identity_file``.

    Raises:
        InputError: it cannot be written.
    """
    try:
        client.write_identity(path, identity_of(force_field).model_dump(mode="json"))
    except OSError as error:
        raise InputError(f"cannot write {path} ({os.strerror(error.errno or 0)}): name a file in a folder") from error


def serve(force_field: ForceField, *, address: str, patience_s: float = client.PATIENCE_SECONDS) -> None:
    """Compute forces for drivers at an address until one says EXIT, or none is there for too long.

    Args:
        force_field: what computes.
        address: where the driver listens: ``host:port`` or ``unix:/path``.
        patience_s: how long to try without a driver.

    Raises:
        InputError: it is no address.
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
