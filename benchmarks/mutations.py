"""Which planted errors are found in which trajectories, by which gate, and how many good runs are refused wrongly.

Good runs are made on the spot: melts of several compounds in the Lennard-Jones model and, where it is installed, NEP89,
of different seeds, lengths, thermostats and frame intervals. Each planted error (tests/support/mutations.py) is put
into every good run, and a label is asked for with a protocol that makes the same error.

    python benchmarks/mutations.py                                    # 6 runs, every error in 2 of them
    python benchmarks/mutations.py --runs 240 --every 6 --folder DIR  # the study; goes on when killed

One JSON line a figure: the share of each planted error that came out accepted or as a bound, with the gates that found
it, and the share of good runs refused with its 95 % interval (Clopper and Pearson). Baseline: none, 0 is right for
both. Nothing is timed, so load does no harm.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from ase.data import atomic_masses  # noqa: E402
from pymatgen.core import Lattice, Structure  # noqa: E402
from scipy.stats import beta  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from mutations import LABEL_MUTATIONS, MUTATIONS, STATISTICAL, Claim, label, label_fault  # noqa: E402

from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.dynamics import MDPlan, run_md  # noqa: E402
from vitrion_workflows.dynamics.state import maxwell_boltzmann  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.schemas import LabelState, failed_gates  # noqa: E402
from vitrion_workflows.schemas.geometry import system_from_structure  # noqa: E402

MELTING_K = 3000.0
PREPARATION_STEPS = 2000
HEATING = ((0.75, 1.25), (0.85, 1.15))
MODEL, WORKHORSE = "lennard-jones", "nep89"


@dataclass(frozen=True)
class Compound:
    """A crystal to melt.

    Attributes:
        name: formula.
        crystal: cell that is melted.
        swell: volume of the melt over that of the crystal.
        temperatures_K: of the labels.
        model: whether the Lennard-Jones model is used for it, too.
    """

    name: str
    crystal: Structure
    swell: float
    temperatures_K: tuple[float, float]
    model: bool = True


@dataclass(frozen=True)
class Setting:
    """How a run is made."""

    thermostat: str
    rate_per_ps: float
    length_ps: float
    interval_fs: float


SETTINGS = (
    Setting("langevin", 1.0, 12.0, 20.0),
    Setting("nose-hoover", 1.0, 12.0, 20.0),
    Setting("langevin", 1.0, 20.0, 20.0),
    Setting("langevin", 2.0, 8.0, 20.0),
    Setting("nose-hoover", 2.0, 12.0, 10.0),
)


def compounds() -> list[Compound]:
    """Chlorides, oxides, sulphides, phosphates; those with stiff bonds in NEP89 only."""

    def rock_salt(anion: str, edge_A: float) -> Structure:
        return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge_A), ["Li", anion], [[0, 0, 0], [0.5, 0.5, 0.5]])

    def antifluorite(anion: str, edge_A: float) -> Structure:
        return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge_A), ["Li", anion], [[0.25] * 3, [0, 0, 0]])

    def gamma(edges_A: tuple[float, float, float], centre: str, corner: str) -> Structure:
        sites = [[0.25, 0.33, 0.0], [0, 0.16, 0.49], [0, 0.82, 0], [0.21, 0.68, 0.89], [0, 0.1, 0.89], [0, 0.81, 0.32]]
        names = ["Li", "Li", centre, corner, corner, corner]
        return Structure.from_spacegroup("Pmn2_1", Lattice.orthorhombic(*edges_A), names, sites)

    return [
        Compound("LiCl", rock_salt("Cl", 5.13) * (2, 2, 2), 1.45, (1000.0, 1500.0)),
        Compound("Li2S", antifluorite("S", 5.72) * (2, 2, 1), 1.35, (1500.0, 2000.0)),
        Compound("LiI", rock_salt("I", 6.0) * (2, 2, 1), 1.4, (900.0, 1300.0)),
        Compound("LiF", rock_salt("F", 4.03) * (2, 2, 2), 1.45, (1300.0, 2000.0)),
        Compound("Li3PS4", gamma((7.71, 6.53, 6.14), "P", "S") * (2, 1, 2), 1.2, (1000.0, 1500.0), model=False),
        Compound("Li3PO4", gamma((6.12, 5.24, 4.86), "P", "O") * (2, 1, 2), 1.3, (1500.0, 2000.0), model=False),
        Compound("Li2O", antifluorite("O", 4.62) * (2, 2, 2), 1.3, (1900.0, 2500.0), model=False),
    ]


def prepared(compound: Compound, field: ForceField) -> AtomicSystem:
    """The melt that every run of a compound starts from."""
    crystal = compound.crystal.copy()
    crystal.scale_lattice(crystal.volume * compound.swell)
    plan = MDPlan(
        steps=PREPARATION_STEPS,
        time_step_fs=2.0,
        temperature_K=MELTING_K,
        thermostat="langevin",
        friction_per_ps=5.0,
        frame_every=PREPARATION_STEPS,
        seed=1,
    )
    return run_md(system_from_structure(crystal), field, plan).system


def claims(count: int, folder: Path | None) -> Iterator[tuple[str, Claim]]:
    """Good runs, compounds, temperatures, settings and potentials in turn."""
    fields = {MODEL: potentials.load(MODEL)}
    if potentials.installed(WORKHORSE).ok:
        fields[WORKHORSE] = potentials.load(WORKHORSE)
    choices = [(one, name) for one in compounds() for name in fields if one.model or name != MODEL]
    melts: dict[tuple[str, str], AtomicSystem] = {}
    for index in range(count):
        compound, potential = choices[index % len(choices)]
        setting = SETTINGS[(index // len(choices) + index) % len(SETTINGS)]
        temperature_K = compound.temperatures_K[index // len(choices) % 2]
        key = (compound.name, potential)
        if key not in melts:
            melts[key] = prepared(compound, fields[potential])
        name = f"{potential} {compound.name} {temperature_K:g} K {setting.thermostat} {setting.length_ps:g} ps {index}"
        yield name, run(melts[key], fields[potential], setting, temperature_K, seed=index, name=name, folder=folder)


def run(
    system: AtomicSystem,
    field: ForceField,
    setting: Setting,
    temperature_K: float,
    *,
    seed: int,
    name: str,
    folder: Path | None,
    ramp: tuple[float, float] | None = None,
) -> Claim:
    """One run; with a ramp, heated from one share of its temperature to another while it claims to stand still."""
    first, last = ramp or (1.0, 1.0)
    every = round(setting.interval_fs / 2)
    plan = MDPlan(
        steps=round(setting.length_ps * 1000 / setting.interval_fs) * every,
        time_step_fs=2.0,
        temperature_K=temperature_K * first,
        final_temperature_K=temperature_K * last if ramp else None,
        thermostat=setting.thermostat,
        friction_per_ps=setting.rate_per_ps,
        frame_every=every,
        seed=seed,
    )
    velocities = maxwell_boltzmann(
        atomic_masses[system.numbers], temperature_K=temperature_K * first, seed=seed, remove_drift=True
    )
    kept = None if folder is None else folder / name.replace(" ", "_")
    found = run_md(system, field, plan, folder=kept, velocities=velocities).trajectory
    return Claim(
        replace(found, set_temperature_K=temperature_K),
        temperature_K=temperature_K,
        thermostat=setting.thermostat,
        friction_per_ps=setting.rate_per_ps,
    )


def share_interval(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share (Clopper and Pearson, Biometrika 26, 404, 1934)."""
    low = float(beta.ppf(0.025, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def emit(name: str, value: float, **more: Any) -> None:
    """One line."""
    sys.stdout.write(
        json.dumps({"name": name, "value": value, "unit": "share", "baseline": None, "ratio": None, **more}) + "\n"
    )
    sys.stdout.flush()


def heated(folder: Path | None) -> Iterator[tuple[str, Claim]]:
    """Runs that are heated while they claim to stand still."""
    field = potentials.load(MODEL)
    for compound in (one for one in compounds() if one.model):
        melt = prepared(compound, field)
        for number, ramp in enumerate(HEATING):
            name = f"heated {compound.name} {ramp[0]:g} to {ramp[1]:g}"
            settings = Setting("langevin", 2.0, 20.0, 20.0)
            yield (
                f"heated by {ramp[1] - ramp[0]:.0%}",
                run(
                    melt, field, settings, compound.temperatures_K[0], seed=number, name=name, folder=folder, ramp=ramp
                ),
            )


def main() -> None:
    """Make the runs, plant the errors, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=6, help="good runs")
    parser.add_argument("--every", type=int, default=3, help="errors are planted in every so many of them")
    parser.add_argument("--folder", type=Path, help="keep the runs here, and take them up again")
    arguments = parser.parse_args()
    table = Table()
    for index, (name, claim) in enumerate(claims(arguments.runs, arguments.folder)):
        table.good(name, claim, plant=index % arguments.every == 0)
    for name, claim in heated(arguments.folder):
        table.plant(name, claim)
        table.plant(f"{name}, setting unknown", claim.changed(set_temperature_K=None))
    table.show()


class Table:
    """What became of good runs and of planted errors."""

    def __init__(self) -> None:
        """Begin empty."""
        self.refused: list[bool] = []
        self.by_gate = Counter[str]()
        self.missed: dict[str, list[bool]] = {}
        self.gates: dict[str, Counter[str]] = {}
        self.rng = np.random.default_rng(0)

    def good(self, name: str, claim: Claim, *, plant: bool) -> None:
        """Label a good run, and plant every error in it where that is asked for."""
        outcome = label(claim)
        failed = failed_gates(outcome.gates)
        self.refused.append(outcome.state is LabelState.REJECTED)
        if self.refused[-1]:
            self.by_gate.update(failed)
            sys.stderr.write(f"refused: {name}: {', '.join(failed)}\n")
        elif plant:
            for error, mutate in (MUTATIONS | STATISTICAL).items():
                self.plant(error, mutate(claim, self.rng))
            content = outcome.model_dump(mode="json")
            if label_fault(content) is None:
                for error, change in LABEL_MUTATIONS.items():
                    self.missed.setdefault(f"label file: {error}", []).append(label_fault(change(content)) is None)

    def plant(self, name: str, claim: Claim | None) -> None:
        """Ask for a label with an error in it; None where the error cannot be made."""
        if claim is None:
            return
        outcome = label(claim)
        self.missed.setdefault(name, []).append(outcome.state is not LabelState.REJECTED)
        self.gates.setdefault(name, Counter()).update(failed_gates(outcome.gates))

    def show(self) -> None:
        """Print it."""
        hits, runs = sum(self.refused), len(self.refused)
        bounds = share_interval(hits, runs)
        emit("good runs refused", hits / runs, runs=runs, interval_95=bounds, gates=dict(self.by_gate))
        for name, missed in self.missed.items():
            found = dict(self.gates.get(name, Counter()))
            emit(f"missed: {name}", sum(missed) / len(missed), runs=len(missed), gates=found)


if __name__ == "__main__":
    main()
