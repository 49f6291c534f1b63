"""Real trajectories: our estimate, kinisi, pymatgen-analysis-diffusion and plain least squares, side by side.

    VITRION_DATA_MIRROR=/path/to/data python benchmarks/trajectories.py [--kinisi-frames 400]

One JSON line for each run and method: {name, value, unit, baseline, ratio, stderr}: the method's D, ours as baseline,
and the error that the method states itself (none for least squares from one origin). All methods get the same
displacements, the centre of mass removed; kinisi starts at our first lag, least squares fits our window,
pymatgen-analysis-diffusion chooses its own. Then what ours says beyond D. Nothing of the data is kept.
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from estimator import A2_PER_PS_IN_CM2_PER_S, kinisi_samples
from figures import emit
from pymatgen.analysis.diffusion.analyzer import DiffusionAnalyzer
from pymatgen.core import Lattice, Structure

from vitrion_workflows.diffusivity.msd import mean_squared_displacements, ols_fit, single_origin_fit
from vitrion_workflows.labelling.analysis import TrajectoryAnalysis, analyse_trajectory
from vitrion_workflows.schemas import failed_gates
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.observables import observe

# path, frame interval in ps where the file has none, species, temperature in K, formal charges of what carries
RUNS = [
    ("liquid_na/XDATCAR_671.0K.gz", 0.002, "Na", 671.0, None),
    ("liquid_na/XDATCAR_763.5K.gz", 0.002, "Na", 763.5, None),
    ("liquid_na/XDATCAR_856.0K.gz", 0.002, "Na", 856.0, None),
    ("lgps/DiffusionAnalyzer.json", None, "Li", 600.0, {"Li": 1.0}),
    ("argyrodite/Li6PS5Cl_0p_run1_XDATCAR.gz", 0.1, "Li", 500.0, {"Li": 1.0}),
    ("argyrodite/Li6PS5Cl_50p_run1_XDATCAR.gz", 0.1, "Li", 500.0, {"Li": 1.0}),
    ("argyrodite/Li6PS5Cl_100p_run1_XDATCAR.gz", 0.1, "Li", 500.0, {"Li": 1.0}),
    ("argyrodite/Li6PS5I_0p_run1_XDATCAR.gz", 0.1, "Li", 500.0, {"Li": 1.0}),
    ("argyrodite/Li6PS5I_50p_run1_XDATCAR.gz", 0.1, "Li", 500.0, {"Li": 1.0}),
    ("argyrodite/Li6PS5I_100p_run1_XDATCAR.gz", 0.1, "Li", 500.0, {"Li": 1.0}),
    ("cna3ps4/cNa3PS4_pda.json", None, "Na", 800.0, {"Na": 1.0}),
]
FS_PER_PS = 1000.0


def row(name: str, value: float, stderr: float | None, ours: float) -> None:
    """Print one method on one run."""
    emit(name, value, "cm2/s", ours, stderr=stderr)


def least_squares_error(ions: np.ndarray, interval: float, window_ps: tuple[float, float]) -> float:
    """Error of the slope as a textbook has it, each lag taken for an independent measurement, in cm2/s."""
    first, last = (round(edge / interval) for edge in window_ps)
    times = interval * np.arange(first, last + 1)
    msd = mean_squared_displacements(ions, largest_lag=last).mean(axis=1)[first:]
    _, covariance = np.polyfit(times, msd, 1, cov=True)
    return float(np.sqrt(covariance[0, 0])) / 6 * A2_PER_PS_IN_CM2_PER_S


def pymatgen_estimate(ions: np.ndarray, interval: float, species: str, temperature_K: float) -> tuple[float, float]:
    """D and its error by DiffusionAnalyzer with its default smoothing, in cm2/s.

    It removes the mean motion of the framework; a helium atom that stands still keeps the frame of reference.
    """
    count = ions.shape[1]
    structure = Structure(
        Lattice.cubic(50.0), [*[species] * count, "He"], np.random.default_rng(0).random((count + 1, 3))
    )
    paths = np.concatenate([ions - ions[0], np.zeros((len(ions), 1, 3))], axis=1).transpose(1, 0, 2)
    analyzer = DiffusionAnalyzer(structure, paths, species, temperature_K, interval * FS_PER_PS, 1)
    return float(analyzer.diffusivity), float(analyzer.diffusivity_std_dev)


def compare(trajectory: Trajectory, run: TrajectoryAnalysis, *, name: str, temperature_K: float, most: int) -> None:
    """Print all estimates of one run."""
    estimate, step = run.estimate, trajectory.frame_interval_ps
    start = round(run.equilibration_ps / step)
    mobile = trajectory.numbers == atomic_numbers[run.species]
    ions = remove_drift(trajectory.positions_A[start:], trajectory.masses_u)[:, mobile]
    ours, window = estimate.value_cm2_per_s, estimate.fit_window_ps
    row(f"{name}: ours", ours, estimate.stderr_cm2_per_s, ours)
    # kinisi's covariance grows with the square of the lags: longer runs are thinned for it.
    thin = -(-len(ions) // most)
    samples = kinisi_samples(ions[::thin], step * thin, window[0]) * A2_PER_PS_IN_CM2_PER_S
    row(f"{name}: kinisi", float(samples.mean()), float(samples.std()), ours)
    row(f"{name}: pymatgen-analysis-diffusion", *pymatgen_estimate(ions, step, run.species, temperature_K), ours)
    plain = ols_fit(ions, step, window_ps=window)
    row(f"{name}: least squares, same window", plain, least_squares_error(ions, step, window), ours)
    row(f"{name}: least squares from the first origin", single_origin_fit(ions, step), None, ours)


def beyond(trajectory: Trajectory, run: TrajectoryAnalysis, *, name: str, temperature_K: float, charges: dict) -> None:
    """Print the other observables of the mobile species."""
    before = time.process_time()
    observed = observe(
        trajectory,
        mobile=run.species,
        discarded_frames=round(run.equilibration_ps / trajectory.frame_interval_ps),
        charges=charges,
        temperature_K=temperature_K,
    )
    emit(f"{name}: all species and observables, processor time", (time.process_time() - before) * 1e3, "ms")
    (mobile,) = (species for species in observed.species if species.species == run.species)
    if mobile.green_kubo:
        row(
            f"{name}: Green-Kubo",
            mobile.green_kubo.value_cm2_per_s,
            mobile.green_kubo.stderr_cm2_per_s,
            run.estimate.value_cm2_per_s,
        )
    greatest, _, least = mobile.tensor.principal_cm2_per_s
    emit(f"{name}: greatest principal diffusivity [least]", float(greatest), "cm2/s", float(least))
    emit(f"{name}: probability of this anisotropy without any", mobile.tensor.isotropic_p, "1")
    if observed.charge:
        haven, charge = observed.charge.haven, observed.charge
        independent = charge.nernst_einstein.value_S_per_cm
        emit(f"{name}: conductivity [Nernst-Einstein]", charge.conductivity.value_S_per_cm, "S/cm", independent)
        if haven:
            low, high = haven.interval_95
            emit(f"{name}: Haven ratio, 95 % {low:.2f} to {high:.2f}", haven.ratio, "1")
    emit(f"{name}: greatest alpha2", mobile.non_gaussian.peak[0], "1")
    turned = observed.framework.orientation.turned if observed.framework.orientation else 0.0
    emit(f"{name}: framework {observed.framework.state.value}, share of groups that turned", turned, "1")


def main() -> int:
    """Compare all runs that the mirror holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinisi-frames", type=int, default=400, help="longest run that kinisi gets unthinned")
    options = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("skipped: VITRION_DATA_MIRROR names no folder of real data", file=sys.stderr)
        return 0
    # Other packages warn of what they deprecate; our own arithmetic must be clean.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    for path, interval, species, temperature, charges in RUNS:
        name = f"{Path(path).name.removesuffix('.gz')} {chemical_symbols[atomic_numbers[species]]} {temperature:g} K"
        trajectory = read_trajectory(Path(mirror) / "trajectories" / path, frame_interval_ps=interval)
        run = analyse_trajectory(trajectory, species=species, temperature_K=temperature)
        failed = ",".join(failed_gates(run.gates)) or "all gates passed"
        compare(trajectory, run, name=name, temperature_K=temperature, most=options.kinisi_frames)
        emit(f"{name}: {run.state.value} ({failed})", run.value_cm2_per_s, "cm2/s")
        beyond(trajectory, run, name=name, temperature_K=temperature, charges=charges)
    return 0


if __name__ == "__main__":
    sys.exit(main())
