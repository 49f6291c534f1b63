"""The driver's words of the i-PI protocol, each answer checked before it is believed."""

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
    """The other side said what the protocol does not allow."""


class Wire:
    """One connection to a client.

    ASE's own driver checks answers by assertion, and that all numbers are finite: here a wrong answer is a fault of the
    connection, and forces that are not finite are a result, on which the engine decides. ASE's protocol speaks; the
    arrays are heard here.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._protocol: Any = IPIProtocol(connection)

    def open(self, numbers: IntArray, *, stress: bool) -> bool:
        """Tell a client that asks which atoms there are; False where it does not ask.

        Raises:
            OSError: the connection is lost or the answer is none.
        """
        state = self._said(self._protocol.status)
        if state == "READY":
            return False
        self._require(state, "NEEDINIT")
        words = json.dumps({"numbers": np.asarray(numbers).tolist(), "stress": stress}).encode()
        self._protocol.sendmsg("INIT")
        self._protocol.send(0, np.int32)
        self._protocol.send(len(words), np.int32)
        self._protocol.send(np.frombuffer(words, np.byte), np.byte)
        self._require(self._said(self._protocol.status), "READY")
        return True

    def ask(self, positions_A: FloatArray, lattice_A: FloatArray, *, stress: bool) -> tuple[ForceResult, bytes]:
        """Forces of a cell and the extra string that came with them.

        Raises:
            OSError: the connection is lost, or an answer is not what the protocol says.
        """
        self._protocol.sendposdata(lattice_A, np.linalg.inv(lattice_A).T, positions_A)
        self._require(self._said(self._protocol.status), "HAVEDATA")
        self._protocol.sendmsg("GETFORCE")
        self._require(self._said(self._protocol.recvmsg), "FORCEREADY")
        energy_Ha = float(self._hear((1,), np.float64)[0])
        count = int(self._hear((1,), np.int32)[0])
        if count != len(positions_A):
            raise WireError(f"the client answers for {count} atoms instead of {len(positions_A)}")
        forces = self._hear((count, 3), np.float64)
        virial_Ha = self._hear((3, 3), np.float64).T
        length = int(self._hear((1,), np.int32)[0])
        if not 0 <= length <= LARGEST_EXTRA_BYTES:
            raise WireError(f"the client announces {length} bytes of extra text")
        extra: bytes = self._hear((length,), np.byte).tobytes()
        # i-PI's virial is positive for pressure, ASE's stress for tension.
        tensor = -units.Ha * virial_Ha / abs(np.linalg.det(lattice_A)) if stress else None
        return ForceResult(energy_Ha * units.Ha, forces * (units.Ha / units.Bohr), tensor), extra

    def close(self) -> None:
        """Leave without a word: a client of ours comes back."""
        self._connection.close()

    def dismiss(self) -> None:
        """Say EXIT and leave."""
        with self._connection, contextlib.suppress(OSError):  # gone already is what was wanted
            self._protocol.end()

    def _hear(self, shape: tuple[int, ...], dtype: Any) -> Any:
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

    def _said(self, ask: Callable[[], str]) -> str:
        try:
            return ask()
        except UnicodeDecodeError as error:
            raise WireError("the client talks in bytes that are no words of the protocol") from error

    def _require(self, said: str, wanted: str) -> None:
        if said != wanted:
            raise WireError(f"the client says {said!r} instead of {wanted}")
