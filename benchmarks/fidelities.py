"""Replay of the choice of material, temperature and fidelity on recorded labels: seconds to a regret against AIMD.

    VITRION_DATA_MIRROR=... python benchmarks/fidelities.py [--rows FILE ...] [--seeds 24] [--dear aimd]

Truth: log10 D of the AIMD table at the target temperature. Cheap labels: lines of `benchmarks/aimd.py` (NEP89 at zero
pressure; by default those of the data set `nep89_melts`). Dear labels, `--dear`:

    aimd        the AIMD table itself at its four temperatures, the most trusted answer there is
    diep        lines of `benchmarks/aimd.py` with that potential (or another name) at AIMD's volume
    simulated   SIMULATED, as the name of each figure says: every seed draws `--compounds` of the AIMD table; a cheap
                label is AIMD's value plus the error that NEP89 made for a compound drawn from the rows, jointly at all
                temperatures at which the rows hold it; a dear one AIMD's value plus an error of the compound of
                deviation `--dear-scatter` (assumed: too few runs of a reference potential are recorded) and the
                statistical error

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
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from aimd import read_table  # noqa: E402
from figures import earlier_lines, emit  # noqa: E402

from vitrion.learning.acquisition.fidelities import LabelOptions, Target, choose_options  # noqa: E402
from vitrion_models.surrogates import MultiFidelityConfig, diffusivity_sample, train  # noqa: E402
from vitrion_models.surrogates.multi_fidelity.model import MultiFidelitySurrogate  # noqa: E402
from vitrion_models.training.splits import grouped_folds  # noqa: E402
from vitrion_workflows.model_error.effects import case_of  # noqa: E402
from vitrion_workflows.model_error.model_errors import ModelErrors  # noqa: E402
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256  # noqa: E402
from vitrion_workflows.structure.composition import parse_formula  # noqa: E402
from vitrion_workflows.structure.volume_estimate import likely_charges  # noqa: E402

CHEAP = "nep89"
ARMS = ("both", "dear", "cheap", "random")
START = {True: 6, False: 2}  # compounds with a cheap label, with a dear one
LABELS_A_CYCLE, CYCLE_DEAR_LABELS = 20, 3
# Statistical errors of the AIMD runs, decades: block coefficients of variation of 10-75 % at 1000 K, less above.
AIMD_STDERR = {1000: 0.15, 1500: 0.1, 2000: 0.05, 2500: 0.05}
REGRETS = (0.3, 0.2, 0.1)
FOLDS = 5


@dataclass(frozen=True)
class Recorded:
    """One label that can be replayed."""

    formula: str
    temperature_K: int
    log10_D: float
    stderr: float
    seconds: float


@dataclass(frozen=True)
class Pool:
    """Compounds to choose from.

    Attributes:
        formulas: of the C compounds.
        truth: log10 D at the target temperature, shape (C,).
        labels: of each fidelity, by name, cheap first.
        offset, deviation: of the error of the cheap potential at the target temperature, decades, shape (C,).
        scatter: of the error between compounds, decades, shape (C,).
    """

    formulas: tuple[str, ...]
    truth: np.ndarray
    labels: dict[str, list[Recorded]]
    offset: np.ndarray
    deviation: np.ndarray
    scatter: np.ndarray

    @property
    def materials(self) -> list[dict[int, float]]:
        """Compositions."""
        return [{e.Z: float(n) for e, n in parse_formula(formula).items()} for formula in self.formulas]


def is_balanced(formula: str) -> bool:
    """Return True where the usual charges of the elements add up to zero."""
    composition = parse_formula(formula)
    charges = likely_charges(composition)
    return (
        charges is not None and abs(sum(composition[e] * q for e, q in charges.items())) < 1e-6 * composition.num_atoms
    )


def recorded(lines: Sequence[dict], potential: str, route: str) -> list[Recorded]:
    """Return the accepted labels of a potential, one for each formula and temperature."""
    labels = {
        (line["formula"], line["temperature_K"]): Recorded(
            line["formula"],
            line["temperature_K"],
            float(np.log10(line["value_cm2_per_s"])),
            line["log10_stderr"],
            line["cpu_seconds"],
        )
        for line in lines
        if line.get("state") == "accepted"
        and (line.get("potential", CHEAP), line.get("route", route)) == (potential, route)
    }
    return list(labels.values())


def simulated(
    table: Sequence[Recorded],
    measured: Sequence[Recorded],
    formulas: Sequence[str],
    *,
    error_scale: float,
    dear_scatter: float,
    seed: int,
) -> tuple[list[Recorded], list[Recorded]]:
    """Return cheap and dear labels of some formulas: AIMD's values with drawn errors."""
    random = np.random.default_rng(seed)
    truth = {(entry.formula, entry.temperature_K): entry.log10_D for entry in table}
    errors: dict[str, dict[int, Recorded]] = {}
    for entry in measured:
        if (entry.formula, entry.temperature_K) in truth:
            errors.setdefault(entry.formula, {})[entry.temperature_K] = entry
    kelvins = {kelvin for entries in errors.values() for kelvin in entries}
    complete = [formula for formula, entries in sorted(errors.items()) if entries.keys() == kelvins]
    drawn = {formula: errors[str(random.choice(complete))] for formula in formulas}
    shift = {formula: random.normal(0.0, dear_scatter) for formula in formulas}
    rows = [entry for entry in table if entry.formula in drawn]
    cheap = []
    for row in rows:
        if (like := drawn[row.formula].get(row.temperature_K)) is not None:
            error = error_scale * (like.log10_D - truth[like.formula, like.temperature_K])
            cheap.append(replace(like, formula=row.formula, log10_D=row.log10_D + error))
    dear = [replace(row, log10_D=row.log10_D + shift[row.formula] + random.normal(0.0, row.stderr)) for row in rows]
    return cheap, dear


