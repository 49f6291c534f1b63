"""Thermostats that a run, a file or a user may name."""

import math

# Name, as `MDPlan` has it, and True for a thermostat with a coupling rate.
COUPLED = {"langevin": True, "nose-hoover": True, "nve": False}


def thermostat_fault(name: str, friction_per_ps: float | None) -> str:
    """Return the fault of a stated thermostat in one line, empty if there is none.

    Args:
        name: as in `MDPlan.thermostat`.
        friction_per_ps: Langevin friction, or 1/tau of the chain; None for ``nve``.
    """
    if name not in COUPLED:
        return f"unknown thermostat {name!r}: state one of {', '.join(COUPLED)}"
    coupled = COUPLED[name]
    if coupled != (friction_per_ps is not None):
        return f"thermostat {name} {'needs a' if coupled else 'takes no'} friction_per_ps"
    if friction_per_ps is not None and not (math.isfinite(friction_per_ps) and friction_per_ps > 0):
        return f"friction_per_ps {friction_per_ps:g} must be a positive number"
    return ""
