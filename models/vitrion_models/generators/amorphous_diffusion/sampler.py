"""Stochastic sampler: from uniform coordinates down the noise levels to a glass."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from vitrion_models.generators.amorphous_diffusion.guidance import Guidance
from vitrion_models.generators.amorphous_diffusion.schedule import NoiseSchedule
from vitrion_models.system import AtomicSystem, FloatArray, IntArray

FINAL_MOVES = 20

Score = Callable[[Sequence[AtomicSystem], float], list[FloatArray]]
"""Cells and their noise (Angstrom) -> scaled score sigma grad log p of each, shape (N, 3)."""


def sample_cells(
    score: Score,
    *,
    numbers: IntArray,
    lattice_A: FloatArray,
    schedule: NoiseSchedule,
    steps: int,
    churn: float,
    guidance: Sequence[Guidance],
    count: int,
    seed: int,
) -> list[AtomicSystem]:
    """Draw cells by the stochastic sampler of Karras et al. (arXiv 2206.00364, algorithm 2), first order, on the torus.

    With dx/dsigma = -sigma grad log p(x; sigma) = -F, each step first raises the noise from sigma to sigma (1 + churn)
    with fresh Gaussian noise, then goes straight down to the next level; the last step goes to zero noise by Tweedie's
    formula x0 = x + sigma F. Guidance moves that clean estimate and so changes F. One evaluation a step: at equal
    evaluations more levels with fresh noise gave better glasses than Heun's second order (docs/design/generator.md).

    Args:
        score: the denoiser.
        numbers: atomic numbers, shape (N,).
        lattice_A: lattice vectors as rows, Angstrom, shape (3, 3).
        schedule: noise range of this cell.
        steps: noise levels.
        churn: relative increase of the noise before each step.
        guidance: moves of the clean estimate, applied in order.
        count: number of cells.
        seed: cell k takes its noise from the stream (seed, k), independent of the count.
    """
    streams = [np.random.default_rng([seed, index]) for index in range(count)]
    cells = [AtomicSystem(numbers, stream.random((len(numbers), 3)) @ lattice_A, lattice_A) for stream in streams]
    levels = [float(level) for level in schedule.levels_A(steps)]
    for level, following in zip(levels, [*levels[1:], 0.0], strict=True):
        raised = min(level * (1.0 + churn), schedule.sigma_max_A) if following else level
        spread = np.sqrt(max(raised**2 - level**2, 0.0))
        cells = [_moved(c, spread * s.standard_normal((len(c), 3))) for c, s in zip(cells, streams, strict=True)]
        slopes = _guided(score, cells, raised, guidance)
        cells = [_moved(c, (raised - following) * f) for c, f in zip(cells, slopes, strict=True)]
    return [_finished(cell, guidance) for cell in cells]


def _guided(
    score: Score, cells: Sequence[AtomicSystem], sigma_A: float, guidance: Sequence[Guidance]
) -> list[FloatArray]:
    """Return the scaled score of each cell after every guidance has moved the clean estimate."""
    guided = []
    for cell, raw in zip(cells, score(cells, sigma_A), strict=True):
        estimate = _moved(cell, sigma_A * raw)
        for move in guidance:
            estimate = _moved(estimate, move(estimate, sigma_A))
        guided.append((estimate.positions_A - cell.positions_A) / sigma_A)
    return guided


def _finished(cell: AtomicSystem, guidance: Sequence[Guidance]) -> AtomicSystem:
    # Guidance at zero noise until it converges: it was applied only once to the last estimate.
    for _ in range(FINAL_MOVES):
        for move in guidance:
            cell = _moved(cell, move(cell, 0.0))
    return replace(cell, positions_A=cell.fractional @ cell.lattice_A)


def _moved(cell: AtomicSystem, displacements_A: FloatArray) -> AtomicSystem:
    return replace(cell, positions_A=cell.positions_A + displacements_A)
