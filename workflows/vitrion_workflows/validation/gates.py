"""The gates of a trajectory and the measurements that each of them holds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from vitrion_workflows.schemas.gate import GateOutcome, Measurement, gate_of

# Gate -> its measurements. A label has `resolution`, `linearity` (diffusivity) and `framework` (transport) besides.
TRAJECTORY_GATES: Mapping[str, tuple[str, ...]] = {
    "protocol": ("planned_interval", "planned_thermostat"),
    "continuity": ("wrapped_step", "missing_frame", "repeated_frame", "longest_step"),
    "temperature": (
        "mean_temperature",
        "set_temperature",
        "temperature_stderr",
        "temperature_drift",
        "possible_temperature",
    ),
    "kinetic_consistency": (
        "free_flight_ratio",
        "species_temperature",
        "frame_interval",
        "species_mass",
        "recorded_temperature",
        "recorded_drift",
        "natural_masses",
    ),
    "equilibration": ("energy_drift",),
    "drift": ("cell_drift", "sublattice_drift"),
    "density_and_contacts": ("density", "closest_contact", "volume_change"),
}
_GATE_OF = {name: gate for gate, names in TRAJECTORY_GATES.items() for name in names}


def trajectory_gates(measurements: Iterable[Measurement]) -> tuple[GateOutcome, ...]:
    """Compose the gates of a trajectory from its measurements.

    Args:
        measurements: in any order, each of a name in `TRAJECTORY_GATES`.

    Returns:
        The gates of which there is a measurement, in the order of `TRAJECTORY_GATES`.
    """
    by_gate: defaultdict[str, list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        by_gate[_GATE_OF[measurement.name]].append(measurement)
    return tuple(gate_of(gate, by_gate[gate]) for gate in TRAJECTORY_GATES if gate in by_gate)
