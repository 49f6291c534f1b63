"""Good runs to plant errors in: melts of many compounds, two potentials, our own engine and ASE's.

    python benchmarks/good_runs.py --runs 240 --folder DIR    # make them (one line a run); goes on when killed

Every run is made the way a label is: melted, held at its temperature, then run with fresh velocities. Some
of the settings are too short to resolve the temperature of the run, on purpose; the gates decide.
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from ase import Atoms, units  # noqa: E402
from ase.data import atomic_masses  # noqa: E402
from ase.io.trajectory import Trajectory as TrajectoryFile  # noqa: E402
from ase.md.langevin import Langevin  # noqa: E402
from ase.md.nose_hoover_chain import NoseHooverChainNVT  # noqa: E402
from ase.md.verlet import VelocityVerlet  # noqa: E402
from pymatgen.core import Lattice, Structure  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from planted_errors import Claim  # noqa: E402

from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.dynamics import MDPlan, run_md  # noqa: E402
from vitrion_workflows.dynamics.ase_reference import ase_calculator  # noqa: E402
from vitrion_workflows.dynamics.state import maxwell_boltzmann  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.schemas.geometry import system_from_structure  # noqa: E402
from vitrion_workflows.trajectories import h5md  # noqa: E402
from vitrion_workflows.trajectories.reading import read_trajectory  # noqa: E402
from vitrion_workflows.trajectories.trajectory import Trajectory  # noqa: E402

MELTING_K = 3000.0
MELTING_STEPS, HOLDING_STEPS = 2000, 1500
MODEL, PRODUCTION = "lennard-jones", "nep89"


@dataclass(frozen=True)
class Compound:
    """A crystal to melt.

    Attributes:
        name: formula.
        crystal: cell that is melted; its size is that of the run.
        volume_scale: volume of the melt over that of the crystal.
        temperatures_K: of the labels.
        model: True where the Lennard-Jones model is used for it, too.
        species: mobile.
    """

    name: str
    crystal: Structure
    volume_scale: float
    temperatures_K: tuple[float, float]
    model: bool = True
    species: str = "Li"


@dataclass(frozen=True)
class Setting:
    """Settings of a run."""

    thermostat: str
    rate_per_ps: float
    length_ps: float
    interval_fs: float


SETTINGS = (
    Setting("nose-hoover", 10.0, 8.0, 20.0),
    Setting("langevin", 10.0, 8.0, 10.0),
    Setting("nose-hoover", 5.0, 10.0, 20.0),
    Setting("langevin", 1.0, 8.0, 20.0),
    Setting("nose-hoover", 10.0, 6.0, 10.0),
    Setting("nose-hoover", 10.0, 12.0, 40.0),
    Setting("langevin", 5.0, 12.0, 20.0),
    Setting("nose-hoover", 10.0, 4.0, 5.0),
)
ASE_SETTINGS = (
    Setting("nose-hoover", 10.0, 6.0, 20.0),
    Setting("langevin", 10.0, 6.0, 20.0),
    Setting("nve", 0.0, 6.0, 20.0),
)
HEATING = ((0.75, 1.25), (0.85, 1.15))


def compounds() -> list[Compound]:
    """Return halides, chalcogenides, a nitride, phosphates: 32 to 216 atoms; those with stiff bonds in NEP89 only."""

    def rock_salt(anion: str, edge_A: float) -> Structure:
        return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge_A), ["Li", anion], [[0, 0, 0], [0.5, 0.5, 0.5]])

    def antifluorite(anion: str, edge_A: float) -> Structure:
        return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge_A), ["Li", anion], [[0.25] * 3, [0, 0, 0]])

    def gamma(edges_A: tuple[float, float, float], centre: str, corner: str) -> Structure:
        sites = [[0.25, 0.33, 0.0], [0, 0.16, 0.49], [0, 0.82, 0], [0.21, 0.68, 0.89], [0, 0.1, 0.89], [0, 0.81, 0.32]]
        names = ["Li", "Li", centre, corner, corner, corner]
        return Structure.from_spacegroup("Pmn2_1", Lattice.orthorhombic(*edges_A), names, sites)

    nitride = Structure.from_spacegroup(
        "P6/mmm", Lattice.hexagonal(3.65, 3.87), ["Li", "Li", "N"], [[0, 0, 0.5], [1 / 3, 2 / 3, 0], [0, 0, 0]]
    )
    thiophosphate = Structure.from_spacegroup(
        "I-43m",
        Lattice.cubic(7.0),
        ["Na", "P", "S"],
        [[0, 0.5, 0.5], [0, 0, 0], [0.17, 0.17, 0.17]],
    )
    olivine = Structure.from_spacegroup(
        "Pnma",
        Lattice.orthorhombic(10.33, 6.01, 4.69),
        ["Li", "Fe", "P", "O", "O", "O"],
        [[0, 0, 0], [0.28, 0.25, 0.97], [0.09, 0.25, 0.42], [0.1, 0.25, 0.74], [0.46, 0.25, 0.21], [0.17, 0.05, 0.28]],
    )
    return [
        Compound("LiCl", rock_salt("Cl", 5.13) * (2, 2, 2), 1.45, (1000.0, 1500.0)),
        Compound("Li2S", antifluorite("S", 5.72) * (2, 2, 1), 1.35, (1500.0, 2000.0)),
        Compound("LiI", rock_salt("I", 6.0) * (2, 2, 1), 1.4, (900.0, 1300.0)),
        Compound("LiF", rock_salt("F", 4.03) * (2, 2, 2), 1.45, (1300.0, 2000.0)),
        Compound("LiBr", rock_salt("Br", 5.5) * (3, 3, 3), 1.4, (1000.0, 1400.0)),
        Compound("Li3PS4", gamma((7.71, 6.53, 6.14), "P", "S") * (2, 1, 2), 1.2, (1000.0, 1500.0), model=False),
        Compound("Li3PO4", gamma((6.12, 5.24, 4.86), "P", "O") * (2, 1, 2), 1.3, (1500.0, 2000.0), model=False),
        Compound("Li2O", antifluorite("O", 4.62) * (2, 2, 2), 1.3, (1900.0, 2500.0), model=False),
        Compound("Li3N", nitride * (3, 3, 3), 1.2, (1300.0, 1700.0), model=False),
        Compound("Na3PS4", thiophosphate * (2, 1, 1), 1.25, (1000.0, 1400.0), model=False, species="Na"),
        Compound("LiFePO4", olivine * (1, 1, 2), 1.2, (1600.0, 2000.0), model=False),
    ]


@dataclass
class Runs:
    """Sound runs with compounds, temperatures, settings and potentials in turn; their starting melts are made once.

    Attributes:
        folder: where runs are kept and taken up again; None keeps nothing.
    """

    folder: Path | None

    def __post_init__(self) -> None:
        """Load the installed potentials."""
        self.fields = {MODEL: potentials.load(MODEL)}
        if potentials.installed(PRODUCTION).ok:
            self.fields[PRODUCTION] = potentials.load(PRODUCTION)
        self.choices = [(one, name) for one in compounds() for name in self.fields if one.model or name != MODEL]
        self.starts: dict[tuple[str, str, float], AtomicSystem] = {}

    def good(self, count: int) -> Iterator[tuple[str, Claim]]:
        """Yield `count` runs of our engine."""
        for index in range(count):
            compound, potential, temperature_K, turn = self._case(index)
            setting = SETTINGS[(index + turn) % len(SETTINGS)]
            name = f"{potential} {compound.name} {temperature_K:g} K {setting.thermostat} {setting.length_ps:g} ps"
            yield f"{name} {index}", self.run(compound, potential, setting, temperature_K, seed=index)

    def _case(self, index: int) -> tuple[Compound, str, float, int]:
        compound, potential = self.choices[index % len(self.choices)]
        turn = index // len(self.choices)
        return compound, potential, compound.temperatures_K[turn % 2], turn

    def by_ase(self, count: int) -> Iterator[tuple[str, Claim]]:
        """Yield `count` runs of ASE's integrators, as a file without its frame interval."""
        for index in range(count):
            compound, potential, temperature_K, turn = self._case(index)
            setting = ASE_SETTINGS[(index + turn) % len(ASE_SETTINGS)]
            name = f"ase {potential} {compound.name} {temperature_K:g} K {setting.thermostat} {index}"
            file = f"ase_{potential}_{compound.name}_{temperature_K:g}_{setting.thermostat}_{index}.traj"
            path = (self.folder or Path()) / file
            if not path.exists():
                system = self.start(compound, potential, temperature_K)
                _ase_run(system, self.fields[potential], setting, temperature_K, seed=index, path=path)
            yield name, replace(_ase_claim(path, setting, temperature_K), species=compound.species)
            if self.folder is None:
                path.unlink()

    def heated(self) -> Iterator[tuple[str, Claim]]:
        """Yield heated runs that claim a steady temperature, under thermostats with which a run resolves its own."""
        for compound in (one for one in compounds() if one.model):
            for number, (first, last) in enumerate(HEATING):
                setting = Setting(("nose-hoover", "langevin")[number % 2], 10.0, 8.0, 20.0)
                temperature_K = compound.temperatures_K[0]
                claim = self.run(compound, MODEL, setting, temperature_K, seed=number, ramp=(first, last))
                yield f"heated by {last - first:.0%}", claim

    def start(self, compound: Compound, potential: str, temperature_K: float) -> AtomicSystem:
        """Return the melt that every run of a compound at a temperature starts from."""
        key = (compound.name, potential, temperature_K)
        if key not in self.starts:
            crystal = compound.crystal.copy()
            crystal.scale_lattice(crystal.volume * compound.volume_scale)
            system = system_from_structure(crystal)
            for steps, kelvin in ((MELTING_STEPS, MELTING_K), (HOLDING_STEPS, temperature_K)):
                plan = MDPlan(
                    steps=steps,
                    time_step_fs=2.0,
                    temperature_K=kelvin,
                    thermostat="langevin",
                    friction_per_ps=10.0,
                    frame_every=steps,
                    seed=1,
                )
                system = run_md(system, self.fields[potential], plan).system
            self.starts[key] = system
        return self.starts[key]

    def run(
        self,
        compound: Compound,
        potential: str,
        setting: Setting,
        temperature_K: float,
        *,
        seed: int,
        ramp: tuple[float, float] = (1.0, 1.0),
    ) -> Claim:
        """Return one run; with a ramp, heated from one share of its claimed temperature to another."""
        numbers = (setting.rate_per_ps, setting.length_ps, setting.interval_fs, *ramp, seed)
        name = "_".join(
            [potential, compound.name, f"{temperature_K:g}", setting.thermostat, *map("{:g}".format, numbers)]
        )
        kept = None if self.folder is None else self.folder / f"{name}.h5"
        if kept is not None and kept.exists():
            trajectory = h5md.read(kept)
        else:
            trajectory = self._run(compound, potential, setting, temperature_K, seed=seed, ramp=ramp)
            if kept is not None:
                h5md.write(kept, trajectory)
        return Claim(
            replace(trajectory, set_temperature_K=temperature_K),
            species=compound.species,
            temperature_K=temperature_K,
            thermostat=setting.thermostat,
            friction_per_ps=setting.rate_per_ps,
        )

    def _run(
        self,
        compound: Compound,
        potential: str,
        setting: Setting,
        temperature_K: float,
        *,
        seed: int,
        ramp: tuple[float, float],
    ) -> Trajectory:
        every = math.ceil(setting.interval_fs / 2)
        first, last = (share * temperature_K for share in ramp)
        plan = MDPlan(
            steps=round(setting.length_ps * 1000 / setting.interval_fs) * every,
            time_step_fs=setting.interval_fs / every,
            temperature_K=first,
            final_temperature_K=last if last > first else None,
            thermostat=setting.thermostat,
            friction_per_ps=setting.rate_per_ps,
            frame_every=every,
            seed=seed,
        )
        system = self.start(compound, potential, temperature_K)
        masses = atomic_masses[system.numbers]
        velocities = maxwell_boltzmann(masses, temperature_K=first, seed=seed, remove_drift=True)
        return run_md(system, self.fields[potential], plan, velocities=velocities).trajectory


