"""The pool: what could be labelled next, and at which temperature."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion.database.records import Arm, Proposal
from vitrion.learning.acquisition.functions import Beliefs, choose_batch, choose_random
from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_models.surrogates import Material
from vitrion_models.system import FloatArray

SAME_COMPOSITION_KINSHIP = 0.9
SHRINKAGE_MEMBERS = 4.0
RESOLVED_MSD_A2 = 3.0


@dataclass(frozen=True, eq=False)
class Candidate:
    """Something that can be labelled.

    Attributes:
        formula: reduced formula.
        fingerprint: the crystal whose cell is still to be made (None where only the composition is known), or an
            accepted amorphous cell.
        is_cell: whether it is a cell.
        material: what the surrogate is asked about: the cell, the crystal, or the composition.
        asked_K: temperatures already asked for.
    """

    formula: str
    fingerprint: str | None
    is_cell: bool
    material: Material
    asked_K: frozenset[float]


@dataclass(frozen=True, eq=False)
class Forecast:
    """The surrogate's answers for a pool: rows are temperatures, columns candidates.

    Attributes:
        temperatures_K: temperatures labels may be made at, ascending, shape (T,).
        mean: log10 D, shape (T, C).
        std: predictive deviation in decades, shape (T, C).
        members: log10 D at the target temperature by ensemble member, shape (M, C).
        target_index: row of the target temperature.
        model_offset: what the labels' potential is off by on average at the target temperature, decades, shape (C,).
        model_std: deviation of that, decades, shape (C,).
    """

    temperatures_K: FloatArray
    mean: FloatArray
    std: FloatArray
    members: FloatArray
    target_index: int
    model_offset: FloatArray
    model_std: FloatArray

    @property
    def nature(self) -> FloatArray:
        """Mean log10 D of nature at the target temperature, shape (C,)."""
        found: FloatArray = self.mean[self.target_index] - self.model_offset
        return found


def resolvable_log10_D(production_ps: float) -> float:
    """Smallest log10 D (cm2/s) that a run can be expected to resolve: an MSD of 3 A2 at its end, D = MSD / 6t."""
    return float(np.log10(RESOLVED_MSD_A2 / (6.0 * production_ps) * A2_PER_PS_IN_CM2_PER_S))


def label_temperature(forecast: Forecast, column: int, candidate: Candidate, *, floor_log10_D: float) -> float | None:
    """Temperature at which to label a candidate.

    The nearest to the target is the most telling, but a run that cannot resolve the diffusivity tells little: the
    coldest temperature not asked yet whose expected D lies above the floor, else the hottest not asked yet. It is the
    potential's own D that its run must resolve, not nature's.

    Returns:
        K, or None when every temperature was asked already.
    """
    target = forecast.temperatures_K[forecast.target_index]
    rows = [row for row, kelvin in enumerate(forecast.temperatures_K) if kelvin not in candidate.asked_K]
    if not rows:
        return None
    resolved = [row for row in rows if forecast.mean[row, column] > floor_log10_D]
    row = min(resolved or rows[-1:], key=lambda index: abs(forecast.temperatures_K[index] - target))
    return float(forecast.temperatures_K[row])


def kinship(members: FloatArray, formulas: Sequence[str]) -> FloatArray:
    """How strongly a label of one candidate tells of another, shape (C, C).

    The ensemble's own correlation, shrunk towards none because a handful of members overstates it, and at least 0.9
    between cells of one composition.
    """
    count = members.shape[0]
    centred = members - members.mean(axis=0)
    scale = np.maximum(np.sqrt((centred**2).sum(axis=0)), 1e-12)
    correlation = np.clip((centred / scale).T @ (centred / scale), 0.0, 1.0) * count / (count + SHRINKAGE_MEMBERS)
    names = np.array(formulas)
    same = names[:, None] == names[None, :]
    kin: FloatArray = np.where(same, np.maximum(correlation, SAME_COMPOSITION_KINSHIP), correlation)
    np.fill_diagonal(kin, 1.0)
    return kin


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
    """A batch: the random arm's share first, then what the acquisition function wants of the rest.

    The random arm chooses its cells from the whole pool, before and without regard to the acquisition, so that it
    stays an unbiased control; the temperature follows one rule (`label_temperature`) in both arms, so that they are
    compared at like temperatures.

    Args:
        pool: candidates with at least one temperature left.
        forecast: the surrogate's answers for them.
        function: name of the acquisition function.
        exploration: its weight.
        incumbent: best mean of nature of what was labelled, at the target temperature.
        label_noise: expected statistical standard error of a label in decades.
        batch: labels in all.
        random: of them by the random arm.
        floor_log10_D: what a run can resolve.
        seed: of both arms.
    """
    by_chance = choose_random(min(random, len(pool)), len(pool), seed=seed)
    rest = [index for index in range(len(pool)) if index not in by_chance]
    chosen: list[tuple[int, float | None]] = [(index, None) for index in by_chance]
    wanted: list[tuple[int, float | None]] = []
    if rest:
        members = forecast.members[:, rest]
        beliefs = Beliefs(
            samples=members,
            deviation=forecast.std[forecast.target_index, rest],
            incumbent=incumbent,
            label_noise=label_noise,
            model_offset=forecast.model_offset[rest],
            model_deviation=forecast.model_std[rest],
        )
        kin = kinship(members, [pool[index].formula for index in rest])
        picks = choose_batch(function, beliefs, count=batch - len(chosen), margin=exploration, kinship=kin, seed=seed)
        wanted = [(rest[index], value) for index, value in picks]
    return tuple(
        _propose(pool[index], forecast, index, value=value, function=function, floor_log10_D=floor_log10_D)
        for index, value in [*chosen, *wanted]
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
