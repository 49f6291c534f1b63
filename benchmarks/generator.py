"""Generated cells against random packings relaxed the same way, with melt-quenched cells as the reference.

Prints one JSON line for each figure: name, value (generated), unit, baseline (random packing, or as named), ratio.

    python benchmarks/generator.py                     # makes 2 melt-quenched cells of each quickstart compound first
    python benchmarks/generator.py --cells FOLDER      # keeps these cells in a folder and takes them from there
    python benchmarks/generator.py --held-out          # also with the compound left out of the training

The generator is trained on the first cell of each compound; the second gives lattice and reference.
"""

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Read when the libraries are loaded, hence before they are imported.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from ase.data import atomic_numbers  # noqa: E402
from figures import emit  # noqa: E402
from jobflow import Flow, JobStore, run_locally  # noqa: E402
from maggma.stores import MemoryStore  # noqa: E402
from pymatgen.core import Structure  # noqa: E402

from vitrion.datasets.quickstart import quickstart_compounds  # noqa: E402
from vitrion_models import generators  # noqa: E402
from vitrion_models.generators.environments import Surroundings, coordination_numbers  # noqa: E402
from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows.amorphous import PROTOCOLS, VolumeSearchFailed, pack  # noqa: E402
from vitrion_workflows.flows import MeltQuenchMaker, RelaxGeneratedMaker  # noqa: E402
from vitrion_workflows.schemas import CellOutcome  # noqa: E402
from vitrion_workflows.schemas.geometry import structure_from_system, system_from_structure  # noqa: E402

TARGETS = ("LiCl", "Li2O", "Li3PS4", "Li2SiO3", "LiAlCl4")
# Centre, ligand, longest bond in Angstrom, correct coordination number.
UNITS = {
    "Li3PS4": ("P", "S", 2.7, 4),
    "Li2SiO3": ("Si", "O", 2.2, 4),
    "LiAlCl4": ("Al", "Cl", 2.8, 4),
}
ATOMS = 56
TRAINED, TRUTH, NEXT_START = 1, 2, 10


def mean_of(figures: Mapping[str, float]) -> float:
    """Return the mean over pairs of elements."""
    return float(np.mean(list(figures.values())))


FIGURES: tuple[tuple[str, str, Callable[[generators.GeneratorMetrics], float | None]], ...] = (
    ("RDF distance", "A", lambda metrics: mean_of(metrics.rdf_wasserstein_A)),
    ("coordination distance", "", lambda metrics: mean_of(metrics.coordination_distance)),
    ("angle distance", "deg", lambda metrics: mean_of(metrics.angle_wasserstein_deg)),
    ("least distance over the reference's", "", lambda metrics: metrics.minimum_distance_ratio),
    ("diversity", "", lambda metrics: metrics.diversity),
    ("nearest training cell", "", lambda metrics: metrics.nearest_training),
)


@dataclass(frozen=True)
class RelaxedCells:
    """Several cells of one origin after relaxation and validation."""

    accepted: float
    energy_eV_per_atom: float
    correct_units: float | None
    systems: list[AtomicSystem]


def outcome_of(flow: Flow) -> CellOutcome:
    """Run a flow in this process and return the cell of its last job."""
    store = JobStore(MemoryStore())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "cd is deprecated", FutureWarning)
        responses = run_locally(flow, store=store, log=False, raise_immediately=True)
    output = responses[flow.jobs[-1].uuid][1].output
    return output if isinstance(output, CellOutcome) else CellOutcome.model_validate(output)


def quenched(formula: str, seed: int, folder: Path) -> CellOutcome:
    """Return a melt-quenched cell of a quickstart compound from the folder; make and store it if absent."""
    file = folder / f"{formula}-{seed}.json"
    if not file.is_file():
        maker = MeltQuenchMaker(potential="nep89", protocol=PROTOCOLS["quickstart"])
        flow = maker.make(formula, n_atoms=ATOMS, seed=seed, twin=twin_of(formula))
        try:
            outcome = outcome_of(flow)
        except VolumeSearchFailed:
            # Some melts boil at 2000 K from some starts; another start is as good a reference.
            return quenched(formula, seed + NEXT_START, folder)
        file.write_text(outcome.model_dump_json())
    return CellOutcome.model_validate_json(file.read_bytes())


def twin_of(formula: str) -> Structure:
    """Return the crystal of a quickstart compound."""
    return next(compound.structure() for compound in quickstart_compounds() if compound.formula == formula)


def system_of(outcome: CellOutcome) -> AtomicSystem:
    """Return the cell of an outcome."""
    return system_from_structure(Structure.from_dict(outcome.structure))


def relax_and_validate(formula: str, cells: Sequence[AtomicSystem]) -> RelaxedCells:
    """Relax and validate cells as a campaign does."""
    maker = RelaxGeneratedMaker(potential="nep89")
    outcomes = [
        outcome_of(
            maker.make(
                structure_from_system(cell), model_version="0" * 64, seed=seed, formula=formula, twin=twin_of(formula)
            )
        )
        for seed, cell in enumerate(cells)
    ]
    systems = [system_of(outcome) for outcome in outcomes]
    return RelaxedCells(
        accepted=float(np.mean([outcome.accepted for outcome in outcomes])),
        energy_eV_per_atom=float(np.mean([outcome.energy_eV_per_atom or np.nan for outcome in outcomes])),
        correct_units=correct_units(formula, systems),
        systems=systems,
    )


