"""Coverage, scatter and speed of the diffusivity estimator on motions of known D, beside kinisi and least squares.

    python benchmarks/estimator.py [--replicas 500] [--refusals 200] [--kinisi 30]

Every figure is one JSON line {name, value, unit, baseline, ratio}; baselines are measured in the same run. Seeds are
fixed. Coverage is that of accepted runs; of censored ones the upper bound is tested. `--only TEXT` takes the
suites whose name holds the text.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipp as sc
from figures import emit
from kinisi.diffusion import Diffusion
from kinisi.displacement import calculate_msd

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
import walks

from vitrion_workflows.diffusivity.gates import diffusivity, measure_curvature, measure_exponent, resolution
from vitrion_workflows.diffusivity.msd import ols_fit
from vitrion_workflows.trajectories.displacements import remove_drift

Motion = Callable[[np.random.Generator], np.ndarray]


def _vacancies(rng: np.random.Generator) -> np.ndarray:
    return walks.vacancy_gas(rng, frames=601, sites=4, vacancies=16, rate=0.15, interval=0.05)


# Cell of the drift suite: 20 lithium ions among 40 atoms that rattle, all of it flying and swaying together.
DRIFT_MASSES_u = np.concatenate([np.full(20, 6.94), np.full(40, 30.0)])


def _drifting(rng: np.random.Generator) -> np.ndarray:
    frames, interval = 601, 0.02
    ions = walks.brownian(rng, frames=frames, ions=20, D=0.5, interval=interval)
    rest = walks.rattle(rng, frames=frames, ions=40, amplitude=0.2, memory=0.1, interval=interval)
    together = walks.brownian(rng, frames=frames, ions=1, D=2.0, interval=interval)
    together += (interval * np.arange(frames))[:, None, None] * rng.normal(size=3)
    return remove_drift(np.concatenate([ions, rest], axis=1) + together, DRIFT_MASSES_u)[:, :20]


def _drift_truth(D: float) -> float:
    """D of one ion relative to the centre of mass, which the other mobile ions move too."""
    share = DRIFT_MASSES_u[0] / DRIFT_MASSES_u.sum()
    return float(D * ((1 - share) ** 2 + 19 * share**2))


# name -> (motion, frame interval in ps, D in A^2/ps or None where long runs of the same motion are the truth)
SUITES: dict[str, tuple[Motion, float, float | None]] = {
    "1 brownian 20 ions 12 ps": (lambda r: walks.brownian(r, frames=601, ions=20, D=0.5, interval=0.02), 0.02, 0.5),
    "1 brownian 8 ions 100 frames": (lambda r: walks.brownian(r, frames=101, ions=8, D=0.5, interval=1.0), 1.0, 0.5),
    "1 langevin 20/ps": (
        lambda r: walks.langevin(r, frames=601, ions=20, mass=6.94, temperature=1000, friction=20, interval=0.02),
        0.02,
        walks.BOLTZMANN * 1000 / 6.94 / 20,
    ),
    "2 vacancy gas (25 % empty) 30 ps": (_vacancies, 0.05, None),
    "3 cage and hops D=0.5": (lambda r: walks.caged_hops(r, frames=601, ions=20, D=0.5, interval=0.02), 0.02, 0.5),
    "3 cage and hops D=0.25": (lambda r: walks.caged_hops(r, frames=601, ions=20, D=0.25, interval=0.02), 0.02, 0.25),
    "3 cage and hops D=0.1": (lambda r: walks.caged_hops(r, frames=601, ions=20, D=0.1, interval=0.02), 0.02, 0.1),
    "3 soft cage (0.5 A, 0.2 ps) and hops": (
        lambda r: walks.caged_hops(r, frames=601, ions=20, D=0.3, interval=0.02, memory=0.2, amplitude=0.5),
        0.02,
        0.3,
    ),
    "5 drifting cell": (_drifting, 0.02, _drift_truth(0.5)),
    "groups of four": (lambda r: walks.groups(r, frames=601, ions=32, D=0.5, interval=0.02, size=4), 0.02, 0.5),
    "two populations 10:1": (lambda r: walks.two_populations(r, frames=601, ions=24, D=0.5, interval=0.02), 0.02, 0.5),
}
# What is no diffusion, by exponent and length in ps: the share that is refused.
REFUSALS = [(0.5, 12), (0.6, 12), (0.7, 12), (0.8, 12), (0.9, 12), (0.8, 30), (0.9, 30), (0.9, 60)]


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


def truth_of(name: str) -> float:
    """D of the vacancy gas in A^2/ps: plain slopes between 20 and 60 ps over 40 runs of 1 ns."""
    rng = np.random.default_rng(99)
    runs = [walks.vacancy_gas(rng, frames=1001, sites=4, vacancies=16, rate=0.15, interval=1.0) for _ in range(40)]
    values = np.array([ols_fit(run, 1.0, window_ps=(20.0, 60.0)) for run in runs]) / A2_PER_PS_IN_CM2_PER_S
    emit(f"{name}: reference D", float(values.mean()), "A2/ps")
    emit(f"{name}: its standard error", float(values.std(ddof=1)) / np.sqrt(len(runs)), "A2/ps")
    return float(values.mean())


def accuracy(name: str, motion: Motion, interval: float, exact_D: float | None, replicas: int) -> None:
    """Bias, scatter, coverage and acceptance of one suite."""
    truth = (truth_of(name) if exact_D is None else exact_D) * A2_PER_PS_IN_CM2_PER_S
    rng = np.random.default_rng(2026)
    estimates, plain, resolutions = [], [], []
    for _ in range(replicas):
        path = motion(rng)
        estimates.append(diffusivity(path, interval))
        resolutions.append(resolution(estimates[-1], ions=path.shape[1]))
        plain.append(ols_fit(path, interval, window_ps=estimates[-1].fit_window_ps))
    resolved = [run for run, displacement in zip(estimates, resolutions, strict=True) if displacement.resolved]
    accepted = [run for run in resolved if measure_curvature(run).passed and measure_exponent(run).passed]
    missed = [bounded.upper_bound_cm2_per_s < truth for bounded in resolutions if not bounded.resolved]
    ours = np.array([run.value_cm2_per_s for run in estimates])
    scatter = float(ours.std()) / truth
    # Censoring removes the runs that came out low, so that the others deviate by less than their errors; this does not.
    every = [bound is not None and bound[0] <= truth <= bound[1] for bound in (run.interval_68 for run in estimates)]
    emit(f"{name}: coverage 68, whether accepted or not", float(np.mean(every)), "1", 0.683)
    deviation = np.array([np.log10(run.value_cm2_per_s / truth) / run.log10_stderr for run in accepted])
    emit(f"{name}: mean over truth", float(ours.mean()) / truth, "1", float(np.mean(plain)) / truth)
    emit(f"{name}: standard error of that mean", scatter / np.sqrt(replicas), "1")
    emit(f"{name}: scatter over truth (baseline least squares)", scatter, "1", float(np.std(plain)) / truth)
    stated = float(np.mean([run.stderr_cm2_per_s for run in estimates])) / truth
    emit(f"{name}: stated error over truth (baseline scatter)", stated, "1", scatter)
    for level, baseline in (("95", 0.95), ("68", 0.683)):
        bounds = [getattr(run, f"interval_{level}") for run in accepted]
        inside = [bound is not None and bound[0] <= truth <= bound[1] for bound in bounds]
        emit(f"{name}: coverage {level}", float(np.mean(inside)), "1", baseline)
    emit(f"{name}: deviations of log10 D in stated errors, rms", float(np.sqrt(np.mean(deviation**2))), "1", 1.0)
    emit(f"{name}: start of the window", float(np.median([run.fit_window_ps[0] for run in estimates])), "ps")
    emit(f"{name}: refused although diffusion", 1 - len(accepted) / len(resolved), "1")
    emit(f"{name}: censored", len(missed) / replicas, "1")
    emit(f"{name}: censored with a bound below the truth", sum(missed) / replicas, "1", 0.05)


def refusal(exponent: float, length_ps: int, replicas: int) -> None:
    """Share of sub-diffusive runs that is refused, and what the intervals of the others hold."""
    rng = np.random.default_rng(2026)
    interval = 0.02
    # MSD = 3 t^exponent: D(t) = exponent t^(exponent - 1) / 2, at half the run.
    late = exponent * (length_ps / 2) ** (exponent - 1) / 2 * A2_PER_PS_IN_CM2_PER_S
    kept = []
    for _ in range(replicas):
        path = walks.subdiffusive(rng, frames=50 * length_ps + 1, ions=24, exponent=exponent, interval=interval)
        estimate = diffusivity(path, interval)
        if measure_curvature(estimate).passed and measure_exponent(estimate).passed:
            kept.append(estimate)
    name = f"4 subdiffusion exponent {exponent}, {length_ps} ps"
    emit(f"{name}: refused", 1 - len(kept) / replicas, "1", 1.0)
    if kept:
        widened = [run.stderr_cm2_per_s / run.noise_cm2_per_s for run in kept]
        emit(f"{name}: accepted errors over their noise", float(np.mean(widened)), "1")
        inside = [run.interval_95 is not None and run.interval_95[0] <= late <= run.interval_95[1] for run in kept]
        emit(f"{name}: accepted intervals hold D at half the run", float(np.mean(inside)), "1", 0.95)


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
            before = time.process_time()
            estimate = diffusivity(path, 0.1)
            between = time.process_time()
            theirs.append(kinisi_estimate(path, 0.1, estimate.fit_window_ps[0]))
            their_time += time.process_time() - between
            our_time += between - before
            ours.append(estimate.value_cm2_per_s / A2_PER_PS_IN_CM2_PER_S)
        emit(f"kinisi, {name}: scatter", float(np.std(ours)), "A2/ps", float(np.std(theirs)))
        emit(f"kinisi, {name}: mean", float(np.mean(ours)), "A2/ps", float(np.mean(theirs)))
        emit(f"kinisi, {name}: time", our_time / replicas * 1e3, "ms", their_time / replicas * 1e3)


def speed() -> None:
    """Processor time of one estimate: 32 ions, 801 frames, MSD at 400 lags; the baseline is the aim."""
    path = walks.brownian(np.random.default_rng(0), frames=801, ions=32, D=0.5, interval=0.02)
    times = []
    for _ in range(30):
        before = time.process_time()
        diffusivity(path, 0.02)
        times.append(time.process_time() - before)
    emit("one estimate, 400 lags, 32 ions: median", float(np.median(times)) * 1e3, "ms", 10.0)


def main() -> None:
    """Run all suites."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=500)
    parser.add_argument("--refusals", type=int, default=200)
    parser.add_argument("--kinisi", type=int, default=30)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    speed()
    for name, (motion, interval, exact_D) in SUITES.items():
        if options.only in name:
            accuracy(name, motion, interval, exact_D, options.replicas)
    if options.only:
        return
    for exponent, length_ps in REFUSALS:
        refusal(exponent, length_ps, options.refusals)
    against_kinisi(options.kinisi)


if __name__ == "__main__":
    main()
