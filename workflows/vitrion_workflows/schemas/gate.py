"""Gates: measured numbers against limits, stored with a cell or a label whether they passed or not."""

import math
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict


class Measurement(BaseModel):
    """One measured number and the limits that it must keep.

    Attributes:
        name: for example ``missing_frame``.
        passed: True where the value lies within the limits.
        value: the measured number; None where it could not be measured, which fails unless there is no limit.
        lower: least allowed value, or None.
        upper: greatest allowed value, or None.
        unit: unit of value and limits, empty for pure numbers.
        message: one line: the number in words, and what to do where it failed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    passed: bool
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    unit: str = ""
    message: str = ""


class GateOutcome(Measurement):
    """Outcome of one gate: of a single number, or of several measurements that must all pass.

    Attributes:
        measurements: the numbers of a gate that has several; `value` and limits of the gate itself are then None.
    """

    measurements: tuple[Measurement, ...] = ()

    @property
    def numbers(self) -> tuple[Measurement, ...]:
        """Measurements of the gate; a gate of a single number is its own."""
        return self.measurements or (self,)


def measurement_of(
    name: str,
    value: float,
    *,
    lower: float | None = None,
    upper: float | None = None,
    unit: str = "",
    message: str,
) -> Measurement:
    """Compare a number with its limits; one that is not finite was not measured, which fails."""
    if not math.isfinite(value):
        return Measurement(name=name, passed=False, lower=lower, upper=upper, unit=unit, message=message)
    passed = (lower is None or value >= lower) and (upper is None or value <= upper)
    return Measurement(name=name, passed=passed, value=value, lower=lower, upper=upper, unit=unit, message=message)


def gate_of(name: str, measurements: Sequence[Measurement]) -> GateOutcome:
    """Compose a gate, which passes if all its measurements do.

    Args:
        name: of the gate, for example ``continuity``.
        measurements: at least one.
    """
    failed = [measurement.message for measurement in measurements if not measurement.passed]
    if failed:
        message = "; ".join(failed)
    elif len(measurements) == 1:
        message = measurements[0].message
    else:
        message = f"{len(measurements)} measurements within their limits"
    return GateOutcome(name=name, passed=not failed, message=message, measurements=tuple(measurements))


def failed_gates(gates: Iterable[GateOutcome]) -> tuple[str, ...]:
    """Return the names of the gates that did not pass, in order."""
    return tuple(gate.name for gate in gates if not gate.passed)


def failed_measurements(gates: Iterable[GateOutcome]) -> tuple[str, ...]:
    """Return the names of the measurements that did not pass, in order; a gate of a single number is its own."""
    return tuple(number.name for gate in gates for number in gate.numbers if not number.passed)


def describe_failures(gates: Iterable[GateOutcome]) -> tuple[str, ...]:
    """Return each failed gate with the measurements that failed, for example ``temperature (mean_temperature)``.

    A measurement without a value is followed by its message: ``continuity (longest_step: not checked: ...)``.
    """
    return tuple(_describe_gate(gate) for gate in gates if not gate.passed)


def _describe_gate(gate: GateOutcome) -> str:
    failed = [
        number.name if number.value is not None else f"{number.name}: {number.message}"
        for number in gate.measurements
        if not number.passed
    ]
    return f"{gate.name} ({', '.join(failed)})" if failed else gate.name
