"""Does a label agree with itself? What a file says about a diffusivity is checked against what else it says."""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from pydantic import ValidationError

from vitrion_models.errors import InputError
from vitrion_workflows.schemas.gate import GateOutcome, failed_gates
from vitrion_workflows.schemas.label import Convention, FrameworkState, LabelOutcome, LabelState, MsdTable
from vitrion_workflows.transport.frames import BOLTZMANN_u_A2_PER_PS2_K, SpeciesMotion

TRACER_DIFFUSIVITY = "tracer_diffusivity"
# What decides what the number means; a file may not leave it to a default.
STATED = ("property", "convention", "unit", "species", "temperature_K", "state")
UNITS = {TRACER_DIFFUSIVITY: "cm2/s", "ionic_conductivity": "S/cm"}
A2_PER_PS_IN_CM2_PER_S = 1e-4
# Gates that make a label censored, not wrong.
CENSORING = frozenset({"resolved", "signal"})
COLDEST_K, HOTTEST_K = 1.0, 10000.0
# Half the 68 % interval in decades over the stated standard error: a gamma's skewness and rounding leave more room.
STDERR_RATIOS = (0.6, 1.6)
# A plain line through the table against the stored value, in decades: the two weigh the same data differently.
SLOPE_TOLERANCE, SLOPE_SIGMAS = 0.1, 1.0
LARGEST_SLOPE_ERROR = 0.3
FEWEST_LAGS = 3
# Squared step over that of a damped flight of the same exponent, and over free flight.
FLIGHT_RATIOS = (0.8, 1.3)
# Ions of condensed matter forget their velocity within so long: the greatest diffusivity is k_B T / m times this.
LONGEST_MEMORY_PS = 0.3
LARGEST_CONDUCTIVITY_S_PER_CM = 100.0
GRID_TOLERANCE = 1e-3
# A sublattice that only vibrates or turns stays within its spacing.
STANDING_RATIO = 1.0


def faults(outcome: LabelOutcome, *, foreign: bool = False) -> list[str]:
    """What is wrong with a label by its own account; empty for a sound one, and for a rejected one.

    Value against the slope of its table, table against thermal flight (mass, temperature and frame interval),
    intervals against value and standard error, gates against their limits and against what they judged.

    Args:
        outcome: of a job, or read from a file.
        foreign: the trajectory behind it was never seen here, so its table must show by itself that lengths and times
            are right.
    """
    if outcome.state is LabelState.REJECTED:
        return []
    found = [fault for check in _CHECKS for fault in check(outcome)]
    if foreign and not found and not _tells_itself(outcome):
        found.append("its table is too coarse to show that lengths and times are right: store frames more often")
    return found


def read_outcome(content: Mapping[str, Any], *, source: str) -> LabelOutcome:
    """A label from a file: whole, with its conventions stated, and in agreement with itself.

    Args:
        content: JSON of a `LabelOutcome`.
        source: file, for messages.

    Raises:
        InputError: a field that decides what the number means is left out, or the label is damaged or contradicts
            itself.
    """
    missing = [name for name in STATED if content.get(name) is None]
    if missing:
        raise InputError(f"{source}: a label must state its {', '.join(missing)}")
    try:
        outcome = LabelOutcome.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{source}: no whole label ({'.'.join(map(str, first['loc']))}: {first['msg']})") from error
    require_consistent(outcome, source=source, foreign=True)
    return outcome


def require_consistent(outcome: LabelOutcome, *, source: str, foreign: bool = False) -> None:
    """Refuse a label that contradicts itself; see `faults`.

    Raises:
        InputError: naming the first contradiction, and how many there are.
    """
    found = faults(outcome, foreign=foreign)
    if found:
        more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
        raise InputError(f"{source}: the label contradicts itself: {found[0]}{more}; make it again or leave it out")


def largest_diffusivity_cm2_per_s(species: str, temperature_K: float) -> float:
    """What no ion of condensed matter exceeds: k_B T / m times the longest memory of a velocity."""
    thermal = BOLTZMANN_u_A2_PER_PS2_K * temperature_K / float(atomic_masses[atomic_numbers[species]])
    return float(thermal * LONGEST_MEMORY_PS * A2_PER_PS_IN_CM2_PER_S)


