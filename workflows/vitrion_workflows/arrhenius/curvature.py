"""Curvature of labels in an Arrhenius plot."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from vitrion_workflows.arrhenius.posterior import PRIOR_SCATTER_DECADES, SCATTER_NODES, Evidence

FEWEST_TEMPERATURES = 3
# Prior deviation: curvatures of a decade over the labels' range are as large as observed.
PRIOR_DECADES = 1.0
CURVED_P = 0.05


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