def build_pool(options: argparse.Namespace, mirror: Path, seed: int) -> Pool:
    """Return the compounds that have the truth at the target temperature and a label of each fidelity."""
    lines = [line for path in options.rows for line in earlier_lines(path)]
    table = [
        Recorded(
            row.formula,
            row.temperature_K,
            float(np.log10(row.aimd_cm2_per_s)),
            AIMD_STDERR[row.temperature_K],
            options.dear_seconds,
        )
        for row in read_table(mirror)
    ]
    truth = {entry.formula: entry.log10_D for entry in table if entry.temperature_K == options.target}
    cheap = recorded(lines, CHEAP, "zero-pressure")
    if options.dear == "aimd":
        dear = table
    elif options.dear == "simulated":
        names = [formula for formula in sorted(truth) if is_balanced(formula) or not options.balanced]
        some = np.random.default_rng(seed).permutation(names)[: options.compounds]
        cheap, dear = simulated(
            table,
            cheap,
            [str(name) for name in some],
            error_scale=options.error_scale,
            dear_scatter=options.dear_scatter,
            seed=seed,
        )
    else:
        dear = recorded(lines, options.dear, "aimd-volume")
    formulas = sorted(truth.keys() & {entry.formula for entry in cheap} & {entry.formula for entry in dear})
    if options.balanced:
        formulas = [formula for formula in formulas if is_balanced(formula)]
    labels = {
        name: [entry for entry in entries if entry.formula in formulas]
        for name, entries in ((CHEAP, cheap), (options.dear, dear))
    }
    potential = ModelErrors.of("nep89", NEP89_SHA256)
    symbols = [[element.symbol for element in parse_formula(formula).elements] for formula in formulas]
    # Without their names: the error model was fitted on these compounds, a campaign's are new.
    cases = [case_of("", elements, float(options.target)) for elements in symbols]
    errors = potential.of_cases(cases)
    return Pool(
        tuple(formulas),
        np.array([truth[formula] for formula in formulas]),
        labels,
        offset=np.array([error.offset_decades for error in errors]),
        deviation=np.array([error.stderr_decades for error in errors]),
        scatter=np.array([potential.scatter_decades(case) for case in cases]),
    )


