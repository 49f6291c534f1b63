"""Scratch folder of jobs: checkpoints, outcomes and progress, in one subfolder for each label or stage."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from vitrion_models.system import AtomicSystem

SCRATCH_VARIABLE = "VITRION_SCRATCH"
DEFAULT_SCRATCH = ".vitrion/scratch"
PROGRESS_FILE = "progress.json"
# Metadata under which a campaign writes its task's identity into jobs; progress is shown under it.
TASK_METADATA_KEY = "vitrion_task"
_SECONDS_PER_DAY = 86400.0
_FEMTOSECONDS_PER_NS = 1e6


def scratch_root() -> Path:
    """Return the folder that whoever runs the jobs has named in ``VITRION_SCRATCH``; ``.vitrion/scratch`` if none."""
    return Path(os.environ.get(SCRATCH_VARIABLE) or DEFAULT_SCRATCH)


def stage_key(stage: str, system: AtomicSystem, **settings: Any) -> str:
    """Return the identity of a stage: sha256 of its name, its starting cell to the last bit, and its settings."""
    digest = hashlib.sha256(json.dumps([stage, settings], sort_keys=True).encode())
    for array in (system.numbers, system.positions_A, system.lattice_A):
        digest.update(array.tobytes())
    if system.has_isotopes:
        digest.update(system.masses_u.tobytes())
    return digest.hexdigest()


def stage_seed(seed: int, stage: str) -> int:
    """Return the seed of a stage, derived from that of the cell, so that stages share no random numbers."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{stage}".encode()).digest()[:6], "big")


class Progress:
    """Writes ``progress.json`` for displays, and adds up the time spent over restarts."""

    def __init__(self, key: str, *, time_step_fs: float) -> None:
        """Start the clock.

        Args:
            key: identity of the work; inside a campaign's task the task's identity takes its place.
            time_step_fs: for the pace in ns a day.
        """
        from jobflow import CURRENT_JOB  # noqa: PLC0415 - slow to import, and in use by whoever runs jobs

        current = CURRENT_JOB.job
        metadata = current.metadata if current is not None else {}
        self._path = scratch_root() / str(metadata.get(TASK_METADATA_KEY, key)) / PROGRESS_FILE
        self._time_step_fs = time_step_fs
        self._key = key
        self._begun = time.monotonic()
        self._before = self._earlier_seconds()
        self._pace_from: tuple[str, int, float] | None = None

    @property
    def seconds(self) -> float:
        """Time spent in s, recorded earlier sessions included."""
        return self._before + time.monotonic() - self._begun

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Write the number of steps done of a stage."""
        now = time.monotonic()
        if self._pace_from is None or self._pace_from[0] != stage:
            self._pace_from = (stage, done, now)
        _, first, since = self._pace_from
        pace = None
        if done > first and now > since:
            pace = (done - first) * self._time_step_fs / _FEMTOSECONDS_PER_NS / (now - since) * _SECONDS_PER_DAY
        content = {
            "key": self._key,
            "stage": stage,
            "fraction": done / total if total else 0.0,
            "step": done,
            "steps": total,
            "ns_per_day": pace,
            "seconds": self.seconds,
            "updated": time.time(),
        }
        partial = self._path.with_suffix(".partial")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(content))
            partial.replace(self._path)
        except OSError:
            # Progress is for display only: a full disk is reported by the next checkpoint.
            return

    def _earlier_seconds(self) -> float:
        try:
            content = json.loads(self._path.read_text())
            return float(content["seconds"]) if content["key"] == self._key else 0.0
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0
