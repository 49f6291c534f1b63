"""The driver's end: a listening socket, the client behind it, and what happens when it dies."""

import json
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from vitrion_models.errors import CheckpointError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.force_field import ForceResult
from vitrion_workflows.potentials.remote.description import (
    ADDRESS_PLACEHOLDER,
    CLIENT_PLACEHOLDER,
    PYTHON_PLACEHOLDER,
    STRUCTURE_PLACEHOLDER,
    UNIX_PREFIX,
    RemoteDescription,
    RemoteIdentity,
    parse_address,
)
from vitrion_workflows.potentials.remote.errors import RemoteError
from vitrion_workflows.potentials.remote.process import GRACE_SECONDS, ClientProcess
from vitrion_workflows.potentials.remote.wire import Wire, WireError

POLL_SECONDS = 0.05
# So many answers without a fault show that a client works: the restarts before are forgotten. Counted in calls, not in
# time, so that what a run does never depends on how fast the machine is.
CALLS_THAT_CLEAR = 1000
# What a client says of itself with each answer. What it does say must be what is stated, also where it may say nothing.
IDENTIFYING = ("name", "version", "weights_sha256")


class Channel:
    """Forces from another process; a client that dies, hangs or talks nonsense is replaced, and the step asked again.

    Nothing is opened before the first call. The answer is a function of the question alone, so a run in which a client
    was replaced is bitwise the run in which it lived.
    """

    def __init__(self, description: RemoteDescription, identity: RemoteIdentity) -> None:
        self._description = description
        self._identity = identity
        self._owner = os.getpid()
        self._scratch: Path | None = None
        self._listener: socket.socket | None = None
        self._lock: FileLock | None = None
        self._process: ClientProcess | None = None
        self._wire: Wire | None = None
        self._numbers: IntArray | None = None
        self._stress: bool | None = None
        self._failures = 0
        self._answers = 0

    @property
    def client_pid(self) -> int | None:
        """Process of a client that was started here."""
        return None if self._process is None else self._process.pid

    def compute(
        self, numbers: IntArray, positions_A: FloatArray, lattice_A: FloatArray, *, stress: bool
    ) -> ForceResult:
        """Forces of one cell.

        Raises:
            RemoteError: there is no client, also after the restarts that the description allows, or it computes others
                than these atoms.
            CheckpointError: the client is another potential than the description says, or does not say which it is and
                the description does not allow that.
        """
        if os.getpid() != self._owner:
            raise RemoteError(f"remote potential {self._identity.name} was loaded before a fork: load it after")
        while True:
            try:
                result, extra = self._attempt(numbers, positions_A, lattice_A, stress=stress)
            except RemoteError:
                raise
            except OSError as fault:
                self._note_failure(fault)
                continue
            self._require_identity(extra)
            self._answers += 1
            if self._answers >= CALLS_THAT_CLEAR:
                self._failures = 0
            return result

    def close(self) -> None:
        """Dismiss the client, end its process where it was started here, and remove the socket."""
        if os.getpid() != self._owner:
            return
        if self._wire is not None:
            self._wire.dismiss()
            self._wire = None
        self._end_process(politely=True)
        self._stop_listening()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def _attempt(
        self, numbers: IntArray, positions_A: FloatArray, lattice_A: FloatArray, *, stress: bool
    ) -> tuple[ForceResult, bytes]:
        wire = self._wire
        if (
            wire is None
            or self._numbers is None
            or not np.array_equal(self._numbers, numbers)
            or self._stress not in {stress, None}
        ):
            wire = self._connect(numbers, stress=stress)
        return wire.ask(positions_A, lattice_A, stress=stress)

    def _note_failure(self, fault: OSError) -> None:
        words = "no answer in time" if isinstance(fault, TimeoutError) else str(fault) or "the connection was closed"
        if self._process is not None and not isinstance(fault, TimeoutError):
            words = self._process.ended(within_s=GRACE_SECONDS) or words
        self._failures += 1
        self._answers = 0
        self._drop()
        if self._failures > self._description.restarts:
            raise RemoteError(
                f"remote potential {self._identity.name}: {words} (after {self._failures - 1} restarts): "
                "see that its client runs, then go on"
            ) from fault

    def _drop(self) -> None:
        # Everything goes, the listening socket too: a half-dead client may still wait in its queue.
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        self._end_process(politely=False)
        self._stop_listening()

    def _end_process(self, *, politely: bool) -> None:
        if self._process is not None:
            self._process.end(politely=politely)
            self._process = None

    def _connect(self, numbers: IntArray, *, stress: bool) -> Wire:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
            if self._description.asks_structure:
                self._end_process(politely=True)
        self._numbers, self._stress = numbers.copy(), stress
        listener = self._listen()
        if self._process is not None and self._process.ended() is not None:
            self._end_process(politely=False)
        if self._process is None and self._description.command is not None:
            self._process = ClientProcess(self._command(listener), self._folder())
        connection = self._accept(listener)
        connection.settimeout(self._description.call_timeout_s)
        self._wire = Wire(connection)
        if not self._wire.open(numbers, stress=stress):
            self._stress = None  # such a client sends what it sends, asked or not
            self._require_atoms(numbers)
        return self._wire

    def _listen(self) -> socket.socket:
        if self._listener is not None:
            return self._listener
        address = self._description.address or f"{UNIX_PREFIX}{self._folder() / 'socket'}"
        try:
            self._listener = self._bound(parse_address(address))
        except (OSError, Timeout) as error:
            self._stop_listening()
            reason = "in use" if isinstance(error, Timeout) else error.strerror or error
            raise RemoteError(
                f"remote potential {self._identity.name} cannot listen at {address} ({reason}): "
                "another process may have it; give a command instead of an address, or one worker"
            ) from error
        return self._listener

    def _bound(self, place: tuple[str, int] | str) -> socket.socket:
        if isinstance(place, str):
            # The path of a dead driver's socket is in the way and may go, that of a living one may not.
            self._lock = FileLock(f"{place}.lock")
            self._lock.acquire(timeout=0)
            Path(place).unlink(missing_ok=True)
        family = socket.AF_UNIX if isinstance(place, str) else socket.AF_INET
        listener = socket.socket(family)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(1)
        except OSError:
            listener.close()
            raise
        return listener

    def _stop_listening(self) -> None:
        if self._listener is not None:
            place = self._listener.getsockname()
            self._listener.close()
            self._listener = None
            if isinstance(place, str) and place:
                Path(place).unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _accept(self, listener: socket.socket) -> socket.socket:
        listener.settimeout(POLL_SECONDS)
        deadline = time.monotonic() + self._description.start_timeout_s
        while time.monotonic() < deadline:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                ended = None if self._process is None else self._process.ended()
                if ended is not None:
                    raise WireError(ended) from None
            else:
                return connection
        raise WireError(f"no client connected within {self._description.start_timeout_s:g} s")

    def _command(self, listener: socket.socket) -> list[str]:
        place = listener.getsockname()
        address = f"{UNIX_PREFIX}{place}" if isinstance(place, str) else f"{place[0]}:{place[1]}"
        words = {
            ADDRESS_PLACEHOLDER: address,
            CLIENT_PLACEHOLDER: str(Path(__file__).with_name("client.py")),
            PYTHON_PLACEHOLDER: sys.executable,
        }
        if self._description.asks_structure:
            words[STRUCTURE_PLACEHOLDER] = str(self._structure_file())
        command = []
        for given in self._description.command or ():
            word = given
            for placeholder, value in words.items():
                word = word.replace(placeholder, value)
            command.append(word)
        return command

    def _structure_file(self) -> Path:
        from ase import Atoms  # noqa: PLC0415 - only clients that must know their atoms beforehand
        from ase.io import write  # noqa: PLC0415

        path = self._folder() / "structure.xyz"
        count = 0 if self._numbers is None else len(self._numbers)
        spread = np.arange(count)[:, None] * np.array([3.0, 0.0, 0.0])
        write(path, Atoms(numbers=self._numbers, positions=spread, cell=np.eye(3) * (3.0 * count + 3), pbc=True))
        return path

    def _folder(self) -> Path:
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="vitrion-remote-"))
        return self._scratch

    def _require_atoms(self, numbers: IntArray) -> None:
        # i-PI sends no elements: a client that does not ask for them must have been given the same ones.
        if self._description.asks_structure:
            return
        if self._description.structure is None:
            self._drop()
            raise RemoteError(
                f"remote potential {self._identity.name}: its client does not ask which atoms there are: put "
                f"{STRUCTURE_PLACEHOLDER} into its command, or state the structure it was started with"
            )
        from ase.io import read  # noqa: PLC0415 - as above

        known: Any = read(self._description.structure)
        if not np.array_equal(known.numbers, numbers):
            self._drop()
            raise RemoteError(
                f"remote potential {self._identity.name}: its client was started with the atoms of "
                f"{self._description.structure}, which are not those of this cell, or in another order"
            )

    def _require_identity(self, extra: bytes) -> None:
        said = _identity_in(extra)
        stated = {name: getattr(self._identity, name) for name in IDENTIFYING}
        if any(said[name] != stated[name] for name in said):
            self._drop()
            raise CheckpointError(
                f"remote potential {self._identity.name}: its client is {_told(said)}, stated is {_told(stated)}: "
                "start the right one, or write the identity anew"
            )
        if len(said) < len(stated) and not self._description.unverified:
            self._drop()
            raise CheckpointError(
                f"remote potential {self._identity.name}: its client does not say who it is: start "
                f"{CLIENT_PLACEHOLDER} or `vitrion potentials serve` there, or write "
                "unverified: true into the description"
            )


def _identity_in(extra: bytes) -> dict[str, Any]:
    """What a client says of its identity beside its forces: all of it, some or nothing."""
    try:
        said = json.loads(extra)
    except ValueError:
        return {}
    return {name: said[name] for name in IDENTIFYING if name in said} if isinstance(said, dict) else {}


def _told(identity: Mapping[str, Any]) -> str:
    words = [str(identity.get("name", "a potential"))]
    if "version" in identity:
        words.append(str(identity["version"]))
    if "weights_sha256" in identity:
        words.append(f"with weights {str(identity['weights_sha256'])[:12]}...")
    return " ".join(words)
