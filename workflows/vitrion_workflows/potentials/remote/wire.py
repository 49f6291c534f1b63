"""Driver side of the i-PI protocol, with every answer checked."""

import contextlib
import json
import socket
from collections.abc import Callable
from typing import Any

import numpy as np
from ase import units
from ase.calculators.socketio import IPIProtocol

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.potentials.force_field import ForceResult

LARGEST_EXTRA_BYTES = 1_000_000


class WireError(ConnectionError):
    """The client broke the protocol."""


class Wire:
    """One connection to a client.

    ASE's own driver checks answers by assertions, and that all numbers are finite. Here a wrong answer is an error of
    the connection, and forces that are not finite are a result, which the engine handles. Messages are sent by ASE's
    protocol; arrays are received here.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._protocol: Any = IPIProtocol(connection)

    def open(self, numbers: IntArray, *, stress: bool) -> bool:
        """Send the atomic numbers, shape (N,), to a client that asks for them; return False if it does not.

        Raises:
            OSError: the connection is lost or an answer is invalid.
        """
        state = self._message(self._protocol.status)
        if state == "READY":
            return False
        self._require(state, "NEEDINIT")
        content = json.dumps({"numbers": np.asarray(numbers).tolist(), "stress": stress}).encode()
        self._protocol.sendmsg("INIT")
        self._protocol.send(0, np.int32)
        self._protocol.send(len(content), np.int32)
        self._protocol.send(np.frombuffer(content, np.byte), np.byte)
        self._require(self._message(self._protocol.status), "READY")
        return True

    def ask(self, positions_A: FloatArray, lattice_A: FloatArray, *, stress: bool) -> tuple[ForceResult, bytes]:
        """Return the forces of a cell and the extra string of the answer.

        Args:
            positions_A: Cartesian positions, shape (N, 3).
            lattice_A: lattice vectors as rows, shape (3, 3).
            stress: return the stress.

        Raises:
            OSError: the connection is lost or an answer is invalid.
        """
        self._protocol.sendposdata(lattice_A, np.linalg.inv(lattice_A).T, positions_A)
        self._require(self._message(self._protocol.status), "HAVEDATA")
        self._protocol.sendmsg("GETFORCE")
        self._require(self._message(self._protocol.recvmsg), "FORCEREADY")
        energy_Ha = float(self._receive((1,), np.float64)[0])
        count = int(self._receive((1,), np.int32)[0])
        if count != len(positions_A):
            raise WireError(f"the client answers for {count} atoms instead of {len(positions_A)}")
        forces = self._receive((count, 3), np.float64)
        virial_Ha = self._receive((3, 3), np.float64).T
        length = int(self._receive((1,), np.int32)[0])
        if not 0 <= length <= LARGEST_EXTRA_BYTES:
            raise WireError(f"the client announces {length} bytes of extra text")
        extra: bytes = self._receive((length,), np.byte).tobytes()
        # i-PI's virial is positive for pressure, ASE's stress for tension.
        tensor = -units.Ha * virial_Ha / abs(np.linalg.det(lattice_A)) if stress else None
        return ForceResult(energy_Ha * units.Ha, forces * (units.Ha / units.Bohr), tensor), extra

    def close(self) -> None:
        """Close the connection without EXIT: Vitrion's client connects again."""
        self._connection.close()

    def dismiss(self) -> None:
        """Send EXIT and close the connection."""
        with self._connection, contextlib.suppress(OSError):  # closed already
            self._protocol.end()

    def _receive(self, shape: tuple[int, ...], dtype: Any) -> Any:
        kind = np.dtype(dtype)
        missing = int(np.prod(shape)) * kind.itemsize
        chunks = []
        while missing:
            chunk = self._connection.recv(missing)
            if not chunk:
                raise WireError("the connection was closed")
            chunks.append(chunk)
            missing -= len(chunk)
        return np.frombuffer(b"".join(chunks), kind).reshape(shape).copy()

    def _message(self, ask: Callable[[], str]) -> str:
        try:
            return ask()
        except UnicodeDecodeError as error:
            raise WireError("the client sends bytes that are not messages of the protocol") from error

    def _require(self, message: str, expected: str) -> None:
        if message != expected:
            raise WireError(f"the client sends {message!r} instead of {expected}")