def _ase_run(
    system: AtomicSystem, field: ForceField, setting: Setting, temperature_K: float, *, seed: int, path: Path
) -> None:
    """Make one run of ASE's, written by its own logger."""
    half = path.with_suffix(".half")
    atoms = Atoms(numbers=system.numbers, positions=system.positions_A, cell=system.lattice_A, pbc=True)
    drawn = maxwell_boltzmann(atoms.get_masses(), temperature_K=temperature_K, seed=seed, remove_drift=True)
    atoms.set_velocities(drawn / (1000 * units.fs))
    atoms.calc = ase_calculator(field)
    step, rate = 2 * units.fs, setting.rate_per_ps / (1000 * units.fs)
    if setting.thermostat == "langevin":
        generator = np.random.default_rng(seed)
        engine = Langevin(atoms, step, temperature_K=temperature_K, friction=rate, fixcm=False, rng=generator)
    elif setting.thermostat == "nose-hoover":
        engine = NoseHooverChainNVT(atoms, step, temperature_K=temperature_K, tdamp=1 / rate)
    else:
        engine = VelocityVerlet(atoms, step)
    every = round(setting.interval_fs / 2)
    with TrajectoryFile(half, "w", atoms) as file:
        engine.attach(file.write, interval=every)
        engine.run(round(setting.length_ps * 1000 / 2))
    half.rename(path)