def stated_faults(
    *,
    property_name: str,
    species: str,
    temperature_K: float,
    value: float | None,
    unit: str,
    convention: str | None,
    interval_68: tuple[float, float] | None = None,
    interval_95: tuple[float, float] | None = None,
    log10_stderr: float | None = None,
) -> list[str]:
    """What is wrong with a number by its unit, convention, size and intervals, however it was made.

    Args:
        property_name: ``tracer_diffusivity`` or ``ionic_conductivity``; of others only intervals are judged.
        species: mobile species.
        temperature_K: of the measurement.
        value: in `unit`; the bound of a censored label.
        unit: as stored.
        convention: of a diffusivity, ``einstein_3d``.
        interval_68: where known.
        interval_95: where known.
        log10_stderr: in decades, where known.
    """
    found = []
    if atomic_numbers.get(species, 0) < 1:
        return [f"species {species!r} is no element"]
    if not COLDEST_K <= temperature_K <= HOTTEST_K:
        found.append(f"temperature {temperature_K:g} K is not one of {COLDEST_K:g} to {HOTTEST_K:g}")
    if unit != UNITS.get(property_name, unit):
        found.append(f"unit {unit!r} where {property_name} is stored in {UNITS[property_name]}")
    if property_name == TRACER_DIFFUSIVITY and convention != Convention.EINSTEIN_3D:
        found.append(f"convention {convention!r} where only {Convention.EINSTEIN_3D.value} is stored")
    if value is None or not (np.isfinite(value) and value > 0):
        return [*found, f"value {value} is no positive number"]
    largest = {
        TRACER_DIFFUSIVITY: largest_diffusivity_cm2_per_s(species, temperature_K),
        "ionic_conductivity": LARGEST_CONDUCTIVITY_S_PER_CM,
    }.get(property_name, np.inf)
    if value > largest:
        found.append(
            f"value {value:.3g} {unit} is above what {species} can reach at {temperature_K:g} K ({largest:.2g})"
        )
    return found + list(_interval_faults(value, interval_68, interval_95, log10_stderr))


def _interval_faults(
    value: float,
    narrow: tuple[float, float] | None,
    wide: tuple[float, float] | None,
    log10_stderr: float | None,
) -> Iterator[str]:
    for name, bounds in (("68 %", narrow), ("95 %", wide)):
        if bounds is not None and not 0 < bounds[0] <= value <= bounds[1]:
            yield f"its {name} interval {bounds[0]:.3g} to {bounds[1]:.3g} does not hold its value {value:.3g}"
    if narrow and wide and not wide[0] <= narrow[0] <= narrow[1] <= wide[1]:
        yield "its 95 % interval does not hold its 68 % interval"
    if log10_stderr is None:
        return
    if not (np.isfinite(log10_stderr) and log10_stderr > 0):
        yield f"its standard error {log10_stderr} is no positive number"
    elif narrow and 0 < narrow[0] < narrow[1]:
        half = 0.5 * float(np.log10(narrow[1] / narrow[0]))
        if not STDERR_RATIOS[0] <= half / log10_stderr <= STDERR_RATIOS[1]:
            yield f"its 68 % interval is +-{half:.3f} decades wide, its standard error {log10_stderr:.3f}"


def _stated(outcome: LabelOutcome) -> Iterator[str]:
    yield from stated_faults(
        property_name=outcome.property,
        species=outcome.species,
        temperature_K=outcome.temperature_K,
        value=outcome.value,
        unit=outcome.unit,
        convention=outcome.convention.value,
        interval_68=outcome.interval_68,
        interval_95=outcome.interval_95,
        log10_stderr=outcome.log10_stderr,
    )
    if outcome.state is LabelState.ACCEPTED:
        for name in ("interval_68", "interval_95", "log10_stderr", "msd", "fit_window_ps", "mean_temperature_K"):
            if getattr(outcome, name) is None:
                yield f"it is accepted without {name}"


def _gates(outcome: LabelOutcome) -> Iterator[str]:
    if not outcome.gates:
        yield "it has no gates"
    failed = set(failed_gates(outcome.gates))
    allowed = CENSORING if outcome.state is LabelState.CENSORED else frozenset()
    if failed - allowed:
        yield f"it is {outcome.state.value} though the gate {min(failed - allowed)} failed"
    if outcome.state is LabelState.CENSORED and not failed:
        yield "it is censored though no gate failed"
    for gate in outcome.gates:
        if gate.passed != _within(gate):
            yield f"the gate {gate.name} says {'passed' if gate.passed else 'failed'} against its own limits"


def _within(gate: GateOutcome) -> bool:
    if gate.value is None:
        # Gates that only report carry no number; those that could not measure failed.
        return gate.passed and gate.lower is None and gate.upper is None
    return (gate.lower is None or gate.value >= gate.lower) and (gate.upper is None or gate.value <= gate.upper)


def _run(outcome: LabelOutcome) -> Iterator[str]:
    """The run against the protocol, and the gates against the run."""
    planned = outcome.protocol.frame_interval_fs / 1000
    measured = {gate.name: gate.value for gate in outcome.gates}
    for name, interval in (("method", outcome.method.frame_interval_ps), ("gate", measured.get("planned_interval"))):
        if interval is not None and not np.isclose(interval, planned, rtol=GRID_TOLERANCE):
            yield f"its {name} has frames {interval:g} ps apart, its protocol {planned:g}"
    if not np.isclose(outcome.method.time_step_fs, outcome.protocol.time_step_fs):
        steps = f"{outcome.method.time_step_fs:g} fs, its protocol {outcome.protocol.time_step_fs:g}"
        yield f"its method has a step of {steps}"
    for gate in outcome.gates:
        if gate.unit != "K" or gate.lower is None or gate.upper is None:
            continue
        judged_K = (gate.lower + gate.upper) / 2
        if not np.isclose(judged_K, outcome.temperature_K, rtol=GRID_TOLERANCE):
            yield f"the gate {gate.name} judged {judged_K:.0f} K, the label is for {outcome.temperature_K:g} K"
    recorded, judged = outcome.mean_temperature_K, measured.get("temperature")
    if recorded is not None and judged is not None and not np.isclose(recorded, judged, rtol=GRID_TOLERANCE):
        yield f"its mean temperature is {recorded:.0f} K, that of its gate {judged:.0f} K"
    ratio = measured.get("framework")
    if outcome.framework_state is FrameworkState.VIBRATING and ratio is not None and ratio > STANDING_RATIO:
        yield f"its framework is called vibrating and moved {ratio:.2f} spacings"


