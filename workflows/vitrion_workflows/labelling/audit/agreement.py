"""Do the numbers of a label agree with each other, and with its table?"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import special, stats
from scipy.interpolate import CubicSpline

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, BOLTZMANN_u_A2_PER_PS2_K
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.censoring import GATE as BOUND
from vitrion_workflows.diffusivity.censoring import counted_jumps, jump_cm2_per_s
from vitrion_workflows.diffusivity.estimate import ROWS_IN_TABLE, undetected_change
from vitrion_workflows.diffusivity.gates import exponent_sentence
from vitrion_workflows.diffusivity.interval import LOG10, RELATIVE_VARIANCE_3D, spread
from vitrion_workflows.diffusivity.regression import DIMENSIONS, Fit, fit_lags, straight_line
from vitrion_workflows.diffusivity.spectrum import LongTimes
from vitrion_workflows.diffusivity.window import LONGEST_LAG
from vitrion_workflows.labelling.audit.account import Account, mass_of
from vitrion_workflows.schemas.motion import Motion
from vitrion_workflows.transport.collective import CollectiveDiffusivity
from vitrion_workflows.transport.haven import haven_of
from vitrion_workflows.validation.gates import BALLISTIC_LIMIT
from vitrion_workflows.validation.ion_temperature import GATE as ION_TEMPERATURE
from vitrion_workflows.validation.ion_temperature import ion_temperature

# What is stored twice is the same number but for rounding.
SAME = 1e-3
# The same regression on the table, drawn through its rows, against the stored value, in decades: 0.016 at most in 316.
SLOPE_TOLERANCE = 0.025
# Of ions that swing in place, as a share of the table's end: what lies between the rows is not drawn.
FROZEN_SLOPE = 0.5
# Errors of the table's rows against those of the fitted walk, by the same drawn line.
ERROR_RATIO = 1.2
# Of ions that swing in place the drawn line knows the rattle within 4.6 only.
ERROR_RATIO_OF_A_BOUND = 6.0
# Velocities and displacements are of one run: what both say differs by less than their errors.
GREEN_KUBO_SIGMAS = 5.0
# Noise adds to what counting bounds: 3.2 times at most in 60 frozen crystals.
BOUND_RATIO = 10.0
FEWEST_LAGS = 3
# A row of the table against its neighbours, both as logarithms: 0.09 at most in 170 labels, their errors 0.06.
SMOOTH_WALK, SMOOTH_ERRORS = 0.2, 0.15

Check = Callable[[Account], Iterator[str]]


def same(one: float, other: float, *, tolerance: float = SAME) -> bool:
    """Whether two numbers are one but for rounding."""
    return bool(abs(one - other) <= tolerance * max(abs(one), abs(other)))


def spread_faults(account: Account) -> Iterator[str]:
    """Intervals, standard error and N_eff of a value, which are one gamma distribution, and what its error is made of.

    N_eff gives the distribution's shape; the standard error over that shape's own gives the degrees of freedom, and
    with both the intervals follow (`interval.spread`). The squared error is that of noise, bend and what a power law
    would change yet (`estimate.estimate_diffusivity`).
    """
    label = account.label
    value, n_eff, stderr = label.value or 0.0, label.n_eff or 0.0, label.log10_stderr or 0.0
    if n_eff <= 0:
        yield f"its N_eff {n_eff:g} is no positive number"
        return
    shape = n_eff / RELATIVE_VARIANCE_3D
    widening = stderr * LOG10 / float(np.sqrt(special.polygamma(1, shape)))
    if widening < 1 - SAME:
        yield f"its standard error {stderr:.3g} is less than N_eff {n_eff:.3g} allows"
        return
    freedom = float(special.stdtridf(stats.norm.cdf(1.0), widening)) if widening > 1 + SAME**3 else np.inf
    expected = spread(value, value**2 / shape, freedom=freedom)
    for name in ("interval_68", "interval_95"):
        stored, known = getattr(label, name), getattr(expected, name)
        if not all(same(*pair) for pair in zip(stored, known, strict=True)):
            said, right = (f"{low:.3g} to {high:.3g}" for low, high in (stored, known))
            yield f"its {name} {said} does not follow from its standard error and N_eff: {right}"
            return
    first, last = account.window
    late = LongTimes(label.exponent or 1.0, label.exponent_stderr or np.inf, account.measured("exponent"))
    settled = (account.measured("straight"), undetected_change(late, first=first, last=last))
    parts = float(np.hypot(1 / account.measured("signal"), np.hypot(*settled)))
    if not same(parts, shape**-0.5):
        yield (
            f"its N_eff {n_eff:.3g} is that of an error of {shape**-0.5:.2%}, its gates signal, straight and exponent "
            f"say {parts:.2%}"
        )
    sentence = exponent_sentence(late.exponent, stderr=late.exponent_stderr, evidence=late.evidence)
    if (said := account.gates["exponent"].message) != sentence:
        yield f"its exponent is {late.exponent:.2f} +- {late.exponent_stderr:.2f}, its gate says {said!r}"


def slope_faults(account: Account) -> Iterator[str]:
    """The value against the slope of its table, by the regression it was made with."""
    first, last = account.window
    inside = (account.lags >= first) & (account.lags <= last)
    if inside.sum() < FEWEST_LAGS:
        yield f"fewer than {FEWEST_LAGS} lags of its table lie in its fit window"
        return
    seen = _seen_cm2_per_s(account)
    if seen is None:
        return
    fit = _drawn_fit(account)
    slope = fit.slope_A2 / _frame_slope_A2(account, 1.0)
    level = float(account.msd_A2[-1]) / (float(account.lags[-1]) * _frame_slope_A2(account, 1.0))
    if account.resolved and (slope <= 0 or abs(float(np.log10(seen / slope))) > SLOPE_TOLERANCE):
        yield f"its value {seen:.3g} is not the slope of its own table over six, {slope:.3g}"
    elif not account.resolved and abs(max(slope, 0.0) - seen) > FROZEN_SLOPE * level:
        yield f"its table rises by {slope:.3g} cm2/s, its jumps by {seen:.3g}"
    elif seen > 0 and (apart := _errors_apart(account, fit, seen)) > (
        ERROR_RATIO if account.resolved else ERROR_RATIO_OF_A_BOUND
    ):
        yield f"errors of its table are {apart:.2g} times off those of its value"


def _seen_cm2_per_s(account: Account) -> float | None:
    """The value; of a bound what the jumps say that were seen, None where the number of ions is not known."""
    if account.resolved:
        return account.label.value
    ions = account.ions
    one = jump_cm2_per_s(ions=ions, duration_ps=account.label.production_ps) if ions else None
    return None if one is None else account.measured("resolved") * one


def _frame_slope_A2(account: Account, value_cm2_per_s: float) -> float:
    """Rise of the mean squared displacement in a frame."""
    return value_cm2_per_s / A2_PER_PS_IN_CM2_PER_S * 2 * DIMENSIONS * account.interval_ps


def _drawn_fit(account: Account) -> Fit:
    """The regression on the table, drawn through its rows."""
    first, last = account.window
    drawn = CubicSpline(np.append(0, account.lags), np.append(0.0, account.msd_A2))(np.arange(last + 1))
    return straight_line(drawn[:, None], fit_lags(first, last), increments=account.increments)


def _errors_apart(account: Account, fit: Fit, seen_cm2_per_s: float) -> float:
    """By how much errors of the table are off those that the value's noise implies, at most; infinite for none."""
    table = account.label.msd
    noise = _frame_slope_A2(account, seen_cm2_per_s / account.measured("signal"))
    expected = np.sqrt(np.diag(fit.covariance) * noise**2 / fit.variance_A4)
    stored = np.interp(fit.lags, account.lags, table.stderr_A2 if table else ())
    return float(np.exp(np.abs(np.log(stored / expected)).max())) if stored.min() > 0 else float("inf")


