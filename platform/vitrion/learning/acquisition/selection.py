"""Selection of a batch from the pool, and the temperature of each label."""

from collections.abc import Sequence

import numpy as np

from vitrion.database.records import Arm, Proposal
from vitrion.learning.acquisition.forecast import Forecast
from vitrion.learning.acquisition.functions import Predictions, choose_batch, choose_random
from vitrion.learning.acquisition.pool import Candidate
from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_models.system import FloatArray

SAME_COMPOSITION_CORRELATION = 0.9
SHRINKAGE_MEMBERS = 4.0
RESOLVED_MSD_A2 = 3.0


def resolvable_log10_D(production_ps: float) -> float:
    """Return the smallest log10 D (cm2/s) that a run can resolve: D = MSD / 6t with an MSD of 3 A2 at its end."""
    return float(np.log10(RESOLVED_MSD_A2 / (6.0 * production_ps) * A2_PER_PS_IN_CM2_PER_S))


def label_temperature(forecast: Forecast, column: int, candidate: Candidate, *, floor_log10_D: float) -> float | None:
    """Return the temperature at which to label a candidate, K, or None when all were proposed already.

    Temperatures near the target are most informative, provided D is large enough to resolve: of the temperatures not
    proposed yet, the nearest to the target whose predicted D lies above the floor, or the hottest where none does. The
    uncorrected D counts, since it is the potential's run that must resolve it.

    Args:
        forecast: predictions for the pool.
        column: of the candidate in them.
        candidate: the candidate.
        floor_log10_D: smallest log10 D (cm2/s) that a run can resolve.
    """
    target = forecast.temperatures_K[forecast.target_index]
    rows = [row for row, kelvin in enumerate(forecast.temperatures_K) if kelvin not in candidate.proposed_K]
    if not rows:
        return None
    resolvable = [row for row in rows if forecast.mean[row, column] > floor_log10_D]
    row = min(resolvable or rows[-1:], key=lambda index: abs(forecast.temperatures_K[index] - target))
    return float(forecast.temperatures_K[row])


def label_correlation(members: FloatArray, formulas: Sequence[str]) -> FloatArray:
    """Return the prior correlation between labels of the candidates, shape (C, C).

    The correlation over the ensemble, shrunk towards zero because a few members overstate it, and at least 0.9 between
    cells of one composition.

    Args:
        members: log10 D by ensemble member, shape (M, C).
        formulas: reduced formula of each candidate.
    """
    count = members.shape[0]
    centred = members - members.mean(axis=0)
    scale = np.maximum(np.sqrt((centred**2).sum(axis=0)), 1e-12)
    sample = np.clip((centred / scale).T @ (centred / scale), 0.0, 1.0) * count / (count + SHRINKAGE_MEMBERS)
    names = np.array(formulas)
    same = names[:, None] == names[None, :]
    correlation: FloatArray = np.where(same, np.maximum(sample, SAME_COMPOSITION_CORRELATION), sample)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def choose_proposals(
    pool: Sequence[Candidate],
    forecast: Forecast,
    *,
    function: str,
    exploration: float,
    incumbent: float | None,
    label_noise: float,
    batch: int,
    random: int,
    floor_log10_D: float,
    seed: int,
) -> tuple[Proposal, ...]:
    """Choose a batch: first the random arm's share, then the best of the rest by the acquisition function.

    The random arm draws from the whole pool and without regard to the acquisition, so that it stays an unbiased
    control; both arms take the temperature by the same rule (`label_temperature`), so that they stay comparable.

    Args:
        pool: candidates with at least one temperature left.
        forecast: predictions for them.
        function: name of the acquisition function.
        exploration: weight of exploration.
        incumbent: best corrected mean among the labelled candidates at the target temperature, log10 D.
        label_noise: expected statistical standard error of a label, decades.
        batch: number of labels.
        random: number of them by the random arm.
        floor_log10_D: smallest log10 D (cm2/s) that a run can resolve.
        seed: of both arms.
    """
    random_arm = choose_random(min(random, len(pool)), len(pool), seed=seed)
    rest = [index for index in range(len(pool)) if index not in random_arm]
    picks: list[tuple[int, float]] = []
    if rest:
        members = forecast.members[:, rest]
        predictions = Predictions(
            samples=members,
            deviation=forecast.std[forecast.target_index, rest],
            incumbent=incumbent,
            label_noise=label_noise,
            model_offset=forecast.model_offset[rest],
            model_deviation=forecast.model_std[rest],
        )
        picks = choose_batch(
            function,
            predictions,
            count=batch - len(random_arm),
            exploration=exploration,
            correlation=label_correlation(members, [pool[index].formula for index in rest]),
            seed=seed,
        )
    chosen: list[tuple[int, float | None]] = [(index, None) for index in random_arm]
    chosen += [(rest[index], value) for index, value in picks]
    return tuple(
        _propose(pool[index], forecast, index, value=value, function=function, floor_log10_D=floor_log10_D)
        for index, value in chosen
    )


def _propose(
    candidate: Candidate,
    forecast: Forecast,
    column: int,
    *,
    value: float | None,
    function: str,
    floor_log10_D: float,
) -> Proposal:
    kelvin = label_temperature(forecast, column, candidate, floor_log10_D=floor_log10_D)
    if kelvin is None:
        raise ValueError(f"{candidate.formula} {candidate.fingerprint} has no temperature left")
    row = int(np.flatnonzero(forecast.temperatures_K == kelvin)[0])
    return Proposal(
        formula=candidate.formula,
        source_fingerprint=candidate.fingerprint,
        structure_fingerprint=candidate.fingerprint if candidate.is_cell else None,
        temperature_K=kelvin,
        arm=Arm.RANDOM if value is None else Arm.ACQUISITION,
        acquisition_function="" if value is None else function,
        acquisition=value,
        predicted_log10_D=float(forecast.mean[row, column]),
        predicted_std=float(forecast.std[row, column]),
        model_offset=float(forecast.model_offset[column]),
        model_std=float(forecast.model_std[column]),
    )
