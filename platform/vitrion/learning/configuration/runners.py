"""Sections on where a campaign runs."""

from typing import Literal

from pydantic import Field

from vitrion.learning.configuration.section import Section


class LocalRun(Section):
    """Worker processes on this machine, one thread each."""

    kind: Literal["local"] = "local"
    workers: int = Field(default=2, ge=1, le=256)


class FireworksRun(Section):
    """A FireWorks launchpad on the same MongoDB server; its workers run elsewhere (``vitrion worker``)."""

    kind: Literal["fireworks"] = "fireworks"
    lost_after_seconds: float = Field(default=120.0, gt=0)
