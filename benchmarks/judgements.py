"""Judgement of potentials on the formulas of the AIMD table and on compounds with a crystal.

Each potential is judged by `vitrion potentials judge` on 42 formulas of the AIMD table, drawn as `benchmarks/aimd.py`
draws them (six of each class of anions), and on eleven compounds of the quickstart, whose crystals are in the package.

    python benchmarks/judgements.py                                             # NEP89 on two formulas, half a minute
    ... --potentials nep89 chgnet diep --formulas 42 --crystals 11 --results judged.jsonl       # the study
    ... --potentials nep89 chgnet --formulas 49 --crystals 11 --runs aimd --results runs.jsonl  # frames of aimd.py
    ... --results judged.jsonl --summary --table table.md --plot judged.svg     # only figures, table and picture

The study goes on where it was killed. With `--runs`, the folder beside the results of `benchmarks/aimd.py`, every
potential is compared on the same frames, of NEP89's 8 ps at 2000 K and zero pressure, and on the crystals, cheaply.

One JSON line a figure: name, value, unit, baseline, ratio; medians over the compositions of a class.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from aimd_table import draw, read_table  # noqa: E402
from figures import figure, show  # noqa: E402
from matplotlib import rc_context  # noqa: E402

from vitrion.answers.judgement import JudgedComposition, read_judgements, write_judgements  # noqa: E402
from vitrion.answers.judging import aimd_volumes, subjects_of_compositions  # noqa: E402
from vitrion.cli.app import run  # noqa: E402
from vitrion.cli.console.figures import save  # noqa: E402
from vitrion.cli.console.judgement_figure import judgement_figure  # noqa: E402
from vitrion.datasets.formulas import reduced  # noqa: E402
from vitrion_workflows.dynamics.checkpoint import TRAJECTORY_FILE  # noqa: E402
from vitrion_workflows.execution.engines import force_field  # noqa: E402
from vitrion_workflows.force_check.reference import reference_potential  # noqa: E402
from vitrion_workflows.judging import (  # noqa: E402
    Judgement,
    JudgingProtocol,
    MeltVolume,
    compare_crystal,
    compare_melt,
)
from vitrion_workflows.judging.melt import FRAMES_COMPARED, spread_frames  # noqa: E402
from vitrion_workflows.model_error.anion_classes import anion_class  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.structure.composition import parse_formula  # noqa: E402
from vitrion_workflows.trajectories import h5md  # noqa: E402
from vitrion_workflows.validation.density_and_contacts import density_g_cm3  # noqa: E402

# Crystals of the quickstart, two or more of each class that it has.
CRYSTALS = ("Li2O", "LiF", "LiCl", "LiI", "Li2S", "Li3PS4", "Li3PO4", "Li2CO3", "Li2SiO3", "LiAlO2", "LiNbO3")
EVERY_CLASS = "all"
SEED = 20  # of the draw, as in aimd.py
ATOMS = 40
PRODUCTION, RUN_TEMPERATURE_K, RUN_OF_A_LABEL_PS = "nep89", 2000.0, 8.0  # of the runs of aimd.py
RUN_PS = {"nep89": 0.5}  # others: 0.1 ps
OTHER_RUN_PS = 0.1
COLUMNS = (
    "r2",
    "inverse_slope",
    "ref_r2",
    "ref_inverse_slope",
    "bias_GPa",
    "melt_over_aimd",
    "over_given",
    "over_reference",
)
UNITS = {"bias_GPa": "GPa"}


def judge(potential: str, formulas: Sequence[str], results: Path) -> None:
    """Judge a potential on formulas, those in the results left out."""
    words = ["potentials", "judge", potential, "--compositions", ",".join(formulas), "--atoms", str(ATOMS)]
    code = run([*words, "--ps", str(RUN_PS.get(potential, OTHER_RUN_PS)), "--to", str(results)])
    if code:
        raise SystemExit(code)


def judge_runs(potential: str, formulas: Sequence[str], runs: Path, results: Path) -> None:
    """Compare a potential with its reference on frames of NEP89's runs, formulas in the results left out."""
    volumes = aimd_volumes()
    for formula in remaining(potential, formulas, results):
        folders = sorted(runs.glob(f"zero-pressure_{formula}_{RUN_TEMPERATURE_K:g}K_*"))
        if not folders:
            continue
        frames = spread_frames(h5md.read(folders[0] / TRAJECTORY_FILE), FRAMES_COMPARED)
        judged, reference = pair(potential, formula)
        comparison = compare_melt(frames, judged, reference, source=f"run of {PRODUCTION}")
        own, of_others = (comparison, None) if potential == PRODUCTION else (None, comparison)
        volume = frames[0].volume_A3 / len(frames[0])
        melt = MeltVolume(melted_by=PRODUCTION, volume_A3_per_atom=volume, density_g_cm3=density_g_cm3(frames[0]))
        keep(
            results,
            formula,
            judged,
            reference,
            protocol=JudgingProtocol(temperature_K=RUN_TEMPERATURE_K, atoms=len(frames[0]), run_ps=RUN_OF_A_LABEL_PS),
            aimd_volume_A3_per_atom=volumes.get((reduced(formula), RUN_TEMPERATURE_K)),
            judgement=Judgement(
                melt=melt if potential == PRODUCTION else None, own_frames=own, reference_frames=of_others
            ),
        )


