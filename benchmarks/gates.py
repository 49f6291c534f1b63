"""Error rates and cost of the gates on order and density for real crystals and glasses.

Run as ``VITRION_DATA_MIRROR=... python benchmarks/gates.py``; one JSON line a figure. Baselines: an order gate that
always says amorphous (or crystalline) errs on all of one side.
"""

import csv
import gzip
import json
import os
import sys
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from ase.io import read
from figures import emit
from pymatgen.core.structure import Structure

from vitrion_models.errors import VitrionError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous import DEFAULT_LIMITS, hidden_symmetry, orientational_coherence
from vitrion_workflows.schemas.geometry import system_from_atoms, system_from_structure
from vitrion_workflows.structure.volume_estimate import estimate_volume

LEAST_WIDTH_A = 8.0
MOST_ATOMS = 260
PER_SET = 120


def glasses(mirror: Path) -> Iterator[tuple[str, AtomicSystem]]:
    """Yield amorphous cells and melts with the name of their set."""
    folder = mirror / "structures"
    for index in range(1, 10):
        yield "pfp_amorphous", system_from_atoms(read(folder / f"pfp_amorphous/temp_{index}.cif"))
    for path in sorted((folder / "a_carbon/poscar").glob("d[0-9]*.vasp")):
        yield "a_carbon", system_from_atoms(read(path))
    for path in sorted((folder / "a_li_si").glob("*.xyz")):
        yield from (("a_li_si", system) for system in dftb_frames(path, every=20))
    for path in sorted((folder / "a_sio2").glob("*sample0.dat")):
        yield "a_sio2", lammps_silica(path)
    for atoms in read(folder / "li_p_s/test_regularization.extxyz", "::10"):
        yield "li_p_s", system_from_atoms(atoms)
    for path in sorted((mirror / "trajectories/liquid_na").glob("XDATCAR*")):
        yield from (("liquid_na", system) for system in xdatcar(path, every=200))


def thermal_crystals(mirror: Path) -> Iterator[tuple[str, AtomicSystem]]:
    """Yield crystals from molecular dynamics, and crystals rattled by 0.1-0.25 A along each axis."""
    for path in sorted((mirror / "trajectories/argyrodite").glob("*XDATCAR.gz")):
        yield from (("argyrodite 500 K AIMD", system) for system in xdatcar(path, every=40))
    yield from (("LGPS 600 K AIMD", system) for system in lgps(mirror / "trajectories/lgps/DiffusionAnalyzer.json"))
    for width_A in (0.1, 0.15, 0.2, 0.25):
        rng = np.random.default_rng(round(100 * width_A))
        for name, crystals in (
            ("perov_5", csv_crystals(mirror / "crystals/perov_5/val.csv")),
            ("obelix", obelix_crystals(mirror / "obelix/all_cifs.zip")),
        ):
            yield from ((f"{name} rattled {width_A} A", rattled(crystal, width_A, rng)) for crystal in crystals)


