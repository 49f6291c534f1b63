"""Errors planted in good trajectories and in good label files, and how a trajectory is labelled with its own claims.

A mutation changes what a trajectory claims together with what would give the fault away by book-keeping: the protocol
states the wrong interval too, the set temperature is the claimed one. What is left to find it is physics.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from vitrion_workflows.dynamics.trajectory import Trajectory
from vitrion_workflows.schemas import LabelProtocol, MethodRecord
from vitrion_workflows.transport import label_trajectory


@dataclass(frozen=True)
class Claim:
    """A trajectory and what is said about it.

    Attributes:
        trajectory: as it would be handed in.
        species: mobile symbol.
        temperature_K: what the label is to be for.
        thermostat, friction_per_ps: of the run.
    """

    trajectory: Trajectory
    species: str = "Li"
    temperature_K: float = 1000.0
    thermostat: str = "langevin"
    friction_per_ps: float = 1.0

    def changed(self, **fields):
        """The same claim about a changed trajectory; the set temperature stays the claimed one."""
        return replace(self, trajectory=replace(self.trajectory, **fields))


def label(claim):
    """Label of a claim, whose protocol agrees with its frame interval whatever that is."""
    interval_fs = claim.trajectory.frame_interval_ps * 1000
    steps = math.ceil(interval_fs / 2)
    duration_ps = claim.trajectory.frame_interval_ps * (len(claim.trajectory) - 1)
    return label_trajectory(
        claim.trajectory,
        species=claim.species,
        temperature_K=claim.temperature_K,
        protocol=LabelProtocol(
            time_step_fs=interval_fs / steps,
            frame_interval_fs=interval_fs,
            production_ps=duration_ps,
            thermostat=claim.thermostat,
            friction_per_ps=claim.friction_per_ps,
        ),
        method=MethodRecord(
            engine="test",
            potential="test",
            potential_version="0",
            weights_sha256="0" * 64,
            time_step_fs=interval_fs / steps,
            frame_interval_ps=claim.trajectory.frame_interval_ps,
            thermostat=claim.thermostat,
            seed=0,
            code_version="0",
        ),
        structure_fingerprint="f" * 64,
    )


def _lengths(factor):
    """Positions and cell in another unit."""

    def plant(claim, _rng):
        found = claim.trajectory
        return claim.changed(positions_A=found.positions_A * factor, lattice_A=found.lattice_A * factor)

    return plant


def _paths(factor):
    """Displacements by a factor, from the right start in the right cell."""

    def plant(claim, _rng):
        positions = claim.trajectory.positions_A
        return claim.changed(positions_A=positions[0] + factor * (positions - positions[0]))

    return plant


def _interval(factor):
    """Another time between frames than there was."""

    def plant(claim, _rng):
        return claim.changed(frame_interval_ps=claim.trajectory.frame_interval_ps * factor)

    return plant


def _stride(step):
    """Every so many frames kept, the interval not adapted."""

    def plant(claim, _rng):
        return claim.changed(**_frames(claim.trajectory, np.arange(0, len(claim.trajectory), step)))

    return plant


def _frames(trajectory, kept):
    return {
        "positions_A": trajectory.positions_A[kept],
        "temperatures_K": trajectory.temperatures_K[kept],
        "potential_energies_eV": trajectory.potential_energies_eV[kept],
    }


def _somewhere(claim, rng):
    # In what is analysed: equilibration may take the first half.
    count = len(claim.trajectory)
    return int(rng.integers(count // 2, count - 15))


def _dropped(count):
    def plant(claim, rng):
        at = _somewhere(claim, rng)
        kept = np.delete(np.arange(len(claim.trajectory)), np.arange(at, at + count))
        return claim.changed(**_frames(claim.trajectory, kept))

    return plant


def _gone_back(count):
    """A restart from an earlier frame, the frames since then kept."""

    def plant(claim, rng):
        at = _somewhere(claim, rng)
        every = np.arange(len(claim.trajectory))
        return claim.changed(**_frames(claim.trajectory, np.concatenate([every[: at + 1], every[at - count + 1 :]])))

    return plant


def _wrapped(claim, _rng):
    found = claim.trajectory
    fractional = found.positions_A @ np.linalg.inv(found.lattice_A)
    return claim.changed(positions_A=(fractional % 1.0) @ found.lattice_A)


def _drift(speed_A_per_ps, *, mobile_only):
    def plant(claim, _rng):
        found = claim.trajectory
        path = speed_A_per_ps * found.frame_interval_ps * np.arange(len(found))
        moved = np.ones(len(found.numbers), dtype=bool)
        if mobile_only:
            moved = found.numbers == _number(claim)
        return claim.changed(positions_A=found.positions_A + path[:, None, None] * moved[:, None] * np.array([1, 0, 0]))

    return plant


def _number(claim):
    from ase.data import atomic_numbers

    return atomic_numbers[claim.species]


def _nm(*, positions, lattice):
    def plant(claim, _rng):
        found = claim.trajectory
        fields = {"positions_A": found.positions_A / 10} if positions else {}
        return claim.changed(**fields, **({"lattice_A": found.lattice_A / 10} if lattice else {}))

    return plant


def _swapped(claim, _rng):
    """The mobile species' name on the lightest other one, and the other way round; None where there is no other."""
    numbers, mobile = claim.trajectory.numbers, _number(claim)
    others = sorted(set(numbers.tolist()) - {mobile})
    if not others:
        return None
    names = numbers.copy()
    names[numbers == mobile], names[numbers == others[-1]] = others[-1], mobile
    return claim.changed(numbers=names, masses_u=np.empty(0))


