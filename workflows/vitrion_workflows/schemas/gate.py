"""A gate: one measured number against the limits that it must keep."""

import math
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class GateOutcome(BaseModel):
    """What a gate measured and decided; stored with the cell or the label, passed or not.

    Attributes:
        name: the gate's registry name, for example ``minimum_distance``.
        passed: whether the value lies within the limits.
        value: the measured number; None when it could not be measured (which fails the gate).
        lower: least allowed value, or None.
        upper: greatest allowed value, or None.
        unit: unit of value and limits, empty for pure numbers.
        message: one line for people: what was found, against what.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    passed: bool
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    unit: str = ""
    message: str = ""


def gate_of(
    name: str,
    value: float,
    *,
    lower: float | None = None,
    upper: float | None = None,
    unit: str = "",
    message: str,
) -> GateOutcome:
    """Hold a number against its limits; one that is not finite was not measured, which fails."""
    if not math.isfinite(value):
        return GateOutcome(name=name, passed=False, lower=lower, upper=upper, unit=unit, message=message)
    passed = (lower is None or value >= lower) and (upper is None or value <= upper)
    return GateOutcome(name=name, passed=passed, value=value, lower=lower, upper=upper, unit=unit, message=message)


def failed_gates(gates: Iterable[GateOutcome]) -> tuple[str, ...]:
    """Names of the gates that did not pass, in order."""
    return tuple(gate.name for gate in gates if not gate.passed)
