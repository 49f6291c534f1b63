"""Velocity spectrum of the ions by sine modes, and its fits: a plateau or a power law, with relaxations."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from vitrion_models.system import FloatArray

# Half of the modes stays clear of the frames' own resolution; fewer than eight are not informative.
LARGEST_SHARE = 1 / 2
FEWEST_MODES = 8
SINGLE_MODES = 10
BINS = 32
# Relaxation times to start from.
CAGE_TIMES_PS = (0.03, 0.08, 0.2, 0.5, 1.2)
FASTEST_CAGE_PS = 0.01
# Columns of the parameters: ln scale, tilt, then amplitude and ln tau of each relaxation.
SCALE, TILT, CAGE = 0, 1, 2
ITERATIONS = 20
FEWEST_ITERATIONS = 3
TOLERANCE = 1e-3
LARGEST_STEP = 2.0
SMALL_CAGE = 0.1
SMALLEST_POWER = 0.02


@dataclass(frozen=True, eq=False)
class BinnedModes:
    """Modes in bins that widen with frequency.

    Attributes:
        omega_per_ps: mean angular frequency of each bin in 1/ps, shape (B,).
        counts: modes in each bin, shape (B,).
        powers_A2: mean square of each ion in square Angstrom, shape (B, N).
    """

    omega_per_ps: FloatArray
    counts: FloatArray
    powers_A2: FloatArray

    @property
    def mean_A2(self) -> FloatArray:
        """Mean over ions in square Angstrom, shape (B,)."""
        mean: FloatArray = self.powers_A2.mean(axis=1)
        return mean

    @property
    def ions(self) -> int:
        """Number of ions."""
        return int(self.powers_A2.shape[1])


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
    # With 2 sin(omega dt / 2) / dt for omega, the spectrum of a rattle sampled at frames is a Lorentzian exactly.
    half_turn = np.pi * np.arange(1, last + 1) / (2 * (count + 1))
    omega = 2 * np.sin(half_turn) / frame_interval_ps
    steps = np.ascontiguousarray(np.diff(displacements_A[: count + 1], axis=0).transpose(1, 2, 0))
    squares = (fft.dst(steps, type=1, norm="ortho")[:, :, :last] ** 2).mean(axis=1)
    return omega, squares.T


def bin_modes(omega_per_ps: FloatArray, squares_A2: FloatArray) -> BinnedModes:
    """Average modes in at most 32 bins: the first ten alone, the others in bins that widen with frequency.

    Args:
        omega_per_ps: angular frequencies in 1/ps, shape (P,).
        squares_A2: in square Angstrom, shape (P, N).
    """
    edges = np.arange(len(omega_per_ps))
    if len(omega_per_ps) > BINS:
        wide = np.geomspace(SINGLE_MODES, len(omega_per_ps), BINS - SINGLE_MODES + 1)[:-1]
        edges = np.unique(np.concatenate([np.arange(SINGLE_MODES), np.round(wide).astype(np.int64)]))
    counts = np.diff(np.append(edges, len(omega_per_ps))).astype(np.float64)
    return BinnedModes(
        omega_per_ps=np.add.reduceat(omega_per_ps, edges) / counts,
        counts=counts,
        powers_A2=np.add.reduceat(squares_A2, edges, axis=0) / counts[:, None],
    )


@dataclass(frozen=True)
class SpectralModel:
    """Terms of S = scale * [omega^tilt + sum_k cage_k h(omega, tau_k)].

    Attributes:
        power_law: whether the tilt is free; it is zero otherwise, which leaves a plateau: diffusion.
        relaxations: number of relaxation terms: cages, or inertia where the amplitude is negative.
    """

    power_law: bool
    relaxations: int

    @property
    def free(self) -> list[int]:
        """Columns of the free parameters."""
        return [SCALE, *([TILT] if self.power_law else []), *range(CAGE, CAGE + 2 * self.relaxations)]


DIFFUSION_IN_CAGE = SpectralModel(power_law=False, relaxations=1)
DIFFUSION_IN_TWO_CAGES = SpectralModel(power_law=False, relaxations=2)
POWER_LAW = SpectralModel(power_law=True, relaxations=0)
POWER_LAW_IN_CAGE = SpectralModel(power_law=True, relaxations=1)


@dataclass(frozen=True, eq=False)
class SpectralFit:
    """Best fit of a model.

    Attributes:
        model: terms of the spectrum.
        cost: sum over modes of ln S + power / S; -2 ln(likelihood) is that times three for each ion.
        parameters: ln scale, tilt, amplitude and ln tau of each relaxation, shape (4 or 6,).
        spectrum_A2: S at each bin, shape (B,).
        gradient: d ln S / d free parameters, shape (B, 2 to 5).
    """

    model: SpectralModel
    cost: float
    parameters: FloatArray
    spectrum_A2: FloatArray
    gradient: FloatArray

    @property
    def tilt(self) -> float:
        """Exponent of the spectrum at low frequency; 1 - tilt is that of the mean squared displacement."""
        return float(self.parameters[TILT])

    @property
    def cage(self) -> float:
        """Amplitude of the first relaxation."""
        return float(self.parameters[CAGE])

    def misfit(self, modes: BinnedModes) -> float:
        """Return chi square over degrees of freedom."""
        square = float((modes.counts * (modes.mean_A2 / self.spectrum_A2 - 1) ** 2).sum())
        return float(1.5 * modes.ions * square / (len(modes.counts) - 2))


def fit_spectrum(
    modes: BinnedModes, model: SpectralModel, *, slowest_ps: float, simpler: SpectralFit | None = None
) -> SpectralFit:
    """Maximise the likelihood by Fisher scoring, from several relaxation times, or pairs of them, at once.

    Args:
        modes: binned velocity modes.
        model: terms of the spectrum.
        slowest_ps: longest relaxation time.
        simpler: fit of a model with fewer terms to start from, too: the way there from a cage is a long, bent valley.
    """
    log_omega = np.log(modes.omega_per_ps)
    log_omega -= (modes.counts * log_omega).sum() / modes.counts.sum()
    times = _starting_times(slowest_ps, relaxations=model.relaxations)
    starts = np.zeros((len(times), CAGE + 2 * times.shape[1]))
    starts[:, SCALE] = np.log((modes.counts * modes.mean_A2).sum() / modes.counts.sum())
    starts[:, CAGE + 1 :: 2] = np.log(times)
    if model.relaxations:
        _fit_amplitudes(starts, modes)
    if simpler is not None:
        beside = starts.copy()
        beside[:, :CAGE], beside[:, CAGE] = simpler.parameters[:CAGE], SMALL_CAGE
        starts = np.concatenate([starts, beside])
    fits = _fisher_scoring(_evaluate(starts, modes, log_omega), modes, log_omega, model.free, np.log(slowest_ps))
    best = int(fits.cost.argmin())
    return SpectralFit(
        model=model,
        cost=float(fits.cost[best]),
        parameters=fits.parameters[best],
        spectrum_A2=fits.spectrum_A2[best],
        gradient=fits.gradient[best][:, model.free],
    )


@dataclass(frozen=True, eq=False)
class _Fits:
    """Fits from K starts: parameters (K, P), cost (K,), spectrum (K, B) and d ln S / d parameters (K, B, P)."""

    parameters: FloatArray
    cost: FloatArray
    spectrum_A2: FloatArray
    gradient: FloatArray

    def replaced(self, trial: "_Fits", better: NDArray[np.bool_]) -> "_Fits":
        """Take over the trials that are better, shape (K,)."""
        return _Fits(
            parameters=np.where(better[:, None], trial.parameters, self.parameters),
            cost=np.where(better, trial.cost, self.cost),
            spectrum_A2=np.where(better[:, None], trial.spectrum_A2, self.spectrum_A2),
            gradient=np.where(better[:, None, None], trial.gradient, self.gradient),
        )


def _fisher_scoring(
    fits: _Fits, modes: BinnedModes, log_omega: FloatArray, free: list[int], longest_log_time: float
) -> _Fits:
    """Iterate all starts until the best cost stands still; a step that does not improve is shortened."""
    length = np.ones(len(fits.cost))
    for iteration in range(ITERATIONS):
        trial = fits.parameters.copy()
        trial[:, free] += length[:, None] * _scoring_step(fits, modes, free)
        trial[:, CAGE + 1 :: 2] = np.clip(trial[:, CAGE + 1 :: 2], np.log(FASTEST_CAGE_PS), longest_log_time)
        tried = _evaluate(trial, modes, log_omega)
        gain = float(fits.cost.min() - tried.cost.min())
        better = tried.cost <= fits.cost
        fits = fits.replaced(tried, better)
        length = np.where(better, np.minimum(1.0, 2 * length), length / 3)
        if iteration >= FEWEST_ITERATIONS and abs(gain) < TOLERANCE:
            break
    return fits


def _scoring_step(fits: _Fits, modes: BinnedModes, free: list[int]) -> FloatArray:
    """Return the step of the free parameters from the Fisher information and the score, shape (K, free)."""
    slopes = fits.gradient[:, :, free]
    weighted = slopes * modes.counts[:, None]
    fisher = weighted.transpose(0, 2, 1) @ slopes
    fisher += 1e-6 * np.eye(len(free)) * np.trace(fisher, axis1=1, axis2=2)[:, None, None]
    score = np.einsum("kbi,kb->ki", weighted, modes.mean_A2 / fits.spectrum_A2 - 1)
    step: FloatArray = np.linalg.solve(fisher, score[:, :, None])[:, :, 0]
    # Shortened as a whole: clipped one by one it would lead elsewhere, and uphill.
    reach = LARGEST_STEP * np.maximum(1.0, np.abs(fits.parameters[:, free]))
    step /= np.maximum(1.0, np.abs(step / reach).max(axis=1))[:, None]
    return step


def _starting_times(slowest_ps: float, *, relaxations: int) -> FloatArray:
    """Return relaxation times to start from, shape (K, relaxations); without relaxations one that stays unused."""
    times = [time for time in CAGE_TIMES_PS if time <= slowest_ps]
    if relaxations > 1:
        # The grid may end well before the slowest that is allowed.
        return np.array(list(combinations(sorted({*times, slowest_ps}), relaxations)))
    return np.array(times if relaxations else times[:1])[:, None]


def _fit_amplitudes(starts: FloatArray, modes: BinnedModes) -> None:
    """Set scale and amplitudes by linear least squares of G + sum K h, where that is positive with a plateau."""
    mean, weights = modes.mean_A2, modes.counts / modes.mean_A2**2
    log_times = starts[:, CAGE + 1 :: 2].T
    shapes = np.stack([_relaxation(np.exp(logs), modes.omega_per_ps)[0] for logs in log_times], axis=2)
    design = np.concatenate([np.ones((*shapes.shape[:2], 1)), shapes], axis=2)
    weighted = design * weights[:, None]
    normal = weighted.transpose(0, 2, 1) @ design
    normal += 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(design.shape[2])
    amplitudes = np.linalg.solve(normal, (weighted.transpose(0, 2, 1) @ mean)[:, :, None])[:, :, 0]
    plateau = amplitudes[:, 0]
    positive = (plateau > SMALLEST_POWER * mean.min()) & ((design @ amplitudes[:, :, None])[:, :, 0] > 0).all(axis=1)
    safe = np.where(positive, plateau, 1.0)
    starts[:, SCALE] = np.where(positive, np.log(safe), np.log(mean.min()))
    fallback = mean[-1] / mean.min() / shapes.shape[2]
    starts[:, CAGE::2] = np.where(positive[:, None], np.clip(amplitudes[:, 1:] / safe[:, None], -0.9, None), fallback)


def _relaxation(times_ps: FloatArray, omega_per_ps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return h = (omega tau)^2 / (1 + (omega tau)^2), scaled to one at the last bin, and d h / d ln tau, (K, B)."""
    square = np.outer(times_ps, omega_per_ps) ** 2
    relaxed = square / (1 + square)
    shapes = relaxed / relaxed[:, -1:]
    return shapes, 2 * shapes * (relaxed[:, -1:] - relaxed)


def _evaluate(parameters: FloatArray, modes: BinnedModes, log_omega: FloatArray) -> _Fits:
    """Evaluate spectra that are positive; the cost of others is infinite."""
    power = np.exp(np.clip(parameters[:, [TILT]] * log_omega, -30, 30))
    total = power.copy()
    slopes = [np.ones_like(power), power * log_omega]
    for column in range(CAGE, parameters.shape[1], 2):
        shapes, by_log_time = _relaxation(np.exp(parameters[:, column + 1]), modes.omega_per_ps)
        total += parameters[:, [column]] * shapes
        slopes += [shapes, parameters[:, [column]] * by_log_time]
    positive = (total / power).min(axis=1) > SMALLEST_POWER
    total = np.where(positive[:, None], total, 1.0)
    spectrum = np.exp(np.clip(parameters[:, [SCALE]], -300, 300)) * total
    cost = ((np.log(spectrum) + modes.mean_A2 / spectrum) * modes.counts).sum(axis=1)
    gradient = np.stack([slopes[0], *(slope / total for slope in slopes[1:])], axis=2)
    return _Fits(parameters, np.where(positive, cost, np.inf), spectrum, gradient)
