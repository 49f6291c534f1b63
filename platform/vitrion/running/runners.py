"""Registry of runners: from the `runner` section of a campaign file to a runner."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vitrion.database import Database
from vitrion.running.local_runner import LocalRunner
from vitrion.running.task import Runner


def make_runner(settings: Any, *, db: Database, uri: str | None, scratch: Path) -> Runner:
    """Return the runner that a campaign file configures.

    Raises:
        InputError: a launchpad without a server.
    """
    return RUNNERS[settings.kind](settings, db, uri, scratch)


def _local(settings: Any, _db: Database, _uri: str | None, scratch: Path) -> Runner:
    return LocalRunner(workers=settings.workers, scratch=scratch)


def _launchpad(settings: Any, db: Database, uri: str | None, _scratch: Path) -> Runner:
    from vitrion.running.launchpad_runner import LaunchpadRunner, connect_launchpad  # noqa: PLC0415 - heavy

    return LaunchpadRunner(
        connect_launchpad(uri), db.job_store(), where=db.where, lost_after_seconds=settings.lost_after_seconds
    )


RUNNERS: dict[str, Callable[[Any, Database, str | None, Path], Runner]] = {
    "local": _local,
    "fireworks": _launchpad,
}
