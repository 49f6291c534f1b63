"""The force check on melts of NEP89: holes that are planted and found, sound runs that are refused, and their limits.

Two frames of each of 130 melts at 2000 K (`nep89_melts` of the data mirror) are evaluated by NEP89 and DIEP. Formulas
are divided in two by the parity of their place in the alphabet: the first half shows where limits may lie, the second
judges them. A melt is sound, by nothing that the check looks at, where its D is that of AIMD within 0.25 decades at
equal volume (the change of log10 D with ln V is 1.02) and no bonds of one element are there that its charges leave out.

Holes are planted in frames of the second half, the classes of anion in turn: the two nearest cations are pushed
together to half the sum of their covalent radii (Zr-Zr at 1.78 A), or the two nearest anions of one element to 0.85 of
their single bond (N-N at 1.23 A, as in NEP89's Li3N). At the whole length DIEP itself has some of these bonds.

    VITRION_DATA_MIRROR=... python benchmarks/force_check.py                 # one minute on one core
    ... python benchmarks/force_check.py --runs aimd-results                 # trajectories of benchmarks/aimd.py, too

One JSON line a figure: name, value, unit, baseline, ratio.
"""

import argparse
import gzip
import itertools
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from ase.data import chemical_symbols, covalent_radii  # noqa: E402
from ase.io import read  # noqa: E402
from figures import emit  # noqa: E402

from vitrion_models.errors import VitrionError  # noqa: E402
from vitrion_models.graphs import neighbour_list  # noqa: E402
from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.dynamics.checkpoint import TRAJECTORY_FILE  # noqa: E402
from vitrion_workflows.force_check.check import check_run  # noqa: E402
from vitrion_workflows.force_check.denied_bonds import greatest_repulsions, measure_denied_bond  # noqa: E402
from vitrion_workflows.force_check.evaluation import EvaluatedFrames, evaluate_systems  # noqa: E402
from vitrion_workflows.force_check.holes import measure_hole, worst_hole  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.schemas import ForceCheckSettings, Measurement  # noqa: E402
from vitrion_workflows.structure.composition import parse_formula  # noqa: E402
from vitrion_workflows.structure.homonuclear import (  # noqa: E402
    NON_METALS,
    accounted_bonds,
    composition_of,
    count_homonuclear_bonds,
)
from vitrion_workflows.structure.volume_estimate import likely_charges  # noqa: E402
from vitrion_workflows.trajectories import h5md  # noqa: E402

PRODUCTION, REFERENCE = "nep89", "diep"
PLANTED = 50
SOUND_DECADES = 0.25
VOLUME_SLOPE, VOLUME_LEVEL = 1.02, 0.06  # of log10(D / D_AIMD) against ln(V / V_AIMD), nep89_melts/README.md
PUSHED, BONDED = 0.5, 0.85  # of the sum of covalent radii, and of the single bond
REACH_A = 6.0  # of the search for the two nearest ions
ALKALI = frozenset({"Li", "Na", "K", "Rb", "Cs"})


@dataclass(frozen=True, eq=False)
class Melt:
    """Frames of one melt with its label's agreement with AIMD."""

    formula: str
    chemistry: str
    systems: tuple[AtomicSystem, ...]
    error_decades: float | None

    @property
    def is_sound(self) -> bool:
        """True where D agrees with AIMD at equal volume and no unaccounted bond is there."""
        if self.error_decades is None or abs(self.error_decades) > SOUND_DECADES:
            return False
        accounted = accounted_bonds(composition_of(self.systems[0]))
        return accounted is None or all(
            count <= accounted.get(symbol, 0.0)
            for system in self.systems
            for symbol, count in count_homonuclear_bonds(system).items()
        )


