"""Folder of a tuning in progress: each finished part is stored whole, and is not computed again after a kill."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vitrion_models.errors import InputError
from vitrion_models.files import whole_file
from vitrion_workflows.potentials.weights.package import sha256_of
from vitrion_workflows.potentials.weights.tuned import CARD_FILE, WEIGHTS_FILE, TunedWeights, tuned_folder
from vitrion_workflows.tuning.agreement import FrameAgreement
from vitrion_workflows.tuning.card import Card
from vitrion_workflows.tuning.frames import LabelledFrame, read_frames, write_frames
from vitrion_workflows.tuning.nep_file import NepModel, read_nep, write_nep

# Names of finished potentials begin with a letter or digit: these folders are never taken for one.
PREFIX = ".unfinished-"


@dataclass(frozen=True)
class WorkFolder:
    """Parts of one tuning, in a folder named after everything that determines them.

    Attributes:
        weights: where the result will lie.
        folder: of the parts.
    """

    weights: TunedWeights
    folder: Path

    def frames(self, name: str, make: Callable[[], list[LabelledFrame]]) -> list[LabelledFrame]:
        """Return stored frames, or make and store them."""
        path = self.folder / f"{name}.npz"
        if not path.is_file():
            write_frames(make(), path)
        return read_frames(path)

    def model(self, name: str, make: Callable[[], NepModel]) -> tuple[NepModel, Path]:
        """Return a stored potential with its file, or make and store it."""
        path = self.folder / f"{name}.txt"
        if not path.is_file():
            with whole_file(path) as partial:
                write_nep(make(), partial)
        return read_nep(path), path

    def record(self, name: str, make: Callable[[], Any]) -> Any:
        """Return a stored JSON value, or make and store it."""
        path = self.folder / f"{name}.json"
        if not path.is_file():
            with whole_file(path) as partial:
                partial.write_text(json.dumps(make()))
        return json.loads(path.read_text())

    def agreement(self, name: str, make: Callable[[], list[FrameAgreement]]) -> tuple[FrameAgreement, ...]:
        """Return a stored agreement, or compute and store it."""
        rows = self.record(name, lambda: [entry.model_dump() for entry in make()])
        return tuple(FrameAgreement(**row) for row in rows)

    def publish(self, model: Path, make_card: Callable[[str], Card]) -> Card:
        """Write weights and card under the name of the potential, both or neither; remove the parts.

        Args:
            model: file of the weights.
            make_card: sha256 of the weights -> card.
        """
        complete = self.folder / "complete"
        card = make_card(sha256_of(model))
        with whole_file(complete / WEIGHTS_FILE) as partial:
            shutil.copyfile(model, partial)
        with whole_file(complete / CARD_FILE) as partial:
            partial.write_text(card.model_dump_json(indent=2))
        complete.rename(self.weights.folder)
        shutil.rmtree(self.folder)
        return card


def is_unfinished(name: str) -> bool:
    """Return True if a tuning of this name was begun and has not ended in a potential."""
    return any(path.is_dir() for path in tuned_folder().glob(f"{PREFIX}{name}-*"))


@contextmanager
def work_folder(name: str, request: dict[str, Any]) -> Iterator[WorkFolder]:
    """Give the folder of a tuning to one process.

    Args:
        name: of the potential to be made.
        request: everything that determines it, in the types of JSON.

    Raises:
        InputError: the name is taken, or another process works on the same request.
    """
    weights = TunedWeights(name)
    weights.require_absent()
    digest = hashlib.sha256(json.dumps({"name": name, **request}, sort_keys=True).encode()).hexdigest()[:16]
    folder = tuned_folder() / f"{PREFIX}{name}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"another process is tuning {name} in the same way: wait for it") from error
    try:
        yield WorkFolder(weights, folder)
    finally:
        lock.release()
        if not folder.exists():
            Path(lock.lock_file).unlink(missing_ok=True)
