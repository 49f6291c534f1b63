"""Force check of the runs of `benchmarks/aimd.py`, as the product checks every label.

A label that the force check refuses is no comparison with AIMD: its structures are the potential's alone. Nothing here
looks at the AIMD value. Results of earlier runs are checked on their stored trajectories:

    python benchmarks/aimd_checks.py RESULTS.jsonl ... --results CHECKED.jsonl
    VITRION_DATA_MIRROR=... python benchmarks/aimd_checks.py ... --melts ...     # and `nep89_melts` of the mirror
    python benchmarks/aimd.py --results CHECKED.jsonl --summary --table TABLE.csv

Every line is copied with `force_r2`, `force_reference` and, where the check refuses the label, `force_refusal`: its
state is then that of the label in the product, rejected. Lines that CHECKED.jsonl has already are left as they are.
One JSON line a figure: what was refused.
"""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from aimd_lines import ACCEPTED, PRODUCTION, identity, run_folder  # noqa: E402
from figures import earlier_lines, emit, keep_line  # noqa: E402
from force_check import melts  # noqa: E402

from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows.dynamics.checkpoint import TRAJECTORY_FILE  # noqa: E402
from vitrion_workflows.execution.engines import force_field  # noqa: E402
from vitrion_workflows.force_check.broken_bonds import measure_broken_bond  # noqa: E402
from vitrion_workflows.force_check.check import CheckedForces, check_run, choose_reference, summarize  # noqa: E402
from vitrion_workflows.force_check.denied_bonds import greatest_repulsions, measure_denied_bond  # noqa: E402
from vitrion_workflows.force_check.evaluation import evaluate_systems  # noqa: E402
from vitrion_workflows.force_check.holes import measure_hole  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.schemas import ForceCheckSettings  # noqa: E402
from vitrion_workflows.schemas.force_check import ForceCheck  # noqa: E402
from vitrion_workflows.trajectories import h5md  # noqa: E402

REJECTED = "rejected"
MELTS_SEED = "10ps"  # of the rows of `nep89_melts`, runs of 10 ps


def fields_of(checked: CheckedForces) -> dict[str, Any]:
    """Return the fields of a line that a force check gives."""
    agreement = checked.record.agreement
    fields: dict[str, Any] = {"force_reference": checked.record.reference}
    if agreement is not None:
        fields |= {
            "force_r2": agreement.r2,
            "force_slope": agreement.slope,
            "force_inverse_slope": agreement.inverse_slope,
        }
    refusals = [f"{entry.name}: {entry.message}" for entry in checked.measurements if not entry.passed]
    return fields | ({"force_refusal": refusals[0]} if refusals else {})


def judged(line: Mapping[str, Any], checked: CheckedForces) -> dict[str, Any]:
    """Return a line with the state that its label has in the product."""
    judgement = {**line, **fields_of(checked)}
    if "force_refusal" in judgement and line.get("state") == ACCEPTED:
        judgement |= {"state": REJECTED, "failed_gates": [*line["failed_gates"], "force_check"]}
    return judgement


def check_frames(systems: Sequence[AtomicSystem], production: ForceField) -> CheckedForces:
    """Check single frames of a run, of which no trajectory is at hand."""
    reference = choose_reference(systems[0].numbers, production=production, settings=ForceCheckSettings())
    if isinstance(reference, ForceCheck):
        return CheckedForces(reference)
    frames = np.arange(len(systems))
    evaluated = evaluate_systems(systems, frames=frames, production=production, reference=reference)
    measurements = [
        measure_hole(evaluated, production=production.name, reference=reference.name),
        measure_denied_bond(evaluated, greatest_repulsions(evaluated), reference=reference.name),
    ]
    if all(entry.passed for entry in measurements):
        measurements.append(measure_broken_bond(evaluated, reference=reference))
    return CheckedForces(summarize(evaluated, reference=reference), tuple(measurements))


def lines_of_melts(mirror: Path) -> list[dict[str, Any]]:
    """Return the lines of `nep89_melts`, as `benchmarks/aimd.py` writes them now."""
    lines = earlier_lines(mirror / "nep89_melts" / "labels.jsonl")
    return [{**line, "potential": PRODUCTION, "route": "zero-pressure", "seed": MELTS_SEED} for line in lines]


def checks_of_runs(path: Path) -> Callable[[Mapping[str, Any], ForceField], CheckedForces | None]:
    """Return the check of a line of a results file on the trajectory beside it; None of a line that has none."""

    def check(line: Mapping[str, Any], production: ForceField) -> CheckedForces | None:
        run = path.with_suffix("") / run_folder(*identity(line)) / TRAJECTORY_FILE
        if not run.is_file():
            return None
        return check_run(h5md.read(run), production=production, settings=ForceCheckSettings())

    return check


def checks_of_melts(mirror: Path) -> Callable[[Mapping[str, Any], ForceField], CheckedForces | None]:
    """Return the check of a line of `nep89_melts` on its two frames."""
    systems = {melt.formula: melt.systems for melt in melts(mirror)}

    def check(line: Mapping[str, Any], production: ForceField) -> CheckedForces | None:
        frames = systems.get(line["formula"])
        return None if frames is None else check_frames(frames, production)

    return check


def summarize_refusals(lines: Sequence[Mapping[str, Any]]) -> None:
    """Print how many labels that the other gates accept are refused, by potential, route and temperature."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in lines:
        if line.get("state") == ACCEPTED or "force_refusal" in line:
            groups[f"{line['potential']}_{line['route']}_{line['temperature_K']}"].append(line)
    for name, members in sorted(groups.items()):
        refused = {line["formula"]: line["force_refusal"] for line in members if "force_refusal" in line}
        checked = sum(line.get("force_reference") is not None for line in members)
        emit(f"aimd_checks_{name}_refused", len(refused), "labels", checked, labels=len(members), refused=refused)


def main() -> None:
    """Check, keep and summarize."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, nargs="*", help="results of benchmarks/aimd.py, trajectories beside them")
    parser.add_argument("--melts", action="store_true", help="`nep89_melts` of the data mirror, too")
    parser.add_argument("--results", type=Path, help="checked lines; new ones are added")
    arguments = parser.parse_args()
    if arguments.results is None:
        print("aimd_checks: skipped, no --results to add to", file=sys.stderr)
        return
    sources = [(earlier_lines(path), checks_of_runs(path)) for path in arguments.sources]
    if arguments.melts:
        mirror = os.environ.get("VITRION_DATA_MIRROR")
        if mirror is None:
            print("aimd_checks: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
            return
        sources.append((lines_of_melts(Path(mirror)), checks_of_melts(Path(mirror))))
    done = {identity(line) for line in earlier_lines(arguments.results)}
    for lines, check in sources:
        for line in lines:
            if identity(line) not in done:
                # A reference potential that makes a run is loaded once.
                checked = check(line, force_field(line["potential"], "cpu")) if line.get("state") == ACCEPTED else None
                keep_line(arguments.results, line if checked is None else judged(line, checked))
    summarize_refusals(earlier_lines(arguments.results))


if __name__ == "__main__":
    main()
