"""Does a label agree with itself? What it says about a diffusivity is checked against what else it says."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from vitrion_models.errors import InputError
from vitrion_workflows.labelling.audit.account import Account, LabelledCell, mass_of
from vitrion_workflows.labelling.audit.agreement import OF_A_BOUND, OF_A_VALUE, OF_ALL, Check, same, stated_fields
from vitrion_workflows.labelling.audit.requirements import limit_faults, presence_faults
from vitrion_workflows.labelling.statement import TRACER_DIFFUSIVITY, stated_faults
from vitrion_workflows.schemas.gate import GateOutcome, failed_gates
from vitrion_workflows.schemas.label import FrameworkState, LabelOutcome, LabelState, foreign_rules
from vitrion_workflows.schemas.method import MethodRecord
from vitrion_workflows.transport.framework import GROWING_RATIO, MOLTEN_RATIO, ROTATING_SHARE
from vitrion_workflows.validation.ion_temperature import ion_temperature

# What decides what the number means; a file may not leave it to a default.
STATED = ("property", "convention", "unit", "species", "temperature_K", "state", "schema_version")
# Gates that make a label censored, not wrong.
CENSORING = frozenset({"resolved", "signal"})
# Lengths of the run in frames: with or without its first.
FRAMES_APART = 1.5
# The framework's gate says its ratio and growth with two digits.
ROUNDED = 0.006
FRAMEWORK = re.compile(r"framework (?P<state>\w+): moved (?P<ratio>[\d.]+) spacings, growth (?P<growth>[\d.]+)")
THERMOSTAT = re.compile(r"(?P<name>langevin|nose-hoover)[\w-]*\([^)]*=(?P<rate>[\d.eE+-]+)/ps\)")
# The database rounds coordinates, and a cell's volume with them.
SAME_VOLUME = 5e-3


def faults(outcome: LabelOutcome, *, cell: LabelledCell | None = None, foreign: bool = False) -> list[str]:
    """What is wrong with a label by its own account; empty for a sound one, and for a rejected one.

    A run leaves each of its numbers in several places: the value in the table, in the number of jumps, in the tensor
    and in the Haven ratio; its error in the intervals, in N_eff and in three gates; the temperature in the table's
    first lags. All must say the same, every gate that this package makes must be there and have this package's limits.

    Args:
        outcome: of a job, or read from a file.
        cell: what its structure holds; without it species and number of ions cannot be judged.
        foreign: the trajectory behind it was never seen here, so its table must show by itself that lengths and times
            are right.

    Returns:
        What the first check that finds something has found: one wrong number makes many contradictions.
    """
    if outcome.state is LabelState.REJECTED:
        return []
    account = Account(outcome, cell)
    with np.errstate(all="ignore"):
        for check in (*_CHECKS, *(OF_A_VALUE if account.resolved else OF_A_BOUND)):
            if found := list(check(account)):
                return found
        if foreign and not _tells_itself(account):
            return ["its table is too coarse to show that lengths and times are right: store frames more often"]
    return []


def read_outcome(content: Mapping[str, Any], *, source: str) -> LabelOutcome:
    """A label from a file: whole, with its conventions stated, and in agreement with itself (see `faults`).

    Args:
        content: JSON of a `LabelOutcome`.
        source: file, for messages.

    Raises:
        InputError: a field that decides what the number means is left out, or the label is damaged, was made under
            other rules, or contradicts itself.
    """
    missing = [name for name in STATED if content.get(name) is None]
    if missing:
        raise InputError(f"{source}: a label must state its {', '.join(missing)}")
    try:
        outcome = LabelOutcome.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{source}: no whole label ({'.'.join(map(str, first['loc']))}: {first['msg']})") from error
    if foreign := foreign_rules(outcome):
        raise InputError(f"{source}: the label {foreign}")
    if found := faults(outcome, foreign=True):
        more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
        raise InputError(f"{source}: the label contradicts itself: {found[0]}{more}; make it again or leave it out")
    return outcome


def _finite(account: Account) -> Iterator[str]:
    """Numbers that are none, anywhere in the label."""
    for place, number in _numbers(account.label.model_dump()):
        if not np.isfinite(number):
            yield f"its {place} is no finite number"
            return


def _numbers(content: Any, place: str = "content") -> Iterator[tuple[str, float]]:
    if isinstance(content, float):
        yield place, content
    elif isinstance(content, Mapping):
        for name, entry in content.items():
            yield from _numbers(entry, str(name))
    elif isinstance(content, Iterable) and not isinstance(content, str):
        for entry in content:
            yield from _numbers(entry, place)


def _stated(account: Account) -> Iterator[str]:
    label = account.label
    if label.method.schema_version != (known := MethodRecord.model_fields["schema_version"].default):
        yield f"its method has schema_version {label.method.schema_version}, which is not the one read here, {known}"
    if label.property != TRACER_DIFFUSIVITY:
        yield f"property {label.property!r} is none that a run is labelled with: {TRACER_DIFFUSIVITY}"
        return
    yield from stated_faults(
        property_name=label.property,
        species=label.species,
        temperature_K=label.temperature_K,
        value=label.value,
        unit=label.unit,
        convention=label.convention.value,
        interval_68=label.interval_68,
        interval_95=label.interval_95,
        log10_stderr=label.log10_stderr,
    )


def _verdict(account: Account) -> Iterator[str]:
    """The state against the gates, and each gate against its own limits."""
    label = account.label
    failed = set(failed_gates(label.gates))
    allowed = CENSORING if label.state is LabelState.CENSORED else frozenset()
    if failed - allowed:
        yield f"it is {label.state.value} though the gate {min(failed - allowed)} failed"
    if label.state is LabelState.CENSORED and not failed:
        yield "it is censored though no gate failed"
    for gate in label.gates:
        if gate.passed != _within(gate):
            yield f"the gate {gate.name} says {'passed' if gate.passed else 'failed'} against its own limits"


def _within(gate: GateOutcome) -> bool:
    if gate.value is None:
        # Gates that only report carry no number; those that could not measure failed.
        return gate.passed and gate.lower is None and gate.upper is None
    return (gate.lower is None or gate.value >= gate.lower) and (gate.upper is None or gate.value <= gate.upper)


def _run(account: Account) -> Iterator[str]:
    """The run against the protocol, and what gates measured against what the label says of it."""
    label, interval = account.label, account.interval_ps
    planned = label.protocol.frame_interval_fs / 1000
    for name, measured in (("method", interval), ("gate", account.measured("planned_interval"))):
        if not same(measured, planned):
            yield f"its {name} has frames {measured:g} ps apart, its protocol {planned:g}"
    if not same(label.method.time_step_fs, label.protocol.time_step_fs):
        yield f"its method has a step of {label.method.time_step_fs:g} fs, its protocol {label.protocol.time_step_fs:g}"
    if abs(label.production_ps - account.increments * interval) > 0.5 * FRAMES_APART * interval:
        yield f"its run of {label.production_ps:g} ps is no number of frames {interval:g} ps apart"
    length, room = label.equilibration_ps + label.production_ps, FRAMES_APART * interval
    if length > label.protocol.production_ps + room:
        yield f"its run of {length:g} ps is longer than its protocol's {label.protocol.production_ps:g}"
    elif label.protocol.least_ps is None and length < label.protocol.production_ps - room:
        yield f"its run of {length:g} ps is shorter than its protocol's {label.protocol.production_ps:g}"
    elif label.protocol.least_ps is not None and length < label.protocol.least_ps - room:
        yield f"its run of {length:g} ps is shorter than its protocol's least {label.protocol.least_ps:g}"
    for name, stated in (("temperature", label.mean_temperature_K), ("drift", label.drift_A)):
        if stated is not None and not same(stated, account.measured(name)):
            yield f"its {name} is {stated:.4g}, that of its gate {account.measured(name):.4g}"


def _thermostat(account: Account) -> Iterator[str]:
    """The thermostat that the method names, where it names one of ours, against the protocol's."""
    method, protocol = account.label.method, account.label.protocol
    said = THERMOSTAT.match(method.thermostat)
    if said and (said["name"] != protocol.thermostat or not same(float(said["rate"]), protocol.friction_per_ps)):
        told = f"{protocol.thermostat} at {protocol.friction_per_ps:g} / ps"
        yield f"its method has the thermostat {said[0]}, its protocol {told}"