def bound_faults(account: Account) -> Iterator[str]:
    """The bound of a censored label against the jumps that were seen (`gates.resolution`)."""
    ions, bound = account.ions, account.label.value or 0.0
    if not ions:
        return
    jumps, times = account.measured("resolved"), account.measured(BOUND)
    counted = counted_jumps(jumps) * jump_cm2_per_s(ions=ions, duration_ps=account.label.production_ps)
    if not same(bound, counted * times) or times < 1 - SAME:
        yield f"its bound {bound:.3g} is not {times:.3g} times that of counting {jumps:.2g} jumps, {counted:.3g}"
    elif times > BOUND_RATIO:
        yield f"its bound {bound:.3g} is far above that of counting {jumps:.2g} jumps, {counted:.3g}"


def table_faults(account: Account) -> Iterator[str]:
    """Shape of the table: the lags that an estimate stores, up to half of the run, and positive numbers."""
    table, interval = account.label.msd, account.interval_ps
    if table is None:
        return
    sizes = {len(table.lag_ps), len(table.msd_A2), len(table.stderr_A2)}
    if len(sizes) > 1 or not sizes - {0} or min(table.msd_A2) <= 0 or min(table.stderr_A2) <= 0:
        yield "its table of mean squared displacements is empty, uneven or not positive"
        return
    first, last = account.window
    if not 1 <= first < last:
        yield f"its fit window is no stretch of lags of frames {interval:g} ps apart"
        return
    if last != max(3, int(LONGEST_LAG * account.increments)):
        yield f"its fit window ends at {last * interval:g} ps, not at half its run of {account.label.production_ps:g}"
        return
    expected = fit_lags(1, last, count=ROWS_IN_TABLE)
    if len(expected) != len(table.lag_ps) or not np.allclose(table.lag_ps, expected * interval, rtol=SAME, atol=0):
        yield f"lags of its table are not those of frames {interval:g} ps apart up to the end of its fit window"
        return
    times = np.log(table.lag_ps)
    columns = {"errors": (table.stderr_A2, SMOOTH_ERRORS), "displacements": (table.msd_A2, SMOOTH_WALK)}
    for name, (column, most) in columns.items():
        bent = _bent(times, np.log(column))
        if (account.resolved or name == "errors") and bent > most:
            yield f"one row of its table's {name} is {np.exp(bent):.2f} times off its neighbours"


