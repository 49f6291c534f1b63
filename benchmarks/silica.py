"""Structure of amorphous SiO2 and LixSi: our analysis of published cells and of our own.

Silica: 3,000-atom glasses of four cooling rates (`structures/a_sio2`): bond lengths, coordination, angles, rings.
LixSi: frames of a DFTB run at 300 K (`structures/a_li_si`, Fernandez et al., Phys. Rev. B 108, 144201 (2023)). With
`--quench-ps` NEP89 quenches cells of some 190 atoms at the same density and the same is printed for them.

    VITRION_DATA_MIRROR=... python benchmarks/silica.py                            # the published cells, half a minute
    ... python benchmarks/silica.py --samples 4 --quench-ps 18 --results silica.jsonl

One JSON line a figure: name, value, unit, baseline (experiment, or the DFTB cell), ratio. Experiment: Si-O 1.62 A and a
Si-O-Si distribution with its maximum at 144 degrees (Mozzi and Warren, J. Appl. Cryst. 2, 164 (1969)), mean 151 with a
deviation of 11 degrees (Mauri et al., Phys. Rev. B 62, R4786 (2000)); tetrahedra: four neighbours at 109.47 degrees.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from figures import figure, keep_line, show  # noqa: E402
from gates import dftb_frames, lammps_silica  # noqa: E402
from scipy.stats import wasserstein_distance  # noqa: E402

from vitrion_models.errors import VitrionError  # noqa: E402
from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.amorphous import cooling_rate_K_per_ps, melt, pack, quench, relax_packing  # noqa: E402
from vitrion_workflows.analysis import (  # noqa: E402
    bond_angles,
    bond_network,
    coordination_numbers,
    first_minimum_A,
    king_rings,
    partial_rdf,
)
from vitrion_workflows.dynamics.stage import MDStage, run_stage  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.schemas import CellProtocol  # noqa: E402
from vitrion_workflows.validation.density_and_contacts import density_g_cm3  # noqa: E402

SIO_CUTOFF_A = 2.0
RATES = ("0_1k", "1k", "10k", "100k")  # slowest first, as the files are named
RING_SIZES = range(3, 11)
ATOMS = 192
SILICIDE = "Li240Si64"  # the one composition with a run of a hundred frames
PAIRS = ("Li-Li", "Li-Si", "Si-Si")
REACH_A = 7.0
BIN_A = 0.1
QUENCHED_FRAMES = 40


def silica_figures(name: str, cells: list[AtomicSystem]) -> Iterator[dict[str, Any]]:
    """Yield bonds, coordination, angles and rings of silica cells, means over cells."""
    silicon = np.concatenate([bonded(cell, "Si", "O") for cell in cells])
    oxygen = np.concatenate([bonded(cell, "O", "Si") for cell in cells])
    tetrahedra = np.concatenate([angles(cell, "Si", "O") for cell in cells])
    bridges = np.concatenate([angles(cell, "O", "Si") for cell in cells])
    rdf = partial_rdf(cells, centre="Si", neighbour="O", cutoff_A=4.0, bin_A=0.02)
    rings = [king_rings(bond_network(cell, node="Si", bridge="O", cutoff_A=SIO_CUTOFF_A)) for cell in cells]
    yield figure(f"{name}_density", float(np.mean([density_g_cm3(cell) for cell in cells])), "g/cm3", 2.20)
    yield figure(f"{name}_si_o_peak", float(rdf.r_A[np.argmax(rdf.g)]), "A", 1.62)
    yield figure(f"{name}_si_coordination", float(silicon.mean()), "", 4.0, share_of_four=float((silicon == 4).mean()))
    yield figure(f"{name}_o_coordination", float(oxygen.mean()), "", 2.0, share_of_two=float((oxygen == 2).mean()))
    yield figure(f"{name}_o_si_o", float(tetrahedra.mean()), "degrees", 109.47, deviation=float(tetrahedra.std()))
    yield figure(f"{name}_si_o_si", float(bridges.mean()), "degrees", 151.0, deviation=float(bridges.std()))
    sizes = {size: float(np.mean([ring.per_node().get(size, 0.0) for ring in rings])) for size in RING_SIZES}
    mean_size = float(np.mean([ring.mean_size() for ring in rings]))
    yield figure(f"{name}_rings", mean_size, "silicon atoms", 6.0, per_silicon=sizes)


def bonded(cell: AtomicSystem, centre: str, neighbour: str) -> np.ndarray:
    """Return the coordination numbers within the first shell."""
    return coordination_numbers(cell, centre=centre, neighbour=neighbour, cutoff_A=SIO_CUTOFF_A)


def angles(cell: AtomicSystem, centre: str, ends: str) -> np.ndarray:
    """Return the angles at one species within the first shell."""
    return bond_angles(cell, centre=centre, ends=(ends, ends), cutoff_A=SIO_CUTOFF_A)


def silicide_figures(ours: list[AtomicSystem] | None, theirs: list[AtomicSystem]) -> Iterator[dict[str, Any]]:
    """Yield the first shells of LixSi, and distances between two sets where there are two."""
    for pair in PAIRS:
        centre, neighbour = pair.split("-")
        options = {"centre": centre, "neighbour": neighbour}
        reference = partial_rdf(theirs, cutoff_A=REACH_A, bin_A=BIN_A, **options)
        edge = first_minimum_A(reference)
        peak = float(reference.r_A[np.argmax(reference.g)])
        shell = mean_coordination(theirs, edge, **options)
        label = f"{SILICIDE}_{pair}"
        yield figure(f"{label}_dftb_coordination", shell, "", None, peak_A=peak, shell_edge_A=edge)
        if ours is None:
            continue
        rdf = partial_rdf(ours, cutoff_A=REACH_A, bin_A=BIN_A, **options)
        yield figure(f"{label}_coordination", mean_coordination(ours, edge, **options), "", shell)
        yield figure(f"{label}_peak", float(rdf.r_A[np.argmax(rdf.g)]), "A", peak)
        distance = float(wasserstein_distance(rdf.r_A, reference.r_A, rdf.g, reference.g))
        halves = [partial_rdf(theirs[part::2], cutoff_A=REACH_A, bin_A=BIN_A, **options).g for part in (0, 1)]
        noise = float(wasserstein_distance(reference.r_A, reference.r_A, *halves))
        yield figure(f"{label}_distance", distance, "A", None, between_halves_of_the_dftb_run=noise)


def mean_coordination(cells: list[AtomicSystem], cutoff_A: float, *, centre: str, neighbour: str) -> float:
    """Return the mean over atoms and cells."""
    numbers = [coordination_numbers(cell, centre=centre, neighbour=neighbour, cutoff_A=cutoff_A) for cell in cells]
    return float(np.mean(numbers))


def glass(
    formula: str, field: ForceField, *, volume_A3_per_atom: float, melt_K: float, quench_ps: float
) -> tuple[list[AtomicSystem], float]:
    """Return frames at 300 K of a cell quenched at fixed volume, and the cooling rate in K/ps."""
    protocol = CellProtocol(melt_temperature_K=melt_K, melt_ps=5.0, quench_ps=quench_ps, hold_ps=2.0)
    packed = pack(formula, n_atoms=ATOMS, volume_A3_per_atom=volume_A3_per_atom, seed=1).system
    start = relax_packing(packed, field)
    molten = melt(start, field, protocol=protocol, seed=2)
    velocities = molten.state.velocities_A_per_ps
    resting = quench(molten.system, field, velocities=velocities, protocol=protocol, seed=3).system
    held = MDStage(name="hold", duration_ps=2.0, temperature_K=300.0, frames=QUENCHED_FRAMES)
    trajectory = run_stage(resting, field, held, protocol=protocol, seed=4).trajectory
    frames = [AtomicSystem(start.numbers, place, start.lattice_A) for place in trajectory.positions_A[1:]]
    return frames, cooling_rate_K_per_ps(protocol)


def figures(mirror: Path, *, samples: int, quench_ps: float | None) -> Iterator[dict[str, Any]]:
    """Yield all figures, the cheap ones first."""
    for rate in RATES:
        paths = sorted((mirror / "structures/a_sio2").glob(f"sio2_3000_glass_{rate}_sample*.dat"))[:samples]
        yield from silica_figures(f"a_sio2_{rate}", [lammps_silica(path) for path in paths])
    theirs = list(dftb_frames(mirror / f"structures/a_li_si/{SILICIDE}.xyz", every=2))
    if quench_ps is None:
        yield from silicide_figures(None, theirs)
        return
    field = potentials.load("nep89")
    room = float(np.mean([cell.volume_A3 for cell in theirs])) / len(theirs[0])
    ours, _ = glass(SILICIDE, field, volume_A3_per_atom=room, melt_K=2000.0, quench_ps=quench_ps)
    yield from silicide_figures(ours, theirs)
    oxide = lammps_silica(mirror / "structures/a_sio2/sio2_3000_glass_1k_sample0.dat")
    room = oxide.volume_A3 / len(oxide)
    frames, rate_K = glass("SiO2", field, volume_A3_per_atom=room, melt_K=4000.0, quench_ps=quench_ps)
    yield from silica_figures(f"a_sio2_nep89_{rate_K:.0f}K_per_ps", frames[:: len(frames) // 4])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1, help="glasses of each cooling rate, at most 4")
    parser.add_argument("--quench-ps", type=float, help="quench NEP89 cells too, with a ramp of this length")
    parser.add_argument("--results", type=Path, help="the lines are appended here too")
    arguments = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if mirror is None:
        print("silica: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    try:
        for line in figures(Path(mirror), samples=arguments.samples, quench_ps=arguments.quench_ps):
            show(line)
            keep_line(arguments.results, line)
    except VitrionError as missing:
        print(f"silica: ended, {missing}", file=sys.stderr)


if __name__ == "__main__":
    main()
