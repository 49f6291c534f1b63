"""Posterior of an Arrhenius line by quadrature on a grid, and the curvature of labels."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from vitrion_models.constants import LN_10, BOLTZMANN_eV_PER_K
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

ROOT_2_OVER_PI = float(np.sqrt(2 / np.pi))
# D0 = a^2 nu / 6 for jumps of a = 3 A at nu = 1e13 /s is 1.5e-3 cm2/s; entropies of migration move it by decades.
PRIOR_LOG10_D0 = -2.8
PRIOR_LOG10_D0_DEVIATION = 1.5
# Labels scatter about a line by more than their errors: cells differ, and lines are not quite straight. Mean of the
# exponential prior; potential, cell and curvature contribute a tenth of a decade each.
PRIOR_SCATTER_DECADES = 0.1
SCATTER_NODES = np.geomspace(4e-3, 3.0, 28)
# Grid of each axis, in standard deviations of the Gaussian that fits the mode.
REACH, NODES = 5.5, 23
# An upper bound is smoothed over this many decades, so that the likelihood of a censored label stays smooth.
CENSORING_SOFTNESS = 0.05
NEGLIGIBLE = 1e-8
FEWEST_TEMPERATURES = 3
# Prior deviation: curvatures of a decade over the labels' range are as large as observed.
PRIOR_DECADES = 1.0
CURVED_P = 0.05


@dataclass(frozen=True, eq=False)
class Evidence:
    """Labels of one fit as arrays.

    Attributes:
        design: rows (1, -1 / (k T ln 10)) of measured labels, shape (M, 2).
        values: their log10 D in cm2/s, shape (M,).
        errors: standard errors in decades, shape (M,).
        bound_design: rows of censored labels, shape (C, 2).
        bounds: their log10 D in cm2/s, shape (C,).
    """

    design: FloatArray
    values: FloatArray
    errors: FloatArray
    bound_design: FloatArray
    bounds: FloatArray


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted nodes of the posterior.

    Attributes:
        log10_D0: shape (K,).
        Ea_eV: shape (K,).
        scatter: intrinsic scatter in decades, shape (K,).
        weight: adds to one, shape (K,).
    """

    log10_D0: FloatArray
    Ea_eV: FloatArray
    scatter: FloatArray
    weight: FloatArray

    def mean(self, values: FloatArray) -> float:
        """Return the posterior mean of a quantity given at each node, shape (K,)."""
        return float(self.weight @ values)

    def deviation(self, values: FloatArray) -> float:
        """Return the posterior standard deviation of a quantity given at each node, shape (K,)."""
        return float(np.sqrt(self.weight @ (values - self.weight @ values) ** 2))

    def quantiles(self, values: FloatArray, widths: FloatArray, tails: tuple[float, ...]) -> tuple[float, ...]:
        """Return quantiles of a mixture of Gaussians with a centre and a width at each node, shape (K,) both."""
        low = float((values - 9 * widths).min())
        high = float((values + 9 * widths).max())

        def below(value: float, tail: float) -> float:
            return float(self.weight @ special.ndtr((value - values) / widths)) - tail

        return tuple(float(optimize.brentq(below, low, high, args=(tail,), xtol=1e-5)) for tail in tails)


def arrhenius_rows(temperatures_K: FloatArray) -> FloatArray:
    """Return rows (1, -1 / (k T ln 10)), shape (M, 2), of temperatures (M,): log10 D = row @ (log10 D0, Ea)."""
    return np.column_stack([np.ones_like(temperatures_K), -1 / (BOLTZMANN_eV_PER_K * temperatures_K * LN_10)])


def posterior(evidence: Evidence) -> Posterior:
    """Compute the posterior of (log10 D0, Ea, scatter).

    A measured label is Gaussian about the line with variance error^2 + scatter^2; a censored one has the probability
    Phi((bound - line) / sqrt(softness^2 + scatter^2)) of lying below its bound (Tobin, Econometrica 26, 24, 1958).
    Priors: log10 D0 ~ N(-2.8, 1.5), Ea >= 0 flat, scatter exponential of mean 0.1 decades. For each of 28 scatters the
    logarithm of the posterior is concave in (log10 D0, Ea); Newton's method finds its mode, and a grid of 23 x 23
    nodes over 5.5 standard deviations of the Gaussian there takes the integral, tails and truncation included.

    Raises:
        InputError: labels that fall with temperature at every scatter.
    """
    parts = [_slice(evidence, float(scatter)) for scatter in SCATTER_NODES]
    densities = np.array([density for _, density in parts])
    if not np.isfinite(densities).any():
        raise InputError("log10 D falls as the temperature rises: check the temperatures and values of the labels")
    density = np.exp(densities - densities.max())
    # Trapezoid in the logarithm of the scatter, whose nodes are evenly spaced there.
    density *= SCATTER_NODES[:, None] * np.exp(-SCATTER_NODES / PRIOR_SCATTER_DECADES)[:, None]
    weight = (density / density.sum()).ravel()
    kept = weight > NEGLIGIBLE
    lines = np.concatenate([nodes for nodes, _ in parts])[kept]
    return Posterior(
        log10_D0=lines[:, 0],
        Ea_eV=lines[:, 1],
        scatter=np.repeat(SCATTER_NODES, NODES**2)[kept],
        weight=weight[kept] / weight[kept].sum(),
    )


