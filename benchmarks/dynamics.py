"""Cost of a molecular-dynamics step: our engine against the bare force call, ASE's Langevin, and two processes at once.

Prints one JSON line a figure: name, value, unit, baseline, ratio (value / baseline). Both sides of a comparison are
measured in turns in one process of one thread, in processor time, and the least of the turns is taken: other work on
the machine only ever adds. Two processes at once are measured in wall time: run that on a quiet machine.

    python benchmarks/dynamics.py            # Lennard-Jones, NEP89 where it can run, and a short CHGNet run
    python benchmarks/dynamics.py --quick    # fewer turns, no CHGNet
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

# Read when the libraries are loaded, hence before they are imported.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from ase import Atoms, units  # noqa: E402
from ase.build import bulk  # noqa: E402
from ase.md.langevin import Langevin  # noqa: E402
from ase.md.velocitydistribution import thermalize_momenta  # noqa: E402

from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows import dynamics, potentials  # noqa: E402
from vitrion_workflows.potentials import ForceField, weights_folder  # noqa: E402

TEMPERATURE_K = 1000.0
STEP_FS = 2.0
REPEATS = {
    "LiCl-8": (1, 1, 1),
    "Li2O-24": (2, 1, 1),
    "LiCl-32": (2, 2, 1),
    "Li2O-48": (2, 2, 1),
    "LiCl-64": (2, 2, 2),
    "LiCl-216": (3, 3, 3),
    "LiCl-512": (4, 4, 4),
}


def cell(name: str) -> AtomicSystem:
    """A rattled cell of rock-salt LiCl or antifluorite Li2O, by name and number of atoms."""
    formula = name.partition("-")[0]
    unit = (
        bulk("LiCl", "rocksalt", a=5.3, cubic=True)
        if formula == "LiCl"
        else bulk("OLi2", "fluorite", a=4.7, cubic=True)
    )
    atoms = unit.repeat(REPEATS[name])
    positions = atoms.positions + np.random.default_rng(0).normal(scale=0.1, size=atoms.positions.shape)
    return AtomicSystem(atoms.numbers, positions, atoms.cell.array)


def plan(steps: int, thermostat: str = "langevin") -> dynamics.MDPlan:
    """The labels' way of running: 2 fs, a frame each tenth step."""
    return dynamics.MDPlan(
        steps=steps,
        time_step_fs=STEP_FS,
        temperature_K=TEMPERATURE_K,
        thermostat=thermostat,
        friction_per_ps=1.0,
        frame_every=10,
        seed=1,
    )


def timed(work: Callable[[int], Any], steps: int) -> float:
    """Milliseconds of processor time a step."""
    start = time.process_time()
    work(steps)
    return (time.process_time() - start) / steps * 1000


def in_turns(works: list[Callable[[int], Any]], *, steps: int, turns: int) -> list[float]:
    """Least milliseconds a step of each, measured alternately after a warm-up."""
    for work in works:
        work(10)
    return [min(column) for column in zip(*([timed(work, steps) for work in works] for _ in range(turns)), strict=True)]


def report(name: str, value: float, unit: str, baseline: float | None) -> None:
    """One figure."""
    ratio = None if baseline is None else round(value / baseline, 4)
    baseline = None if baseline is None else round(baseline, 5)
    print(json.dumps({"name": name, "value": round(value, 5), "unit": unit, "baseline": baseline, "ratio": ratio}))


def bare(force_field: ForceField, system: AtomicSystem) -> Callable[[int], Any]:
    """Nothing but force calls, on positions that change."""
    moves = np.random.default_rng(1).normal(scale=0.02, size=(16, *system.positions_A.shape))

    def work(steps: int) -> None:
        for step in range(steps):
            force_field.compute(system.numbers, system.positions_A + moves[step % 16], system.lattice_A)

    return work


def ours(force_field: ForceField, system: AtomicSystem, thermostat: str = "langevin") -> Callable[[int], Any]:
    """Our engine."""
    return lambda steps: dynamics.run_md(system, force_field, plan(steps, thermostat))


