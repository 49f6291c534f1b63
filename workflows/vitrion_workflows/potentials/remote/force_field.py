"""`remote:FILE`: a potential in another process, environment or machine, behind a socket."""

import weakref
from pathlib import Path

from vitrion_models.errors import InputError, VitrionError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.entry import PotentialEntry
from vitrion_workflows.potentials.force_field import ForceField, ForceResult
from vitrion_workflows.potentials.remote.channel import Channel
from vitrion_workflows.potentials.remote.description import (
    EXAMPLE,
    RemoteDescription,
    RemoteIdentity,
    read_description,
)


class RemoteForceField(ForceField):
    """A potential in another process. Its client is started by the first evaluation."""

    def __init__(self, description: RemoteDescription, identity: RemoteIdentity) -> None:
        super().__init__(
            name=f"{'remote-unverified' if description.unverified else 'remote'}:{identity.name}",
            version=identity.version,
            weights_sha256=identity.weights_sha256,
            elements=frozenset(identity.elements),
        )
        self._channel = Channel(description, identity)
        # Also at the end of the interpreter, so that no client outlives its driver.
        weakref.finalize(self, self._channel.close)

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
            RemoteError: the client fails, also after restarts, or computes other atoms.
            CheckpointError: the client is another potential than described.
        """
        return self._channel.compute(numbers, positions_A, lattice_A, stress=stress)

    @property
    def client_pid(self) -> int | None:
        """Return the process id of the client; None unless it was started here and runs."""
        return self._channel.client_pid

    def close(self) -> None:
        """End the client; the next evaluation starts it again."""
        self._channel.close()


def load_remote(argument: str, _device: str) -> RemoteForceField:
    """Load the potential of a description file. Its identity is checked at the first evaluation.

    Raises:
        InputError: no file is given, or it is not a description.
        MissingDependencyError: there is no such file.
    """
    if not argument:
        raise InputError(f"remote: names no description: {EXAMPLE}")
    return RemoteForceField(*read_description(Path(argument)))


def probe_remote(argument: str) -> Availability:
    """Check that the description can be read; nothing is started."""
    if not argument:
        return Availability(ok=True, reason=EXAMPLE)
    try:
        description, identity = read_description(Path(argument))
    except VitrionError as error:
        return Availability(ok=False, reason=str(error))
    place = description.address or "a socket of its own"
    return Availability(ok=True, reason=f"{identity.name} {identity.version} at {place}; not started yet")


ENTRIES = (
    PotentialEntry(
        name="remote:",
        version="that of its description",
        licence="that of the potential",
        functional="that of the potential",
        elements=frozenset(),
        speed="unknown: that of the potential, and of the connection",
        citation="V. Kapil et al., Comput. Phys. Commun. 236, 214 (2019) (the i-PI protocol)",
        how_to_install=EXAMPLE,
        loader=load_remote,
        probe=probe_remote,
        gpu=False,
    ),
)
