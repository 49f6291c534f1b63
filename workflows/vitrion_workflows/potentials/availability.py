"""Availability of a potential on this machine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Availability:
    """Availability of a potential on this machine.

    Attributes:
        ok: True if it can run.
        reason: one line: why it can run, or what to do to make it run.
    """

    ok: bool
    reason: str