def melts(mirror: Path) -> list[Melt]:
    """Read the frames and labels of the melts, by formula."""
    folder = mirror / "nep89_melts"
    labels = {row["formula"]: row for row in map(json.loads, (folder / "labels.jsonl").read_text().splitlines())}
    with gzip.open(folder / "cells.extxyz.gz", "rt") as stream:
        frames = read(stream, ":", format="extxyz")
    by_formula: dict[str, list[AtomicSystem]] = {}
    for atoms in frames:
        system = AtomicSystem(atoms.numbers, atoms.positions, np.array(atoms.cell))
        by_formula.setdefault(str(atoms.info["formula"]), []).append(system)
    return [
        Melt(formula, labels[formula]["chemistry"], tuple(systems), _error(labels[formula]))
        for formula, systems in sorted(by_formula.items())
    ]


def _error(label: Mapping[str, Any]) -> float | None:
    """Return log10(D / D_AIMD) less what the difference of the volumes explains; None without an accepted label."""
    if label.get("state") != "accepted" or label.get("log10_ratio") is None:
        return None
    return float(label["log10_ratio"] - VOLUME_LEVEL - VOLUME_SLOPE * np.log(label["volume_ratio"]))


@dataclass(frozen=True, eq=False)
class Bench:
    """The two potentials."""

    production: ForceField
    reference: ForceField

    def evaluate(self, systems: Iterable[AtomicSystem]) -> EvaluatedFrames:
        """Evaluate frames of one melt by both."""
        every = list(systems)
        return evaluate_systems(
            every, frames=np.arange(len(every)), production=self.production, reference=self.reference
        )

    def measure(self, evaluated: EvaluatedFrames) -> tuple[Measurement, Measurement]:
        """Return the measurements of the gate."""
        return (
            measure_hole(evaluated, production=PRODUCTION, reference=REFERENCE),
            measure_denied_bond(evaluated, greatest_repulsions(evaluated), reference=REFERENCE),
        )


def plantings(chosen: list[Melt]) -> Iterator[tuple[Melt, str, tuple[AtomicSystem, ...]]]:
    """Yield melts with a hole planted in all frames: cations together, anions bonded, the classes in turn."""
    classes: dict[str, list[tuple[Melt, str]]] = {}
    for melt, kind in itertools.product(chosen, ("cations", "anions")):
        classes.setdefault(melt.chemistry, []).append((melt, kind))
    for melt, kind in filter(None, itertools.chain.from_iterable(itertools.zip_longest(*classes.values()))):
        planted = plant(melt, kind)
        if planted is not None:
            yield melt, kind, planted


def plant(melt: Melt, kind: str) -> tuple[AtomicSystem, ...] | None:
    """Return the frames of a melt with its two nearest ions of a kind pushed together; None without such ions."""
    charges = likely_charges(parse_formula(melt.formula))
    if charges is None:
        return None
    positive = kind == "cations"
    kept = [symbol for symbol, charge in charges.items() if (charge > 0) == positive and symbol not in ALKALI]
    system = melt.systems[-1]
    symbols = np.array(chemical_symbols)[system.numbers]
    pairs = neighbour_list(system, REACH_A)
    first, second = pairs.edge_index
    allowed = np.isin(symbols[first], kept) & np.isin(symbols[second], kept) & (first != second)
    if not positive:
        allowed &= (symbols[first] == symbols[second]) & np.isin(symbols[first], list(NON_METALS))
    pairs = pairs.where(allowed)
    if not len(pairs):
        return None
    one, other = (int(atom) for atom in pairs.edge_index[:, int(pairs.distances_A.argmin())])
    radii = covalent_radii[system.numbers[[one, other]]].sum()
    distance = PUSHED * radii if positive else BONDED * NON_METALS[symbols[one]].bond_A
    return tuple(_pushed(frame, one, other, distance) for frame in melt.systems)


