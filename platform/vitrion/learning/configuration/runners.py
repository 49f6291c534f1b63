"""Sections on where a campaign runs."""

from typing import Annotated, Literal

from pydantic import Field

from vitrion.learning.configuration.section import Section
from vitrion_workflows.potentials.devices import AUTO, PATTERN

Device = Annotated[str, Field(pattern=f"^({PATTERN})$", description="auto, cpu, cuda or cuda:1")]


class LocalRun(Section):
    """Worker processes on this machine, one thread each."""

    kind: Literal["local"] = "local"
    workers: int = Field(default=2, ge=1, le=256)
    device: Device = AUTO


class FireworksRun(Section):
    """A FireWorks launchpad on the same MongoDB server; its workers run elsewhere (``vitrion worker``)."""

    kind: Literal["fireworks"] = "fireworks"
    lost_after_seconds: float = Field(default=120.0, gt=0)
    device: Device = AUTO