def _claimed(factor):
    """A thermostat that was set to something else than is claimed."""

    def plant(claim, _rng):
        said = claim.temperature_K * factor
        return replace(claim.changed(set_temperature_K=said), temperature_K=said)

    return plant


def _claimed_with_book(factor):
    def plant(claim, _rng):
        return replace(claim, temperature_K=claim.temperature_K * factor)

    return plant


def _recorded(factor):
    """Temperatures recorded as claimed where the atoms have others."""

    def plant(claim, _rng):
        said = claim.temperature_K * factor
        found = claim.changed(set_temperature_K=said, temperatures_K=claim.trajectory.temperatures_K * factor)
        return replace(found, temperature_K=said)

    return plant


def _gas(claim, _rng):
    return claim.changed(lattice_A=claim.trajectory.lattice_A * 2.5)


def _unset(factor):
    """As `_claimed`, where the trajectory does not say what its thermostat was set to."""

    def plant(claim, _rng):
        return replace(claim.changed(set_temperature_K=None), temperature_K=claim.temperature_K * factor)

    return plant


def _unrecorded(claim, _rng):
    return claim.changed(temperatures_K=None)


MUTATIONS = {
    **{f"lengths x {name}": _lengths(f) for name, f in (("1/3", 1 / 3), ("3", 3), ("5", 5), ("10", 10), ("1000", 1e3))},
    **{f"paths x {name}": _paths(f) for name, f in (("1/3", 1 / 3), ("3", 3))},
    **{f"D x {name}": _paths(f**0.5) for name, f in (("1/10", 0.1), ("1/5", 0.2), ("1/3", 1 / 3), ("3", 3), ("5", 5))},
    **{
        f"interval x {name}": _interval(f)
        for name, f in (
            ("1/1000", 1e-3),
            ("1/10", 0.1),
            ("1/5", 0.2),
            ("1/3", 1 / 3),
            ("1/2", 0.5),
            ("2", 2),
            ("3", 3),
            ("5", 5),
            ("10", 10),
            ("1000", 1000),
        )
    },
    **{f"every frame in {step}": _stride(step) for step in (2, 5, 10)},
    "wrapped": _wrapped,
    "one frame dropped": _dropped(1),
    "ten frames dropped": _dropped(10),
    "one frame twice": _gone_back(1),
    "restart ten frames back": _gone_back(10),
    "all drift 10 A/ps": _drift(10.0, mobile_only=False),  # a slower one is taken out whole
    "ions drift 3 A/ps": _drift(3.0, mobile_only=True),
    "cell and positions in nm": _nm(positions=True, lattice=True),
    "positions in nm": _nm(positions=True, lattice=False),
    "cell in nm": _nm(positions=False, lattice=True),
    "species swapped": _swapped,
    "gas": _gas,
    "temperature not recorded": _unrecorded,
    "claimed 10 % low": _claimed_with_book(0.9),
    "claimed 10 % high": _claimed_with_book(1.1),
    "claimed 10 % low, setting unknown": _unset(0.9),
    "claimed 10 % high, setting unknown": _unset(1.1),
}
# A thermostat that holds another temperature than it says, or a record that lies: long runs and smooth motion show it.
STATISTICAL = {
    "thermostat 10 % high": _claimed(1 / 1.1),
    "thermostat 10 % low": _claimed(1 / 0.9),
    "ions drift 1 A/ps": _drift(1.0, mobile_only=True),
    "recorded 10 % low": _recorded(0.9),
    "recorded 10 % high": _recorded(1.1),
}


def _value(factor, *, intervals):
    """A value by a factor, beside its own table."""

    def plant(outcome):
        changed = {"value": outcome["value"] * factor}
        if intervals:
            for name in ("interval_68", "interval_95"):
                changed[name] = [bound * factor for bound in outcome[name]]
        return outcome | changed

    return plant


