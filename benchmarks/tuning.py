"""NEP89 tuned to DIEP: agreement before and after, wrong bonds in its own melts, time and speed.

For each composition three questions are asked. (1) A fit to melts of NEP89 at 2500, 2000 and 1500 K is tried on their
frames at 1000 K. (2) `vitrion potentials tune` with its rounds of own dynamics, as the product runs it; a tuned
potential of an earlier run of this script is used again. (3) A melt of a new seed is run by NEP89 and by the tuned
potential: DIEP labels its frames, and bonds between atoms of one element are counted.

    python benchmarks/tuning.py                                    # Li3P, some three minutes on an idle core
    python benchmarks/tuning.py Li3P LiVO3 Li6Zr2O7 Li3PS4 --results tuning.jsonl

One JSON line a figure: name, value, unit, baseline (NEP89), ratio.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from figures import figure, keep_line, show  # noqa: E402

from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.potentials.adapters.nep import NepForceField  # noqa: E402
from vitrion_workflows.potentials.force_field import ForceField  # noqa: E402
from vitrion_workflows.potentials.weights.tuned import TunedWeights  # noqa: E402
from vitrion_workflows.structure.homonuclear import count_homonuclear_bonds  # noqa: E402
from vitrion_workflows.tuning.agreement import TuningRefused, agreement_by_group  # noqa: E402
from vitrion_workflows.tuning.fit import fit  # noqa: E402
from vitrion_workflows.tuning.frames import LabelledFrame, label  # noqa: E402
from vitrion_workflows.tuning.nep_file import read_nep, write_nep  # noqa: E402
from vitrion_workflows.tuning.parents import load_parent  # noqa: E402
from vitrion_workflows.tuning.rounds import TuningRequest, tune  # noqa: E402
from vitrion_workflows.tuning.sampling import TEMPERATURES_K, VOLUME_SCALES, melt_frames  # noqa: E402

PARENT, REFERENCE = "nep89", "diep"
FRAMES = 24
FRESH_SEED = 1000  # of no round
EVALUATIONS = 50
FIGURES = ("r2", "slope", "inverse_slope", "energy_scatter_eV_per_atom", "pressure_bias_GPa")


def held_out_temperature(formula: str, parent: NepForceField, path: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the agreement on frames at 1000 K of a potential that learned from hotter ones."""
    melt = melt_frames(formula, parent, count=FRAMES, seed=FRESH_SEED + 1)
    frames = label([(formula, system) for system in melt.systems], potentials.load(REFERENCE))
    each = len(frames) // (len(VOLUME_SCALES) * len(TEMPERATURES_K))
    places = np.arange(len(frames)) // each % len(TEMPERATURES_K)
    coldest = places == len(TEMPERATURES_K) - 1
    learned = [frame for frame, cold in zip(frames, coldest, strict=True) if not cold]
    kept = [frame for frame, cold in zip(frames, coldest, strict=True) if cold]
    elements = TuningRequest(parent=PARENT, reference=REFERENCE, compositions=(formula,)).elements
    begun = time.process_time()
    model = fit(read_nep(path).reduced_to(elements), learned, seed=0)
    seconds = time.process_time() - begun
    write_nep(model, folder / "fit.txt")
    student = NepForceField(folder / "fit.txt", name="fit", weights_sha256="", device="cpu")
    yield from _before_after(f"{formula}, held-out 1000 K", kept, parent, student)
    yield figure(f"{formula}, processor time of the fit", seconds, "s")


def own_melts(formula: str, parent: NepForceField, tuned: ForceField) -> Iterator[dict[str, Any]]:
    """Yield the agreement of each potential on frames of its own melt, and bonds between atoms of one element."""
    reference, bonds, agreement = potentials.load(REFERENCE), {}, {}
    for force_field in (parent, tuned):
        melt = melt_frames(formula, force_field, count=FRAMES, seed=FRESH_SEED)
        agreement[force_field.name] = agreement_by_group(
            force_field, label([(formula, system) for system in melt.systems], reference)
        )[0]
        bonds[force_field.name] = [count_homonuclear_bonds(system) for system in melt.systems]
    before, after = agreement[parent.name], agreement[tuned.name]
    for name in FIGURES:
        yield figure(f"{formula}, own melts, {name}", getattr(after, name), _unit(name), getattr(before, name))
    for element in sorted({key for counts in bonds.values() for count in counts for key in count}):
        means = [float(np.mean([count.get(element, 0) for count in bonds[p.name]])) for p in (tuned, parent)]
        yield figure(f"{formula}, bonds {element}-{element} in a frame", means[0], "", means[1])


def speed(formula: str, parent: NepForceField, tuned: ForceField) -> Iterator[dict[str, Any]]:
    """Yield the time of an evaluation, the two in turn."""
    system = melt_frames(formula, parent, count=8, seed=FRESH_SEED).systems[0]
    seconds = {parent.name: 0.0, tuned.name: 0.0}
    for _ in range(EVALUATIONS):
        for force_field in (parent, tuned):
            begun = time.process_time()
            force_field.evaluate(system)
            seconds[force_field.name] += time.process_time() - begun
    times = {name: 1e3 * total / EVALUATIONS for name, total in seconds.items()}
    yield figure(f"{formula}, evaluation of {len(system)} atoms", times[tuned.name], "ms", times[parent.name])


def tuned_potential(formula: str) -> tuple[ForceField | None, list[dict[str, Any]]]:
    """Return the tuned potential, or None where it is refused, and figures of its rounds."""
    name = f"benchmark-{formula}"
    lines = []
    if not TunedWeights(name).folder.exists():
        begun = time.process_time()
        try:
            tune(TuningRequest(parent=PARENT, reference=REFERENCE, compositions=(formula,), frames=FRAMES), name=name)
        except TuningRefused as refusal:
            return None, [figure(f"{formula}, refused", None, "", message=str(refusal))]
        lines.append(figure(f"{formula}, processor time of tuning", time.process_time() - begun, "s"))
    rounds = TunedWeights(name).require()["rounds"]
    lines.append(figure(f"{formula}, rounds", len(rounds), "", r2=[figures[0]["r2"] for figures in rounds]))
    return potentials.load(f"tuned:{name}"), lines


def measure(formula: str) -> Iterator[dict[str, Any]]:
    """Yield all figures of one composition."""
    parent, path = load_parent(PARENT)
    tuned, lines = tuned_potential(formula)
    yield from lines
    with tempfile.TemporaryDirectory() as folder:
        yield from held_out_temperature(formula, parent, path, Path(folder))
    if tuned is not None:
        yield from own_melts(formula, parent, tuned)
        yield from speed(formula, parent, tuned)


def _before_after(
    name: str, frames: Sequence[LabelledFrame], parent: ForceField, student: ForceField
) -> Iterator[dict[str, Any]]:
    before, after = (agreement_by_group(force_field, frames)[0] for force_field in (parent, student))
    for entry in FIGURES:
        yield figure(f"{name}, {entry}", getattr(after, entry), _unit(entry), getattr(before, entry))


def _unit(name: str) -> str:
    return {"energy_scatter_eV_per_atom": "eV/atom", "pressure_bias_GPa": "GPa"}.get(name, "")


def main() -> None:
    """Print the figures of each composition."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formulas", nargs="*", default=["Li3P"])
    parser.add_argument("--results", type=Path, help="append the lines to this file")
    options = parser.parse_args()
    for formula in options.formulas:
        for line in measure(formula):
            show(line)
            keep_line(options.results, line)


if __name__ == "__main__":
    main()
