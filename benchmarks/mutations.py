"""Planted errors in trajectories: shares found, by which measurement, and shares of sound runs that are refused.

Each planted error (tests/support/planted_errors.py) is put into good runs (good_runs.py: our engine and ASE's), and a
label is asked for with a protocol that makes the same error.

    python benchmarks/mutations.py                                    # 6 runs, every error in 2 of them
    python benchmarks/mutations.py --runs 240 --every 6 --folder DIR  # the study; takes up runs that are there

One JSON line a figure: the share of each planted error that was accepted or made a bound, with the measurements that
failed and, of accepted ones, the largest change of the value in its standard errors; the share of sound runs refused
with its 95 % interval (Clopper and Pearson). Runs that are too short to resolve their temperature, or whose frames are
too far apart to show it, are counted apart. Baseline: none, 0 is right for all. Nothing is timed.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from figures import emit  # noqa: E402
from good_runs import Runs  # noqa: E402
from planted_errors import MUTATIONS, STATISTICAL, Claim, label  # noqa: E402
from scipy.stats import beta  # noqa: E402

from vitrion_workflows.labelling.analysis import TrajectoryState, analyse_trajectory  # noqa: E402
from vitrion_workflows.labelling.label import NOT_CHECKED  # noqa: E402
from vitrion_workflows.schemas import LabelOutcome, LabelState, failed_measurements  # noqa: E402
from vitrion_workflows.validation.temperature import Coupling  # noqa: E402

# Reasons that cast no suspicion on a run.
SHORT, COARSE = "too short to know its temperature", "frames too far apart"


def share_interval(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Clopper and Pearson, Biometrika 26, 404, 1934)."""
    low = float(beta.ppf(0.025, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def excuse(outcome: LabelOutcome) -> str | None:
    """Return the reason for which a sound run makes no label without any suspicion, or None."""
    failed = [number for gate in outcome.gates for number in gate.numbers if not number.passed]
    short = {number.name for number in failed if number.name == "temperature_stderr"}
    coarse = {number.name for number in failed if number.message.startswith(f"{NOT_CHECKED}: frames")}
    if not short | coarse:
        return None
    return SHORT if short else COARSE


def main() -> None:
    """Make the runs, plant the errors, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=6, help="good runs of our engine")
    parser.add_argument("--ase", type=int, default=0, help="good runs of ASE's engines")
    parser.add_argument("--every", type=int, default=3, help="errors are planted in every so many of them")
    parser.add_argument("--folder", type=Path, help="keep the runs here, and take them up again")
    arguments = parser.parse_args()
    runs = Runs(arguments.folder)
    table = Table()
    for index, (name, claim) in enumerate(runs.good(arguments.runs)):
        table.good(name, claim, plant=index % arguments.every == 0)
    for name, claim in runs.heated():
        table.plant(name, claim)
        table.plant(f"{name}, setting unknown", claim.changed(set_temperature_K=None))
    for name, claim in runs.by_ase(arguments.ase):
        table.foreign(name, claim)
    table.show()


class Table:
    """States of sound runs and of planted errors."""

    def __init__(self) -> None:
        """Begin empty."""
        self.refused: dict[str, list[bool]] = {"good runs": []}
        self.by_gate = Counter[str]()
        self.excused = Counter[str]()
        self.missed: dict[str, list[bool]] = {}
        self.gates: dict[str, Counter[str]] = {}
        self.moved: dict[str, float] = {}
        self.rng = np.random.default_rng(0)

    def good(self, name: str, claim: Claim, *, plant: bool) -> None:
        """Label a good run, and plant every error in it where that is asked for."""
        outcome = label(claim)
        reason = excuse(outcome)
        self.excused.update([reason] if reason else [])
        if reason is None:
            self._judge("good runs", name, outcome)
        if outcome.state is LabelState.REJECTED or not plant:
            return
        for error, mutate in (MUTATIONS | STATISTICAL).items():
            self.plant(error, mutate(claim, self.rng), sound=outcome)

    def _judge(self, kind: str, name: str, outcome: LabelOutcome) -> None:
        failed = failed_measurements(outcome.gates)
        refused = outcome.state is LabelState.REJECTED
        self.refused.setdefault(kind, []).append(refused)
        if refused:
            self.by_gate.update(failed)
            sys.stderr.write(f"refused: {name}: {', '.join(failed)}\n")

    def foreign(self, name: str, claim: Claim) -> None:
        """Analyse a run of ASE's."""
        coupling = None
        if claim.thermostat != "nve":
            coupling = Coupling(claim.friction_per_ps, noisy=claim.thermostat == "langevin")
        analysis = analyse_trajectory(
            claim.trajectory, species=claim.species, temperature_K=claim.temperature_K, coupling=coupling
        )
        self.refused.setdefault("runs of ASE's engines", []).append(analysis.state is TrajectoryState.REJECTED)
        if analysis.state is not TrajectoryState.ACCEPTED:
            reasons = [*failed_measurements(analysis.gates), *analysis.checks.not_checked]
            sys.stderr.write(f"{analysis.state}: {name}: {', '.join(reasons)}\n")

    def plant(self, name: str, claim: Claim | None, *, sound: LabelOutcome | None = None) -> None:
        """Ask for a label with an error in it; None where the error cannot be made."""
        if claim is None:
            return
        outcome = label(claim)
        missed = outcome.state is not LabelState.REJECTED
        self.missed.setdefault(name, []).append(missed)
        self.gates.setdefault(name, Counter()).update(failed_measurements(outcome.gates))
        if missed and sound is not None and sound.value and outcome.value and sound.log10_stderr:
            moved = abs(float(np.log10(outcome.value / sound.value))) / sound.log10_stderr
            self.moved[name] = max(moved, self.moved.get(name, 0.0))

    def show(self) -> None:
        """Print it."""
        for kind, refused in self.refused.items():
            if refused:
                bounds = share_interval(sum(refused), len(refused))
                emit(f"{kind} refused", sum(refused) / len(refused), "share", runs=len(refused), interval_95=bounds)
        excused = sum(self.excused.values())
        emit("refused without suspicion", excused, "runs", gates=dict(self.by_gate), **self.excused)
        for name, missed in self.missed.items():
            counts = dict(self.gates.get(name, Counter()))
            moved = self.moved.get(name)
            emit(
                f"missed: {name}",
                sum(missed) / len(missed),
                "share",
                runs=len(missed),
                moved_sigmas=moved,
                gates=counts,
            )


if __name__ == "__main__":
    main()