def _ase_claim(path: Path, setting: Setting, temperature_K: float) -> Claim:
    trajectory = read_trajectory(path, frame_interval_ps=setting.interval_fs / 1000)
    # Without a thermostat the question is about the temperature that the run has.
    mean_K = temperature_K if trajectory.temperatures_K is None else float(trajectory.temperatures_K.mean())
    return Claim(
        trajectory,
        temperature_K=mean_K if setting.thermostat == "nve" else temperature_K,
        thermostat=setting.thermostat,
        friction_per_ps=setting.rate_per_ps,
    )


def main() -> None:
    """Make all runs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=6, help="runs of our engine")
    parser.add_argument("--ase", type=int, default=0, help="runs of ASE's engines")
    parser.add_argument("--folder", type=Path, required=True, help="keep the runs here, and take them up again")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    runs = Runs(arguments.folder)
    for source in (runs.heated(), runs.by_ase(arguments.ase), runs.good(arguments.runs)):
        begun = time.process_time()
        for name, claim in source:
            mean_K = claim.trajectory.temperatures_K.mean()
            seconds = time.process_time() - begun
            sys.stdout.write(f"{name}: {len(claim.trajectory.numbers)} atoms, {mean_K:.0f} K, {seconds:.0f} s\n")
            sys.stdout.flush()
            begun = time.process_time()


if __name__ == "__main__":
    main()
