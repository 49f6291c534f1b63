"""Radial distributions of NEP89's melts against DFT, beside those of M3GNet.

`rdf_dft/` of the data mirror holds partial radial distributions of amorphous cells from ab initio molecular dynamics
and from M3GNet (the set of Zheng et al., arXiv 2402.00177). Here each composition is packed at random, brought to zero
pressure, run, and compared: Wasserstein-1 distance (the area between the cumulative curves, in A) between the
distributions g(r) / integral g over 0-10 A, mean over the pairs of elements, each pair weighted by its share of atoms.

Two things are not written beside the data and were read off them. The curves are smoothed by a Gaussian of two grid
points, 0.2 A (the N-N peak of the nitrogen molecules in SiN3 is that wide), and so are ours. The temperature is not
stated: the first peaks are far wider than at 2000 K. So several temperatures are run, the same for all compositions,
and the distance is given for each.

    VITRION_DATA_MIRROR=... python benchmarks/rdf_dft.py                       # 2 compositions
    ... python benchmarks/rdf_dft.py --compositions 18 --results rdf.jsonl     # the study; goes on when killed

One JSON line a figure: name, value (NEP89's distance), unit, baseline (M3GNet's), ratio.
"""

import argparse
import csv
import itertools
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from ase.data import chemical_symbols  # noqa: E402
from figures import earlier_lines, figure, keep_line, show  # noqa: E402
from scipy.ndimage import gaussian_filter1d  # noqa: E402
from scipy.stats import wasserstein_distance  # noqa: E402

from vitrion_models.errors import VitrionError  # noqa: E402
from vitrion_models.system import AtomicSystem, FloatArray  # noqa: E402
from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.amorphous import VolumeSearchFailed, relaxed_packing, search_volume  # noqa: E402
from vitrion_workflows.analysis import partial_rdf  # noqa: E402
from vitrion_workflows.dynamics import DynamicsError  # noqa: E402
from vitrion_workflows.dynamics.stage import MDStage, run_stage  # noqa: E402
from vitrion_workflows.model_error.anion_classes import anion_class  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.schemas import CellProtocol  # noqa: E402
from vitrion_workflows.structure.composition import parse_formula  # noqa: E402

ATOMS = 100
SWELL = 1.15
GRID_A = 0.1
REACH_A = 10.0
SMOOTHING_POINTS = 2.0
FINE_A = 0.02
RUN_PS = 3.0
FRAMES = 60
STEP_FS = {2000: 2.0, 3500: 1.5, 5000: 1.0}  # shorter where atoms are faster


def read_curves(path: Path) -> dict[str, FloatArray]:
    """Read the columns of one table by pair of elements."""
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    pairs = [name for name in rows[0] if "-" in name]
    return {pair: np.array([float(row[pair]) for row in rows]) for pair in pairs}


def draw(formulas: Iterable[str], *, count: int, seed: int) -> list[str]:
    """Draw lithium compositions: anion classes in turn, each in the order of a seeded shuffle."""
    rng = np.random.default_rng(seed)
    classes: dict[str, list[str]] = {}
    for formula in sorted(formulas):
        elements = [element.symbol for element in parse_formula(formula).elements]
        if "Li" in elements and len(elements) > 1:
            classes.setdefault(anion_class(elements), []).append(formula)
    turns = itertools.zip_longest(*(list(rng.permutation(classes[name])) for name in sorted(classes)))
    return [str(formula) for turn in turns for formula in turn if formula is not None][:count]


def distance_A(ours: FloatArray, theirs: FloatArray) -> float:
    """Return the Wasserstein-1 distance of two curves on one grid, each as a distribution over r."""
    r = np.arange(len(ours)) * GRID_A
    return float(wasserstein_distance(r, r, ours, theirs))


def curves_of(frames: list[AtomicSystem], pairs: Iterable[str]) -> dict[str, FloatArray]:
    """Return the partial distributions of a run, on the grid and with the smoothing of the data."""
    r = np.arange(round(REACH_A / GRID_A) + 1) * GRID_A
    distributions = {}
    for pair in pairs:
        centre, neighbour = pair.split("-")
        rdf = partial_rdf(frames, centre=centre, neighbour=neighbour, cutoff_A=REACH_A + 1.0, bin_A=FINE_A)
        smooth = gaussian_filter1d(rdf.g, SMOOTHING_POINTS * GRID_A / FINE_A)
        distributions[pair] = np.interp(r, rdf.r_A, smooth)
    return distributions