class Arm:
    """One campaign on recorded labels."""

    def __init__(self, name: str, pool: Pool, *, target_K: int, dear: str, seed: int) -> None:
        self.name, self.pool, self.target_K, self.seed = name, pool, target_K, seed
        self.fidelities = {"cheap": (CHEAP,), "dear": (dear,)}.get(name, (CHEAP, dear))
        self.records = [(place, entry) for place, f in enumerate(self.fidelities) for entry in pool.labels[f]]
        self.column = {formula: column for column, formula in enumerate(pool.formulas)}
        self.corrects = name == "cheap"
        self.labelled: list[int] = []
        self.random = np.random.default_rng(seed)

    def run(self, budget: float, cycle_budget: float) -> list[tuple[float, float]]:
        """Return (seconds spent, regret in decades) after each cycle, until the budget or the records end."""
        # The starting compounds are those of every arm with this seed.
        start = np.random.default_rng(self.seed).permutation(self.pool.formulas)
        self.labelled = [
            self._nearest_target(str(formula), place)
            for place, fidelity in enumerate(self.fidelities)
            for formula in start[: START[fidelity == CHEAP]]
        ]
        curve = []
        while True:
            surrogate = self.train()
            curve.append((self.spent, self._regret(surrogate)))
            if self.spent >= budget or len(self.labelled) == len(self.records):
                return curve
            self.labelled += self._choose(surrogate, cycle_budget)

    @property
    def spent(self) -> float:
        """Seconds of all labels."""
        return sum(self.records[row][1].seconds for row in self.labelled)

    def _nearest_target(self, formula: str, place: int) -> int:
        rows = [
            row for row, (fidelity, entry) in enumerate(self.records) if (fidelity, entry.formula) == (place, formula)
        ]
        return min(rows, key=lambda row: abs(self.records[row][1].temperature_K - self.target_K))

    def train(self) -> MultiFidelitySurrogate:
        """Return the surrogate of the labels made so far."""
        materials = self.pool.materials
        samples = [
            diffusivity_sample(
                materials[self.column[entry.formula]],
                species="Li",
                temperature_K=entry.temperature_K,
                log10_D=entry.log10_D,
                stderr=entry.stderr,
                systematic_stderr=self.corrects * float(self.pool.scatter[self.column[entry.formula]]),
                group=parse_formula(entry.formula).chemical_system,
                key=str(row),
                source=self.fidelities[place],
            )
            for row in self.labelled
            for place, entry in [self.records[row]]
        ]
        config = MultiFidelityConfig(members=2, fidelities=self.fidelities)
        trained = train(samples, test_keys=(), config=config, seed=self.seed)
        if not isinstance(trained, MultiFidelitySurrogate):
            raise TypeError("the registry returned another architecture")
        return trained

    def _regret(self, surrogate: MultiFidelitySurrogate) -> float:
        mean = surrogate.predict(self.pool.materials, float(self.target_K)).mean - self.corrects * self.pool.offset
        return float(self.pool.truth.max() - self.pool.truth[int(np.argmax(mean))])

    def _choose(self, surrogate: MultiFidelitySurrogate, cycle_budget: float) -> list[int]:
        free = [row for row in range(len(self.records)) if row not in set(self.labelled)]
        if self.name == "random":
            order = [free[place] for place in self.random.permutation(len(free))[:LABELS_A_CYCLE]]
            spent = np.cumsum([self.records[row][1].seconds for row in order])
            return order[: int(np.searchsorted(spent, cycle_budget)) + 1]
        typical = {
            place: np.median([e.seconds for p, e in self.records if p == place])
            for place in range(len(self.fidelities))
        }
        noise = {
            (place, kelvin): np.median([e.stderr for p, e in self.records if (p, e.temperature_K) == (place, kelvin)])
            for place, kelvin in {(p, e.temperature_K) for p, e in self.records}
        }
        chosen = choose_options(
            surrogate,
            self.pool.materials,
            LabelOptions(
                candidate=np.array([self.column[self.records[row][1].formula] for row in free]),
                fidelity=np.array([self.records[row][0] for row in free]),
                temperature_K=np.array([float(self.records[row][1].temperature_K) for row in free]),
                seconds=np.array([float(typical[self.records[row][0]]) for row in free]),
                stderr=np.array([noise[self.records[row][0], self.records[row][1].temperature_K] for row in free]),
            ),
            Target(
                float(self.target_K),
                self.pool.formulas,
                self.corrects * self.pool.offset,
                self.corrects * self.pool.deviation,
            ),
            count=LABELS_A_CYCLE,
            budget_seconds=cycle_budget,
        )
        return [free[choice.option] for choice in chosen]


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