def _table(factor):
    """Mean squared displacements and value by a factor: paths in another unit or of another dimension."""

    def plant(outcome):
        found = _value(factor, intervals=True)(outcome)
        table = found["msd"]
        scaled = {name: [entry * factor for entry in table[name]] for name in ("msd_A2", "stderr_A2")}
        return found | {"msd": table | scaled}

    return plant


def _clock(factor):
    """All times by a factor, value adapted: a wrong frame interval from the beginning."""

    def plant(outcome):
        found = _value(1 / factor, intervals=True)(outcome)
        table, protocol, method = found["msd"], found["protocol"], found["method"]
        interval_fs = protocol["frame_interval_fs"] * factor
        step_fs = interval_fs / math.ceil(interval_fs / 5)
        gates = [
            gate | {"value": gate["value"] * factor, "lower": gate["lower"] * factor, "upper": gate["upper"] * factor}
            if gate["name"] == "planned_interval"
            else gate
            for gate in found["gates"]
        ]
        return found | {
            "msd": table | {"lag_ps": [lag * factor for lag in table["lag_ps"]]},
            "fit_window_ps": [edge * factor for edge in found["fit_window_ps"]],
            "production_ps": found["production_ps"] * factor,
            "equilibration_ps": found["equilibration_ps"] * factor,
            "protocol": protocol | {"frame_interval_fs": interval_fs, "time_step_fs": step_fs},
            "method": method | {"frame_interval_ps": interval_fs / 1000, "time_step_fs": step_fs},
            "gates": gates,
        }

    return plant


def _fields(**changes):
    return lambda outcome: outcome | changes


def _without(name):
    return lambda outcome: {field: entry for field, entry in outcome.items() if field != name}


FACTORS = {"1/1000": 1e-3, "1/10": 0.1, "1/5": 0.2, "1/3": 1 / 3, "3": 3.0, "5": 5.0, "10": 10.0, "1000": 1e3}
LABEL_MUTATIONS = {
    **{f"value x {name}": _value(factor, intervals=False) for name, factor in FACTORS.items()},
    **{f"value and intervals x {name}": _value(factor, intervals=True) for name, factor in FACTORS.items()},
    **{f"value and table x {name}": _table(factor) for name, factor in FACTORS.items()},
    **{f"all times x {name}": _clock(factor) for name, factor in FACTORS.items()},
    "table's times x 5": lambda outcome: (
        outcome | {"msd": outcome["msd"] | {"lag_ps": [lag * 5 for lag in outcome["msd"]["lag_ps"]]}}
    ),
    "convention slope/2": _fields(convention="slope_half"),
    "convention unstated": _without("convention"),
    "unit unstated": _without("unit"),
    "unit m2/s": _fields(unit="m2/s"),
    "temperature 10 % low": lambda outcome: outcome | {"temperature_K": outcome["temperature_K"] * 0.9},
    "temperature 10 % high": lambda outcome: outcome | {"temperature_K": outcome["temperature_K"] * 1.1},
    "temperature in Celsius": lambda outcome: outcome | {"temperature_K": outcome["temperature_K"] - 273.15},
    "another species": _fields(species="Cl"),
    "interval without its value": lambda outcome: outcome | {"interval_95": [outcome["value"] * 2] * 2},
    "standard error / 3": lambda outcome: outcome | {"log10_stderr": outcome["log10_stderr"] / 3},
    "standard error x 3": lambda outcome: outcome | {"log10_stderr": outcome["log10_stderr"] * 3},
    "no gates": _fields(gates=[]),
    "no table": _without("msd"),
    "no interval": _without("interval_95"),
    "failed gate, called accepted": lambda outcome: (
        outcome | {"gates": [*outcome["gates"], {"name": "drift", "passed": False, "value": 9.0, "upper": 1.0}]}
    ),
    "gate turned to passed": lambda outcome: (
        outcome | {"gates": [*outcome["gates"], {"name": "drift", "passed": True, "value": 9.0, "upper": 1.0}]}
    ),
    "melt called solid": lambda outcome: (
        outcome
        | {
            "framework_state": "vibrating",
            "gates": [gate | {"value": 1.5} if gate["name"] == "framework" else gate for gate in outcome["gates"]],
        }
    ),
}


def label_fault(content):
    """Why the JSON of a label is refused; None where it passes."""
    from vitrion_models.errors import InputError
    from vitrion_workflows.transport.consistency import read_outcome

    try:
        read_outcome(content, source="label.json")
    except InputError as error:
        return str(error)
    return None
