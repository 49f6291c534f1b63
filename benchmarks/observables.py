"""Coverage of what lies beyond the scalar: tensor, collective diffusivity, Haven ratio, Green-Kubo, on exact motions.

    python benchmarks/observables.py [--replicas 100] [--seed 2026] [--melts FOLDER]

One JSON line a figure {name, value, unit, baseline, ratio}: processor time of what a label carries, then the share of
intervals that hold the truth beside the stated share, the mean over the truth beside one, and the stated error beside
the scatter; how often isotropic motion is called anisotropic, and anisotropic motion so. With a folder of H5MD files of
melts (such as `good_runs.py` makes) the same of those in cubic cells, and of 12 ps pieces of what is longer than 60 ps
against the whole.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from estimator import A2_PER_PS_IN_CM2_PER_S
from figures import emit

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
import walks

from vitrion_workflows.diffusivity.gates import diffusivity
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.labelling.label import summarize_motion
from vitrion_workflows.schemas import FrameworkState
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.collective import (
    CollectiveDiffusivity,
    collective_diffusivity,
    haven_ratio,
    in_host_frame,
)
from vitrion_workflows.transport.framework import Framework
from vitrion_workflows.transport.tensor import diffusivity_tensor
from vitrion_workflows.transport.velocity import green_kubo, velocity_correlation

Motion = Callable[[np.random.Generator], np.ndarray]
FRAMES, IONS = 601, 24
LANGEVIN = {"mass": 6.94, "temperature": 1000.0, "friction": 20.0}
LANGEVIN_D = walks.BOLTZMANN * 1000.0 / 6.94 / 20.0
# A lattice gas has no correlation in its sum: rate x pairs of ion and vacancy x a^2 / (6 N).
VACANCY_D = 0.15 * (6 * 16 * 48 / 63) * 9 / (6 * 48)
TENSOR = np.array([[1.0, 0.3, 0.1], [0.3, 0.5, -0.05], [0.1, -0.05, 0.2]])

# What an isotropic motion may be called anisotropic at; anisotropic ones are looked for at the first.
LEVELS = (0.01, 0.05, 0.5)
PIECE_PS, LONG_PS, SETTLED_PS = 12.0, 60.0, 1.0
# The tracer's slope of a long run, read where a melt is diffusive and the noise is least.
TRUTH_PS = (2.0, 8.0)
CUBIC = 0.01

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


def _walk(ions: int, *axes: float) -> Motion:
    """Brownian motion with these diffusivities along the axes."""
    return lambda r: walks.brownian(r, frames=FRAMES, ions=ions, D=0.5, interval=0.02) * np.sqrt(axes)


def _jumps(ions: int, *axes: float) -> Motion:
    """Jumps along axes with these diffusivities, in a cage that is the same in all directions."""

    def motion(r: np.random.Generator) -> np.ndarray:
        path = walks.hops(r, frames=FRAMES, ions=ions, D=0.5, interval=0.02) * np.sqrt(axes)
        return path + walks.rattle(r, frames=FRAMES, ions=ions, amplitude=0.35, memory=0.05, interval=0.02)

    return motion


# name -> (motion, frame interval in ps)
ISOTROPIC: dict[str, tuple[Motion, float]] = {name: suite[:2] for name, suite in SUITES.items()} | {
    "brownian, 8 ions": (_walk(8, 1, 1, 1), 0.02),
    "brownian, 3 ions": (_walk(3, 1, 1, 1), 0.02),
    "cage and jumps, 8 ions": (_jumps(8, 1, 1, 1), 0.02),
    "two populations 10:1": (lambda r: walks.two_populations(r, frames=FRAMES, ions=IONS, D=0.5, interval=0.02), 0.02),
}
ANISOTROPIC: dict[str, Motion] = {
    "2:1:1": _walk(IONS, 2, 1, 1),
    "in a plane": _walk(IONS, 1, 1, 0),
    "in a plane, 8 ions": _walk(8, 1, 1, 0),
    "in a plane by jumps": _jumps(IONS, 1, 1, 0),
    "in channels by jumps, 8 ions": _jumps(8, 1, 0, 0),
    "in a plane, groups of four": lambda r: (
        walks.groups(r, frames=FRAMES, ions=IONS, D=0.5, interval=0.02, size=4) * [1, 1, 0]
    ),
}


def report(name: str, truth: float, estimates: list[tuple[float, float, tuple[float, float] | None]]) -> None:
    """Bias, scatter and coverage of values with stated errors and 95 % intervals."""
    values = np.array([value for value, _, _ in estimates]) / truth
    inside = [interval[0] <= truth <= interval[1] for _, _, interval in estimates if interval]
    emit(f"{name}: mean over truth", float(values.mean()), "1", 1.0)
    stated = float(np.mean([error for _, error, _ in estimates])) / truth
    emit(f"{name}: stated error over truth [scatter]", stated, "1", float(values.std()))
    if inside:
        emit(f"{name}: coverage 95, of {len(inside)} of {len(estimates)}", float(np.mean(inside)), "1", 0.95)


def tensor(replicas: int) -> None:
    """Elements and principal values of an anisotropic walk."""
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(TENSOR)
    truth, principal = TENSOR * A2_PER_PS_IN_CM2_PER_S, np.linalg.eigvalsh(TENSOR)[::-1] * A2_PER_PS_IN_CM2_PER_S
    elements, values = [], []
    for _ in range(replicas):
        walk = walks.brownian(rng, frames=FRAMES, ions=IONS, D=1.0, interval=0.02)
        path = walk @ root.T
        tensor = diffusivity_tensor(path, diffusivity(path, 0.02))
        elements.append((tensor.tensor_cm2_per_s - truth) / tensor.stderr_cm2_per_s)
        values.append((tensor.principal_cm2_per_s - principal) / tensor.principal_stderr_cm2_per_s)
    for name, z in (("elements", np.array(elements)), ("principal values", np.array(values))):
        emit(f"tensor, {name}: coverage 95", float((np.abs(z) < 1.96).mean()), "1", 0.95)
        emit(f"tensor, {name}: scatter over stated error", float(np.sqrt((z**2).mean())), "1", 1.0)


def isotropy(replicas: int, seed: int) -> None:
    """Print how often isotropic and anisotropic motions are called anisotropic."""
    rng = np.random.default_rng(seed)

    def called(motion: Motion, interval: float) -> np.ndarray:
        paths = (motion(rng) for _ in range(replicas))
        return np.array([diffusivity_tensor(path, diffusivity(path, interval)).isotropic_p for path in paths])

    for name, (motion, interval) in ISOTROPIC.items():
        shares(f"isotropy, {name}", called(motion, interval))
    for name, motion in ANISOTROPIC.items():
        emit(f"isotropy, {name}: found at {LEVELS[0]:g}", float((called(motion, 0.02) < LEVELS[0]).mean()), "1", 1.0)


def shares(name: str, probabilities: np.ndarray) -> None:
    """Shares of probabilities below the levels."""
    for level in LEVELS:
        emit(f"{name}: below {level:g}, of {len(probabilities)}", float((probabilities < level).mean()), "1", level)


def melts(folder: Path) -> None:
    """Real melts in cubic cells: isotropy of every species, and pieces of long runs against the whole."""
    melts: dict[str, list[float]] = {"melts": [], f"{PIECE_PS:g} ps pieces of long melts": []}
    short, long = melts.values()
    for path in sorted(folder.glob("*.h5")):
        run = h5md.read(path)
        edges = run.lattice_A if run.lattice_A.ndim == 2 else run.lattice_A[0]
        if np.abs(edges @ edges.T / (edges[0] @ edges[0]) - np.eye(3)).max() > CUBIC:
            continue
        positions = run.positions_A[round(SETTLED_PS / run.frame_interval_ps) :]
        length = round(PIECE_PS / run.frame_interval_ps)
        if len(positions) * run.frame_interval_ps < LONG_PS:
            short += isotropic_p(run, positions)
            continue
        parts = [positions[start : start + length + 1] for start in range(0, len(positions) - length, length)]
        long += [p for part in parts for p in isotropic_p(run, part)]
        against_the_whole(path.stem, run, positions, parts)
    for name, values in melts.items():
        if values:
            shares(f"isotropy, {name}", np.array(values))


def isotropic_p(run: Trajectory, positions: np.ndarray) -> list[float]:
    """Return `isotropic_p` of every species whose diffusivity is resolved."""
    moves = remove_drift(positions, run.masses_u)
    each = [moves[:, run.numbers == number] for number in np.unique(run.numbers)]
    resolved = [(ions, D) for ions in each if (D := diffusivity(ions, run.frame_interval_ps)).interval_68]
    return [diffusivity_tensor(ions, D).isotropic_p for ions, D in resolved]


def against_the_whole(name: str, run: Trajectory, positions: np.ndarray, parts: list[np.ndarray]) -> None:
    """Collective diffusivity and Haven ratio of the lightest species: pieces against all of the run."""
    mobile = run.masses_u == run.masses_u.min()

    def measured(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moves = remove_drift(part, run.masses_u)
        return moves[:, mobile], in_host_frame(moves, run.masses_u, mobile)

    def summed(relative: np.ndarray) -> CollectiveDiffusivity:
        return collective_diffusivity(relative, np.ones(relative.shape[1]), run.frame_interval_ps)

    ions, relative = measured(positions)
    first, last = (round(time / run.frame_interval_ps) for time in TRUTH_PS)
    msd = mean_squared_displacements(ions, largest_lag=last).mean(axis=1)
    tracer = float(msd[last] - msd[first]) / (6 * (TRUTH_PS[1] - TRUTH_PS[0])) * A2_PER_PS_IN_CM2_PER_S
    truth = summed(relative).value_cm2_per_s
    sums, ratios = [], []
    for part in parts:
        ions, relative = measured(part)
        D = summed(relative)
        sums.append((D.value_cm2_per_s, D.stderr_cm2_per_s, D.intervals.interval_95 if D.intervals else None))
        if haven := haven_ratio(relative, diffusivity(ions, run.frame_interval_ps)):
            ratios.append((haven.ratio, haven.ratio * haven.relative_stderr, haven.interval_95))
    report(f"{name}, pieces, collective diffusivity", truth, sums)
    report(f"{name}, pieces, Haven ratio, known in {len(ratios)} of {len(parts)}", tracer / truth, ratios)


def suite(name: str, replicas: int, seed: int) -> None:
    """Collective diffusivity, Haven ratio and Green-Kubo of one motion."""
    motion, interval, tracer, collective = SUITES[name]
    rng = np.random.default_rng(seed)
    sums, ratios, integrals = [], [], []
    for _ in range(replicas):
        path = motion(rng)
        summed = collective_diffusivity(path, np.ones(path.shape[1]), interval)
        sums.append(
            (
                summed.value_cm2_per_s,
                summed.stderr_cm2_per_s,
                summed.intervals.interval_95 if summed.intervals else None,
            )
        )
        if tracer is None:
            continue
        if haven := haven_ratio(path, diffusivity(path, interval)):
            ratios.append((haven.ratio, haven.ratio * haven.relative_stderr, haven.interval_95))
        if integral := green_kubo(path, velocity_correlation(path, interval)):
            integrals.append((integral.value_cm2_per_s, integral.stderr_cm2_per_s, integral.interval_95))
    report(f"{name}, collective diffusivity", collective * A2_PER_PS_IN_CM2_PER_S, sums)
    if tracer is not None:
        report(f"{name}, Haven ratio, known in {len(ratios)} of {replicas}", tracer / collective, ratios)
        report(f"{name}, Green-Kubo", tracer * A2_PER_PS_IN_CM2_PER_S, integrals)


def cost() -> None:
    """Processor time of the summary on a label, and of its estimate."""
    rng = np.random.default_rng(0)
    path = walks.caged_hops(rng, frames=601, ions=32, D=0.5, interval=0.02)
    run = Trajectory(numbers=np.full(32, 3), positions_A=path, lattice_A=np.eye(3) * 10, frame_interval_ps=0.02)
    estimate, absent = diffusivity(path, 0.02), Framework(FrameworkState.ABSENT)
    ours, base = [], []
    for _ in range(20):
        before = time.process_time()
        summarize_motion(run, species="Li", discarded_frames=0, estimate=estimate, framework=absent)
        between = time.process_time()
        diffusivity(path, 0.02)
        ours.append(between - before)
        base.append(time.process_time() - between)
    emit("summary on a label, 601 frames, 32 ions [estimate]", np.median(ours) * 1e3, "ms", np.median(base) * 1e3)


def main() -> None:
    """Run all suites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--melts", type=Path, help="folder of H5MD files of melts; only these are looked at")
    options = parser.parse_args()
    if options.melts:
        melts(options.melts)
        return
    cost()
    tensor(options.replicas)
    for name in SUITES:
        suite(name, options.replicas, options.seed)
    isotropy(options.replicas, options.seed)


if __name__ == "__main__":
    main()
