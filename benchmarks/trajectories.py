"""Real trajectories: our estimate, the plain fit, the published number and kinisi, side by side.

    VITRION_DATA_MIRROR=/path/to/data python benchmarks/trajectories.py

One JSON line a figure {name, value, unit, baseline, ratio}; the baseline is named in brackets. Nothing of the data is
kept.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
from estimator import CM2_PER_S, figure, kinisi_estimate

from vitrion_workflows.schemas import failed_gates
from vitrion_workflows.transport import (
    analyse_trajectory,
    plain_fit,
    read_trajectory,
    remove_drift,
    single_origin_fit,
)

# path, frame interval in ps where the file has none, species, temperature in K
RUNS = [
    ("liquid_na/XDATCAR_671.0K.gz", 0.002, "Na", 671.0),
    ("liquid_na/XDATCAR_763.5K.gz", 0.002, "Na", 763.5),
    ("liquid_na/XDATCAR_856.0K.gz", 0.002, "Na", 856.0),
    ("lgps/DiffusionAnalyzer.json", None, "Li", 600.0),
    ("argyrodite/Li6PS5Cl_0p_run1_XDATCAR.gz", 0.1, "Li", 500.0),
    ("argyrodite/Li6PS5Cl_50p_run1_XDATCAR.gz", 0.1, "Li", 500.0),
    ("argyrodite/Li6PS5Cl_100p_run1_XDATCAR.gz", 0.1, "Li", 500.0),
    ("argyrodite/Li6PS5I_0p_run1_XDATCAR.gz", 0.1, "Li", 500.0),
    ("argyrodite/Li6PS5I_50p_run1_XDATCAR.gz", 0.1, "Li", 500.0),
    ("argyrodite/Li6PS5I_100p_run1_XDATCAR.gz", 0.1, "Li", 500.0),
    ("cna3ps4/cNa3PS4_pda.json", None, "Na", 800.0),
]
# kinisi's covariance grows with the square of the lags: longer runs are thinned for it.
MOST_FRAMES_FOR_KINISI = 400
NUMBERS = {"Li": 3, "Na": 11}


def compare(folder: Path, name: str, interval: float | None, species: str, temperature_K: float) -> None:
    """All estimates of one run."""
    before = time.perf_counter()
    trajectory = read_trajectory(folder / name, frame_interval_ps=interval)
    between = time.perf_counter()
    found = analyse_trajectory(trajectory, species=species, temperature_K=temperature_K)
    after = time.perf_counter()
    estimate = found.estimate
    ions = remove_drift(trajectory.positions_A, trajectory.masses_u)[:, trajectory.numbers == NUMBERS[species]]
    step = trajectory.frame_interval_ps
    plain = plain_fit(ions, step, window_ps=estimate.fit_window_ps)
    thin = -(-len(ions) // MOST_FRAMES_FOR_KINISI)
    theirs = kinisi_estimate(ions[::thin], step * thin, estimate.fit_window_ps[0]) * CM2_PER_S
    verdict = ",".join(failed_gates(found.gates)) or "all gates passed"
    figure(f"{name}: D [least squares, same window]", estimate.value_cm2_per_s, "cm2/s", plain)
    figure(f"{name}: D [kinisi, same first lag]", estimate.value_cm2_per_s, "cm2/s", theirs)
    figure(
        f"{name}: D [least squares from the first origin]",
        estimate.value_cm2_per_s,
        "cm2/s",
        single_origin_fit(ions, step),
    )
    figure(f"{name}: standard error of log10 D", estimate.log10_stderr, "decades")
    figure(f"{name}: exponent [its standard error]", estimate.exponent, "1", estimate.exponent_stderr)
    figure(f"{name}: first lag", estimate.fit_window_ps[0], "ps")
    figure(f"{name}: {found.state.value} ({verdict})", found.value_cm2_per_s, "cm2/s")
    figure(f"{name}: analysis [reading]", (after - between) * 1e3, "ms", (between - before) * 1e3)


def main() -> int:
    """Compare all runs that the mirror holds."""
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("VITRION_DATA_MIRROR names no folder of real data", file=sys.stderr)
        return 2
    for run in RUNS:
        compare(Path(mirror) / "trajectories", *run)
    return 0


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    sys.exit(main())
