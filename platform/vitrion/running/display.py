"""Progress display: activity of each worker, cost so far, best label, remaining time."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vitrion.running.task import WorkerStatus
from vitrion_workflows.execution.scratch import PROGRESS_FILE

PLAIN_LINE_SECONDS = 15.0


@dataclass
class Tally:
    """Numbers of the campaign that the display shows, updated by the campaign."""

    stage: str = ""
    tasks_done: int = 0
    tasks_total: int = 0
    labels: int = 0
    cpu_seconds: float = 0.0
    best: str = "none yet"


class Display:
    """A live table on a terminal, a line every now and then elsewhere."""

    def __init__(self, *, scratch: Path, quiet: bool = False) -> None:
        """Prepare.

        Args:
            scratch: folder in which the workers leave ``progress.json`` files.
            quiet: show nothing.
        """
        self.tally = Tally()
        self._scratch = scratch
        self._console = Console(stderr=True, quiet=quiet)
        self._live = Live(console=self._console, refresh_per_second=2, transient=True)
        self._begun = time.monotonic()
        self._last_line = 0.0
        self._last_done = -1
        self._stage = ("", 0, 0.0)  # name, what was done when it began, when that was

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def say(self, text: str) -> None:
        """Print one lasting line."""
        line = Text(f"[{_clock(time.monotonic() - self._begun)}] {text}")
        self._console.print(line, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Show the activity of the coordinator until the next update."""
        if self._console.is_terminal:
            self._live.update(Text(text))

    def follow(self, stage: str, done: int, total: int) -> None:
        """Show how far the coordinator is with work of its own: at once on a terminal, else a line now and then."""
        text = f"{stage}: {done} of {total}"
        if self._console.is_terminal:
            self._live.update(Text(text))
        elif time.monotonic() - self._last_line > PLAIN_LINE_SECONDS:
            self._last_line = time.monotonic()
            self.say(text)

    def tick(self, statuses: Sequence[WorkerStatus]) -> None:
        """Show the activity of the workers."""
        if self._console.is_terminal:
            self._live.update(Group(self._table(statuses), Text(self._summary())))
            return
        now = time.monotonic()
        if self.tally.tasks_done != self._last_done or now - self._last_line > PLAIN_LINE_SECONDS:
            self._last_done, self._last_line = self.tally.tasks_done, now
            busy = "; ".join(f"{status.worker}: {self._activity(status)}" for status in statuses)
            self.say(f"{self._summary()}" + (f" | {busy}" if busy else ""))

    def _table(self, statuses: Sequence[WorkerStatus]) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        for status in statuses:
            table.add_row(status.worker, self._activity(status))
        return table

    def _activity(self, status: WorkerStatus) -> str:
        if status.task_id is None:
            return "idle"
        progress = read_progress(self._scratch, status.task_id)
        return f"{status.title}{progress} ({_clock(time.time() - status.started)})"

    def _summary(self) -> str:
        tally = self.tally
        now = time.monotonic()
        if self._stage[0] != tally.stage:
            self._stage = (tally.stage, tally.tasks_done, now)
        _, before, begun = self._stage
        left, done = tally.tasks_total - tally.tasks_done, tally.tasks_done - before
        remaining = f", about {_clock((now - begun) / done * left)} left in this stage" if done > 0 and left else ""
        return (
            f"{tally.stage}: {tally.tasks_done}/{tally.tasks_total} done, {tally.labels} labels, "
            f"{_clock(tally.cpu_seconds)} of worker time{remaining}; best {tally.best}"
        )


def read_progress(scratch: Path, task_id: str) -> str:
    """Return stage and share done of a running task, as ``, melt 40 %``; empty where none is recorded."""
    path = scratch / task_id / PROGRESS_FILE
    try:
        content = json.loads(path.read_text())
        return f", {content['stage']} {100 * content['fraction']:.0f} %"
    except (OSError, ValueError, KeyError):
        return ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
