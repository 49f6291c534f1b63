"""Driver side of a remote potential: its client is started, asked for forces, and replaced when it fails."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

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
)
from vitrion_workflows.potentials.remote.errors import RemoteError
from vitrion_workflows.potentials.remote.identity import require_identity
from vitrion_workflows.potentials.remote.listener import Listener
from vitrion_workflows.potentials.remote.process import GRACE_SECONDS, ClientProcess
from vitrion_workflows.potentials.remote.wire import Wire

# After so many good answers earlier restarts no longer count. A number of calls, not a time: the course of a run does
# not depend on the speed of the machine.
CALLS_THAT_CLEAR = 1000


class Channel:
    """Forces from another process; a client that dies, hangs or breaks the protocol is replaced and the step repeated.

    Nothing is opened before the first call. The answer is a function of the cell alone, so a run in which a client was
    replaced is bitwise the run in which it lived.
    """

    def __init__(self, description: RemoteDescription, identity: RemoteIdentity) -> None:
        self._description = description
        self._identity = identity
        self._owner = os.getpid()
        self._listener = Listener(identity.name)
        self._scratch: Path | None = None
        self._process: ClientProcess | None = None
        self._wire: Wire | None = None
        self._numbers: IntArray | None = None
        self._stress: bool | None = None
        self._failures = 0
        self._answers = 0

    @property
    def client_pid(self) -> int | None:
        """Return the process id of a client that was started here."""
        return None if self._process is None else self._process.pid

    def compute(
        self, numbers: IntArray, positions_A: FloatArray, lattice_A: FloatArray, *, stress: bool
    ) -> ForceResult:
        """Compute energy, forces and stress of one cell of N atoms.

        Args:
            numbers: atomic numbers, shape (N,).
            positions_A: Cartesian positions, shape (N, 3).
            lattice_A: lattice vectors as rows, shape (3, 3).
            stress: compute the stress.

        Raises:
            RemoteError: there is no client, also after the restarts of the description, or it computes other atoms.
            CheckpointError: the client is another potential than described, or does not report its identity although
                the description requires it.
        """
        if os.getpid() != self._owner:
            raise RemoteError(f"remote potential {self._identity.name} was loaded before a fork: load it after")
        while True:
            try:
                result, extra = self._attempt(numbers, positions_A, lattice_A, stress=stress)
            except RemoteError:
                raise
            except OSError as fault:
                self._count_failure(fault)
                continue
            try:
                require_identity(extra, self._identity, unverified=self._description.unverified)
            except CheckpointError:
                self._drop()
                raise
            self._answers += 1
            if self._answers >= CALLS_THAT_CLEAR:
                self._failures = 0
            return result

    def close(self) -> None:
        """Dismiss the client, end its process if it was started here, and remove the socket."""
        if os.getpid() != self._owner:
            return
        if self._wire is not None:
            self._wire.dismiss()
            self._wire = None
        self._end_process(politely=True)
        self._listener.close()
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

    def _count_failure(self, fault: OSError) -> None:
        reason = "no answer in time" if isinstance(fault, TimeoutError) else str(fault) or "the connection was closed"
        if self._process is not None and not isinstance(fault, TimeoutError):
            reason = self._process.ended(within_s=GRACE_SECONDS) or reason
        self._failures += 1
        self._answers = 0
        self._drop()
        if self._failures > self._description.restarts:
            raise RemoteError(
                f"remote potential {self._identity.name}: {reason} (after {self._failures - 1} restarts): "
                "check its client, then continue"
            ) from fault

    def _drop(self) -> None:
        # The listening socket too: a half-dead client may still wait in its queue.
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        self._end_process(politely=False)
        self._listener.close()

    def _end_process(self, *, politely: bool) -> None:
        if self._process is not None:
            self._process.end(politely=politely)
            self._process = None

    def _connect(self, numbers: IntArray, *, stress: bool) -> Wire:
        description = self._description
        if self._wire is not None:
            self._wire.close()
            self._wire = None
            if description.asks_structure:
                self._end_process(politely=True)
        self._numbers, self._stress = numbers.copy(), stress
        address = self._listener.open(description.address or f"{UNIX_PREFIX}{self._folder() / 'socket'}")
        if self._client_ended() is not None:
            self._end_process(politely=False)
        if self._process is None and description.command is not None:
            self._process = ClientProcess(self._command(description.command, address), self._folder())
        connection = self._listener.accept(timeout_s=description.start_timeout_s, client_ended=self._client_ended)
        connection.settimeout(description.call_timeout_s)
        self._wire = Wire(connection)
        if not self._wire.open(numbers, stress=stress):
            self._stress = None  # such a client always sends the same quantities
            self._require_atoms(numbers)
        return self._wire

    def _client_ended(self) -> str | None:
        return None if self._process is None else self._process.ended()

    def _command(self, command: tuple[str, ...], address: str) -> list[str]:
        values = {
            ADDRESS_PLACEHOLDER: address,
            CLIENT_PLACEHOLDER: str(Path(__file__).with_name("client.py")),
            PYTHON_PLACEHOLDER: sys.executable,
        }
        if self._description.asks_structure:
            values[STRUCTURE_PLACEHOLDER] = str(self._structure_file())
        words = list(command)
        for placeholder, value in values.items():
            words = [word.replace(placeholder, value) for word in words]
        return words

    def _structure_file(self) -> Path:
        from ase import Atoms  # noqa: PLC0415 - only for clients that must know their atoms beforehand
        from ase.io import write  # noqa: PLC0415

        path = self._folder() / "structure.xyz"
        count = 0 if self._numbers is None else len(self._numbers)
        positions = np.arange(count)[:, None] * np.array([3.0, 0.0, 0.0])
        write(path, Atoms(numbers=self._numbers, positions=positions, cell=np.eye(3) * (3.0 * count + 3), pbc=True))
        return path

    def _folder(self) -> Path:
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="vitrion-remote-"))
        return self._scratch

    def _require_atoms(self, numbers: IntArray) -> None:
        # i-PI sends no elements: a client that does not ask for them must have been started with the same ones.
        if self._description.asks_structure:
            return
        if self._description.structure is None:
            self._drop()
            raise RemoteError(
                f"remote potential {self._identity.name}: its client does not ask for the elements: put "
                f"{STRUCTURE_PLACEHOLDER} into its command, or state the structure it was started with"
            )
        from ase.io import read  # noqa: PLC0415 - as above

        atoms: Any = read(self._description.structure)
        if not np.array_equal(atoms.numbers, numbers):
            self._drop()
            raise RemoteError(
                f"remote potential {self._identity.name}: its client was started with the atoms of "
                f"{self._description.structure}, which differ from this cell: start it with the atoms in this order"
            )
