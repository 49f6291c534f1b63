"""Spool of finished tasks on disk: written by workers, read and removed by the coordinator."""

import json
from dataclasses import asdict
from pathlib import Path

from monty.json import MontyEncoder

from vitrion.running.task import TaskResult
from vitrion_models.files import whole_file


class Spool:
    """A folder with one JSON file for each finished task that is not in the database yet."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, made where absent."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, result: TaskResult) -> None:
        """Store a result completely or not at all, also in a power cut."""
        with whole_file(self._path(result.task_id)) as partial:
            partial.write_text(json.dumps(asdict(result), cls=MontyEncoder))

    def read(self, task_id: str) -> TaskResult | None:
        """Return the result of a task, or None where it has not finished."""
        try:
            content = json.loads(self._path(task_id).read_text())
        except FileNotFoundError:
            return None
        return TaskResult(**{**content, "documents": tuple(content["documents"])})

    def remove(self, task_id: str) -> None:
        """Remove a result that the database holds."""
        self._path(task_id).unlink(missing_ok=True)

    def _path(self, task_id: str) -> Path:
        return self._folder / f"{task_id}.json"
