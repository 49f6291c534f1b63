"""Effect of the stopping rule on the value, interval and cost of a label, on motions of known D.

    python benchmarks/stopping.py [--replicas 200] [--mixed 120] [--only TEXT] [--seed 20261121]

Every figure is one JSON line {name, value, unit, baseline, ratio}; baselines are measured in the same run. Runs of at
most 60 ps end at a standard error of 0.08 decades, after at least 4 ps. Seeds are fixed; the rule was chosen on others.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from estimator import A2_PER_PS_IN_CM2_PER_S, truth_of
from figures import emit

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
import walks

from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate
from vitrion_workflows.diffusivity.estimate import estimate_diffusivity as diffusivity
from vitrion_workflows.diffusivity.gates import resolution
from vitrion_workflows.labelling.stopping import StoppingRule
from vitrion_workflows.schemas import StopReason

INTERVAL_PS = 0.04
RULE = StoppingRule(target_log10_stderr=0.08, least_ps=4.0, most_ps=60.0, frame_interval_ps=INTERVAL_PS)
FRAMES = round(RULE.most_ps / INTERVAL_PS) + 1
MIXED, FROZEN = "mixed set", "next to frozen"
# The mixed set: log10 D in A^2/ps, and what 60 ps of 24 ions can measure within the target.
DECADES = (-3.0, 1.0)
MEASURABLE = 0.1
LENGTHS_PS = tuple(np.geomspace(8.0, RULE.most_ps, 15).tolist())
# A run in which nothing rose, in A^2/ps.
SMALLEST = 1e-5
Motion = Callable[[np.random.Generator], np.ndarray]
SUITES: dict[str, tuple[Motion, float | None]] = {
    "brownian 24 ions D=0.5": (lambda r: walks.brownian(r, frames=FRAMES, ions=24, D=0.5, interval=INTERVAL_PS), 0.5),
    "brownian 8 ions D=0.5": (lambda r: walks.brownian(r, frames=FRAMES, ions=8, D=0.5, interval=INTERVAL_PS), 0.5),
    **{
        f"cage and hops D={D:g}": (
            lambda r, D=D: walks.caged_hops(r, frames=FRAMES, ions=24, D=D, interval=INTERVAL_PS),
            D,
        )
        for D in (3.0, 1.0, 0.3, 0.15)
    },
    "soft cage (0.5 A, 0.2 ps), D=0.5": (
        lambda r: walks.caged_hops(r, frames=FRAMES, ions=24, D=0.5, interval=INTERVAL_PS, memory=0.2, amplitude=0.5),
        0.5,
    ),
    "vacancy gas (25 % empty)": (
        lambda r: walks.vacancy_gas(r, frames=FRAMES, sites=4, vacancies=16, rate=0.15, interval=INTERVAL_PS),
        None,
    ),
    "two populations 10:1": (
        lambda r: walks.two_populations(r, frames=FRAMES, ions=24, D=0.5, interval=INTERVAL_PS),
        0.5,
    ),
}


@dataclass(frozen=True)
class End:
    """End of one run."""

    reason: StopReason
    length_ps: float
    estimate: DiffusivityEstimate


def end_of(path: np.ndarray) -> End:
    """Apply the rule to a run."""
    estimates: dict[int, DiffusivityEstimate] = {}

    def estimate_of(steps: int) -> DiffusivityEstimate:
        if steps not in estimates:
            estimates[steps] = diffusivity(path[: steps + 1], INTERVAL_PS)
        return estimates[steps]

    for look in RULE.looks:
        reason = RULE.reason(look, estimate_of, ions=path.shape[1])
        if reason is not None:
            return End(reason, look * INTERVAL_PS, estimate_of(look))
    return End(StopReason.MOST, RULE.most_ps, estimate_of(FRAMES - 1))


def suite(name: str, motion: Motion, exact_D: float | None, replicas: int, seed: int) -> None:
    """Print value and interval of runs ended by the rule, beside those of the same runs at their mean length."""
    truth = (truth_of(name) if exact_D is None else exact_D) * A2_PER_PS_IN_CM2_PER_S
    rng = np.random.default_rng(seed)
    paths = [motion(rng) for _ in range(replicas)]
    ends = [end_of(path) for path in paths]
    mean_ps = float(np.mean([end.length_ps for end in ends]))
    fixed = [diffusivity(path[: round(mean_ps / INTERVAL_PS) + 1], INTERVAL_PS) for path in paths]
    values = np.array([end.estimate.value_cm2_per_s for end in ends]) / truth
    others = np.array([one.value_cm2_per_s for one in fixed]) / truth
    emit(f"{name}: mean over truth [same mean length, fixed]", float(values.mean()), "1", float(others.mean()))
    emit(f"{name}: standard error of that mean", float(values.std(ddof=1)) / np.sqrt(replicas), "1")
    for level, baseline in (("95", 0.95), ("68", 0.683)):
        bounds = [getattr(end.estimate, f"interval_{level}") for end in ends]
        emit(f"{name}: coverage {level} [nominal]", _coverage(bounds, truth), "1", baseline)
        others_bounds = [getattr(one, f"interval_{level}") for one in fixed]
        emit(f"{name}: coverage {level}, same mean length, fixed", _coverage(others_bounds, truth), "1", baseline)
    deviation = np.array([np.log10(v) / end.estimate.log10_stderr for v, end in zip(values, ends, strict=True)])
    emit(f"{name}: deviations of log10 D in stated errors, rms", float(np.sqrt(np.mean(deviation**2))), "1", 1.0)
    apart = np.array([np.log10(one.value_cm2_per_s / truth) / one.log10_stderr for one in fixed])
    emit(f"{name}: the same, same mean length, fixed", float(np.sqrt(np.mean(apart**2))), "1", 1.0)
    emit(f"{name}: mean length", mean_ps, "ps", RULE.most_ps)
    emit(f"{name}: ended at the target", float(np.mean([e.reason is StopReason.TARGET for e in ends])), "1")


def _coverage(bounds: list[tuple[float, float] | None], truth: float) -> float:
    return float(np.mean([bound is not None and bound[0] <= truth <= bound[1] for bound in bounds]))


def frozen(replicas: int) -> None:
    """Cells in which nothing, or next to nothing, jumps: how soon they are given up, and whether the bound holds."""
    for D in (0.0, 0.003, 0.01):
        rng = np.random.default_rng(5)
        ends, bounds = [], []
        for _ in range(replicas):
            end = end_of(walks.caged_hops(rng, frames=FRAMES, ions=24, D=D, interval=INTERVAL_PS))
            displacement = resolution(end.estimate, ions=24)
            ends.append(end)
            if end.reason is StopReason.HOPELESS:
                bounds.append(
                    not displacement.resolved and displacement.upper_bound_cm2_per_s >= D * A2_PER_PS_IN_CM2_PER_S
                )
        name = f"{FROZEN}, D={D:g}"
        emit(f"{name}: given up", len(bounds) / replicas, "1")
        emit(f"{name}: mean length", float(np.mean([end.length_ps for end in ends])), "ps", RULE.most_ps)
        if bounds:
            emit(f"{name}: censored bounds above the truth", float(np.mean(bounds)), "1", 0.95)


def mixed(count: int, seed: int) -> None:
    """A campaign's set, frozen to molten: D over four decades, even in the logarithm.

    Three readings of "a fixed length of equal error": the shortest length that brings as many labels to the target,
    the one whose errors are as small in nine of ten labels, and the one with the same root mean square error. The last
    two are taken over the cells above `MEASURABLE`, which 60 ps can measure; the first over all and over those.
    """
    rng = np.random.default_rng(seed)
    truths = 10 ** rng.uniform(*DECADES, size=count)
    runs = [_mixed_run(rng, D) for D in truths]
    used, given_up = np.array([(length_ps, reason is StopReason.HOPELESS) for reason, length_ps, _, _ in runs]).T
    ours, fixed = np.array([own for _, _, own, _ in runs]), np.array([each for _, _, _, each in runs])
    emit(f"{MIXED}, all: given up as frozen", float(given_up.mean()), "1")
    for name, kept in {"all": truths > 0, "measurable": truths > MEASURABLE}.items():
        emit(f"{MIXED}, {name}: cells", float(kept.sum()), "1")
        shares, own = fixed[kept, :, 1].mean(axis=0), float(ours[kept, 1].mean())
        for length, share in zip(LENGTHS_PS, shares, strict=True):
            emit(f"{MIXED}, {name}: labels at the target, all runs {length:.3g} ps", float(share), "1")
        emit(f"{MIXED}, {name}: labels at the target, runs that end themselves", own, "1")
        mean_ps = float(used[kept].mean())
        enough = LENGTHS_PS[int(np.argmax(shares >= min(own, shares.max())))]
        emit(f"{MIXED}, {name}: mean length [shortest fixed with as many at the target]", mean_ps, "ps", enough)
        emit(f"{MIXED}, {name}: mean length [longest]", mean_ps, "ps", RULE.most_ps)
    readings = {
        "error of nine in ten": lambda errors: np.quantile(np.abs(errors), 0.9, axis=0),
        "rms error": lambda errors: np.sqrt(np.mean(errors**2, axis=0)),
    }
    for name, reading in readings.items():
        errors, own = reading(fixed[kept, :, 0]), float(reading(ours[kept, 0]))
        for length, error in zip(LENGTHS_PS, errors, strict=True):
            emit(f"{MIXED}, measurable: {name}, all runs {length:.3g} ps", float(error), "decades")
        emit(f"{MIXED}, measurable: {name}, runs that end themselves", own, "decades")
        equal = float(np.interp(-own, -np.minimum.accumulate(errors), LENGTHS_PS))
        emit(f"{MIXED}, measurable: mean length [fixed length of the same {name}]", mean_ps, "ps", equal)


Said = tuple[float, bool]


def _mixed_run(rng: np.random.Generator, D: float) -> tuple[StopReason, float, Said, list[Said]]:
    """Why and when a run ends itself; error in decades and whether it is at the target, there and at `LENGTHS_PS`."""
    path = walks.caged_hops(rng, frames=FRAMES, ions=24, D=D, interval=INTERVAL_PS)

    def said(estimate: DiffusivityEstimate) -> Said:
        error = float(np.log10(max(estimate.value_cm2_per_s / A2_PER_PS_IN_CM2_PER_S, SMALLEST) / D))
        return error, estimate.log10_stderr <= RULE.target_log10_stderr and resolution(estimate, ions=24).resolved

    end = end_of(path)
    each = [said(diffusivity(path[: round(length / INTERVAL_PS) + 1], INTERVAL_PS)) for length in LENGTHS_PS]
    return end.reason, end.length_ps, said(end.estimate), each


def main() -> None:
    """Run all suites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=200)
    parser.add_argument("--mixed", type=int, default=120)
    parser.add_argument("--only", default="", help="what holds this text in its name")
    parser.add_argument("--seed", type=int, default=20261121)
    options = parser.parse_args()
    if options.only in MIXED:
        mixed(options.mixed, options.seed)
    if options.only in FROZEN:
        frozen(options.replicas // 2)
    for name, (motion, exact_D) in SUITES.items():
        if options.only in name:
            suite(name, motion, exact_D, options.replicas, options.seed)


if __name__ == "__main__":
    main()
