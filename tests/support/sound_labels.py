"""Labels of runs that never were, whose numbers agree with each other and with a cell as those of a run do.

Ions swing in their cages and wander off with a velocity that is forgotten within 0.06 ps; both correlations are
Gaussian, so that the mean squared displacement is known in closed form and its rise is 6 D t exactly after 1 ps.
"""

import numpy as np
from scipy import optimize, special

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_workflows.diffusivity.censoring import bound_gate, jump_cm2_per_s
from vitrion_workflows.diffusivity.gates import exponent_sentence
from vitrion_workflows.diffusivity.interval import LOG10, RELATIVE_VARIANCE_3D, spread
from vitrion_workflows.diffusivity.regression import fit_lags, straight_line, walk_covariance
from vitrion_workflows.labelling.audit.account import Account, LabelledCell, mass_of
from vitrion_workflows.labelling.audit.requirements import REQUIREMENTS
from vitrion_workflows.schemas import (
    FrameworkState,
    GateOutcome,
    LabelOutcome,
    LabelProtocol,
    LabelState,
    MethodRecord,
    MsdTable,
)
from vitrion_workflows.schemas.motion import Motion
from vitrion_workflows.validation.ion_temperature import ion_temperature

FORGOTTEN_PS, SWING_PER_PS = 0.06, 30.0
SENTENCES = {
    "exponent": exponent_sentence(1.0, stderr=0.05, evidence=-4.0),
    "framework": "framework vibrating: moved 0.30 spacings, growth 1.00",
}
JUMPS_OF_A_BOUND, SIGNAL_OF_A_BOUND = 1.0, 1.0
METHOD = MethodRecord(
    engine="vitrion-batched",
    potential="nep89",
    potential_version="1",
    weights_sha256="a" * 64,
    time_step_fs=2.0,
    frame_interval_ps=0.02,
    thermostat="nose-hoover",
    seed=1,
    code_version="0",
)


def labelled_cell(system):
    """Counts and volume of an `AtomicSystem` or a pymatgen structure."""
    from collections import Counter

    from ase.data import chemical_symbols

    if hasattr(system, "volume_A3"):
        return LabelledCell(Counter(chemical_symbols[number] for number in system.numbers), system.volume_A3)
    return LabelledCell(Counter(site.specie.symbol for site in system), system.volume)


