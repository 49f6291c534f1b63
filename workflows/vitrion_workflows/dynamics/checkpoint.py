"""Folder of a run: identity, checkpoint and frames, safe against kill -9 at any moment.

    run.json              identity: plan, potential, starting cell and velocities; written once, first
    frames-000000.npz ... frames between two checkpoints, each file written whole and renamed into place
    state.npz             the state of the last checkpoint and how many frame files belong to it
    trajectory.h5         all frames, when the run has finished; the frame files are gone then

An HDF5 file that is open for writing when its process dies is usually lost, so it is written once, at the end. Frame
files come before the state that counts them: one that no state counts is written again, with the same content, when the
run goes on. NumPy archives are read without objects (no pickle), and each is sealed with its run and its name: the
frames of another run or position are refused, as changed files are.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from filelock import FileLock, Timeout

from vitrion_models.bounds import parse_json
from vitrion_models.errors import CheckpointError
from vitrion_models.files import whole_file
from vitrion_models.system import FloatArray
from vitrion_workflows.dynamics.errors import DynamicsError
from vitrion_workflows.dynamics.state import MDState

FORMAT = 2
RUN_FILE = "run.json"
STATE_FILE = "state.npz"
TRAJECTORY_FILE = "trajectory.h5"
LOCK_FILE = "lock"
SEAL = "seal"
ADVICE = "delete the folder to start again"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written.
    """
    try:
        with whole_file(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise CheckpointError(f"cannot write {path} ({error.strerror}): free the disk and start again") from error


@dataclass(frozen=True, eq=False)
class Frames:
    """Consecutive frames.

    Attributes:
        positions_A: unwrapped, shape (F, N, 3).
        temperatures_K: kinetic, shape (F,).
        potential_energies_eV: shape (F,).
    """

    positions_A: FloatArray
    temperatures_K: FloatArray
    potential_energies_eV: FloatArray

    def __len__(self) -> int:
        return len(self.positions_A)


def join(parts: list[Frames]) -> Frames:
    """Return the frames of several parts, one after the other."""
    return Frames(
        positions_A=np.concatenate([part.positions_A for part in parts]),
        temperatures_K=np.concatenate([part.temperatures_K for part in parts]),
        potential_energies_eV=np.concatenate([part.potential_energies_eV for part in parts]),
    )


@dataclass
class FrameBuffer:
    """Frames not yet written, the only mutable part of a run."""

    positions: list[FloatArray] = field(default_factory=list)
    temperatures: list[float] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.positions)

    def add(self, positions_A: FloatArray, temperature: float, energy: float) -> None:
        """Append a frame.

        Args:
            positions_A: unwrapped, shape (N, 3); kept, not copied.
            temperature: kinetic, in K.
            energy: potential, in eV.
        """
        self.positions.append(positions_A)
        self.temperatures.append(temperature)
        self.energies.append(energy)

    def content(self) -> Frames:
        """Return the collected frames."""
        return Frames(
            positions_A=np.array(self.positions),
            temperatures_K=np.array(self.temperatures),
            potential_energies_eV=np.array(self.energies),
        )

    def drain(self) -> Frames:
        """Return the collected frames and empty the buffer."""
        frames = self.content()
        self.positions, self.temperatures, self.energies = [], [], []
        return frames


@dataclass(frozen=True)
class RunIdentity:
    """Identity of a run, which must equal that of the folder it is continued in.

    Attributes:
        plan: the plan's fields.
        plan_sha256: its hash.
        potential: registry name.
        potential_version: version of potential and package.
        weights_sha256: of the weights.
        start_sha256: of the starting cell and velocities.
    """

    plan: dict[str, Any]
    plan_sha256: str
    potential: str
    potential_version: str
    weights_sha256: str
    start_sha256: str


