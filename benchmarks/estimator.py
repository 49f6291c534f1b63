"""Coverage, scatter and speed of the diffusivity estimator on motions of known D, beside kinisi and least squares.

    python benchmarks/estimator.py [--replicas 400] [--kinisi 40]

Every figure is one JSON line {name, value, unit, baseline, ratio}; baselines are measured in the same run.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipp as sc
from kinisi.diffusion import Diffusion
from kinisi.displacement import calculate_msd

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
import walks

from vitrion_workflows.transport import diffusivity, plain_fit
from vitrion_workflows.transport.gates import exponent_gate, resolution, straight_gate

CM2_PER_S = 1e-4
Motion = Callable[[np.random.Generator], np.ndarray]


def _vacancies(rng: np.random.Generator) -> np.ndarray:
    return walks.vacancy_gas(rng, frames=601, sites=4, vacancies=16, rate=0.15, interval=0.05)


# name -> (motion, frame interval in ps, D in A^2/ps or None where a long run of the same motion is the truth)
SUITES: dict[str, tuple[Motion, float, float | None]] = {
    "brownian 20 ions 10 ps": (lambda r: walks.brownian(r, frames=501, ions=20, D=0.5, interval=0.02), 0.02, 0.5),
    "brownian 8 ions 100 frames": (lambda r: walks.brownian(r, frames=101, ions=8, D=0.5, interval=1.0), 1.0, 0.5),
    "brownian 40 ions 5 fs": (lambda r: walks.brownian(r, frames=401, ions=40, D=0.5, interval=0.005), 0.005, 0.5),
    "langevin 20/ps": (
        lambda r: walks.langevin(r, frames=601, ions=20, mass=6.94, temperature=1000, friction=20, interval=0.02),
        0.02,
        walks.BOLTZMANN * 1000 / 6.94 / 20,
    ),
    "cage and hops D=0.5": (lambda r: walks.caged_hops(r, frames=601, ions=20, D=0.5, interval=0.02), 0.02, 0.5),
    "cage and hops D=0.1": (lambda r: walks.caged_hops(r, frames=601, ions=20, D=0.1, interval=0.02), 0.02, 0.1),
    "soft cage (0.5 A, 0.2 ps) and hops": (
        lambda r: walks.caged_hops(r, frames=601, ions=20, D=0.3, interval=0.02, memory=0.2, amplitude=0.5),
        0.02,
        0.3,
    ),
    "vacancy gas (25 % empty)": (_vacancies, 0.05, None),
    "groups of four": (lambda r: walks.groups(r, frames=601, ions=32, D=0.5, interval=0.02, size=4), 0.02, 0.5),
    "two populations 10:1": (lambda r: walks.two_populations(r, frames=601, ions=24, D=0.5, interval=0.02), 0.02, 0.5),
}
# What is no diffusion: the share that is refused.
REFUSALS: dict[str, Motion] = {
    f"subdiffusion exponent {exponent}": (
        lambda r, exponent=exponent: walks.subdiffusive(r, frames=601, ions=24, exponent=exponent, interval=0.02)
    )
    for exponent in (0.4, 0.6, 0.8)
}


def figure(name: str, value: float, unit: str, baseline: float | None = None) -> None:
    """Print one figure."""
    ratio = value / baseline if baseline and np.isfinite(value) else None
    shown = value if np.isfinite(value) else None
    print(json.dumps({"name": name, "value": shown, "unit": unit, "baseline": baseline, "ratio": ratio}), flush=True)


def kinisi_estimate(path: np.ndarray, interval: float, start_ps: float) -> float:
    """Posterior mean of kinisi in A^2/ps from the same displacements and first lag, its defaults kept."""
    return float(kinisi_samples(path, interval, start_ps).mean())


def kinisi_samples(path: np.ndarray, interval: float, start_ps: float) -> np.ndarray:
    """Posterior samples of kinisi in A^2/ps."""
    relative = (path - path[0])[1:]
    lags = np.arange(1, len(path) // 2)
    parsed: Any = SimpleNamespace(
        displacements=sc.array(dims=["obs", "particle", "dimension"], values=relative, unit="angstrom"),
        dt_index=sc.array(dims=["time interval"], values=lags),
        dt=sc.array(dims=["time interval"], values=lags * interval, unit="ps"),
        dimensionality=3 * sc.units.dimensionless,
    )
    # The number of independent samples counts to the end of the run, not to the last lag that is fitted.
    fitted = Diffusion(calculate_msd(parsed, progress=False))
    fitted._diffusion(  # noqa: SLF001 - what its analyser calls
        sc.scalar(start_ps, unit="ps"),
        progress=False,
        random_state=np.random.RandomState(0),
    )
    return np.asarray(fitted.gradient.values) / 6


def truth_of(motion: Motion) -> float:
    """D in A^2/ps of a motion whose closed form is not known: mean of plain late slopes over many runs."""
    rng = np.random.default_rng(99)
    return float(np.mean([plain_fit(motion(rng), 0.05, window_ps=(4.0, 12.0)) for _ in range(400)])) / CM2_PER_S


def accuracy(name: str, motion: Motion, interval: float, known: float | None, replicas: int) -> None:
    """Bias, scatter, coverage and acceptance of one suite."""
    truth = (truth_of(motion) if known is None else known) * CM2_PER_S
    rng = np.random.default_rng(2026)
    ours, plain, stated, inside95, inside68, refused, unresolved, start = [], [], [], [], [], [], [], []
    for _ in range(replicas):
        path = motion(rng)
        estimate = diffusivity(path, interval)
        ours.append(estimate.value_cm2_per_s)
        start.append(estimate.fit_window_ps[0])
        plain.append(plain_fit(path, interval, window_ps=estimate.fit_window_ps))
        stated.append(estimate.stderr_cm2_per_s)
        resolved = resolution(estimate, ions=path.shape[1]).resolved
        unresolved.append(not resolved)
        refused.append(resolved and not (straight_gate(estimate).passed and exponent_gate(estimate).passed))
        for inside, bounds in ((inside95, estimate.interval_95), (inside68, estimate.interval_68)):
            inside.append(bounds is not None and bounds[0] <= truth <= bounds[1])
    scatter = float(np.std(ours)) / truth
    figure(f"{name}: mean over truth", float(np.mean(ours)) / truth, "1", float(np.mean(plain)) / truth)
    figure(f"{name}: standard error of that mean", scatter / np.sqrt(replicas), "1")
    figure(f"{name}: scatter over truth (baseline least squares)", scatter, "1", float(np.std(plain)) / truth)
    figure(f"{name}: stated error over truth (baseline scatter)", float(np.mean(stated)) / truth, "1", scatter)
    figure(f"{name}: coverage 95", float(np.mean(inside95)), "1", 0.95)
    figure(f"{name}: coverage 68", float(np.mean(inside68)), "1", 0.683)
    figure(f"{name}: start of the window", float(np.median(start)), "ps")
    figure(f"{name}: refused although diffusion", float(np.mean(refused)), "1")
    figure(f"{name}: censored", float(np.mean(unresolved)), "1")


def refusal(name: str, motion: Motion, replicas: int) -> None:
    """Share of runs without diffusion that is not accepted."""
    rng = np.random.default_rng(2026)
    kept = []
    for _ in range(replicas):
        path = motion(rng)
        estimate = diffusivity(path, 0.02)
        settled = straight_gate(estimate).passed and exponent_gate(estimate).passed
        kept.append(settled and resolution(estimate, ions=path.shape[1]).resolved)
    figure(f"{name}: not accepted", 1 - float(np.mean(kept)), "1", 1.0)


def against_kinisi(replicas: int) -> None:
    """Scatter and time of both on the same 200 frames of 32 ions, from the same lag on."""
    for name, motion in {
        "brownian": lambda r: walks.brownian(r, frames=201, ions=32, D=0.5, interval=0.1),
        "cage and hops": lambda r: walks.caged_hops(r, frames=201, ions=32, D=0.3, interval=0.1),
    }.items():
        rng = np.random.default_rng(7)
        ours, theirs, our_time, their_time = [], [], 0.0, 0.0
        for _ in range(replicas):
            path = motion(rng)
            before = time.perf_counter()
            estimate = diffusivity(path, 0.1)
            between = time.perf_counter()
            theirs.append(kinisi_estimate(path, 0.1, estimate.fit_window_ps[0]))
            their_time += time.perf_counter() - between
            our_time += between - before
            ours.append(estimate.value_cm2_per_s / CM2_PER_S)
        figure(f"kinisi, {name}: scatter", float(np.std(ours)), "A2/ps", float(np.std(theirs)))
        figure(f"kinisi, {name}: mean", float(np.mean(ours)), "A2/ps", float(np.mean(theirs)))
        figure(f"kinisi, {name}: time", our_time / replicas * 1e3, "ms", their_time / replicas * 1e3)


def speed() -> None:
    """Processor time of one estimate: 32 ions, 801 frames, MSD at 400 lags; the baseline is the aim."""
    path = walks.brownian(np.random.default_rng(0), frames=801, ions=32, D=0.5, interval=0.02)
    times = []
    for _ in range(30):
        before = time.process_time()
        diffusivity(path, 0.02)
        times.append(time.process_time() - before)
    figure("one estimate, 400 lags, 32 ions: median", float(np.median(times)) * 1e3, "ms", 10.0)


def main() -> None:
    """Run all suites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=400)
    parser.add_argument("--kinisi", type=int, default=40)
    options = parser.parse_args()
    speed()
    for name, (motion, interval, known) in SUITES.items():
        accuracy(name, motion, interval, known, options.replicas)
    for name, motion in REFUSALS.items():
        refusal(name, motion, options.replicas)
    against_kinisi(options.kinisi)


if __name__ == "__main__":
    main()