def _framework(account: Account) -> Iterator[str]:
    """State of the framework against its gate, which says how far it moved and whether it goes on moving."""
    state, gate = account.label.framework_state, account.gates["framework"]
    told = FRAMEWORK.fullmatch(gate.message)
    if told is None or gate.value is None:
        if state is not FrameworkState.ABSENT:
            yield f"its framework is called {state}, of which its gate says nothing"
        return
    ratio, growth = gate.value, float(told["growth"])
    # The gate rounds what it says of the growth: at the edge the state decides.
    edge = abs(growth - GROWING_RATIO) <= ROUNDED
    flows = ratio > MOLTEN_RATIO and (state is FrameworkState.MOLTEN if edge else growth > GROWING_RATIO)
    if state is None or told["state"] != state.value:
        yield f"its framework is called {state}, by its gate {told['state']}"
    elif abs(ratio - float(told["ratio"])) > ROUNDED:
        yield f"its framework moved {told['ratio']} spacings in words and {ratio:.3g} in numbers"
    elif not flows and (state is FrameworkState.ROTATING) != (_turned(account) >= ROTATING_SHARE):
        yield f"its framework is called {state.value}, and {_turned(account):.0%} of its groups turned"
    elif (state is FrameworkState.MOLTEN) != flows:
        yield f"its framework is called {state.value} and moved {ratio:.3g} spacings, growing by {growth:g}"


def _turned(account: Account) -> float:
    motion = account.label.motion
    return 0.0 if motion is None or motion.turned is None else motion.turned


def _cell(account: Account) -> Iterator[str]:
    """Species, number of ions and density against the structure that the label is of."""
    label, cell = account.label, account.cell
    if cell is None:
        return
    ions = cell.counts.get(label.species, 0)
    if not ions:
        yield f"its species {label.species} is not in its cell of {cell.formula}"
        return
    if account.resolved and not same(account.moved, ions):
        jumps = account.measured("resolved")
        yield f"its value is that of {jumps:.4g} jumps of {account.moved:.4g} ions, its cell has {ions}"
    if (label.framework_state is FrameworkState.ABSENT) != (len(cell.counts) == 1):
        yield f"its framework is called {label.framework_state} in a cell of {cell.formula}"
    if not same(account.measured("density"), cell.volume_A3 / cell.atoms, tolerance=SAME_VOLUME):
        volume = f"{account.measured('density'):.4g} A3 an atom"
        yield f"its run had {volume}, its cell {cell.volume_A3 / cell.atoms:.4g}"


def _tells_itself(account: Account) -> bool:
    table = account.label.msd
    if table is None:
        return False
    mass = mass_of(account.label.species)
    return ion_temperature(table, mass_u=mass, frame_interval_ps=account.interval_ps).telling


_CHECKS: tuple[Check, ...] = (
    _finite,
    _stated,
    stated_fields,
    _verdict,
    presence_faults,
    _run,
    _thermostat,
    _framework,
    _cell,
    limit_faults,
    *OF_ALL,
)