class RunFolder:
    """The folder of one run, held by one process at a time.

    Use as a context manager: the lock is released on leaving it, or by the operating system when the process dies.
    """

    def __init__(self, folder: Path, identity: RunIdentity) -> None:
        self.folder = folder
        self._identity = identity
        self._segments = 0
        self._lock = FileLock(folder / LOCK_FILE)

    def __enter__(self) -> Self:
        """Lock the folder and check that it belongs to this run.

        Raises:
            DynamicsError: another process holds it, or another run lies in it.
            CheckpointError: its files are damaged or of a newer format.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise DynamicsError(f"{self.folder} is in use by another process: wait for it or stop it") from error
        except OSError as error:
            raise DynamicsError(f"cannot use {self.folder} ({error.strerror}): give another folder") from error
        try:
            self._check_identity()
            for partial in self.folder.glob(".*.partial"):  # left where a process was killed while it wrote
                partial.unlink()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._lock.release()

    @property
    def trajectory_path(self) -> Path:
        """Path of the finished trajectory."""
        return self.folder / TRAJECTORY_FILE

    def load_state(self) -> MDState | None:
        """Return the state of the last checkpoint, or None in a fresh folder.

        Raises:
            CheckpointError: it is damaged.
        """
        path = self.folder / STATE_FILE
        if not path.is_file():
            return None
        stored = self._load(path)
        self._segments = int(stored["segments"])
        return MDState(
            step=int(stored["step"]),
            positions_A=stored["positions_A"],
            velocities_A_per_ps=stored["velocities_A_per_ps"],
            forces_eV_per_A=stored["forces_eV_per_A"],
            potential_energy_eV=float(stored["potential_energy_eV"]),
            thermostat=stored["thermostat"],
        )

    def save(self, state: MDState, frames: Frames) -> None:
        """Write the frames since the last checkpoint, then the state that counts them.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written.
        """
        if len(frames):
            self._write(self._segment_path(self._segments), asdict(frames))
            self._segments += 1
        self._write(self.folder / STATE_FILE, {**asdict(state), "segments": np.int64(self._segments)})

    def load_frames(self) -> Frames | None:
        """Return all frames up to the last checkpoint, or None where there are none.

        Raises:
            CheckpointError: a file is damaged or missing.
        """
        parts = [Frames(**self._load(self._segment_path(index))) for index in range(self._segments)]
        return join(parts) if parts else None

    def remove_frame_files(self) -> None:
        """Delete the frame files, once the trajectory holds all of them."""
        for path in sorted(self.folder.glob("frames-*.npz"), reverse=True):
            path.unlink(missing_ok=True)

    def _segment_path(self, index: int) -> Path:
        return self.folder / f"frames-{index:06d}.npz"

    def _write(self, path: Path, arrays: dict[str, Any]) -> None:
        content = io.BytesIO()
        np.savez(content, **(arrays | {SEAL: np.array(self._seal(path, arrays))}))
        write_atomically(path, content.getvalue())

    def _load(self, path: Path) -> dict[str, FloatArray]:
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            sealed = str(arrays.pop(SEAL))
        except (OSError, ValueError, EOFError, KeyError, MemoryError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"{path} is damaged or missing: {ADVICE}") from error
        if sealed != self._seal(path, arrays):
            raise CheckpointError(f"{path} is damaged, or of another run: {ADVICE}")
        return arrays

    def _seal(self, path: Path, arrays: dict[str, Any]) -> str:
        """Return the sha256 of the arrays of an archive, its name and the run that it belongs to."""
        digest = hashlib.sha256(json.dumps([path.name, asdict(self._identity)], sort_keys=True).encode())
        for name, value in sorted(arrays.items()):
            array = np.asarray(value)
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def _check_identity(self) -> None:
        path = self.folder / RUN_FILE
        expected = {"format": FORMAT, **asdict(self._identity)}
        if not path.is_file():
            write_atomically(path, json.dumps(expected, indent=1, sort_keys=True).encode())
            return
        try:
            stored = parse_json(path.read_text())
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} is damaged: {ADVICE}") from error
        if isinstance(stored, dict) and stored.get("format") not in {FORMAT, None}:
            raise CheckpointError(f"{path} was written by another version of Vitrion: {ADVICE}")
        if not (isinstance(stored, dict) and stored.keys() == expected.keys() and isinstance(stored["plan"], dict)):
            raise CheckpointError(f"{path} is damaged: {ADVICE}")
        different = [name for name, value in json.loads(json.dumps(expected)).items() if stored.get(name) != value]
        if different:
            what = _difference(stored, expected, different)
            raise DynamicsError(f"{self.folder} holds another run ({what}): give another folder or delete it")


def _difference(stored: dict[str, Any], expected: dict[str, Any], different: list[str]) -> str:
    if "plan" in different:
        fields = [name for name, value in expected["plan"].items() if stored["plan"].get(name) != value]
        return ", ".join(f"{name} {stored['plan'].get(name)}, not {expected['plan'][name]}" for name in fields)
    if "weights_sha256" in different:
        return f"weights {str(stored['weights_sha256'])[:12]}..., not {expected['weights_sha256'][:12]}..."
    return ", ".join(different).replace("start_sha256", "another starting cell")
