"""The gates of a trajectory and the measurements that each of them holds."""

from collections.abc import Iterable, Mapping
from itertools import groupby

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
_ORDER = {name: index for index, name in enumerate(_GATE_OF)}


def trajectory_gates(measurements: Iterable[Measurement]) -> tuple[GateOutcome, ...]:
    """Compose the gates of a trajectory from its measurements, both in the order of `TRAJECTORY_GATES`.

    Args:
        measurements: in any order, each of a name in `TRAJECTORY_GATES`; a gate without any is left out.
    """
    ordered = sorted(measurements, key=lambda measurement: _ORDER[measurement.name])
    groups = groupby(ordered, key=lambda measurement: _GATE_OF[measurement.name])
    return tuple(gate_of(gate, list(group)) for gate, group in groups)
