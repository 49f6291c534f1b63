"""Which gates a label must carry, and within which limits each has to have been judged."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from vitrion_workflows.diffusivity import gates
from vitrion_workflows.diffusivity.censoring import GATE as BOUND
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES
from vitrion_workflows.labelling.audit.account import Account, mass_of
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.schemas.label import FrameworkState
from vitrion_workflows.trajectories.frames import WRAPPED_STEP
from vitrion_workflows.validation import gates as validation_gates
from vitrion_workflows.validation import kinetic_consistency as equipartition
from vitrion_workflows.validation import plausibility, temperature
from vitrion_workflows.validation import sublattice_drift as flow
from vitrion_workflows.validation.ion_temperature import GATE as ION_TEMPERATURE
from vitrion_workflows.validation.ion_temperature import ion_temperature, ion_temperature_gate
from vitrion_workflows.validation.temperature import Coupling, Kicks

# Limits that are computed twice are the same but for rounding.
SAME = 1e-3
Range = tuple[float, float]
# Limits that follow from all of the motion, which no label holds, lie within these: scatter, and what may escape.
SPECIES_SCATTER_AT_MOST = equipartition.LARGEST_SCATTER + 0.1
MOST_SPECIES = 12
MOST_ATOMS = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What the limits of a gate may be: None for no limit, otherwise a range."""

    lower: Range | None = None
    upper: Range | None = None

    def fault(self, gate: GateOutcome) -> str | None:
        """What is wrong with those of a gate."""
        for name, stored, allowed in (("lower", gate.lower, self.lower), ("upper", gate.upper, self.upper)):
            if (stored is None) != (allowed is None):
                return f"has {'no' if stored is None else 'a'} {name} limit"
            if stored is None or allowed is None:
                continue
            room = [SAME * abs(edge) if np.isfinite(edge) else 0.0 for edge in allowed]
            if not allowed[0] - room[0] <= stored <= allowed[1] + room[1]:
                known = f"{allowed[0]:.4g}" if allowed[0] == allowed[1] else f"{allowed[0]:.4g} to {allowed[1]:.4g}"
                return f"has the {name} limit {stored:.4g} where {known} is right"
        return None


@dataclass(frozen=True)
class Requirement:
    """One gate of a label.

    Attributes:
        limits: what its limits may be, one of several; empty where this label cannot have the gate.
        needed: whether this label must have it.
    """

    limits: Callable[[Account], tuple[Limits, ...]]
    needed: Callable[[Account], bool] = lambda _: True


def presence_faults(account: Account) -> Iterator[str]:
    """Gates that are missing, unknown or there twice."""
    names = [gate.name for gate in account.label.gates]
    if missing := [name for name, one in REQUIREMENTS.items() if one.needed(account) and name not in names]:
        yield f"it lacks the gate{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
    if unknown := sorted(set(names) - set(REQUIREMENTS)):
        yield f"it has a gate {unknown[0]}, which no label has"
    if twice := sorted(name for name in set(names) if names.count(name) > 1):
        yield f"it has the gate {twice[0]} twice"


def limit_faults(account: Account) -> Iterator[str]:
    """Gates that were judged by other limits than this package has."""
    for gate in account.label.gates:
        found = [limits.fault(gate) for limits in REQUIREMENTS[gate.name].limits(account)]
        if not found:
            yield f"it has a gate {gate.name}, for which it is too short or too simple"
        elif all(found):
            yield f"its gate {gate.name} {found[0]}"


def _exactly(lower: float | None = None, upper: float | None = None) -> Limits:
    return Limits(None if lower is None else (lower, lower), None if upper is None else (upper, upper))


def _fixed(lower: float | None = None, upper: float | None = None) -> Requirement:
    found = (_exactly(lower, upper),)
    return Requirement(lambda _: found)


def _coupling(account: Account) -> Coupling:
    protocol = account.label.protocol
    return Coupling.under(protocol.thermostat, rate_per_ps=protocol.friction_per_ps)


def _kicks(account: Account) -> Kicks:
    return Kicks.of(
        _coupling(account),
        thermostat=account.label.protocol.thermostat,
        frame_interval_ps=account.label.protocol.frame_interval_fs / 1000,
    )