def correct_units(formula: str, systems: Sequence[AtomicSystem]) -> float | None:
    """Return the fraction of centres of polyanions with the correct number of ligands."""
    if formula not in UNITS:
        return None
    centre, ligand, bond_A, coordination = UNITS[formula]
    cells = [Surroundings.of(system) for system in systems]
    counts = coordination_numbers(cells, atomic_numbers[centre], atomic_numbers[ligand], bond_A)
    return float(np.mean(counts == coordination))


def start_of(formula: str, truth: CellOutcome, *, count: int) -> tuple[list[AtomicSystem], RelaxedCells]:
    """Return the baseline: random packings in the lattice of the reference, as packed and relaxed."""
    reference = system_of(truth)
    volume = reference.volume_A3 / len(reference)
    packed = [pack(formula, n_atoms=ATOMS, volume_A3_per_atom=volume, seed=seed).system for seed in range(count)]
    chance = relax_and_validate(formula, packed)
    if chance.correct_units is not None:
        emit(f"{formula}: correct units melt-quench", correct_units(formula, [reference]), "share", None)
    return packed, chance


def compare_one(
    title: str,
    formula: str,
    *,
    model: generators.TrainedGenerator,
    training: Sequence[AtomicSystem],
    truth: CellOutcome,
    baseline: tuple[list[AtomicSystem], RelaxedCells],
) -> None:
    """Report the figures of one compound and one generator."""
    reference, (packed, chance) = system_of(truth), baseline
    begun = time.process_time()
    request = generators.GenerationRequest(
        count=len(packed), seed=11, composition=reference.numbers, cell_A=reference.lattice_A
    )
    drawn = model.sample(request)
    emit(f"{title}: sampling", (time.process_time() - begun) / len(packed), "CPU s/cell", None)
    mine = relax_and_validate(formula, drawn)
    energy = truth.energy_eV_per_atom or np.nan
    emit(f"{title}: accepted", mine.accepted, "share", chance.accepted)
    above = (mine.energy_eV_per_atom - energy, chance.energy_eV_per_atom - energy)
    emit(f"{title}: energy above melt-quench", above[0], "eV/atom", above[1])
    if mine.correct_units is not None:
        emit(f"{title}: correct units as drawn", correct_units(formula, drawn), "share", correct_units(formula, packed))
        emit(f"{title}: correct units relaxed", mine.correct_units, "share", chance.correct_units)
    for state, generated, random in (("as drawn", drawn, packed), ("relaxed", mine.systems, chance.systems)):
        structure(
            f"{title}, {state}", *(generators.compare(c, [reference], training=training) for c in (generated, random))
        )
    same = [cell for cell in training if set(cell.numbers.tolist()) == set(reference.numbers.tolist())]
    if same:
        yardstick = generators.compare([reference], same, training=same)
        structure(f"{title}, one quench against another", yardstick, None)


def structure(title: str, mine: generators.GeneratorMetrics, chance: generators.GeneratorMetrics | None) -> None:
    """Report structural figures of generated cells beside those of random packings."""
    for name, unit, figure in FIGURES:
        emit(f"{title}: {name}", figure(mine), unit, None if chance is None else figure(chance))


def main() -> None:
    """Make or read the cells, train, draw, relax, validate."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cells", type=Path, help="folder of melt-quenched cells, filled where they are missing")
    options.add_argument("--count", type=int, default=4, help="cells drawn of each compound")
    options.add_argument("--targets", nargs="+", default=TARGETS, help="compounds to draw")
    options.add_argument("--held-out", action="store_true", help="also train without the compound that is drawn")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        folder = chosen.cells or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("VITRION_SCRATCH", str(Path(spare) / "scratch"))
        formulas = [compound.formula for compound in quickstart_compounds()]
        cells = {formula: system_of(quenched(formula, TRAINED, folder)) for formula in formulas}
        config = generators.AmorphousDiffusionConfig(validation_fraction=0.0)
        begun = time.process_time()
        model = generators.train(list(cells.values()), config=config, seed=1)
        emit(f"training on {len(cells)} cells", time.process_time() - begun, "CPU s", None)
        for band in model.metrics.training:
            emit(f"denoising loss at {band.sigma_A:.2f} A", band.loss, "", band.target_power)
        for formula in chosen.targets:
            truth = quenched(formula, TRUTH, folder)
            baseline = start_of(formula, truth, count=chosen.count)
            compare_one(formula, formula, model=model, training=list(cells.values()), truth=truth, baseline=baseline)
            if chosen.held_out and formula in UNITS:
                others = [cell for name, cell in cells.items() if name != formula]
                blind = generators.train(others, config=config, seed=1)
                compare_one(
                    f"{formula} held out", formula, model=blind, training=others, truth=truth, baseline=baseline
                )


if __name__ == "__main__":
    main()
