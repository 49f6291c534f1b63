"""What ending a label when it is good enough does to its value, its interval and its cost, on motions of known D.

    python benchmarks/stopping.py [--replicas 200] [--mixed 120] [--only TEXT]

Every figure is one JSON line {name, value, unit, baseline, ratio}; baselines are measured in the same run. Runs of at
most 60 ps end at a standard error of 0.08 decades, after at least 4 ps. Seeds are fixed.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from estimator import CM2_PER_S, figure, truth_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
import walks

from vitrion_workflows.schemas import StopReason
from vitrion_workflows.transport import DiffusivityEstimate
from vitrion_workflows.transport.estimate import estimate_diffusivity as diffusivity
from vitrion_workflows.transport.gates import resolution
from vitrion_workflows.transport.stopping import StoppingRule

INTERVAL_PS = 0.04
RULE = StoppingRule(target_log10_stderr=0.08, least_ps=4.0, most_ps=60.0, frame_interval_ps=INTERVAL_PS)
FRAMES = round(RULE.most_ps / INTERVAL_PS) + 1
# The mixed set: log10 D in A^2/ps, and what 60 ps of 24 ions can measure within the target.
DECADES = (-3.0, 1.0)
MEASURABLE = 0.1
LENGTHS_PS = (8.0, 12.0, 18.0, 22.0, 26.0, 30.0, 36.0, 42.0, 48.0, 60.0)
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
    """How one run ended."""

    reason: StopReason
    length_ps: float
    estimate: DiffusivityEstimate


def end_of(path: np.ndarray) -> End:
    """Apply the rule to a run."""
    found: dict[int, DiffusivityEstimate] = {}

    def estimate_of(steps: int) -> DiffusivityEstimate:
        if steps not in found:
            found[steps] = diffusivity(path[: steps + 1], INTERVAL_PS)
        return found[steps]

    for look in RULE.looks:
        reason = RULE.reason(look, estimate_of, ions=path.shape[1])
        if reason is not None:
            return End(reason, look * INTERVAL_PS, estimate_of(look))
    return End(StopReason.MOST, RULE.most_ps, estimate_of(FRAMES - 1))


def suite(name: str, motion: Motion, known: float | None, replicas: int) -> None:
    """Value and interval of runs that chose their own end, beside those of the same runs at their mean length."""
    truth = (truth_of(name) if known is None else known) * CM2_PER_S
    rng = np.random.default_rng(2026)
    paths = [motion(rng) for _ in range(replicas)]
    ends = [end_of(path) for path in paths]
    mean_ps = float(np.mean([end.length_ps for end in ends]))
    fixed = [diffusivity(path[: round(mean_ps / INTERVAL_PS) + 1], INTERVAL_PS) for path in paths]
    values = np.array([end.estimate.value_cm2_per_s for end in ends]) / truth
    others = np.array([one.value_cm2_per_s for one in fixed]) / truth
    figure(f"{name}: mean over truth [same mean length, fixed]", float(values.mean()), "1", float(others.mean()))
    figure(f"{name}: standard error of that mean", float(values.std(ddof=1)) / np.sqrt(replicas), "1")
    for level, baseline in (("95", 0.95), ("68", 0.683)):
        bounds = [getattr(end.estimate, f"interval_{level}") for end in ends]
        figure(
            f"{name}: coverage {level}", float(np.mean([b and b[0] <= truth <= b[1] for b in bounds])), "1", baseline
        )
    deviation = np.array([np.log10(v) / end.estimate.log10_stderr for v, end in zip(values, ends, strict=True)])
    figure(f"{name}: deviations of log10 D in stated errors, rms", float(np.sqrt(np.mean(deviation**2))), "1", 1.0)
    figure(f"{name}: mean length", mean_ps, "ps", RULE.most_ps)
    figure(f"{name}: ended at the target", float(np.mean([e.reason is StopReason.TARGET for e in ends])), "1")


def frozen(replicas: int) -> None:
    """Cells in which nothing, or next to nothing, jumps: how soon they are given up, and whether the bound holds."""
    for D in (0.0, 0.003, 0.01):
        rng = np.random.default_rng(5)
        ends, bounds = [], []
        for _ in range(replicas):
            end = end_of(walks.caged_hops(rng, frames=FRAMES, ions=24, D=D, interval=INTERVAL_PS))
            seen = resolution(end.estimate, ions=24)
            ends.append(end)
            if end.reason is StopReason.HOPELESS:
                bounds.append(not seen.resolved and seen.upper_bound_cm2_per_s >= D * CM2_PER_S)
        name = f"next to frozen, D={D:g}"
        figure(f"{name}: given up", len(bounds) / replicas, "1")
        figure(f"{name}: mean length", float(np.mean([end.length_ps for end in ends])), "ps", RULE.most_ps)
        if bounds:
            figure(f"{name}: censored bounds above the truth", float(np.mean(bounds)), "1", 0.95)


def mixed(count: int) -> None:
    """A campaign's set, frozen to molten: D over four decades, even in the logarithm.

    Two readings of "a fixed length of equal error": the shortest length that brings as many labels to the target, and
    the one with the same root mean square error. The second is taken over the cells above `MEASURABLE`, which 60 ps
    can measure; the first over all and over those.
    """
    rng = np.random.default_rng(11)
    truths = 10 ** rng.uniform(*DECADES, size=count)
    paths = [walks.caged_hops(rng, frames=FRAMES, ions=24, D=D, interval=INTERVAL_PS) for D in truths]
    ends = [end_of(path) for path in paths]
    ours = [end.estimate for end in ends]
    used = np.array([end.length_ps for end in ends])
    fixed = {
        length: [diffusivity(path[: round(length / INTERVAL_PS) + 1], INTERVAL_PS) for path in paths]
        for length in LENGTHS_PS
    }
    for name, kept in {"all": truths > 0, "measurable": truths > MEASURABLE}.items():

        def at_target(estimates: list[DiffusivityEstimate], kept: np.ndarray = kept) -> float:
            good = [
                one.log10_stderr <= RULE.target_log10_stderr and resolution(one, ions=24).resolved for one in estimates
            ]
            return float(np.mean(np.array(good)[kept]))

        shares = {length: at_target(estimates) for length, estimates in fixed.items()}
        for length, share in shares.items():
            figure(f"mixed set, {name}: labels at the target, all runs {length:g} ps", share, "1")
        figure(f"mixed set, {name}: labels at the target, runs that end themselves", at_target(ours), "1")
        enough = [length for length, share in shares.items() if share >= min(at_target(ours), max(shares.values()))]
        mean_ps = float(used[kept].mean())
        figure(f"mixed set, {name}: mean length [shortest fixed with as many at the target]", mean_ps, "ps", enough[0])
        figure(f"mixed set, {name}: mean length [longest]", mean_ps, "ps", RULE.most_ps)

    kept = truths > MEASURABLE

    def rms(estimates: list[DiffusivityEstimate]) -> float:
        values = np.array([one.value_cm2_per_s for one in estimates])[kept]
        return float(np.sqrt(np.mean(np.log10(np.maximum(values, 1e-9) / truths[kept] / CM2_PER_S) ** 2)))

    errors = [rms(estimates) for estimates in fixed.values()]
    for length, error in zip(fixed, errors, strict=True):
        figure(f"mixed set, measurable: rms error of log10 D, all runs {length:g} ps", error, "decades")
    figure("mixed set, measurable: rms error of log10 D, runs that end themselves", rms(ours), "decades")
    equal = float(np.interp(-np.log(rms(ours)), -np.log(np.minimum.accumulate(errors)), LENGTHS_PS))
    mean_ps = float(used[kept].mean())
    figure("mixed set, measurable: mean length [fixed length of the same rms error]", mean_ps, "ps", equal)
    given_up = float(np.mean([end.reason is StopReason.HOPELESS for end in ends]))
    figure("mixed set, all: given up as frozen", given_up, "1")


def main() -> None:
    """Run all suites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=200)
    parser.add_argument("--mixed", type=int, default=120)
    parser.add_argument("--only", default="", help="suites whose name holds this text, without the mixed set")
    options = parser.parse_args()
    if not options.only:
        mixed(options.mixed)
        frozen(options.replicas // 2)
    for name, (motion, known) in SUITES.items():
        if options.only in name:
            suite(name, motion, known, options.replicas)


if __name__ == "__main__":
    main()
