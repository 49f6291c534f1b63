"""Potentials in another process, environment or machine, behind ASE's socket protocol (that of i-PI)."""

from vitrion_workflows.potentials.remote.description import (
    RemoteDescription,
    RemoteIdentity,
    parse_address,
    read_description,
)
from vitrion_workflows.potentials.remote.errors import RemoteError
from vitrion_workflows.potentials.remote.force_field import RemoteForceField, load_remote, probe_remote
from vitrion_workflows.potentials.remote.serving import serve, write_identity

__all__ = [
    "RemoteDescription",
    "RemoteError",
    "RemoteForceField",
    "RemoteIdentity",
    "load_remote",
    "parse_address",
    "probe_remote",
    "read_description",
    "serve",
    "write_identity",
]