def melt(formula: str, field: ForceField, *, temperature_K: int, seed: int) -> list[AtomicSystem]:
    """Run a melt at zero pressure and return its frames."""
    protocol = CellProtocol(
        melt_temperature_K=temperature_K, volume_ps=0.6, time_step_fs=STEP_FS[temperature_K], friction_per_ps=10.0
    )
    packed = relaxed_packing(formula, field, n_atoms=ATOMS, volume_scale=SWELL, seed=seed)
    sized, _ = search_volume(packed, field, protocol=protocol, seed=seed + 1)
    stage = MDStage(name="melt", duration_ps=RUN_PS, temperature_K=temperature_K, frames=FRAMES)
    trajectory = run_stage(sized, field, stage, protocol=protocol, seed=seed + 2).trajectory
    settled = trajectory.positions_A[FRAMES // 4 :]
    return [AtomicSystem(trajectory.numbers, positions, trajectory.lattice_A) for positions in settled]


def measure(formula: str, folder: Path, field: ForceField, *, temperature_K: int, seed: int) -> dict[str, Any]:
    """Measure the distances for one composition at one temperature."""
    begun = time.process_time()
    dft, m3gnet = (read_curves(folder / f"{source}_RDF_{formula}.csv") for source in ("DFT", "M3GNet"))
    elements = [element.symbol for element in parse_formula(formula).elements]
    line: dict[str, Any] = {
        "formula": formula,
        "chemistry": anion_class(elements),
        "temperature_K": temperature_K,
        "m3gnet_A": mean_distance(m3gnet, dft, formula),
    }
    try:
        frames = melt(formula, field, temperature_K=temperature_K, seed=seed)
    except (VolumeSearchFailed, DynamicsError) as failure:
        line |= {"outcome": "no melt", "message": str(failure)}
    else:
        ours = curves_of(frames, dft)
        line |= {
            "outcome": "compared",
            "distance_A": mean_distance(ours, dft, formula),
            "pairs": {pair: [distance_A(ours[pair], dft[pair]), distance_A(m3gnet[pair], dft[pair])] for pair in dft},
            "mean_gap": mean_gap(ours, dft, formula),
            "m3gnet_gap": mean_gap(m3gnet, dft, formula),
            "volume_A3_per_atom": frames[0].volume_A3 / len(frames[0]),
            "atoms": {chemical_symbols[z]: int((frames[0].numbers == z).sum()) for z in np.unique(frames[0].numbers)},
        }
    return {**line, "cpu_seconds": round(time.process_time() - begun, 1)}


def weights(formula: str, pairs: Iterable[str]) -> dict[str, float]:
    """Return the share of each pair of elements among all pairs of atoms."""
    amounts = parse_formula(formula).fractional_composition
    shares = {}
    for pair in pairs:
        first, second = pair.split("-")
        shares[pair] = float(amounts[first] * amounts[second] * (1 if first == second else 2))
    return shares


def mean_distance(ours: dict[str, FloatArray], theirs: dict[str, FloatArray], formula: str) -> float:
    """Return the mean distance over pairs, weighted by their share."""
    shares = weights(formula, theirs)
    return sum(shares[pair] * distance_A(ours[pair], theirs[pair]) for pair in theirs) / sum(shares.values())


def mean_gap(ours: dict[str, FloatArray], theirs: dict[str, FloatArray], formula: str) -> float:
    """Return the mean of |g - g_DFT| over r, with the same weights."""
    shares = weights(formula, theirs)
    gaps = {pair: float(np.abs(ours[pair] - theirs[pair]).mean()) for pair in theirs}
    return sum(shares[pair] * gaps[pair] for pair in theirs) / sum(shares.values())


def summary(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a figure for each composition and temperature, and the medians."""
    for temperature in sorted({line["temperature_K"] for line in lines}):
        compared = [line for line in lines if line["temperature_K"] == temperature and "distance_A" in line]
        failed = [line["formula"] for line in lines if line["temperature_K"] == temperature and "message" in line]
        for line in compared:
            yield figure(
                f"rdf_{line['formula']}_{temperature}K",
                line["distance_A"],
                "A",
                line["m3gnet_A"],
                gap=round(line["mean_gap"], 3),
                m3gnet_gap=round(line["m3gnet_gap"], 3),
                chemistry=line["chemistry"],
            )
        if compared:
            ours, theirs = (float(np.median([line[key] for line in compared])) for key in ("distance_A", "m3gnet_A"))
            nearer = sum(line["distance_A"] < line["m3gnet_A"] for line in compared)
            yield figure(
                f"rdf_median_{temperature}K",
                ours,
                "A",
                theirs,
                compositions=len(compared),
                nearer=nearer,
                no_melt=failed,
            )


def main() -> None:
    """Measure the cases without a result, then summarize."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compositions", type=int, default=2)
    parser.add_argument("--temperatures", default=None, help="comma-separated, of 2000, 3500, 5000")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if mirror is None:
        print("rdf_dft: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    try:
        field = potentials.load("nep89")
    except VitrionError as missing:
        print(f"rdf_dft: skipped, {missing}", file=sys.stderr)
        return
    folder = Path(mirror) / "rdf_dft"
    formulas = [path.stem.removeprefix("DFT_RDF_") for path in folder.glob("DFT_RDF_*.csv")]
    lines = earlier_lines(arguments.results)
    done = {(line["formula"], line["temperature_K"]) for line in lines}
    temperatures = [int(word) for word in (arguments.temperatures or "3500").split(",")]
    drawn = draw(formulas, count=arguments.compositions, seed=arguments.seed)
    for formula, temperature in itertools.product(drawn, temperatures):
        if (formula, temperature) in done:
            continue
        lines.append(measure(formula, folder, field, temperature_K=temperature, seed=arguments.seed))
        print(f"{formula} {temperature} K {lines[-1].get('distance_A')}", file=sys.stderr, flush=True)
        keep_line(arguments.results, lines[-1])
    for line in summary(lines):
        show(line)


if __name__ == "__main__":
    main()