def _slice(evidence: Evidence, scatter: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes at one scatter, shape (NODES^2, 2), and the log of likelihood, prior and cell area at each."""
    mode: FloatArray = np.linalg.lstsq(evidence.design, evidence.values, rcond=None)[0].astype(np.float64)
    for _ in range(60):
        value, gradient, hessian = _log_density(evidence, mode, scatter)
        step = np.linalg.solve(hessian, gradient)
        # Halved until the density rises: far below a bound the logarithm of Phi is steeper than its parabola.
        while _log_density(evidence, mode - step, scatter)[0] < value and np.abs(step).max() > NEGLIGIBLE:
            step = step / 2
        mode = mode - step
        if np.abs(step).max() <= NEGLIGIBLE:
            break
    _, _, hessian = _log_density(evidence, mode, scatter)
    root = np.linalg.cholesky(np.linalg.inv(-hessian))
    axis = np.linspace(-REACH, REACH, NODES)
    unit = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    nodes = mode + unit @ root.T
    density = _log_densities(evidence, nodes, scatter) + float(np.log(np.abs(np.linalg.det(root))))
    return nodes, np.where(nodes[:, 1] >= 0, density, -np.inf)


def _log_densities(evidence: Evidence, lines: FloatArray, scatter: float) -> FloatArray:
    variance = evidence.errors**2 + scatter**2
    residuals = evidence.values - lines @ evidence.design.T
    density = -0.5 * (residuals**2 / variance).sum(axis=1) - 0.5 * float(np.log(variance).sum())
    density -= 0.5 * ((lines[:, 0] - PRIOR_LOG10_D0) / PRIOR_LOG10_D0_DEVIATION) ** 2
    if len(evidence.bounds):
        width = np.hypot(CENSORING_SOFTNESS, scatter)
        density += special.log_ndtr((evidence.bounds - lines @ evidence.bound_design.T) / width).sum(axis=1)
    total: FloatArray = density
    return total


def _log_density(evidence: Evidence, line: FloatArray, scatter: float) -> tuple[float, FloatArray, FloatArray]:
    """Return the log of the posterior at a line, its gradient, shape (2,), and its Hessian, shape (2, 2)."""
    weight = 1 / (evidence.errors**2 + scatter**2)
    residuals = evidence.values - evidence.design @ line
    gradient = evidence.design.T @ (weight * residuals)
    gradient[0] -= (line[0] - PRIOR_LOG10_D0) / PRIOR_LOG10_D0_DEVIATION**2
    hessian = -(evidence.design.T * weight) @ evidence.design
    hessian[0, 0] -= PRIOR_LOG10_D0_DEVIATION**-2
    if len(evidence.bounds):
        width = np.hypot(CENSORING_SOFTNESS, scatter)
        z = (evidence.bounds - evidence.bound_design @ line) / width
        ratio = ROOT_2_OVER_PI / special.erfcx(-z / np.sqrt(2.0))
        # Between zero and one by Sampford's inequality; far below the bound it is a difference of large numbers.
        curvature = np.clip(ratio * (ratio + z), 0.0, 1.0)
        gradient = gradient - evidence.bound_design.T @ ratio / width
        hessian = hessian - (evidence.bound_design.T * (curvature / width**2)) @ evidence.bound_design
    return float(_log_densities(evidence, line[None], scatter)[0]), gradient, hessian


@dataclass(frozen=True)
class Curvature:
    """Deviation of the labels from a straight line.

    Attributes:
        decades: of the middle of the labels' range above the straight line between its ends.
        stderr_decades: standard error of that.
        p: probability that labels on a straight line look at least as curved.
    """

    decades: float
    stderr_decades: float
    p: float

    @property
    def curved(self) -> bool:
        """True if the curvature is significant: one straight line in twenty is called curved."""
        return self.p < CURVED_P


def curvature_of(evidence: Evidence) -> Curvature | None:
    """Fit a parabola in 1 / T to the measured labels; None with labels at fewer than three temperatures.

    With u = -1 .. 1 over the range of 1 / T, log10 D = a + b u + h (1 - u^2), h being the curvature. Given the scatter
    this is linear with Gaussian errors; the scatter is integrated over as in `posterior`.
    """
    column = evidence.design[:, 1]
    if len(set(column.tolist())) < FEWEST_TEMPERATURES:
        return None
    u = 2 * (column - column.min()) / (column.max() - column.min()) - 1
    design = np.column_stack([np.ones_like(u), u, 1 - u**2])
    prior = np.diag([0.0, 0.0, PRIOR_DECADES**-2])
    logs, means, variances = [], [], []
    for scatter in SCATTER_NODES:
        weight = 1 / (evidence.errors**2 + scatter**2)
        precision = (design.T * weight) @ design + prior
        parabola = np.linalg.solve(precision, design.T @ (weight * evidence.values))
        residual = (weight * evidence.values) @ (evidence.values - design @ parabola)
        _, volume = np.linalg.slogdet(precision)
        logs.append(0.5 * float(np.log(weight).sum()) - 0.5 * residual - 0.5 * volume)
        means.append(parabola[2])
        variances.append(np.linalg.inv(precision)[2, 2])
    density = np.exp(np.array(logs) - max(logs)) * SCATTER_NODES * np.exp(-SCATTER_NODES / PRIOR_SCATTER_DECADES)
    share = density / density.sum()
    centres, widths = np.array(means), np.sqrt(variances)
    mean = float(share @ centres)
    above = float(share @ stats.norm.sf(0.0, loc=centres, scale=widths))
    return Curvature(
        decades=mean,
        stderr_decades=float(np.sqrt(share @ (widths**2 + (centres - mean) ** 2))),
        p=2 * min(above, 1 - above),
    )