def _pushed(system: AtomicSystem, one: int, other: int, distance_A: float) -> AtomicSystem:
    between = system.positions_A[other] - system.positions_A[one]
    fractional = between @ np.linalg.inv(system.lattice_A)
    between = (fractional - np.round(fractional)) @ system.lattice_A
    step = between * (1.0 - distance_A / np.linalg.norm(between)) / 2.0
    positions = system.positions_A.copy()
    positions[one] += step
    positions[other] -= step
    return replace(system, positions_A=positions)


def of_melts(bench: Bench, every: list[Melt]) -> None:
    """Print the limits of the first half, what is refused of the second, and the planted holes found in it."""
    begun = time.process_time()
    results = []
    for place, melt in enumerate(every):
        evaluated = bench.evaluate(melt.systems)
        measurements = bench.measure(evaluated)
        results.append((place % 2, melt, worst_hole(evaluated).severity, measurements))
    frames = sum(len(melt.systems) for melt in every)
    emit("force_check_seconds_a_frame", (time.process_time() - begun) / frames, "s")
    for half in (0, 1):
        mine = [result for result in results if result[0] == half]
        sound = [result for result in mine if result[1].is_sound]
        refused = [result for result in mine if not all(each.passed for each in result[3])]
        refused_sound = [result for result in refused if result[1].is_sound]
        severities = np.array([result[2] for result in sound])
        title = "second" if half else "first"
        emit(f"force_check_{title}_half_greatest_sound_severity", float(severities.max()), "of the limit", 1.0)
        emit(
            f"force_check_{title}_half_sound_refused",
            len(refused_sound) / len(sound),
            "share",
            0.01,
            sound=len(sound),
            refused=[result[1].formula for result in refused_sound],
        )
        emit(
            f"force_check_{title}_half_refused",
            len(refused) / len(mine),
            "share",
            melts=len(mine),
            refused={result[1].formula: [each.message for each in result[3] if not each.passed] for result in refused},
        )
    outcomes: dict[str, list[bool]] = {"cations": [], "anions": []}
    missed = []
    for melt, kind, systems in itertools.islice(plantings(every[1::2]), PLANTED):
        measurements = bench.measure(bench.evaluate((*melt.systems, *systems)))
        outcomes[kind].append(not all(each.passed for each in measurements))
        if not outcomes[kind][-1]:
            missed.append(f"{kind} {melt.formula}: {measurements[0].message}")
    found = sum(map(sum, outcomes.values()))
    planted = sum(map(len, outcomes.values()))
    kinds = {kind: f"{sum(each)} of {len(each)}" for kind, each in outcomes.items()}
    emit("force_check_planted_holes_found", found, "holes", planted, kinds=kinds, missed=missed)


def of_runs(bench: Bench, folder: Path) -> None:
    """Print the check of each trajectory of a folder of `benchmarks/aimd.py`."""
    for path in sorted(folder.glob(f"*/{TRAJECTORY_FILE}")):
        trajectory = h5md.read(path)
        checked = check_run(trajectory, production=bench.production, settings=ForceCheckSettings(reference=REFERENCE))
        agreement = checked.record.agreement
        if agreement is None:
            continue
        emit(
            f"force_check_r2_{path.parent.name}",
            agreement.r2,
            "",
            1.0,
            slope=round(agreement.slope, 3),
            inverse_slope=round(agreement.inverse_slope, 3),
            by_species={symbol: round(each.r2, 2) for symbol, each in checked.record.by_species.items()},
            refused=[each.message for each in checked.measurements if not each.passed],
        )


def main() -> None:
    """Measure on the melts of the data mirror, and on the runs of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, help="folder of trajectories of benchmarks/aimd.py, instead")
    arguments = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if mirror is None:
        print("force_check: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    try:
        bench = Bench(potentials.load(PRODUCTION), potentials.load(REFERENCE))
    except VitrionError as missing:
        print(f"force_check: skipped, {missing}", file=sys.stderr)
        return
    if arguments.runs is None:
        of_melts(bench, melts(Path(mirror)))
    else:
        of_runs(bench, arguments.runs)


if __name__ == "__main__":
    main()