def through_ase(calculator: Any, system: AtomicSystem) -> Callable[[int], Any]:
    """ASE's Langevin with a calculator of the potential's own authors."""
    atoms = Atoms(numbers=system.numbers, positions=system.positions_A, cell=system.lattice_A, pbc=True)
    atoms.calc = calculator
    thermalize_momenta(atoms, temperature_K=TEMPERATURE_K, rng=np.random.default_rng(1))
    integrator = Langevin(
        atoms,
        timestep=STEP_FS * units.fs,
        temperature_K=TEMPERATURE_K,
        friction=1e-3 / units.fs,
        fixcm=False,
        rng=np.random.default_rng(1),
    )
    return integrator.run


def ase_calculator_of(name: str) -> Any:
    """The calculator that the potential's authors ship, or ours where there is none."""
    if name == "nep89":
        from nep_adapters.ase import NepAseCalculator  # noqa: PLC0415

        return NepAseCalculator(weights_folder() / "nep89.txt")
    if name == "chgnet":
        from chgnet.model.dynamics import CHGNetCalculator  # noqa: PLC0415

        return CHGNetCalculator(use_device="cpu", on_isolated_atoms="ignore")
    return dynamics.ase_calculator(potentials.load(name))


def measure(name: str, cells: list[str], *, steps: int, turns: int) -> None:
    """Bare call, our step and ASE's step for each cell."""
    force_field = potentials.load(name)
    calculator = ase_calculator_of(name)
    for label in cells:
        system = cell(label)
        call, step, ase = in_turns(
            [bare(force_field, system), ours(force_field, system), through_ase(calculator, system)],
            steps=max(20, steps * 64 // len(system)) // 10 * 10,
            turns=turns,
        )
        report(f"{name} {label}: step / bare force call", step, "ms", call)
        report(f"{name} {label}: step / ASE Langevin step", step, "ms", ase)
        report(f"{name} {label}: steps a second", 1000 / step, "1/s", 1000 / ase)


def thermostats(name: str, *, steps: int, turns: int) -> None:
    """The engine's own share, by thermostat."""
    force_field, system = potentials.load(name), cell("LiCl-64")
    kinds = ["langevin", "nose-hoover"]
    call, *steps_ms = in_turns(
        [bare(force_field, system), *(ours(force_field, system, kind) for kind in kinds)], steps=steps, turns=turns
    )
    for kind, milliseconds in zip(kinds, steps_ms, strict=True):
        report(f"{name} LiCl-64: {kind} beside the force call", milliseconds - call, "ms", call)


def side_by_side(name: str, *, steps: int) -> None:
    """Aggregate steps a second of two processes of one thread each, against one process."""

    def launch(count: int) -> float:
        command = [sys.executable, __file__, "--child", name, "--steps", str(steps)]
        children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
        rates = [float(child.communicate()[0]) for child in children]
        return sum(rates)

    report(f"{name} LiCl-64: steps a second of two processes", launch(2), "1/s", launch(1))


def child(name: str, steps: int) -> None:
    """One of the processes of `side_by_side`."""
    work = ours(potentials.load(name), cell("LiCl-64"))
    work(50)
    start = time.perf_counter()
    work(steps)
    print(steps / (time.perf_counter() - start))


def main() -> None:
    """Measure everything that can run here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=2000, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.steps)
        return
    turns, steps = (2, 200) if options.quick else (5, 500)
    measure("lennard-jones", ["LiCl-64"], steps=steps, turns=turns)
    thermostats("lennard-jones", steps=steps, turns=turns)
    available = potentials.installed("nep89")
    if available.ok:
        cells = ["LiCl-8", "Li2O-24", "LiCl-32", "Li2O-48", "LiCl-64", "LiCl-216", "LiCl-512"]
        measure("nep89", cells, steps=steps, turns=turns)
        side_by_side("nep89", steps=options.steps)
    else:
        print(f"nep89 left out: {available.reason}", file=sys.stderr)
    if not options.quick:
        measure("chgnet", ["LiCl-32"], steps=10, turns=2)


if __name__ == "__main__":
    main()