def _recorded_K(account: Account) -> float:
    return account.label.mean_temperature_K or account.label.temperature_K


def _interval(account: Account) -> tuple[Limits, ...]:
    planned = account.label.protocol.frame_interval_fs / 1000
    return (_exactly(planned, planned),)


def _set_temperature(account: Account) -> tuple[Limits, ...]:
    asked = account.label.temperature_K
    return (_exactly(asked, asked), Limits())


def _flow(account: Account) -> tuple[Limits, ...]:
    blocks = min(flow.BLOCKS, account.increments)
    numbers = range(2, MOST_SPECIES) if account.cell is None else [len(account.cell.counts)]
    return tuple(
        _exactly(upper=float(stats.f.isf(flow.FALSE_ALARM / (count - 1), flow.AXES, flow.AXES * (blocks - 1))))
        for count in numbers
        if count > 1
    )


def _density(account: Account) -> tuple[Limits, ...]:
    if account.cell is None:
        return (Limits(lower=(0.0, np.inf), upper=(0.0, np.inf)),)
    solid = _solid_A3_per_atom(account.cell.formula)
    return (_exactly(*(ratio * solid for ratio in plausibility.VOLUME_RATIOS)),)


@cache
def _solid_A3_per_atom(formula: str) -> float:
    from vitrion_workflows.structure.volume_estimate import estimate_volume  # noqa: PLC0415 - pymatgen is slow to import

    return estimate_volume(formula).volume_A3_per_atom


def _ballistic(account: Account) -> tuple[Limits, ...]:
    windows = max(1.0, account.label.production_ps / validation_gates.TEMPERATURE_MEMORY_PS)
    counts = (1,) if account.cell is None else tuple(account.cell.counts.values())
    limits = [
        validation_gates.BALLISTIC_LIMIT + validation_gates.BALLISTIC_SIGMAS * float(np.sqrt(2 / (3 * one * windows)))
        for one in counts
    ]
    if account.cell is None:
        return (Limits(upper=(validation_gates.BALLISTIC_LIMIT, limits[0])),)
    return tuple(_exactly(upper=limit) for limit in limits)


def _free_flight(account: Account) -> tuple[Limits, ...]:
    def limit(atoms: int) -> float:
        return plausibility.free_flight_limit(atoms, steps=max(account.increments, 1))

    if account.cell is None:
        return (Limits(upper=(limit(1), limit(MOST_ATOMS))),)
    return (_exactly(upper=limit(account.cell.atoms)),)


def _species(*, upper: bool) -> Requirement:
    tolerance = equipartition.THERMOMETER_TOLERANCE
    if upper:
        return Requirement(lambda _: (Limits(upper=(1 + tolerance, 1 + SPECIES_SCATTER_AT_MOST)),))

    def limits(account: Account) -> tuple[Limits, ...]:
        seen = 1 - _kicks(account).share
        return (Limits(lower=(max(seen - SPECIES_SCATTER_AT_MOST, equipartition.LEAST_LIMIT), seen - tolerance)),)

    return Requirement(limits)


def _recorded() -> Requirement:
    least, most = equipartition.CELL_TOLERANCE, equipartition.CELL_SCATTER_AT_MOST
    found = (Limits(lower=(equipartition.LEAST_RECORDED, 1 - least), upper=(1 + least, 1 + most)),)
    return Requirement(lambda _: found)


def _temperature(account: Account) -> tuple[Limits, ...]:
    asked = account.label.temperature_K
    return (_exactly(asked * (1 - temperature.TOLERANCE), asked * (1 + temperature.TOLERANCE)),)


def _drift(account: Account) -> tuple[Limits, ...]:
    if account.cell is None:
        return (Limits(upper=(0.0, np.inf)),)
    flown = validation_gates.drift_gate(
        account.label.drift_A or 0.0,
        mass_u=account.cell.mass_u,
        temperature_K=_recorded_K(account),
        flight_ps=_coupling(account).flight_ps(account.label.production_ps),
    )
    return (_exactly(upper=flown.upper),)


def _straight(account: Account) -> tuple[Limits, ...]:
    signal = account.measured("signal")
    return (
        (_exactly(upper=max(gates.LARGEST_BEND, gates.SIGMAS / signal if signal > 0 else 0.0)),)
        if account.resolved
        else ()
    )