def _bent(times: FloatArray, column: FloatArray) -> float:
    """By how much a row is off the line between its neighbours, at most."""
    if len(column) < FEWEST_LAGS:
        return 0.0
    share = (times[1:-1] - times[:-2]) / (times[2:] - times[:-2])
    between = column[:-2] + (column[2:] - column[:-2]) * share
    return float(np.abs(column[1:-1] - between).max())


def flight_faults(account: Account) -> Iterator[str]:
    """The first lags of the table against thermal flight and against what the label says of the ions' temperature."""
    label, table = account.label, account.label.msd
    recorded = label.mean_temperature_K
    if table is None or recorded is None:
        return
    mass = mass_of(label.species)
    flight = 3 * BOLTZMANN_u_A2_PER_PS2_K * recorded / mass * account.interval_ps**2
    ratio = float(account.msd_A2[0]) / flight
    if ratio > BALLISTIC_LIMIT:
        yield f"{label.species} moves {ratio**0.5:.2f} times as far between frames as its thermal velocity allows"
        return
    seen = ion_temperature(table, mass_u=mass, frame_interval_ps=account.interval_ps).temperature_K
    stated = account.measured(ION_TEMPERATURE) * recorded
    if not same(seen, stated):
        yield f"{label.species} moves as at {seen:.0f} K at the first lags of its table, its gate says {stated:.0f} K"


def motion_faults(account: Account) -> Iterator[str]:
    """What the label says of the motion beyond its diffusivity, against that."""
    label, motion = account.label, account.label.motion
    if motion is None:
        return
    single = account.ions is not None and round(account.ions) == 1
    yield from _haven_faults(label.haven_ratio, motion.haven_interval_95, single=single)
    if not motion.principal[0] >= motion.principal[1] >= motion.principal[2]:
        yield "principal values of its tensor do not fall"
    for name, share in (("isotropic_p", motion.isotropic_p), ("turned", motion.turned)):
        if share is not None and not 0 <= share <= 1:
            yield f"its {name} {share:g} is no share"
    if not 0 < motion.alpha2_ps <= label.production_ps:
        yield f"its non-Gaussian parameter peaks at {motion.alpha2_ps:g} ps, outside of the run"
    seen = _seen_cm2_per_s(account)
    if seen:
        yield from _tied_motion(account, motion, seen, single=single)