def judge_crystals(potential: str, formulas: Sequence[str], results: Path) -> None:
    """Compare a potential with its reference on crystals of the quickstart, formulas in the results left out."""
    protocol = JudgingProtocol(seed=SEED)
    for subject in subjects_of_compositions(remaining(potential, formulas, results), {}):
        judged, reference = pair(potential, subject.formula)
        if subject.crystal is None:
            continue
        cell, source = subject.crystal.system, subject.crystal.source
        crystal = compare_crystal(cell, judged, reference, source=source, seed=SEED)
        judgement = Judgement(crystal=crystal)
        keep(results, subject.formula, judged, reference, protocol=protocol, crystal=source, judgement=judgement)


def remaining(potential: str, formulas: Sequence[str], results: Path) -> list[str]:
    """Return the formulas without a judgement of the potential."""
    done = {each.formula for each in read_judgements(results) if each.potential == potential}
    return [formula for formula in formulas if reduced(formula) not in done]


def pair(potential: str, formula: str) -> tuple[ForceField, ForceField]:
    """Return a potential and its reference for a formula."""
    elements = [element.symbol for element in parse_formula(formula)]
    reference = reference_potential(elements, production=potential)
    if reference is None:
        raise SystemExit(f"judgements: no reference of {potential} covers {formula}")
    return force_field(potential, "cpu"), force_field(reference, "cpu")


def keep(
    results: Path,
    formula: str,
    judged: ForceField,
    reference: ForceField,
    *,
    protocol: JudgingProtocol,
    judgement: Judgement,
    aimd_volume_A3_per_atom: float | None = None,
    crystal: str | None = None,
) -> None:
    """Add a judgement to the results."""
    answer = JudgedComposition(
        potential=judged.name,
        weights_sha256=judged.weights_sha256,
        reference=reference.name,
        reference_sha256=reference.weights_sha256,
        formula=reduced(formula),
        chemistry=anion_class([element.symbol for element in parse_formula(formula)]),
        protocol=protocol,
        melted_by=PRODUCTION,
        crystal_source=crystal,
        aimd_volume_A3_per_atom=aimd_volume_A3_per_atom,
        measured_volume_A3_per_atom=None,
        judgement=judgement,
    )
    write_judgements(results, [*read_judgements(results), answer])
    print(f"{judged.name} {formula}", file=sys.stderr, flush=True)


def summary(judgements: Sequence[JudgedComposition]) -> Iterator[dict[str, Any]]:
    """Return the median of each column for each potential and class of anions."""
    for potential in sorted({each.potential for each in judgements}):
        mine = [each for each in judgements if each.potential == potential]
        for chemistry in (*sorted({each.chemistry for each in mine}), EVERY_CLASS):
            rows = [each.row() for each in mine if chemistry in {each.chemistry, EVERY_CLASS}]
            for column in COLUMNS:
                values = [row[column] for row in rows if row[column] is not None]
                if values:
                    name = f"judgement_{potential}_{chemistry}_{column}"
                    yield figure(name, float(np.median(values)), UNITS.get(column, "1"), compositions=len(values))
            holes = sum(bool(row["hole"] or row["ref_hole"]) for row in rows)
            name = f"judgement_{potential}_{chemistry}_holes_and_denied_bonds"
            yield figure(name, holes, "compositions", compositions=len(rows))


def table(judgements: Sequence[JudgedComposition]) -> str:
    """Return the tables of the design note: melts, then crystals; a line a composition, columns for each potential."""
    return f"{melts(judgements)}\n{crystals(judgements)}"


