"""Multi-fidelity prior of the Arrhenius head: one quantity, answered by methods of different cost and trust.

Autoregressive (Kennedy and O'Hagan, Biometrika 87, 1 (2000)): with the fidelities in order of trust, level and raw
slope of fidelity f are

    u_f(m) = rho_f u_{f-1}(m) + delta_f(m),

rho_f and the discrepancy delta_f separate for level and raw slope, all about the common prior mean. Each discrepancy is
an independent Gaussian process with a constant part (the mean error of a method) and a linear and a squared-exponential
part over the embedding (its dependence on chemistry). This is the linear model of coregionalisation with a triangular
matrix, so everything is as closed as with one fidelity: the head of `vitrion_models.heads.arrhenius` on nodes, a node
being a material in the view of one fidelity. Scales and amplitudes of the discrepancies maximise the Laplace evidence
under a normal and a log-normal prior, by coordinate ascent on fixed grids.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from itertools import pairwise, product

import numpy as np

from vitrion_models.heads.arrhenius import (
    AMPLITUDES,
    NOISES,
    TYPICAL_AMPLITUDE,
    TYPICAL_NOISE,
    ArrheniusHead,
    ArrheniusPrior,
    fit_head,
    fit_with_evidence,
    log_hyperprior,
)
from vitrion_models.heads.arrhenius_law import EV_PER_SLOPE
from vitrion_models.heads.gaussian_process import linear_rbf_kernel
from vitrion_models.heads.likelihood import Labels
from vitrion_models.system import FloatArray, IntArray

SCALES = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25)
LEVEL_AMPLITUDES = (0.03, 0.06, 0.12, 0.25, 0.5)
SLOPE_AMPLITUDES = (0.06, 0.12, 0.25, 0.5, 1.0)
SCALE_DEVIATION = 0.3
AMPLITUDE_FACTOR = 2.0


@dataclass(frozen=True)
class FidelityLink:
    """Relation of a fidelity to the one below it.

    Attributes:
        level_scale: rho of the level.
        slope_scale: rho of the raw slope.
        level_amplitude: of the discrepancy of the level, decades.
        slope_amplitude: of the discrepancy of the raw slope, decades per 1000/K.
    """

    level_scale: float = 1.0
    slope_scale: float = 1.0
    level_amplitude: float = 0.12
    slope_amplitude: float = 0.25

    @property
    def log_hyperprior(self) -> float:
        """Log density, up to a constant: scales normal about one, amplitudes log-normal about the defaults."""
        typical = FidelityLink()
        scales = np.array([self.level_scale - typical.level_scale, self.slope_scale - typical.slope_scale])
        ratios = [self.level_amplitude / typical.level_amplitude, self.slope_amplitude / typical.slope_amplitude]
        amplitudes = np.log(ratios) / np.log(AMPLITUDE_FACTOR)
        return -0.5 * float(((scales / SCALE_DEVIATION) ** 2).sum() + (amplitudes**2).sum())


# In the order of the fields of a link.
GRIDS = (SCALES, SCALES, LEVEL_AMPLITUDES, SLOPE_AMPLITUDES)


@dataclass(frozen=True)
class MultiFidelityPrior:
    """Prior of level and raw slope at nodes: rows whose first column is the fidelity, the others the embedding.

    Attributes:
        lowest: prior of the lowest fidelity.
        links: of each higher fidelity to the one below it, in order.
        offset_std: deviation of the constant part of each discrepancy of the level, decades.
        Ea_offset_std_eV: deviation of the constant part of each discrepancy of the slope.
    """

    lowest: ArrheniusPrior
    links: tuple[FidelityLink, ...]
    offset_std: float
    Ea_offset_std_eV: float

    def means(self, count: int) -> tuple[FloatArray, FloatArray]:
        """Return the prior means of level and raw slope for a number of nodes N, both (N,)."""
        return self.lowest.means(count)

    def covariance(
        self, first: FloatArray, second: FloatArray, compound: FloatArray, *, amplitude: float
    ) -> FloatArray:
        """Return the prior covariance of (level, raw slope) between nodes, levels first, shape (2 n, 2 m).

        Args:
            first: nodes, shape (n, 1 + P).
            second: nodes, shape (m, 1 + P).
            compound: covariance of the compounds' systematic errors, decades^2, shape (n, m).
            amplitude: of the processes of the lowest fidelity, decades.
        """
        rows, columns = first[:, 0].astype(np.int64), second[:, 0].astype(np.int64)
        kernel = linear_rbf_kernel(first[:, 1:], second[:, 1:], amplitude=1.0, length_scale=self.lowest.length_scale)
        level = self._coregionalised(
            kernel,
            (rows, columns),
            scales=[link.level_scale for link in self.links],
            amplitudes=[amplitude, *(link.level_amplitude for link in self.links)],
            constants=[self.lowest.level_std, *[self.offset_std] * len(self.links)],
        )
        slope = self._coregionalised(
            kernel,
            (rows, columns),
            scales=[link.slope_scale for link in self.links],
            amplitudes=[amplitude, *(link.slope_amplitude for link in self.links)],
            constants=[
                self.lowest.Ea_std_eV / EV_PER_SLOPE,
                *[self.Ea_offset_std_eV / EV_PER_SLOPE] * len(self.links),
            ],
        )
        zero = np.zeros_like(kernel)
        return np.block([[level + compound, zero], [zero, slope]])

    @staticmethod
    def _coregionalised(
        kernel: FloatArray,
        fidelities: tuple[IntArray, IntArray],
        *,
        scales: list[float],
        amplitudes: list[float],
        constants: list[float],
    ) -> FloatArray:
        mixing = mixing_matrix(scales)
        rows, columns = mixing[fidelities[0]], mixing[fidelities[1]]
        shared = (rows * np.square(amplitudes)) @ columns.T
        constant = (rows * np.square(constants)) @ columns.T
        covariance: FloatArray = shared * kernel + constant
        return covariance

    def correlation(self, embedding: FloatArray, *, amplitude: float) -> tuple[FloatArray, FloatArray]:
        """Return the prior correlation of level and of raw slope between the fidelities of one material, both (F, F).

        Args:
            embedding: of the material, shape (P,).
            amplitude: of the processes of the lowest fidelity, decades.
        """
        count = 1 + len(self.links)
        rows = nodes(np.tile(embedding, (count, 1)), np.arange(count))
        covariance = self.covariance(rows, rows, np.zeros((count, count)), amplitude=amplitude)
        deviation = np.sqrt(np.diagonal(covariance))
        correlation = covariance / np.outer(deviation, deviation)
        return correlation[:count, :count], correlation[count:, count:]


def mixing_matrix(scales: list[float]) -> FloatArray:
    """Return the weights of the F independent processes in each fidelity, lower triangular, shape (F, F).

    Entry (f, j) is the product of the scales from fidelity j + 1 to f.

    Args:
        scales: rho of each fidelity above the lowest, F - 1 of them.
    """
    matrix = np.eye(len(scales) + 1)
    for lower, upper in pairwise(range(len(matrix))):
        matrix[upper, :upper] = scales[lower] * matrix[lower, :upper]
    return matrix


def nodes(embeddings: FloatArray, fidelity: IntArray) -> FloatArray:
    """Return materials in the view of a fidelity: the fidelity in front of each embedding, shape (N, 1 + P).

    Args:
        embeddings: shape (N, P).
        fidelity: index of the fidelity of each, 0 for the lowest, shape (N,).
    """
    return np.column_stack([fidelity.astype(np.float64), embeddings])


def fit_multi_fidelity_head(
    rows: FloatArray,
    labels: Labels,
    prior: MultiFidelityPrior,
    *,
    amplitude: float = TYPICAL_AMPLITUDE,
    noise: float = TYPICAL_NOISE,
    compound_errors: FloatArray | None = None,
) -> ArrheniusHead:
    """Fit a head on nodes; amplitude, noise and links maximise the evidence. With one fidelity it is `fit_head`.

    From the values given, each hyper-parameter in turn moves along its grid as long as the evidence grows, until none
    can move.

    Args:
        rows: the nodes, shape (N, 1 + P).
        labels: at least one label on these nodes.
        prior: with the links to start from.
        amplitude: to start from, of the grid.
        noise: to start from, of the grid.
        compound_errors: see `ArrheniusHead`, shape (N, C); zero if None.
    """
    if not prior.links:
        return fit_head(rows, labels, prior, compound_errors=compound_errors)

    def fitted(point: tuple[float, ...]) -> tuple[float, ArrheniusHead]:
        amplitude, noise, *rest = point
        links = _links(rest)
        head, evidence = fit_with_evidence(
            rows,
            labels,
            replace(prior, links=links),
            amplitude=amplitude,
            noise=noise,
            compound_errors=compound_errors,
        )
        density = log_hyperprior(amplitude, noise) + sum(link.log_hyperprior for link in links)
        return evidence + density, head

    grids = (AMPLITUDES, NOISES, *(GRIDS * len(prior.links)))
    point = (amplitude, noise, *(value for link in prior.links for value in astuple(link)))
    score, best = fitted(point)
    moved = True
    while moved:
        moved = False
        for place, step in product(range(len(grids)), (1, -1)):
            while (neighbour := _moved(point, grids, place, step)) is not None:
                trial, head = fitted(neighbour)
                if trial <= score:
                    break
                point, score, best, moved = neighbour, trial, head, True
    return best


def _links(values: Sequence[float]) -> tuple[FidelityLink, ...]:
    return tuple(FidelityLink(*values[begin : begin + len(GRIDS)]) for begin in range(0, len(values), len(GRIDS)))


def _moved(
    point: tuple[float, ...], grids: Sequence[Sequence[float]], place: int, step: int
) -> tuple[float, ...] | None:
    """Return the point with one coordinate moved along its grid, or None at the end of the grid."""
    position = grids[place].index(point[place]) + step
    if not 0 <= position < len(grids[place]):
        return None
    return (*point[:place], grids[place][position], *point[place + 1 :])
