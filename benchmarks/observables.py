"""Coverage of what lies beyond the scalar: tensor, collective diffusivity, Haven ratio, Green-Kubo, on exact motions.

    python benchmarks/observables.py [--replicas 100]

One JSON line a figure {name, value, unit, baseline, ratio}: processor time of what a label carries, then the share of
intervals that hold the truth beside the stated share, the mean over the truth beside one, and the stated error beside
the scatter.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from estimator import CM2_PER_S, figure

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
import walks

from vitrion_workflows.dynamics.trajectory import Trajectory
from vitrion_workflows.schemas import FrameworkState
from vitrion_workflows.transport import (
    collective_diffusivity,
    diffusivity,
    diffusivity_tensor,
    green_kubo,
    haven_ratio,
    velocity_correlation,
)
from vitrion_workflows.transport.framework import Framework
from vitrion_workflows.transport.motion import motion_of

Motion = Callable[[np.random.Generator], np.ndarray]
FRAMES, IONS = 601, 24
LANGEVIN = {"mass": 6.94, "temperature": 1000.0, "friction": 20.0}
LANGEVIN_D = walks.BOLTZMANN * 1000.0 / 6.94 / 20.0
# A lattice gas has no correlation in its sum: rate x pairs of ion and vacancy x a^2 / (6 N).
VACANCY_D = 0.15 * (6 * 16 * 48 / 63) * 9 / (6 * 48)
TENSOR = np.array([[1.0, 0.3, 0.1], [0.3, 0.5, -0.05], [0.1, -0.05, 0.2]])

# name -> (motion, frame interval in ps, tracer D, collective D in A^2/ps); None where it is not known in closed form.
SUITES: dict[str, tuple[Motion, float, float | None, float]] = {
    "brownian": (lambda r: walks.brownian(r, frames=FRAMES, ions=IONS, D=0.5, interval=0.02), 0.02, 0.5, 0.5),
    "langevin": (
        lambda r: walks.langevin(r, frames=FRAMES, ions=IONS, interval=0.02, **LANGEVIN),
        0.02,
        LANGEVIN_D,
        LANGEVIN_D,
    ),
    "groups of four": (
        lambda r: walks.groups(r, frames=FRAMES, ions=IONS, D=0.5, interval=0.02, size=4),
        0.02,
        0.5,
        2.0,
    ),
    "cage and jumps": (lambda r: walks.caged_hops(r, frames=FRAMES, ions=IONS, D=0.5, interval=0.02), 0.02, 0.5, 0.5),
    "soft cage, rare jumps": (
        lambda r: walks.caged_hops(r, frames=FRAMES, ions=IONS, D=0.1, interval=0.02, memory=0.2),
        0.02,
        0.1,
        0.1,
    ),
    "lattice gas, 25 % empty": (
        lambda r: walks.vacancy_gas(r, frames=FRAMES, sites=4, vacancies=16, rate=0.15, interval=0.05),
        0.05,
        None,
        VACANCY_D,
    ),
}


def report(name: str, truth: float, found: list[tuple[float, float, tuple[float, float] | None]]) -> None:
    """Bias, scatter and coverage of values with stated errors and 95 % intervals."""
    values = np.array([value for value, _, _ in found]) / truth
    inside = [interval[0] <= truth <= interval[1] for _, _, interval in found if interval]
    figure(f"{name}: mean over truth", float(values.mean()), "1", 1.0)
    stated = float(np.mean([error for _, error, _ in found])) / truth
    figure(f"{name}: stated error over truth [scatter]", stated, "1", float(values.std()))
    if inside:
        figure(f"{name}: coverage 95, of {len(inside)} of {len(found)}", float(np.mean(inside)), "1", 0.95)


def tensor(replicas: int) -> None:
    """Elements and principal values of an anisotropic walk, and how often an isotropic one is called anisotropic."""
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(TENSOR)
    truth, principal, called = TENSOR * CM2_PER_S, np.linalg.eigvalsh(TENSOR)[::-1] * CM2_PER_S, []
    elements, values = [], []
    for _ in range(replicas):
        walk = walks.brownian(rng, frames=FRAMES, ions=IONS, D=1.0, interval=0.02)
        called.append(diffusivity_tensor(walk, diffusivity(walk, 0.02)).isotropic_p < 0.05)
        path = walk @ root.T
        found = diffusivity_tensor(path, diffusivity(path, 0.02))
        elements.append((found.tensor_cm2_per_s - truth) / found.stderr_cm2_per_s)
        values.append((found.principal_cm2_per_s - principal) / found.principal_stderr_cm2_per_s)
    for name, z in (("elements", np.array(elements)), ("principal values", np.array(values))):
        figure(f"tensor, {name}: coverage 95", float((np.abs(z) < 1.96).mean()), "1", 0.95)
        figure(f"tensor, {name}: scatter over stated error", float(np.sqrt((z**2).mean())), "1", 1.0)
    figure("tensor: isotropic called anisotropic at 5 %", float(np.mean(called)), "1", 0.05)


def suite(name: str, replicas: int) -> None:
    """Collective diffusivity, Haven ratio and Green-Kubo of one motion."""
    motion, interval, tracer, collective = SUITES[name]
    rng = np.random.default_rng(2026)
    sums, ratios, integrals = [], [], []
    for _ in range(replicas):
        path = motion(rng)
        summed = collective_diffusivity(path, np.ones(path.shape[1]), interval)
        sums.append(
            (summed.value_cm2_per_s, summed.stderr_cm2_per_s, summed.spread.interval_95 if summed.spread else None)
        )
        if tracer is None:
            continue
        if haven := haven_ratio(path, diffusivity(path, interval)):
            ratios.append((haven.ratio, haven.ratio * haven.relative_stderr, haven.interval_95))
        if integral := green_kubo(path, velocity_correlation(path, interval)):
            integrals.append((integral.value_cm2_per_s, integral.stderr_cm2_per_s, integral.interval_95))
    report(f"{name}, collective diffusivity", collective * CM2_PER_S, sums)
    if tracer is not None:
        report(f"{name}, Haven ratio, known in {len(ratios)} of {replicas}", tracer / collective, ratios)
        report(f"{name}, Green-Kubo", tracer * CM2_PER_S, integrals)


def cost() -> None:
    """Processor time of the summary on a label, and of its estimate."""
    rng = np.random.default_rng(0)
    path = walks.caged_hops(rng, frames=601, ions=32, D=0.5, interval=0.02)
    run = Trajectory(numbers=np.full(32, 3), positions_A=path, lattice_A=np.eye(3) * 10, frame_interval_ps=0.02)
    estimate, absent = diffusivity(path, 0.02), Framework(FrameworkState.ABSENT)
    ours, base = [], []
    for _ in range(20):
        before = time.process_time()
        motion_of(run, species="Li", discarded_frames=0, estimate=estimate, framework=absent)
        between = time.process_time()
        diffusivity(path, 0.02)
        ours.append(between - before)
        base.append(time.process_time() - between)
    figure("summary on a label, 601 frames, 32 ions [estimate]", np.median(ours) * 1e3, "ms", np.median(base) * 1e3)


def main() -> None:
    """Run all suites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=100)
    options = parser.parse_args()
    cost()
    tensor(options.replicas)
    for name in SUITES:
        suite(name, options.replicas)


if __name__ == "__main__":
    main()
