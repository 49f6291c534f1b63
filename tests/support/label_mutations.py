"""Errors planted in the files of good labels.

Each changes what a label says together with what else gives it away by book-keeping. What is planted into the content
of a file (`model_dump`) is a function of it; it returns None where this label has nothing to plant it in.
"""

import copy
import math

from vitrion_models.errors import InputError
from vitrion_workflows.labelling.audit.consistency import faults, read_outcome
from vitrion_workflows.labelling.audit.requirements import REQUIREMENTS

INTERVALS = ("interval_68", "interval_95")


def label_fault(content, cell=None):
    """Why the JSON of a label is refused, by itself or beside its cell; None where it passes."""
    try:
        outcome = read_outcome(content, source="label.json")
    except InputError as error:
        return str(error)
    return next(iter(faults(outcome, cell=cell)), None)


def _scaled(entry, factor):
    if entry is None:
        return None
    return [one * factor for one in entry] if isinstance(entry, list | tuple) else entry * factor


def fields(**changes):
    """Fields that say something else."""
    return lambda outcome: outcome | changes


def scale(factor, *names):
    """Fields of the label by a factor; None where it has none of them."""

    def plant(outcome):
        found = {name: _scaled(outcome[name], factor) for name in names if outcome.get(name) is not None}
        return outcome | found if found else None

    return plant


def inside(part, **changes):
    """Fields of a part of the label (motion, msd, protocol, method) that say something else."""
    return lambda outcome: outcome | {part: outcome[part] | changes}


def scale_inside(factor, part, *names):
    """Fields of a part by a factor."""

    def plant(outcome):
        found = {name: _scaled(outcome[part][name], factor) for name in names if outcome[part][name] is not None}
        return outcome | {part: outcome[part] | found} if found else None

    return plant


def without(name):
    """A field left out; None where it was empty."""

    def plant(outcome):
        if outcome[name] is None:
            return None
        return {field: entry for field, entry in outcome.items() if field != name}

    return plant


def gate(name, **changes):
    """A gate that says something else; changes may be functions of what it said."""

    def plant(outcome):
        if name not in {one["name"] for one in outcome["gates"]}:
            return None
        gates = []
        for one in outcome["gates"]:
            new = dict(one)
            if one["name"] == name:
                for field, change in changes.items():
                    new[field] = change(one[field]) if callable(change) else change
            gates.append(new)
        return outcome | {"gates": gates}

    return plant


def scale_gate(factor, name, *entries):
    """Numbers of a gate by a factor."""
    return gate(name, **dict.fromkeys(entries, lambda entry: _scaled(entry, factor)))


def gates_left(keep):
    """Only gates that a test of their names keeps; None where all are kept."""

    def plant(outcome):
        kept = [one for one in outcome["gates"] if keep(one["name"])]
        return outcome | {"gates": kept} if len(kept) < len(outcome["gates"]) else None

    return plant


def together(*plants):
    """Several errors that cover each other."""

    def plant(outcome):
        found = copy.deepcopy(outcome)
        for one in plants:
            changed = one(found)
            found = found if changed is None else changed
        return found

    return plant


def value(factor, *, intervals):
    """A value by a factor, beside its own table."""
    return scale(factor, "value", *(INTERVALS if intervals else ()))


def of_a_value(plant):
    """The same, where the label states a value and no bound."""
    return lambda outcome: plant(outcome) if outcome["state"] == "accepted" else None


def _of_a_haven_ratio(plant):
    """The same, where the label states one: otherwise the collective diffusivity's error is tied to nothing."""
    return lambda outcome: plant(outcome) if outcome["motion"]["haven_interval_95"] is not None else None


def motion(factor):
    """Everything else that says how fast ions diffuse, by a factor."""
    names = ("principal", "collective", "collective_stderr", "green_kubo", "green_kubo_stderr")
    return scale_inside(factor, "motion", *names)


