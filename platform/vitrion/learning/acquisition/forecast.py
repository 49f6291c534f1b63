"""Predictions of the surrogate for a pool of candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion.learning.acquisition.pool import Candidate, elements_of
from vitrion_models.surrogates import TrainedSurrogate
from vitrion_models.system import FloatArray
from vitrion_workflows.model_error.effects import case_of
from vitrion_workflows.model_error.model_errors import ModelErrors

MEMBER_DRAWS = 64


@dataclass(frozen=True, eq=False)
class Forecast:
    """Predictions for C candidates at T temperatures by M ensemble members.

    Attributes:
        temperatures_K: temperatures at which cells may be labelled, ascending, shape (T,).
        mean: log10 D (cm2/s) that the labelling potential would give, shape (T, C).
        std: predictive standard deviation, decades, shape (T, C).
        members: log10 D at the target temperature by ensemble member, shape (M, C).
        target_index: row of the target temperature.
        model_offset: mean error of the potential at the target temperature, decades, shape (C,).
        model_std: standard deviation of that error, decades, shape (C,).
    """

    temperatures_K: FloatArray
    mean: FloatArray
    std: FloatArray
    members: FloatArray
    target_index: int
    model_offset: FloatArray
    model_std: FloatArray

    @property
    def corrected(self) -> FloatArray:
        """Mean log10 D at the target temperature, corrected by the mean error of the potential, shape (C,)."""
        corrected: FloatArray = self.mean[self.target_index] - self.model_offset
        return corrected


def forecast(
    surrogate: TrainedSurrogate,
    pool: Sequence[Candidate],
    *,
    temperatures_K: Sequence[float],
    target_K: float,
    errors: ModelErrors,
    seed: int,
) -> Forecast:
    """Predict log10 D of a pool at every temperature, and the error of its potential at the target temperature.

    Args:
        surrogate: the promoted one.
        pool: candidates.
        temperatures_K: ascending; `target_K` is one of them.
        target_K: temperature at which candidates are ranked.
        errors: systematic error of the labelling potential.
        seed: of the draws from the ensemble.
    """
    systems = [candidate.material for candidate in pool]
    shape = (len(temperatures_K), len(pool))
    # One call for all temperatures: the graph of each cell is evaluated once.
    prediction = surrogate.predict(systems * shape[0], np.repeat(np.array(temperatures_K, dtype=float), shape[1]))
    model_errors = errors.of_cases([case_of(entry.formula, elements_of(entry.formula), target_K) for entry in pool])
    return Forecast(
        temperatures_K=np.array(temperatures_K, dtype=float),
        mean=prediction.mean.reshape(shape),
        std=prediction.std.reshape(shape),
        members=surrogate.predict_members(systems, target_K, samples=MEMBER_DRAWS, seed=seed),
        target_index=list(temperatures_K).index(target_K),
        model_offset=np.array([error.offset_decades for error in model_errors]),
        model_std=np.array([error.stderr_decades for error in model_errors]),
    )