def regret_at(curve: Sequence[tuple[float, float]], seconds: float) -> float:
    """Return the regret of the last cycle that ended within so many seconds; of the first one where none did."""
    return [regret for spent, regret in curve if spent <= seconds or spent == curve[0][0]][-1]


def seconds_to(curve: Sequence[tuple[float, float]], regret: float, budget: float) -> float:
    """Return the seconds after which the regret stays at or below a value; the budget where it never does."""
    above = [place for place, entry in enumerate(curve) if entry[1] > regret]
    after = above[-1] + 1 if above else 0
    return curve[after][0] if after < len(curve) else budget


def interval(values: np.ndarray) -> list[float]:
    """Return the 95 % bootstrap interval of the mean."""
    draws = np.random.default_rng(0).integers(len(values), size=(4000, len(values)))
    return [round(float(edge), 4) for edge in np.percentile(values[draws].mean(axis=1), (2.5, 97.5))]


def report(curves: dict[str, list[list[tuple[float, float]]]], budget: float, prefix: str, **more: object) -> None:
    """Print regret at parts of the budget and seconds to a regret, each against the arm with both fidelities."""
    for share in (0.1, 0.25, 0.5, 1.0):
        at = {name: np.array([regret_at(curve, share * budget) for curve in runs]) for name, runs in curves.items()}
        for name, values in at.items():
            emit(
                f"{prefix}.regret_at_{share * budget / 3600:.2g}_h.{name}",
                float(values.mean()),
                "decades below the best",
                float(at["both"].mean()),
                interval_95=interval(values),
                paired_difference_to_both_95=interval(values - at["both"]),
                seeds=len(values),
                **more,
            )
    for regret in REGRETS:
        needed = {
            name: np.array([seconds_to(curve, regret, budget) for curve in runs]) for name, runs in curves.items()
        }
        for name, values in needed.items():
            emit(
                f"{prefix}.hours_to_regret_{regret:g}.{name}",
                float(values.mean()) / 3600,
                "hours, the whole budget where it is not reached",
                float(needed["both"].mean()) / 3600,
                interval_95=interval(values / 3600),
                paired_log10_ratio_to_both_95=interval(np.log10(values / needed["both"])),
                reached=float(np.mean(values < budget)),
                seeds=len(values),
                **more,
            )


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, nargs="*", help="lines of benchmarks/aimd.py")
    parser.add_argument("--dear", default="aimd")
    parser.add_argument("--dear-scatter", type=float, default=0.15, help="decades; with --dear simulated")
    parser.add_argument("--error-scale", type=float, default=1.0, help="of NEP89's errors; with --dear simulated")
    parser.add_argument("--compounds", type=int, default=60, help="of each seed; with --dear simulated")
    parser.add_argument("--dear-seconds", type=float, default=480.0)
    parser.add_argument("--target", type=int, default=1000)
    parser.add_argument("--budget-labels", type=float, default=60.0, help="budget in dear labels")
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--balanced", action="store_true", help="only compounds whose charges add up to zero")
    parser.add_argument("--arms", nargs="*", default=list(ARMS))
    options = parser.parse_args()
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