def csv_crystals(path: Path) -> Iterator[AtomicSystem]:
    """Yield crystals of a CDVAE table, repeated to a size that the gates can classify."""
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    for row in rows[:: max(1, len(rows) // PER_SET)]:
        yield from wide_enough(Structure.from_str(row["cif"], fmt="cif"))


def obelix_crystals(path: Path) -> Iterator[AtomicSystem]:
    """Yield the fully occupied crystals of OBELiX."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(".cif"):
                continue
            try:
                structure = Structure.from_str(archive.read(name).decode(), fmt="cif")
            except ValueError:
                continue
            if structure.is_ordered and len(structure) <= MOST_ATOMS:
                yield from wide_enough(structure)


def wide_enough(structure: Structure) -> Iterator[AtomicSystem]:
    """Repeat a crystal to a height of 8 A, unless that takes too many atoms."""
    system = system_from_structure(structure)
    widths = 1.0 / np.linalg.norm(np.linalg.inv(system.lattice_A), axis=0)
    repeats = np.maximum(1, np.ceil(LEAST_WIDTH_A / widths)).astype(int)
    if len(structure) * int(repeats.prod()) <= MOST_ATOMS:
        yield system_from_structure(structure * repeats)


def rattled(system: AtomicSystem, width_A: float, rng: np.random.Generator) -> AtomicSystem:
    """Displace every atom along each axis by Gaussian noise."""
    moved = system.positions_A + rng.normal(0.0, width_A, size=system.positions_A.shape)
    return AtomicSystem(system.numbers, moved, system.lattice_A)


def dftb_frames(path: Path, *, every: int) -> Iterator[AtomicSystem]:
    """Yield frames of a DFTB run whose cells are in the paired output file."""
    lines = path.with_suffix(".out").read_text().splitlines()
    cells = [
        np.array([[float(word) for word in row.split()] for row in lines[at + 1 : at + 4]])
        for at, line in enumerate(lines)
        if line.startswith("Lattice vectors")
    ]
    for index, atoms in enumerate(read(path, ":")):
        if index % every == 0:
            yield AtomicSystem(atoms.numbers, atoms.positions, cells[min(index, len(cells) - 1)])


def lammps_silica(path: Path) -> AtomicSystem:
    """Read a LAMMPS data file with type 1 = O, 2 = Si."""
    lines = path.read_text().splitlines()
    bounds = [line.split() for line in lines if line.split()[2:3] in (["xlo"], ["ylo"], ["zlo"])]
    lengths = [float(row[1]) - float(row[0]) for row in bounds]
    start = next(index for index, line in enumerate(lines) if line.startswith("Atoms")) + 2
    rows = []
    for line in lines[start:]:
        if not line.strip():
            break
        rows.append(line.split())
    shift = 1 if len(rows[0]) in (6, 9) else 0  # with a column of charges
    positions = np.array([[float(word) for word in row[2 + shift : 5 + shift]] for row in rows])
    return AtomicSystem(np.where(np.array([row[1] for row in rows]) == "1", 8, 14), positions, np.diag(lengths))


def xdatcar(path: Path, *, every: int) -> Iterator[AtomicSystem]:
    """Yield frames of a gzipped XDATCAR at fixed cell."""
    with gzip.open(path, "rt") as stream:
        lines = stream.read().splitlines()
    lattice = float(lines[1]) * np.array([[float(word) for word in line.split()] for line in lines[2:5]])
    numbers = Structure(
        lattice,
        [s for s, n in zip(lines[5].split(), lines[6].split(), strict=True) for _ in range(int(n))],
        np.zeros((sum(map(int, lines[6].split())), 3)),
    ).atomic_numbers
    starts = [index for index, line in enumerate(lines) if line.startswith("Direct")]
    for start in starts[every::every]:
        rows = [[float(word) for word in line.split()[:3]] for line in lines[start + 1 : start + 1 + len(numbers)]]
        yield AtomicSystem(np.array(numbers), np.array(rows) @ lattice, lattice)


def lgps(path: Path) -> Iterator[AtomicSystem]:
    """Yield snapshots of pymatgen's LGPS fixture."""
    content = json.loads(path.read_text())
    structure = Structure.from_dict(content["structure"])
    displacements = np.array(content["displacements"])
    for index in np.linspace(10, displacements.shape[1] - 1, 5).astype(int):
        positions = structure.cart_coords + displacements[:, index]
        yield AtomicSystem(np.array(structure.atomic_numbers), positions, structure.lattice.matrix)


def crystalline(system: AtomicSystem) -> tuple[bool, float, float]:
    """Return True if an order gate rejects the cell, and the two numbers."""
    coherence, symmetry = orientational_coherence(system) or np.inf, hidden_symmetry(system) or np.inf
    refused = coherence > DEFAULT_LIMITS.greatest_coherence or symmetry > DEFAULT_LIMITS.greatest_symmetry
    return refused, coherence, symmetry


def order_rates(cells: Iterator[tuple[str, AtomicSystem]], *, wrong: Callable[[bool], bool], what: str) -> None:
    """Yield the rate of misclassified cells in each set."""
    by_set: dict[str, list[tuple[bool, float, float]]] = {}
    seconds: list[tuple[int, float]] = []
    for name, system in cells:
        if system.heights_A.min() < LEAST_WIDTH_A - 1.5:
            continue
        begun = time.perf_counter()
        by_set.setdefault(name, []).append(crystalline(system))
        seconds.append((len(system), time.perf_counter() - begun))
    for name, verdicts in by_set.items():
        coherence, symmetry = np.array([row[1] for row in verdicts]), np.array([row[2] for row in verdicts])
        print(
            f"# {name}: {len(verdicts)} cells; coherence 5-50-95 %: {np.percentile(coherence, [5, 50, 95]).round(1)}; "
            f"symmetry: {np.percentile(symmetry, [5, 50, 95]).round(2)}"
        )
        emit(f"{what}: {name}", float(np.mean([wrong(row[0]) for row in verdicts])), "wrong verdicts", 1.0)
    small = [spent for count, spent in seconds if count < 130]
    if small:
        emit(f"{what}: median time of both order gates below 130 atoms", float(np.median(small)), "s", None)


def volumes(mirror: Path) -> None:
    """Yield the ionic volume estimate against real crystals."""
    gas = system_from_atoms(read(mirror / "structures/pfp_amorphous/temp_10.cif"))
    per_atom = estimate_volume("Li3CrF6").volume_A3_per_atom
    emit("PFP record 10: volume over the ionic estimate", gas.volume_A3 / len(gas) / per_atom, "1", 2.0)
    ratios = []
    with zipfile.ZipFile(mirror / "obelix/all_cifs.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".cif"):
                try:
                    structure = Structure.from_str(archive.read(name).decode(), fmt="cif")
                    volume = estimate_volume(structure.composition.reduced_formula).volume_A3_per_atom
                except (ValueError, VitrionError):
                    continue
                if structure.is_ordered:
                    ratios.append(structure.volume / len(structure) / volume)
    emit(f"volume of {len(ratios)} OBELiX crystals over the estimate, mean", float(np.mean(ratios)), "1", 1.0)
    emit("volume of OBELiX crystals over the estimate, 1st percentile", float(np.percentile(ratios, 1)), "1", None)
    emit("volume of OBELiX crystals over the estimate, 99th percentile", float(np.percentile(ratios, 99)), "1", None)


def main() -> None:
    """Yield all figures."""
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("gates: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    warnings.simplefilter("ignore")  # of the parsers of other people's files
    folder = Path(mirror)
    order_rates(glasses(folder), wrong=lambda refused: refused, what="glass refused as crystal")
    order_rates(thermal_crystals(folder), wrong=lambda refused: not refused, what="crystal taken for glass")
    volumes(folder)


if __name__ == "__main__":
    main()