def melts(judgements: Sequence[JudgedComposition]) -> str:
    """Return the table of melts: forces by each potential against its reference."""
    members = [each for each in judgements if each.judgement.own_frames or each.judgement.reference_frames]
    potentials = list(dict.fromkeys((each.potential, each.reference) for each in members))
    by_place = {(each.formula, each.potential): each for each in members}
    titles = [f"{name} / {reference}: R2, inverse slope, GPa" for name, reference in potentials]
    lines = [f"| class | melt | V / AIMD | {' | '.join(titles)} |", f"|---|---|---|{'---|' * len(titles)}"]
    for chemistry, formula in sorted({(each.chemistry, each.formula) for each in members}):
        rows = [by_place[formula, name] for name, _ in potentials if (formula, name) in by_place]
        ratio = next((each.row()["melt_over_aimd"] for each in rows if each.row()["melt_over_aimd"]), None)
        cells = [_forces(by_place.get((formula, name))) for name, _ in potentials]
        lines.append(f"| {chemistry} | {formula} | {_shown(ratio)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def crystals(judgements: Sequence[JudgedComposition]) -> str:
    """Return the table of crystals: volume over the given one and bulk modulus, of each potential and reference."""
    equations: dict[str, dict[str, str]] = {}
    for each in judgements:
        crystal = each.judgement.crystal
        if crystal is not None:
            row = equations.setdefault(each.formula, {})
            for name, equation in ((each.potential, crystal.equation), (each.reference, crystal.reference_equation)):
                if equation is not None:
                    ratio = equation.volume_A3_per_atom / crystal.volume_A3_per_atom
                    row[name] = f"{ratio:.3f}, {equation.bulk_modulus_GPa:.0f}"
    potentials = sorted({name for row in equations.values() for name in row})
    lines = [
        f"| crystal | {' | '.join(f'{name}: V, GPa' for name in potentials)} |",
        f"|---|{'---|' * len(potentials)}",
    ]
    lines += [
        f"| {formula} | {' | '.join(row.get(name, '-') for name in potentials)} |" for formula, row in equations.items()
    ]
    return "\n".join(lines) + "\n"


def _forces(each: JudgedComposition | None) -> str:
    comparison = None if each is None else each.judgement.own_frames or each.judgement.reference_frames
    if comparison is None:
        return "-"
    agreement, bias = comparison.agreement, comparison.check.pressure_difference_GPa
    own = each is not None and each.judgement.own_frames is not None
    faults = "".join(f" **{name}**" for name in ("hole", "denied_bond") if own and getattr(comparison, name))
    return f"{agreement.r2:.2f}, {agreement.inverse_slope:.2f}, {_shown(bias, '+.1f')}{faults.replace('_', ' ')}"


def _shown(value: float | None, form: str = ".2f") -> str:
    return "-" if value is None else f"{value:{form}}"


def main() -> None:
    """Judge, or only summarize."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--potentials", nargs="+", default=["nep89"])
    parser.add_argument("--formulas", type=int, default=2)
    parser.add_argument("--crystals", type=int, default=0)
    parser.add_argument("--results", type=Path, help="JSON lines of judgements")
    parser.add_argument("--runs", type=Path, help="folder of runs of aimd.py, whose frames all potentials share")
    parser.add_argument("--summary", action="store_true", help="run nothing")
    parser.add_argument("--table", type=Path, help="write the table of the design note")
    parser.add_argument("--plot", type=Path, help="draw the picture")
    arguments = parser.parse_args()
    mirror = os.environ.get("VITRION_DATA_MIRROR", "")
    if not (mirror or arguments.summary):
        print("judgements: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as scratch:
        results = arguments.results or Path(scratch) / "judged.jsonl"
        if not arguments.summary:
            drawn = draw(read_table(Path(mirror)), formulas=arguments.formulas, seed=SEED)
            for potential in arguments.potentials:
                crystals = CRYSTALS[: arguments.crystals]
                if arguments.runs is None:
                    judge(potential, [*drawn, *crystals], results)
                else:
                    judge_runs(potential, drawn, arguments.runs, results)
                    judge_crystals(potential, crystals, results)
        judgements = read_judgements(results)
    for line in summary(judgements):
        show(line)
    if arguments.table is not None:
        arguments.table.write_text(table(judgements))
    if arguments.plot is not None:
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": "judgements"}):  # letters as text
            save(judgement_figure(judgements), arguments.plot)


if __name__ == "__main__":
    main()