def sound_label(
    cell,
    fingerprint,
    *,
    value=1e-5,
    temperature_K=1000.0,
    species="Li",
    log10_stderr=0.08,
    state="accepted",
    protocol=None,
    method=METHOD,
    **fields,
):
    """A label that nothing speaks against.

    Args:
        cell: a `LabelledCell`.
        fingerprint: of the structure.
        value: in cm2/s; of a censored label what the bound comes out as is another.
        state: accepted or censored; a rejected one is an accepted one that says so.
        fields: anything else of the label, which may well speak against it.
    """
    protocol = protocol or LabelProtocol()
    increments = round(protocol.production_ps / method.frame_interval_ps)
    censored = LabelState(state) is LabelState.CENSORED
    one = jump_cm2_per_s(ions=cell.counts[species], duration_ps=protocol.production_ps)
    seen = JUMPS_OF_A_BOUND * one if censored else value
    table = _table(seen, method.frame_interval_ps, increments, temperature_K, species)
    known = _known(seen, log10_stderr)
    last = round(table.lag_ps[-1] / method.frame_interval_ps)
    first = min(round(1.0 / method.frame_interval_ps), last // 2)
    window = tuple(float(lag * method.frame_interval_ps) for lag in (first, last))
    shape = SIGNAL_OF_A_BOUND**2 if censored else known.n_eff / RELATIVE_VARIANCE_3D
    table = _with_errors(table, (first, last), shape=shape, increments=increments)
    bounds = bound_gate(6 * one, jumps=JUMPS_OF_A_BOUND, ions=cell.counts[species], duration_ps=protocol.production_ps)
    content = {
        "structure_fingerprint": fingerprint,
        "species": species,
        "temperature_K": temperature_K,
        "state": LabelState(state),
        "value": 6 * one if censored else value,
        "interval_68": None if censored else known.interval_68,
        "interval_95": None if censored else known.interval_95,
        "log10_stderr": None if censored else known.log10_stderr,
        "n_eff": None if censored else known.n_eff,
        "exponent": None if censored else 1.0,
        "exponent_stderr": None if censored else 0.05,
        "fit_window_ps": window,
        "production_ps": protocol.production_ps,
        "msd": table,
        "motion": Motion(
            principal=(seen,) * 3, isotropic_p=0.5, collective=seen, collective_stderr=seen, alpha2=0.1, alpha2_ps=0.1
        ),
        "drift_A": 0.0,
        "framework_state": FrameworkState.ABSENT if len(cell.counts) == 1 else FrameworkState.VIBRATING,
        "mean_temperature_K": temperature_K,
        "gates": (),
        "protocol": protocol,
        "method": method,
    }
    label = LabelOutcome(**content)
    numbers = {
        "resolved": JUMPS_OF_A_BOUND if censored else seen / one,
        "signal": SIGNAL_OF_A_BOUND if censored else float(np.sqrt(shape)),
        "density": cell.volume_A3 / cell.atoms,
    }
    gates = tuple(_gates(Account(label, cell), numbers))
    return label.model_copy(update={"gates": (*gates, bounds) if censored else gates, **fields})


def _known(value, log10_stderr):
    def excess(shape):
        return float(np.sqrt(special.polygamma(1, shape))) / LOG10 - log10_stderr

    shape = optimize.brentq(excess, 1e-2, 1e7)
    return spread(value, value**2 / shape, freedom=np.inf)


def _table(value, interval_ps, increments, temperature_K, species):
    lags = fit_lags(1, max(3, increments // 2), count=64)
    time = lags * interval_ps
    square = BOLTZMANN_u_A2_PER_PS2_K * temperature_K / mass_of(species)
    free = value * 1e4 / (square * FORGOTTEN_PS * np.sqrt(np.pi / 2))
    walk = time * FORGOTTEN_PS * np.sqrt(np.pi / 2) * special.erf(time / FORGOTTEN_PS / np.sqrt(2))
    walk -= FORGOTTEN_PS**2 * -np.expm1(-0.5 * (time / FORGOTTEN_PS) ** 2)
    swing = -np.expm1(-0.5 * (SWING_PER_PS * time) ** 2) / SWING_PER_PS**2
    msd = 6 * square * (free * walk + (1 - free) * swing)
    return MsdTable(lag_ps=tuple(time.tolist()), msd_A2=tuple(msd.tolist()), stderr_A2=tuple((0.1 * msd).tolist()))


def _with_errors(table, window, *, shape, increments):
    """The table with the errors that its fit, over a window in frames, gives its rows."""
    lags = np.round(np.array(table.lag_ps) / table.lag_ps[0]).astype(int)
    drawn = np.interp(np.arange(window[1] + 1), np.append(0, lags), np.append(0.0, table.msd_A2))
    fit = straight_line(drawn[:, None], fit_lags(*window), increments=increments)
    noise = fit.slope_A2 / np.sqrt(shape)
    covariance = walk_covariance(
        lags,
        slope_A2=fit.slope_A2,
        intercept_A2=fit.intercept_A2,
        level_A2=float(table.msd_A2[-1]),
        increments=increments,
        ions=1,
    )
    errors = np.sqrt(np.diag(covariance) * noise**2 / fit.variance_A4)
    return table.model_copy(update={"stderr_A2": tuple(errors.tolist())})


def _gates(account, numbers):
    label = account.label
    seen = ion_temperature(
        label.msd, mass_u=mass_of(label.species), frame_interval_ps=label.method.frame_interval_ps
    ).temperature_K
    values = {
        "planned_interval": label.method.frame_interval_ps,
        "set_temperature": label.temperature_K,
        "temperature": label.mean_temperature_K,
        "temperature_known": 0.01,
        "ion_temperature": seen / label.mean_temperature_K,
        "exponent": -4.0,
        "framework": 0.0 if len(account.cell.counts) == 1 else 0.3,
        "contact": 0.8,
        **dict.fromkeys(("species_temperature", "frame_interval", "species_mass", "recorded_temperature"), 1.0),
        **numbers,
    }
    sentences = SENTENCES if len(account.cell.counts) > 1 else SENTENCES | {"framework": "no framework"}
    for name, requirement in REQUIREMENTS.items():
        if not requirement.needed(account) or name == "bound":
            continue
        # Limits of some gates follow from others.
        so_far = Account(label.model_copy(update={"gates": tuple(_bare(values))}), account.cell)
        limits = requirement.limits(so_far)[0]
        lower, upper = (None if edge is None else _inside(edge) for edge in (limits.lower, limits.upper))
        value = values.get(name, 0.0)
        yield GateOutcome(
            name=name,
            passed=(lower is None or value >= lower) and (upper is None or value <= upper),
            value=value,
            lower=lower,
            upper=upper,
            message=sentences.get(name, "invented"),
        )


def _bare(values):
    return (GateOutcome(name=name, passed=True, value=value) for name, value in values.items())


def _inside(edge):
    low, high = edge
    return 0.5 * (low + high) if np.isfinite(low) and np.isfinite(high) else (high if np.isfinite(high) else low + 1.0)