def _table(outcome: LabelOutcome) -> Iterator[str]:
    table, interval = outcome.msd, outcome.method.frame_interval_ps
    if table is None:
        return
    sizes = {len(table.lag_ps), len(table.msd_A2), len(table.stderr_A2)}
    numbers = np.array([*table.lag_ps, *table.msd_A2, *table.stderr_A2])
    if len(sizes) > 1 or not sizes - {0} or not np.isfinite(numbers).all() or min(table.msd_A2) <= 0:
        yield "its table of mean squared displacements is empty, uneven or not positive"
        return
    frames = np.array(table.lag_ps) / interval
    if frames[0] < 1 - GRID_TOLERANCE or not np.allclose(frames, np.round(frames), atol=GRID_TOLERANCE * frames.max()):
        yield f"lags of its table are no multiples of its frame interval {interval:g} ps"
    if any(after <= before for before, after in pairwise(table.lag_ps)):
        yield "lags of its table do not rise"
    if table.lag_ps[-1] > outcome.production_ps * (1 + GRID_TOLERANCE):
        yield f"its table reaches {table.lag_ps[-1]:g} ps, the run {outcome.production_ps:g} ps"
    yield from _flight(outcome, table)
    yield from _slope(outcome, table)


def _flight(outcome: LabelOutcome, table: MsdTable) -> Iterator[str]:
    """The first lags against the flight of the species at its temperature over the frame interval."""
    number = atomic_numbers.get(outcome.species, 0)
    if len(table.lag_ps) < 2 or not number:  # noqa: PLR2004 - a lag and its double
        return
    lag, twice = table.lag_ps[:2]
    if not (
        np.isclose(lag, outcome.method.frame_interval_ps, rtol=GRID_TOLERANCE)
        and np.isclose(twice, 2 * lag, rtol=GRID_TOLERANCE)
    ):
        yield "its table does not begin with one and two frame intervals"
        return
    motion = _first_motion(outcome, table)
    ratio = motion.ballistic_ratio
    if ratio > FLIGHT_RATIOS[1]:
        yield f"{outcome.species} moves {ratio**0.5:.1f} times as far between frames as its thermal velocity allows"
    elif motion.consistency is not None and motion.consistency < FLIGHT_RATIOS[0]:
        share = motion.consistency**0.5
        yield f"{outcome.species} moves {share:.2f} times as far between frames as motion this smooth does"


def _first_motion(outcome: LabelOutcome, table: MsdTable) -> SpeciesMotion:
    number = atomic_numbers[outcome.species]
    flight = 3 * BOLTZMANN_u_A2_PER_PS2_K * outcome.temperature_K / float(atomic_masses[number]) * table.lag_ps[0] ** 2
    exponent = float(np.log2(table.msd_A2[1] / table.msd_A2[0]))
    return SpeciesMotion(number, 1, table.msd_A2[0] / flight, exponent)


def _tells_itself(outcome: LabelOutcome) -> bool:
    return outcome.msd is not None and _first_motion(outcome, outcome.msd).consistency is not None


def _slope(outcome: LabelOutcome, table: MsdTable) -> Iterator[str]:
    """The value against a plain line through its own table."""
    if outcome.property != TRACER_DIFFUSIVITY or outcome.value is None or outcome.value <= 0:
        return
    lags, msd = np.array(table.lag_ps), np.array(table.msd_A2)
    first, last = outcome.fit_window_ps or (lags[0], lags[-1])
    inside = (lags >= first * (1 - GRID_TOLERANCE)) & (lags <= last * (1 + GRID_TOLERANCE))
    if inside.sum() < FEWEST_LAGS:
        yield f"fewer than {FEWEST_LAGS} lags of its table lie in its fit window"
        return
    if outcome.state is not LabelState.ACCEPTED:
        return
    weights = 1 / np.maximum(np.array(table.stderr_A2)[inside], 1e-12)
    slope = float(np.polyfit(lags[inside], msd[inside], 1, w=weights)[0]) / 6 * A2_PER_PS_IN_CM2_PER_S
    allowed = min(SLOPE_TOLERANCE + SLOPE_SIGMAS * (outcome.log10_stderr or 0.0), LARGEST_SLOPE_ERROR)
    apart = abs(float(np.log10(outcome.value / slope))) if slope > 0 else np.inf
    if apart > allowed:
        yield f"its value {outcome.value:.3g} is not the slope of its own table over six, {slope:.3g}"


_CHECKS: tuple[Callable[[LabelOutcome], Iterator[str]], ...] = (_stated, _gates, _run, _table)
