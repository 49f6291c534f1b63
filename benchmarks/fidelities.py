"""Replay of the choice of material, temperature and fidelity on recorded labels: seconds to a regret against AIMD.

    VITRION_DATA_MIRROR=... python benchmarks/fidelities.py [--rows FILE ...] [--seeds 24] [--dear aimd]

Truth: log10 D of the AIMD table at the target temperature. Cheap labels: lines of `benchmarks/aimd.py` (NEP89 at zero
pressure; by default those of the data set `nep89_melts`). Dear labels, `--dear`:

    aimd        the AIMD table itself at its four temperatures, the most trusted answer there is
    diep        lines of `benchmarks/aimd.py` with that potential (or another name) at AIMD's volume
    simulated   SIMULATED, as the name of each figure says: every seed draws `--compounds` of the AIMD table; a cheap
                label is AIMD's value plus the error that NEP89 made for a compound drawn from the rows, jointly at all
                temperatures at which the rows hold it; a dear one AIMD's value plus an error of the compound of
                deviation `--dear-scatter` and correlation `--dear-correlation` with the cheap one, and the statistical
                error. `--teachers FILE` measures both for DIEP on lines of `benchmarks/teachers.py`, and ends

A cheap label costs its measured seconds; a dear one `--dear-seconds` where the record has none (8 min: DIEP, 100 atoms,
8 ps on one core). Each seed draws starting compounds: six with a cheap label, two of them with a dear one, both paid
for. Then batches are chosen and the surrogate (`multi_fidelity`, the product's own) is retrained, until the budget is
spent. Arms: `both` fidelities, `cheap` and `dear` alone by the same code, `random` (random labels of both, learned by
the same surrogate). The cheap arm is corrected by the product's error model of NEP89, which was fitted on these very
compounds (their names are withheld): a strong rival. The regret is the distance in decades of the recommended compound
below the best of the pool. Intervals are 95 % bootstrap intervals over paired seeds. `--balanced` keeps the compounds
whose usual charges add up to zero: the electrolytes. One JSON line a figure.
"""

import argparse
import os
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from fidelities_arm import Arm  # noqa: E402
from fidelities_pool import Pool, build_pool  # noqa: E402
from fidelities_summary import interval, report, report_errors  # noqa: E402
from figures import earlier_lines, emit  # noqa: E402

from vitrion_models.training.splits import grouped_folds  # noqa: E402
from vitrion_workflows.structure.composition import parse_formula  # noqa: E402

ARMS = ("both", "dear", "cheap", "random")
CYCLE_DEAR_LABELS = 3
FOLDS = 5


def report_held_out(pool: Pool, target_K: int, dear: str, prefix: str) -> None:
    """Print how well the truth is predicted without a compound's dear labels: with its cheap ones, and with none."""
    fold_of = grouped_folds([parse_formula(f).chemical_system for f in pool.formulas], folds=FOLDS, seed=0)
    errors: dict[str, np.ndarray] = {}
    for name in ("dear", "both"):
        arm = Arm(name, pool, target_K=target_K, dear=dear, seed=0)
        top = len(arm.fidelities) - 1
        predicted = np.empty(len(pool.formulas))
        for fold in range(FOLDS):
            columns = np.flatnonzero(fold_of == fold)
            held_out = {pool.formulas[column] for column in columns}
            arm.labelled = [
                row for row, (place, e) in enumerate(arm.records) if place < top or e.formula not in held_out
            ]
            materials = [pool.materials[column] for column in columns]
            predicted[columns] = arm.train().predict(materials, float(target_K)).mean
        errors[name] = predicted - pool.truth
    for name, values in errors.items():
        emit(
            f"{prefix}.held_out_rmse.{name}",
            float(np.sqrt(np.mean(values**2))),
            "decades",
            float(np.sqrt(np.mean(errors["dear"] ** 2))),
            paired_squared_difference_95=interval(values**2 - errors["dear"] ** 2),
            median_absolute=round(float(np.median(np.abs(values))), 4),
            compounds=len(values),
        )


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, nargs="*", help="lines of benchmarks/aimd.py")
    parser.add_argument("--dear", default="aimd")
    parser.add_argument("--dear-scatter", type=float, default=0.15, help="decades; with --dear simulated")
    parser.add_argument("--dear-correlation", type=float, default=0.0, help="with --dear simulated")
    parser.add_argument("--teachers", type=Path, help="lines of benchmarks/teachers.py: measure the errors of DIEP")
    parser.add_argument("--error-scale", type=float, default=1.0, help="of NEP89's errors; with --dear simulated")
    parser.add_argument("--compounds", type=int, default=60, help="of each seed; with --dear simulated")
    parser.add_argument("--dear-seconds", type=float, default=480.0)
    parser.add_argument("--target", type=int, default=1000)
    parser.add_argument("--budget-labels", type=float, default=60.0, help="budget in dear labels")
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--balanced", action="store_true", help="only compounds whose charges add up to zero")
    parser.add_argument("--arms", nargs="*", default=list(ARMS))
    options = parser.parse_args()
    if options.teachers is not None:
        report_errors(earlier_lines(options.teachers), "fidelities.errors")
        return
    mirror = os.environ.get("VITRION_DATA_MIRROR")
    if not mirror:
        print("fidelities: skipped, VITRION_DATA_MIRROR is not set", file=sys.stderr)
        return
    options.rows = options.rows or [Path(mirror) / "nep89_melts" / "labels.jsonl"]
    budget = options.budget_labels * options.dear_seconds
    curves: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in options.arms}
    pool = build_pool(options, Path(mirror), 0)
    prefix = f"fidelities{'.balanced' * options.balanced}.{options.dear}"
    report_held_out(pool, options.target, options.dear, prefix)
    for seed in range(options.seeds):
        if options.dear == "simulated":
            pool = build_pool(options, Path(mirror), seed)
        for name in options.arms:
            arm = Arm(name, pool, target_K=options.target, dear=options.dear, seed=seed)
            curves[name].append(arm.run(budget, CYCLE_DEAR_LABELS * options.dear_seconds))
            print(f"seed {seed} {name}: {curves[name][-1][-1]}", file=sys.stderr, flush=True)
    counts = {name: len(entries) for name, entries in pool.labels.items()}
    report(curves, budget, prefix, compounds=len(pool.formulas), labels=counts)


if __name__ == "__main__":
    main()