def _haven_faults(ratio: float | None, interval: tuple[float, float] | None, *, single: bool) -> Iterator[str]:
    if (ratio is None) != (interval is None) and not single:
        yield "it has a Haven ratio without an interval, or an interval without a ratio"
    elif ratio is not None and ratio <= 0:
        yield f"its Haven ratio {ratio:.3g} is no positive number"
    elif ratio is not None and interval is not None and not interval[0] <= ratio <= interval[1]:
        yield f"its Haven ratio {ratio:.3g} is not within {interval[0]:.3g} to {interval[1]:.3g}"


def _tied_motion(account: Account, motion: Motion, seen: float, *, single: bool) -> Iterator[str]:
    label = account.label
    if not same(float(np.mean(motion.principal)), seen):
        yield f"its value {seen:.3g} is not the mean of its tensor, {float(np.mean(motion.principal)):.3g}"
    if label.haven_ratio is not None and not single:
        stderr = seen * (label.n_eff / RELATIVE_VARIANCE_3D) ** -0.5 if label.n_eff else None
        yield from _haven_of_its_parts(label.haven_ratio, motion, seen, stderr)
    if motion.green_kubo is None or motion.green_kubo_stderr is None or not account.resolved:
        return
    error = float(np.hypot(motion.green_kubo_stderr, seen * (label.log10_stderr or 0.0) * LOG10))
    if abs(motion.green_kubo - seen) > GREEN_KUBO_SIGMAS * error:
        yield f"its velocities say {motion.green_kubo:.3g} cm2/s, its displacements {seen:.3g}"


def _haven_of_its_parts(ratio: float, motion: Motion, value: float, stderr: float | None) -> Iterator[str]:
    if not same(ratio * motion.collective, value):
        yield f"its Haven ratio {ratio:.3g} is not its value over the collective one"
    elif stderr is not None and motion.haven_interval_95 is not None and motion.collective_stderr > 0:
        collective = CollectiveDiffusivity(motion.collective, motion.collective_stderr, None, (0.0, 0.0))
        expected = haven_of(value, stderr, collective)
        if expected is None or not all(map(same, motion.haven_interval_95, expected.interval_95)):
            yield "the interval of its Haven ratio does not follow from the errors of both diffusivities"


def stated_fields(account: Account) -> Iterator[str]:
    """Whether nothing is missing that a label of its state has, and nothing is there that it has not."""
    label = account.label
    needed = ("msd", "motion", "fit_window_ps", "mean_temperature_K", "framework_state", "drift_A")
    of_a_value = ("interval_68", "interval_95", "log10_stderr", "n_eff", "exponent", "exponent_stderr")
    for name in (*needed, *of_a_value) if account.resolved else needed:
        if getattr(label, name) is None:
            yield f"it is {label.state.value} without {name}"
    if not account.resolved and (known := [name for name in of_a_value if getattr(label, name) is not None]):
        yield f"it is censored, and a bound has no {known[0]}"
    if label.exponent is not None and not 0 < label.exponent <= 2:  # noqa: PLR2004 - free flight
        yield f"its exponent {label.exponent:g} is none of motion"
    for name in ("exponent_stderr", "production_ps"):
        number = getattr(label, name)
        if number is not None and number <= 0:
            yield f"its {name} {number:g} is no positive number"
    for name in ("drift_A", "equilibration_ps", "wall_seconds", "n_eff"):
        number = getattr(label, name)
        if number is not None and number < 0:
            yield f"its {name} {number:g} is below zero"


OF_ALL: tuple[Check, ...] = (table_faults, flight_faults, slope_faults)
OF_A_VALUE: tuple[Check, ...] = (spread_faults, motion_faults)
OF_A_BOUND: tuple[Check, ...] = (bound_faults, motion_faults)