def table(factor):
    """Mean squared displacements by a factor: paths in another unit or of another dimension."""
    return scale_inside(factor, "msd", "msd_A2", "stderr_A2")


def _row(column, factor):
    """A number in the middle of the table by a factor."""

    def plant(outcome):
        numbers = list(outcome["msd"][column])
        numbers[len(numbers) // 2] *= factor
        return outcome | {"msd": outcome["msd"] | {column: numbers}}

    return plant


def paths(factor):
    """Table, value, jumps, bound and all of the motion by a factor: displacements of another size from the start."""
    return together(
        value(factor, intervals=True), table(factor), motion(factor), scale_gate(factor, "resolved", "value")
    )


def clock(factor):
    """All times by a factor, values adapted: a wrong frame interval from the beginning."""

    def plant(outcome):
        found = together(value(1 / factor, intervals=True), motion(1 / factor))(outcome)
        interval_fs = found["protocol"]["frame_interval_fs"] * factor
        step_fs = interval_fs / math.ceil(interval_fs / 5)
        times = ("production_ps", "equilibration_ps", "fit_window_ps")
        return together(
            scale(factor, *times),
            scale_inside(factor, "msd", "lag_ps"),
            scale_inside(factor, "motion", "alpha2_ps"),
            scale_gate(factor, "planned_interval", "value", "lower", "upper"),
            scale_inside(factor, "protocol", "production_ps"),
            inside("protocol", frame_interval_fs=interval_fs, time_step_fs=step_fs),
            inside("method", frame_interval_ps=interval_fs / 1000, time_step_fs=step_fs),
        )(found)

    return plant


def kelvin(factor, *, mean=True, edges=True):
    """Temperatures by a factor: that of the label, and where asked its mean and its gates in K."""

    def plant(outcome):
        names = ("temperature_K", "mean_temperature_K") if mean else ("temperature_K",)
        found = scale(factor, *names)(outcome)
        entries = (*(("value",) if mean else ()), *(("lower", "upper") if edges else ()))
        for one in outcome["gates"]:
            if one["unit"] == "K":
                found = scale_gate(factor, one["name"], *entries)(found)
        return found

    return plant


def another_species(outcome):
    """Another element of the same cell, told by the gate that names one; None where it names none."""
    flow = next((one["message"] for one in outcome["gates"] if one["name"] == "contact"), "")
    named = [name for part in flow.split() for name in part.split("-") if name.isalpha() and len(name) <= 2]
    others = [name for name in named if name[0].isupper() and name != outcome["species"]]
    return outcome | {"species": others[0]} if others else None


def another_framework(outcome):
    """A melt called a solid or the other way round, wherever it is said; None where there is no framework."""
    state = outcome["framework_state"]
    said = "vibrating" if state == "molten" else "molten"
    changed = gate("framework", message=lambda told: told.replace(state, said))(outcome)
    return None if state == "absent" else changed | {"framework_state": said}


def errors_by(factor):
    """An interval that is narrower or wider, with all that says so in the label's fields."""

    def plant(outcome):
        if outcome["log10_stderr"] is None:
            return None
        narrow = {
            name: [outcome["value"] * (edge / outcome["value"]) ** factor for edge in outcome[name]]
            for name in INTERVALS
        }
        return outcome | narrow | {"log10_stderr": outcome["log10_stderr"] * factor}

    return plant


def every_interval_by(factor):
    """The same with N_eff and the gate that holds value over error."""
    return together(errors_by(factor), scale(factor**-2, "n_eff"), scale_gate(1 / factor, "signal", "value"))


FACTORS = {"1/1000": 1e-3, "1/10": 0.1, "1/5": 0.2, "1/3": 1 / 3, "3": 3.0, "5": 5.0, "10": 10.0, "1000": 1e3}
SMALL = {"0.7": 0.7, "0.9": 0.9, "1.1": 1.1, "1.5": 1.5, "2": 2.0}
ALL_FACTORS = FACTORS | SMALL
LABEL_MUTATIONS = {
    **{f"value x {name}": value(factor, intervals=False) for name, factor in FACTORS.items()},
    **{f"value and intervals x {name}": value(factor, intervals=True) for name, factor in ALL_FACTORS.items()},
    **{
        f"value, intervals and motion x {name}": together(value(factor, intervals=True), motion(factor))
        for name, factor in ALL_FACTORS.items()
    },
    **{
        f"value, intervals, motion and jumps x {name}": together(
            value(factor, intervals=True), motion(factor), scale_gate(factor, "resolved", "value")
        )
        for name, factor in ALL_FACTORS.items()
    },
    **{
        f"value and table x {name}": together(value(factor, intervals=True), table(factor))
        for name, factor in ALL_FACTORS.items()
    },
    **{f"all paths x {name}": paths(factor) for name, factor in ALL_FACTORS.items()},
    **{f"all times x {name}": clock(factor) for name, factor in ALL_FACTORS.items()},
    **{
        # What errors the table of a bound has nobody asks; they are known within a factor of some five.
        f"table's errors x {name}": of_a_value(scale_inside(factor, "msd", "stderr_A2"))
        for name, factor in FACTORS.items()
    },
    **{f"motion x {name}": of_a_value(motion(factor)) for name, factor in FACTORS.items()},
    "table's times x 5": scale_inside(5, "msd", "lag_ps"),
    **{
        f"one displacement of the table x {name}": of_a_value(_row("msd_A2", factor))
        for name, factor in (("0.7", 0.7), ("1.5", 1.5), ("3", 3.0))
    },
    **{f"one error of the table x {name}": _row("stderr_A2", factor) for name, factor in (("0.7", 0.7), ("3", 3.0))},
    "interval of the Haven ratio x 2": of_a_value(
        _of_a_haven_ratio(scale_inside(2, "motion", "haven_interval_95", "collective_stderr"))
    ),
    "written by an older version": fields(schema_version=1),
    "written by a newer version": fields(schema_version=99),
    "written by a version that is left out": without("schema_version"),
    "table's end cut off": lambda outcome: (
        outcome | {"msd": {name: column[:-5] for name, column in outcome["msd"].items()}}
    ),
    "table's first lag left out": lambda outcome: (
        outcome | {"msd": {name: column[1:] for name, column in outcome["msd"].items()}}
    ),
    "fit window moved": scale(2, "fit_window_ps"),
    "convention slope/2": fields(convention="slope_half"),
    **{f"{name} unstated": without(name) for name in ("convention", "unit", "property", "species", "state")},
    "unit m2/s": fields(unit="m2/s"),
    "unit A2/ps": fields(unit="A^2/ps"),
    "property renamed": fields(property="diffusivity"),
    "property renamed, value x 3": together(fields(property="self_diffusion"), value(3, intervals=True)),
    "property capitalised": fields(property="Tracer_Diffusivity"),
    "a conductivity": fields(property="ionic_conductivity", unit="S/cm"),
    **{
        f"temperature x {name}, {told}": kelvin(factor, mean=mean, edges=edges)
        for name, factor in {"0.9": 0.9, "0.95": 0.95, "1.05": 1.05, "1.1": 1.1}.items()
        for told, mean, edges in (("alone", False, False), ("limits too", False, True), ("all of it", True, True))
    },
    "temperature in Celsius": lambda outcome: outcome | {"temperature_K": outcome["temperature_K"] - 273.15},
    "mean temperature left out": fields(mean_temperature_K=None),
    "another species": fields(species="Cs"),
    "another species of the cell": another_species,
    **{f"species {name}": fields(species=name) for name in ("Be", "H", "Rb", "Xx")},
    "interval without its value": lambda outcome: outcome | {"interval_95": [outcome["value"] * 2] * 2},
    "standard error / 3": scale(1 / 3, "log10_stderr"),
    "standard error x 3": scale(3, "log10_stderr"),
    "no interval": without("interval_95"),
    **{f"interval and error x {name}": errors_by(factor) for name, factor in (("0.1", 0.1), ("0.7", 0.7), ("3", 3.0))},
    **{
        f"interval, error, N_eff and signal x {name}": of_a_value(every_interval_by(factor))
        for name, factor in (("0.1", 0.1), ("0.7", 0.7), ("3", 3.0))
    },
    "N_eff x 4": scale(4, "n_eff"),
    "N_eff below zero": fields(n_eff=-1.0),
    "exponent 0.5": fields(exponent=0.5, exponent_stderr=0.02),
    "exponent's error x 10": scale(10, "exponent_stderr"),
    "drift 1000 A": fields(drift_A=1000.0),
    "Haven ratio below zero": fields(haven_ratio=-3.0),
    "Haven ratio x 2": scale(2, "haven_ratio"),
    "run ten times as long": scale(10, "production_ps"),
    "run and its plan twice as long": together(scale(2, "production_ps"), scale_inside(2, "protocol", "production_ps")),
    "equilibration below zero": fields(equilibration_ps=-1.0),
    "no table": without("msd"),
    "no motion": without("motion"),
    "no gates": fields(gates=[]),
    "density alone is left of the gates": gates_left(lambda name: name == "density"),
    **{f"gate {name} left out": gates_left(lambda other, name=name: other != name) for name in REQUIREMENTS},
    **{
        f"limits of {name} x 3": gate(
            name,
            lower=lambda edge: None if edge is None else edge - 2 * abs(edge),
            upper=lambda edge: None if edge is None else edge + 2 * abs(edge) + (edge == 0.0),
        )
        for name in REQUIREMENTS
        if name not in {"framework", "bound"}
    },
    "heating, limit widened": gate("steady_temperature", value=9.0, upper=20.0),
    "failed gate, called accepted": gate("drift", passed=False, value=1e9),
    "gate turned to passed": gate("drift", value=1e9),
    "failed gate beside it": lambda outcome: (
        outcome | {"gates": [*outcome["gates"], {"name": "drift", "passed": False, "value": 9.0, "upper": 1.0}]}
    ),
    "a gate of one's own": lambda outcome: (
        outcome | {"gates": [*outcome["gates"], {"name": "checked_by_me", "passed": True}]}
    ),
    "melt called solid": together(fields(framework_state="vibrating"), gate("framework", value=1.5)),
    "state of the framework changed": lambda outcome: (
        outcome | {"framework_state": "molten" if outcome["framework_state"] != "molten" else "vibrating"}
    ),
    "state of the framework changed, in its gate, too": another_framework,
    "state of the framework unknown": fields(framework_state=None),
    "framework absent": fields(framework_state="absent"),
    "frames 2.5 times apart in the method": scale_inside(2.5, "method", "frame_interval_ps"),
    "called a bound": lambda outcome: outcome | {"state": "censored" if outcome["state"] == "accepted" else "accepted"},
    "called a bound, without intervals": lambda outcome: (
        outcome | {"state": "censored"} | dict.fromkeys((*INTERVALS, "log10_stderr"))
        if outcome["state"] == "accepted"
        else None
    ),
    "value is no number": fields(value=float("nan")),
    "value is infinite": fields(value=float("inf")),
    "value below zero": scale(-1, "value"),
    "table holds no number": lambda outcome: (
        outcome | {"msd": outcome["msd"] | {"msd_A2": [float("nan"), *outcome["msd"]["msd_A2"][1:]]}}
    ),
}
# Forged so that every number agrees: what is left are the limits of physics, which a tenth of the temperature keeps.
FORGED = {
    f"temperature x {name}, the ions' own adapted": together(
        kelvin(factor),
        scale_gate(1 / factor, "ion_temperature", "value"),
        scale_gate(factor**0.5, "drift", "upper"),
    )
    for name, factor in {"0.8": 0.8, "0.9": 0.9, "1.1": 1.1, "1.2": 1.2}.items()
}