def _exponent(account: Account) -> tuple[Limits, ...]:
    label = account.label
    if not account.resolved or label.exponent is None or label.exponent_stderr is None or label.fit_window_ps is None:
        return ()
    limits = [
        gates.exponent_limit(
            label.exponent,
            stderr=label.exponent_stderr,
            window_ps=label.fit_window_ps,
            duration_ps=label.production_ps,
            scale_free=scale_free,
        )
        for scale_free in (True, False)
    ]
    # Whether the motion is free of a scale, a label does not say: either limit is ours, and no third.
    stored = account.gates["exponent"].upper
    return (_exactly(upper=min(limits, key=lambda limit: abs(limit - (limits[0] if stored is None else stored)))),)


def _halves(account: Account) -> tuple[Limits, ...]:
    return (_exactly(-gates.SIGMAS, gates.SIGMAS),) if _has_halves(account) else ()


def _has_halves(account: Account) -> bool:
    return account.resolved and (account.increments + 1) // 2 >= FEWEST_FRAMES


def _course(account: Account) -> tuple[Limits, ...]:
    return (_exactly(-1.0, 1.0),) if _has_course(account) else ()


def _has_course(account: Account) -> bool:
    return account.increments >= equipartition.PARTS**2


def _ion_temperature(account: Account) -> tuple[Limits, ...]:
    label, cell = account.label, account.cell
    if label.msd is None or not label.msd.lag_ps:
        return ()
    seen = ion_temperature(label.msd, mass_u=mass_of(label.species), frame_interval_ps=account.interval_ps)
    if cell is None or not account.ions:
        known = (0.0, 2.0)
        return (Limits(lower=known if seen.telling else None, upper=known),)
    coupling = _coupling(account)
    judged = ion_temperature_gate(
        seen,
        species=label.species,
        recorded_K=_recorded_K(account),
        ions=account.ions,
        share=mass_of(label.species) / cell.mass_u,
        duration_ps=label.production_ps,
        kicks=coupling.rate_per_ps * account.interval_ps if coupling.noisy else 0.0,
    )
    return (_exactly(judged.lower, judged.upper),)


def _has_framework(account: Account) -> bool:
    return account.label.framework_state is not FrameworkState.ABSENT


# Everything that `label_trajectory` makes; a test compares them with a label's.
REQUIREMENTS: Mapping[str, Requirement] = {
    "planned_interval": Requirement(_interval),
    "set_temperature": Requirement(_set_temperature),
    "unwrapped": _fixed(upper=WRAPPED_STEP),
    "repeated_frame": _fixed(upper=0.0),
    "missing_frame": _fixed(upper=0.0),
    "sublattice_flow": Requirement(_flow, _has_framework),
    "density": Requirement(_density),
    "contact": _fixed(lower=plausibility.LEAST_CONTACT),
    "equilibrated": _fixed(upper=validation_gates.DRIFT_LIMIT_SIGMAS),
    "ballistic_bound": Requirement(_ballistic),
    "free_flight": Requirement(_free_flight),
    "species_temperature": _species(upper=True),
    "frame_interval": _species(upper=False),
    "species_mass": _species(upper=False),
    "recorded_temperature": _recorded(),
    "recorded_course": Requirement(_course, _has_course),
    ION_TEMPERATURE: Requirement(_ion_temperature),
    "steady_temperature": _fixed(-temperature.STEADY_SIGMAS, temperature.STEADY_SIGMAS),
    "temperature": Requirement(_temperature),
    "temperature_known": _fixed(upper=temperature.LARGEST_STDERR),
    "drift": Requirement(_drift),
    "volume": Requirement(lambda _: (_exactly(-1.0, 1.0),), lambda _: False),  # of a changing cell alone
    "resolved": _fixed(lower=gates.FEWEST_JUMPS),
    "signal": _fixed(lower=gates.SMALLEST_SIGNAL),
    "straight": Requirement(_straight, lambda account: account.resolved),
    "exponent": Requirement(_exponent, lambda account: account.resolved),
    "halves_agree": Requirement(_halves, _has_halves),
    BOUND: Requirement(lambda account: () if account.resolved else (Limits(),), lambda account: not account.resolved),
    "framework": _fixed(),
}
