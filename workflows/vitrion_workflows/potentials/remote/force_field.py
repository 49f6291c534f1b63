"""`remote:FILE`: a potential behind a socket, as a force field like any other."""

import weakref
from pathlib import Path

from vitrion_models.errors import InputError, VitrionError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.force_field import ForceField, ForceResult
from vitrion_workflows.potentials.remote.channel import Channel
from vitrion_workflows.potentials.remote.description import (
    EXAMPLE,
    RemoteDescription,
    RemoteIdentity,
    read_description,
)


class RemoteForceField(ForceField):
    """A potential in another process. Nothing is started before the first forces are asked for."""

    def __init__(self, description: RemoteDescription, identity: RemoteIdentity) -> None:
        super().__init__(
            name=f"{'remote-unverified' if description.unverified else 'remote'}:{identity.name}",
            version=identity.version,
            weights_sha256=identity.weights_sha256,
            elements=frozenset(identity.elements),
        )
        self._channel = Channel(description, identity)
        # Also at the end of the interpreter: no client outlives its driver.
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
            RemoteError: the client cannot be had, also after restarts, or computes others than these atoms.
            CheckpointError: the client is another potential than was stated.
        """
        return self._channel.compute(numbers, positions_A, lattice_A, stress=stress)

    @property
    def client_pid(self) -> int | None:
        """Process of the client, where it was started here and runs."""
        return self._channel.client_pid

    def close(self) -> None:
        """Dismiss the client; the next call starts it again."""
        self._channel.close()


def load_remote(argument: str, device: str) -> RemoteForceField:
    """The potential that a description file names. It is checked when the first forces come.

    Raises:
        InputError: the file is no description, or a device is asked for, on which only the client decides.
        MissingDependencyError: there is no such file.
    """
    if not argument:
        raise InputError(f"remote: names no description: {EXAMPLE}")
    if device != "cpu":
        raise InputError("the device of a remote potential is its client's: leave --device out")
    return RemoteForceField(*read_description(Path(argument)))


def probe_remote(argument: str) -> Availability:
    """Whether a description can be read; nothing is started."""
    if not argument:
        return Availability(ok=True, reason=EXAMPLE)
    try:
        description, identity = read_description(Path(argument))
    except VitrionError as error:
        return Availability(ok=False, reason=str(error))
    place = description.address or "a socket of its own"
    return Availability(ok=True, reason=f"{identity.name} {identity.version} at {place}; not started yet")
