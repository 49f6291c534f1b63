"""Spectrum of the ions' motion at low frequency: does it end in a plateau, which is diffusion, or go on as a power?"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import fft

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.interval import RELATIVE_VARIANCE_3D
from vitrion_workflows.diffusivity.variance import FEWEST_IONS, inflated

# Vibrations have shapes of their own: the highest cut-off below which a simple model fits is taken.
CUTOFFS_THz = (8.0, 4.0, 2.0, 1.0)
GOOD_FIT = 1.5
# Half of the modes stays clear of the frames' own resolution; fewer than eight say nothing.
LARGEST_SHARE = 1 / 2
FEWEST_MODES = 8
SINGLE_MODES = 10
BINS = 32
# Relaxation times to start from; the slowest cage has died out over a twelfth of the run.
CAGE_TIMES_PS = (0.03, 0.08, 0.2, 0.5, 1.2)
FASTEST_CAGE_PS = 0.01
SLOWEST_CAGE = 1 / 12
# Two relaxations, a rattle and jumps that are undone, look like a power law until both are over: within this share of
# the run, so that a plateau shows over 20 modes.
SLOWEST_OF_TWO = 1 / 64
# Akaike's price for a parameter; a power law with a cage pays for both of the power law's.
AKAIKE = 2.0
PRICE = 2 * AKAIKE
# Columns of the parameters (ln scale, tilt, then cage and ln tau of each cage), and which are free in each model.
TILT, CAGED = 1, 2
CAGE, POWER, BOTH, TWO = [0, 2, 3], [0, 1], [0, 1, 2, 3], [0, 2, 3, 4, 5]
ITERATIONS = 20
FEWEST_ITERATIONS = 3
TOLERANCE = 1e-3
LARGEST_STEP = 2.0
SMALL_CAGE = 0.1
SMALLEST_POWER = 0.02


@dataclass(frozen=True)
class LongTimes:
    """How the motion's spectrum goes to zero frequency.

    Attributes:
        exponent: of the mean squared displacement at long times; 1 is diffusion.
        exponent_stderr: its standard error.
        evidence: twice the logarithm of the likelihood ratio of anomalous diffusion to diffusion in a cage, less the
            price of further parameters; positive speaks against diffusion.
        scale_free: whether a power law alone describes the motion up to half the Nyquist frequency, as it does not
            where atoms have inertia and neighbours; asked only where the evidence is positive.
    """

    exponent: float
    exponent_stderr: float
    evidence: float
    scale_free: bool = False


def velocity_modes(displacements_A: FloatArray, frame_interval_ps: float) -> tuple[FloatArray, FloatArray]:
    """Project each ion's steps on sine modes, y_p = sqrt(2 / (T + 1)) sum_n v(n) sin(pi p n / (T + 1)).

    The transform is orthogonal, so that the modes of a free walk are independent, and each vanishes at both ends of
    the run, so that a rattle does not leak into the slow modes as it does into a Fourier series. The square of mode p
    estimates the velocity spectrum, the transform of the velocity autocorrelation, at omega = pi p / (T + 1) dt.

    Args:
        displacements_A: shape (F, N, 3).
        frame_interval_ps: time between frames.

    Returns:
        Angular frequencies in 1/ps, shape (P,), and the mean square over three dimensions, shape (P, N), in square
        Angstrom, of the lower half of the modes.
    """
    count = len(displacements_A) - 1
    # A few steps at the end are left out where the transform of all would be slow.
    while fft.next_fast_len(2 * (count + 1), real=True) != 2 * (count + 1):
        count -= 1
    last = min(count, max(FEWEST_MODES, int(LARGEST_SHARE * count)))
    # With 2 sin(omega dt / 2) / dt for omega, the spectrum of a rattle seen in frames is a Lorentzian exactly.
    half_turn = np.pi * np.arange(1, last + 1) / (2 * (count + 1))
    omega = 2 * np.sin(half_turn) / frame_interval_ps
    steps = np.ascontiguousarray(np.diff(displacements_A[: count + 1], axis=0).transpose(1, 2, 0))
    squares = (fft.dst(steps, type=1, norm="ortho")[:, :, :last] ** 2).mean(axis=1)
    return omega, squares.T


def long_times(displacements_A: FloatArray, frame_interval_ps: float, *, collective: tuple[float, float]) -> LongTimes:
    """Weigh diffusion in a cage against a power law, by the likelihood of the velocity spectrum (Whittle, 1953).

    Diffusion with a cage or a velocity that relaxes within tau has the spectrum
    S = G + K (omega tau)^2 / (1 + (omega tau)^2), with negative K for inertia. Anomalous diffusion, MSD ~ t^alpha, has
    S ~ omega^(1 - alpha) down to zero frequency, alone or with a cage on top. A power law is told from a plateau by
    the whole curve, long before the mean squared displacement at the lags of the fit bends beyond its noise. What
    makes all modes of a run larger or smaller together, as rare jumps do, does not enter. Where that speaks for a power
    law, two relaxations within a sixty-fourth of the run are weighed against it, too: jumps that are undone at once, on
    top of a rattle. Likelihood ratios are divided by what the modes scatter more than independent ions would.

    Args:
        displacements_A: drift-corrected positions, shape (F, N, 3).
        frame_interval_ps: time between frames.
        collective: from `collective_excess`.
    """
    omega, squares = velocity_modes(displacements_A, frame_interval_ps)
    duration = (len(displacements_A) - 1) * frame_interval_ps
    together = max(1.0, inflated(1.0, np.ones(1), collective=collective).collective)
    weighed = []
    for cutoff in CUTOFFS_THz:
        last = max(FEWEST_MODES, int(np.searchsorted(omega, 2 * np.pi * cutoff)))
        weighed.append(_weigh(_binned(omega[:last], squares[:last]), duration, together))
        if weighed[-1][0] <= GOOD_FIT * together or last <= FEWEST_MODES:
            break
    found = min(weighed, key=lambda one: one[0])[1]
    if found.evidence <= 0:
        return found
    modes = _binned(omega, squares)
    alone = _fit(modes, max(SLOWEST_CAGE * duration, CAGE_TIMES_PS[0]), POWER)
    return replace(found, scale_free=_misfit(alone, modes) <= GOOD_FIT * together)


@dataclass(frozen=True, eq=False)
class _Modes:
    """Modes in bins that widen with frequency: omega_per_ps (B,), how many (B,), mean of each ion (B, N)."""

    omega_per_ps: FloatArray
    counts: FloatArray
    powers_A2: FloatArray

    @property
    def mean_A2(self) -> FloatArray:
        mean: FloatArray = self.powers_A2.mean(axis=1)
        return mean


@dataclass(frozen=True, eq=False)
class _Model:
    """Best fit of S = scale * [omega^tilt + sum cage * h(omega, tau)], and d ln S / d free parameters, (B, 2 to 5)."""

    cost: float
    parameters: FloatArray
    spectrum: FloatArray
    gradient: FloatArray

    @property
    def tilt(self) -> float:
        return float(self.parameters[TILT])

    @property
    def cage(self) -> float:
        return float(self.parameters[CAGED])


def _binned(omega: FloatArray, squares: FloatArray) -> _Modes:
    edges = np.arange(len(omega))
    if len(omega) > BINS:
        wide = np.geomspace(SINGLE_MODES, len(omega), BINS - SINGLE_MODES + 1)[:-1]
        edges = np.unique(np.concatenate([np.arange(SINGLE_MODES), np.round(wide).astype(np.int64)]))
    counts = np.diff(np.append(edges, len(omega))).astype(np.float64)
    return _Modes(
        omega_per_ps=np.add.reduceat(omega, edges) / counts,
        counts=counts,
        powers_A2=np.add.reduceat(squares, edges, axis=0) / counts[:, None],
    )


def _weigh(modes: _Modes, duration_ps: float, together: float) -> tuple[float, LongTimes]:
    """Chi square of the best model over its degrees of freedom, and what the models say about long times."""
    ions = modes.powers_A2.shape[1]
    slowest = max(SLOWEST_CAGE * duration_ps, CAGE_TIMES_PS[0])
    cage = _fit(modes, slowest, CAGE)
    power = _fit(modes, slowest, POWER)
    both = _fit(modes, slowest, BOTH, power)
    misfit = min(_misfit(one, modes) for one in (cage, power, both))
    worth = 3 * ions / max(misfit, 1.0)
    plain, caged = worth * (cage.cost - power.cost), worth * (cage.cost - both.cost) - PRICE
    if both.tilt * both.cage < 0:
        # A power law that bends the other way than its cage is a hump: vibrations, not memory.
        caged = -PRICE
    if max(plain, caged) > 0:
        two = _fit(modes, max(SLOWEST_OF_TWO * duration_ps, 2 * CAGE_TIMES_PS[0]), TWO)
        misfit = min(misfit, _misfit(two, modes))
        worth = 3 * ions / max(misfit, 1.0)
        plain = min(plain, worth * (two.cost - power.cost) + (len(TWO) - len(POWER)) * AKAIKE)
        caged = min(caged, worth * (two.cost - both.cost) + (len(TWO) - len(BOTH)) * AKAIKE)
    chosen = power if plain >= caged else both
    return misfit, LongTimes(
        exponent=1 - chosen.tilt,
        exponent_stderr=_tilt_stderr(chosen, modes) * float(np.sqrt(together)),
        evidence=max(plain, caged),
    )


def _misfit(model: _Model, modes: _Modes) -> float:
    """Chi square over degrees of freedom."""
    square = float((modes.counts * (modes.mean_A2 / model.spectrum - 1) ** 2).sum())
    ions = modes.powers_A2.shape[1]
    return float(1.5 * ions * square / (len(modes.counts) - 2))


def _tilt_stderr(model: _Model, modes: _Modes) -> float:
    """From theory, or from the scatter of the ions where that is larger."""
    ions = modes.powers_A2.shape[1]
    weighted = model.gradient * modes.counts[:, None]
    inverse = np.linalg.pinv(model.gradient.T @ weighted)
    influence = (inverse[TILT] @ weighted.T) @ (modes.powers_A2 / model.spectrum[:, None])
    theory = float(inverse[TILT, TILT]) * RELATIVE_VARIANCE_3D / ions
    scatter = float(influence.var(ddof=1)) / ions if ions >= FEWEST_IONS else 0.0
    return float(np.sqrt(max(theory, scatter)))


def _fit(modes: _Modes, slowest_ps: float, free: list[int], near: _Model | None = None) -> _Model:
    """Maximise the likelihood by Fisher scoring, from several relaxation times, or pairs of them, at once.

    With a simpler model to be `near`, from its parameters, too: the way there from a cage is a long, bent valley.
    """
    weights, mean = modes.counts, modes.mean_A2
    logs = np.log(modes.omega_per_ps)
    logs -= (weights * logs).sum() / weights.sum()
    times = _starting_times(slowest_ps, cages=sum(column > TILT for column in free) // 2)
    now = np.zeros((len(times), 2 + 2 * times.shape[1]))
    now[:, 0] = np.log((weights * mean).sum() / weights.sum())
    now[:, CAGED + 1 :: 2] = np.log(times)
    if CAGED in free:
        _start(now, weights / mean**2, modes)
    if near is not None:
        beside = now.copy()
        beside[:, :CAGED], beside[:, CAGED] = near.parameters[:CAGED], SMALL_CAGE
        now = np.concatenate([now, beside])
    cost, spectrum, gradient = _terms(now, modes, logs)
    length = np.ones(len(now))
    ridge = 1e-6 * np.eye(len(free))
    for iteration in range(ITERATIONS):
        slopes = gradient[:, :, free]
        weighted = slopes * weights[:, None]
        fisher = weighted.transpose(0, 2, 1) @ slopes
        fisher += ridge * np.trace(fisher, axis1=1, axis2=2)[:, None, None]
        push = np.einsum("kbi,kb->ki", weighted, mean / spectrum - 1)
        step = np.linalg.solve(fisher, push[:, :, None])[:, :, 0]
        # Shortened as a whole: clipped one by one it would lead elsewhere, and uphill.
        reach = LARGEST_STEP * np.maximum(1.0, np.abs(now[:, free]))
        step /= np.maximum(1.0, np.abs(step / reach).max(axis=1))[:, None]
        trial = now.copy()
        trial[:, free] += length[:, None] * step
        trial[:, CAGED + 1 :: 2] = np.clip(trial[:, CAGED + 1 :: 2], np.log(FASTEST_CAGE_PS), np.log(slowest_ps))
        costs, spectra, gradients = _terms(trial, modes, logs)
        better = costs <= cost
        gain = float(cost.min() - costs.min())
        now = np.where(better[:, None], trial, now)
        spectrum = np.where(better[:, None], spectra, spectrum)
        gradient = np.where(better[:, None, None], gradients, gradient)
        cost = np.where(better, costs, cost)
        length = np.where(better, np.minimum(1.0, 2 * length), length / 3)
        if iteration >= FEWEST_ITERATIONS and abs(gain) < TOLERANCE:
            break
    best = int(cost.argmin())
    return _Model(
        cost=float(cost[best]),
        parameters=now[best],
        spectrum=spectrum[best],
        gradient=gradient[best][:, free],
    )


def _starting_times(slowest_ps: float, *, cages: int) -> FloatArray:
    """Relaxation times to start from, shape (K, cages); a power law alone has one start, whose cage stays zero."""
    times = [time for time in CAGE_TIMES_PS if time <= slowest_ps]
    if cages > 1:
        # The grid may end well before the slowest that is allowed.
        return np.array(list(combinations(sorted({*times, slowest_ps}), cages)))
    return np.array(times if cages else times[:1])[:, None]


def _start(now: FloatArray, weights: FloatArray, modes: _Modes) -> None:
    """Linear least squares of G + sum K h, where it gives a positive spectrum with a plateau."""
    mean = modes.mean_A2
    shapes = np.stack([_shapes(np.exp(one), modes.omega_per_ps)[0] for one in now[:, CAGED + 1 :: 2].T], axis=2)
    design = np.concatenate([np.ones((*shapes.shape[:2], 1)), shapes], axis=2)
    weighted = design * weights[:, None]
    normal = weighted.transpose(0, 2, 1) @ design
    normal += 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(design.shape[2])
    found = np.linalg.solve(normal, (weighted.transpose(0, 2, 1) @ mean)[:, :, None])[:, :, 0]
    plateau = found[:, 0]
    sound = (plateau > SMALLEST_POWER * mean.min()) & ((design @ found[:, :, None])[:, :, 0] > 0).all(axis=1)
    safe = np.where(sound, plateau, 1.0)
    now[:, 0] = np.where(sound, np.log(safe), np.log(mean.min()))
    other = mean[-1] / mean.min() / shapes.shape[2]
    now[:, CAGED::2] = np.where(sound[:, None], np.clip(found[:, 1:] / safe[:, None], -0.9, None), other)


def _shapes(times_ps: FloatArray, omega_per_ps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cage or inertia, (omega tau)^2 / (1 + (omega tau)^2), one at the last bin, and its derivative by ln tau."""
    square = np.outer(times_ps, omega_per_ps) ** 2
    relaxed = square / (1 + square)
    shapes = relaxed / relaxed[:, -1:]
    return shapes, 2 * shapes * (relaxed[:, -1:] - relaxed)


def _terms(now: FloatArray, modes: _Modes, logs: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cost, spectrum and d ln S / d parameters, for each start."""
    power = np.exp(np.clip(now[:, [TILT]] * logs, -30, 30))
    total = power.copy()
    slopes = [np.ones_like(power), power * logs]
    for column in range(CAGED, now.shape[1], 2):
        shapes, slower = _shapes(np.exp(now[:, column + 1]), modes.omega_per_ps)
        total += now[:, [column]] * shapes
        slopes += [shapes, now[:, [column]] * slower]
    sound = (total / power).min(axis=1) > SMALLEST_POWER
    total = np.where(sound[:, None], total, 1.0)
    spectrum = np.exp(np.clip(now[:, :1], -300, 300)) * total
    cost = ((np.log(spectrum) + modes.mean_A2 / spectrum) * modes.counts).sum(axis=1)
    gradient = np.stack([slopes[0], *(slope / total for slope in slopes[1:])], axis=2)
    return np.where(sound, cost, np.inf), spectrum, gradient
