"""Speed of molecular dynamics: our engine against each potential's own ASE calculator in ASE's Langevin.

Prints one JSON line a figure: name, value, unit, baseline, ratio (value / baseline).

*Races*: the baseline is one process with default threads, as people run it; ours two processes of one thread each, each
with two cells in a batch. Processes are started once and asked in turns (theirs, ours, theirs, ...), because the
machine may be busy; the median of the turns' ratios is given. ``steps/s`` is wall time, of all cells together. Threads
that wait for each other suffer most from other work: wall times mean something on a quiet machine only. ``CPU ms a
step`` is processor time of one step of one cell, both
sides on one thread: trust this one on a busy machine. NEP89's baseline is calorine where it can be imported, else
nep-adapters' own calculator (each line says which).

*Overhead*: a batched step beside nothing but the bare force call, in turns in one process of one thread.

    python benchmarks/dynamics.py                  # three cells, every potential that can run; about six minutes
    python benchmarks/dynamics.py --only chgnet    # one of nep89, chgnet, diep, mace
    python benchmarks/dynamics.py --full           # more sizes and turns
    python benchmarks/dynamics.py --device cuda    # 64 cells of about 100 atoms against ASE's loop, on a GPU
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from figures import emit

CELLS = ("LiCl-64", "Li3PS4-64", "Li2O-48")
MORE_CELLS = ("LiCl-32", "LiCl-128", "Li3PS4-32", "Li3PS4-128", "Li2O-96")
REPEATS = {
    "LiCl": {8: (1, 1, 1), 32: (2, 2, 1), 64: (2, 2, 2), 96: (3, 2, 2), 128: (4, 2, 2)},
    "Li3PS4": {16: (1, 1, 1), 32: (1, 1, 2), 64: (1, 2, 2), 96: (3, 2, 1), 128: (2, 2, 2)},
    "Li2O": {12: (1, 1, 1), 48: (2, 2, 1), 96: (2, 2, 2)},
}
TEMPERATURE_K = 1000.0
STEP_FS = 2.0
CELLS_EACH = 2
# Steps of one cell in one turn, so that a turn takes seconds.
STEPS = {"nep89": 400, "chgnet": 10, "diep": 8, "mace": 10, "lennard-jones": 400}
GPU_CELLS = 64


def atoms_of(name: str, seed: int = 0) -> Any:
    """Rattled rock-salt LiCl, gamma-Li3PS4 or antifluorite Li2O, by name and number of atoms."""
    import numpy as np  # noqa: PLC0415 - after the threads are set
    from ase.spacegroup import crystal  # noqa: PLC0415

    formula, _, count = name.partition("-")
    if formula == "LiCl":
        unit = crystal(["Li", "Cl"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=225, cellpar=[5.3] * 3 + [90] * 3)
    elif formula == "Li2O":
        unit = crystal(["Li", "O"], [(0.25,) * 3, (0, 0, 0)], spacegroup=225, cellpar=[4.7] * 3 + [90] * 3)
    else:
        sites = [(0, 0.8195, 0.9949), (0.2202, 0.6697, 0.8869), (0, 0.8107, 0.3277)]
        sites += [(0, 0.1047, 0.8908), (0.2565, 0.3196, 0.9933), (0, 0.1555, 0.5043)]
        lengths = [7.70824, 6.5353, 6.1365, 90, 90, 90]
        unit = crystal(["P", "S", "S", "S", "Li", "Li"], sites, spacegroup=31, cellpar=lengths)
    atoms = unit.repeat(REPEATS[formula][int(count)])
    atoms.positions += np.random.default_rng(seed).normal(scale=0.05, size=atoms.positions.shape)
    return atoms


def load(name: str, model: str, device: str) -> Any:
    """One of our potentials."""
    from vitrion_workflows import potentials  # noqa: PLC0415 - as above

    return potentials.load(f"mace:{model}" if name == "mace" else name, device=device)


def ours(name: str, model: str, device: str, cell: str, count: int) -> Callable[[int], None]:
    """Our engine on some cells of one kind."""
    from vitrion_models.system import AtomicSystem  # noqa: PLC0415 - as above
    from vitrion_workflows import dynamics  # noqa: PLC0415

    field = load(name, model, device)
    systems = []
    for seed in range(count):
        atoms = atoms_of(cell, seed)
        systems.append(AtomicSystem(atoms.numbers, atoms.positions, atoms.cell.array))

    def work(steps: int) -> None:
        every = 10 if steps % 10 == 0 else 1
        plans = [
            dynamics.MDPlan(
                steps=steps,
                time_step_fs=STEP_FS,
                temperature_K=TEMPERATURE_K,
                thermostat="langevin",
                friction_per_ps=1.0,
                frame_every=every,
                seed=seed,
            )
            for seed in range(count)
        ]
        for outcome in dynamics.run_batch(systems, field, plans):
            if isinstance(outcome, dynamics.DynamicsError):
                raise outcome

    return work


def theirs(name: str, model: str, device: str, cell: str) -> Callable[[int], None]:
    """ASE's Langevin with the calculator that the potential's authors ship."""
    import numpy as np  # noqa: PLC0415 - as above
    from ase import units  # noqa: PLC0415
    from ase.md.langevin import Langevin  # noqa: PLC0415
    from ase.md.velocitydistribution import thermalize_momenta  # noqa: PLC0415

    atoms = atoms_of(cell)
    atoms.calc = calculator(name, model, device)
    thermalize_momenta(atoms, temperature_K=TEMPERATURE_K, rng=np.random.default_rng(1))
    return Langevin(
        atoms,
        timestep=STEP_FS * units.fs,
        temperature_K=TEMPERATURE_K,
        friction=1e-3 / units.fs,
        fixcm=False,
        rng=np.random.default_rng(1),
    ).run


def calculator(name: str, model: str, device: str) -> Any:
    """A potential's own calculator, made as its documentation says."""
    if name == "nep89":
        from vitrion_workflows.potentials.weights.package import weights_folder  # noqa: PLC0415 - as above

        path = weights_folder() / "nep89.txt"
        if find_spec("calorine") and device == "cpu":
            from calorine.calculators import CPUNEP  # noqa: PLC0415

            return CPUNEP(str(path))
        from nep_adapters.ase import NepAseCalculator  # noqa: PLC0415

        return NepAseCalculator(path, backend=device)
    if name == "chgnet":
        from chgnet.model.dynamics import CHGNetCalculator  # noqa: PLC0415

        return CHGNetCalculator(use_device=device, on_isolated_atoms="ignore")
    if name == "diep":
        from diep.pretrained import make_calculator  # noqa: PLC0415

        return make_calculator(device=device)
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
    from mace.calculators import MACECalculator  # noqa: PLC0415

    return MACECalculator(model_paths=model, device=device, default_dtype="float64")


def make_mace(path: Path) -> None:
    """A MACE model of a usual size (64 scalar channels, l up to 3, two layers, correlation 3), weights at random."""
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # e3nn reads a table of its own
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
    import numpy as np  # noqa: PLC0415 - as above
    import torch  # noqa: PLC0415
    from e3nn import o3  # noqa: PLC0415
    from mace_models import model_of  # noqa: PLC0415

    sizes = {"r_max": 5.0, "num_bessel": 8, "max_ell": 3, "correlation": 3, "MLP_irreps": o3.Irreps("16x0e")}
    elements = {"num_elements": 5, "atomic_numbers": [3, 8, 15, 16, 17], "atomic_energies": np.zeros(5)}
    scales = {"avg_num_neighbors": 30.0, "atomic_inter_scale": 0.1, "atomic_inter_shift": 0.0}
    torch.save(model_of(hidden="64x0e", **sizes, **elements, **scales), path)


def serve(options: argparse.Namespace) -> None:
    """A child: make the work, then run as many steps as each line of input says and print what it cost."""
    warnings.simplefilter("ignore")
    reply = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what packages print belongs to the errors
    works: dict[str, Callable[[int], None]] = {}
    for line in sys.stdin:
        cell, steps = line.split()
        if cell not in works:
            works[cell] = (
                ours(options.only, options.model, options.device, cell, options.cells)
                if options.child == "ours"
                else theirs(options.only, options.model, options.device, cell)
            )
            works[cell](2)
        wall, processor = time.perf_counter(), time.process_time()
        works[cell](int(steps))
        cost = (
            time.perf_counter() - wall,
            time.process_time() - processor,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )
        print(json.dumps(cost), file=reply, flush=True)


class Child:
    """One process of a race."""

    def __init__(self, side: str, name: str, model: str, device: str, cells: int) -> None:
        environment = dict(os.environ)
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            environment.pop(variable, None)
            if side != "default":
                environment[variable] = "1"
        kind = "ours" if side == "ours" else "theirs"
        command = [sys.executable, __file__, "--child", kind, "--only", name, "--model", model]
        command += ["--device", device, "--cells", str(cells)]
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, cell: str, steps: int) -> None:
        """Start a turn."""
        print(cell, steps, file=self._process.stdin, flush=True)

    def answer(self) -> tuple[float, float, float]:
        """Wall seconds, processor seconds and peak memory in MB of the turn."""
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise SystemExit(f"a child ended with {self._process.wait()}: run it by hand to see why")
        wall, processor, memory = json.loads(line)
        return wall, processor, memory

    def end(self) -> None:
        """Close it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def race(name: str, cells: tuple[str, ...], *, model: str, turns: int) -> None:
    """Ours in two processes against theirs with default threads."""
    pair = [Child("ours", name, model, "cpu", CELLS_EACH) for _ in range(2)]
    other, single = Child("default", name, model, "cpu", 1), Child("single", name, model, "cpu", 1)
    label = baseline_label(name)
    for cell in cells:
        steps = STEPS[name] if int(cell.partition("-")[2]) <= 64 else max(STEPS[name] // 2, 4)
        their_steps = max(steps // 3, 2)
        rates: list[tuple[float, float]] = []
        processor: list[tuple[float, float]] = []
        memory = (0.0, 0.0)
        for turn in range(turns + 1):
            other.ask(cell, their_steps)
            wall, _, theirs_memory = other.answer()
            single.ask(cell, their_steps)
            _, theirs_cpu, _ = single.answer()
            for child in pair:
                child.ask(cell, steps)
            answers = [child.answer() for child in pair]
            if turn:  # the first turn warms up
                rates.append((sum(CELLS_EACH * steps / answer[0] for answer in answers), their_steps / wall))
                mine = sum(answer[1] for answer in answers) / (2 * CELLS_EACH * steps)
                processor.append((1000 * mine, 1000 * theirs_cpu / their_steps))
            memory = (max(answer[2] for answer in answers), theirs_memory)
        rate, base = (median([row[side] for row in rates]) for side in range(2))
        ratio = median([row[0] / row[1] for row in rates])
        emit(f"{name} {cell}: steps/s of 4 cells in two processes, beside {label}", rate, "1/s", base, ratio=ratio)
        mine_ms, base_ms = (median([row[side] for row in processor]) for side in range(2))
        emit(f"{name} {cell}: CPU ms a step on one thread, beside {label}", mine_ms, "ms", base_ms)
        per_day = STEP_FS * 1e-6 * 86400
        emit(f"{name} {cell}: simulated time a day on two cores", rate * per_day, "ns/day", base * per_day, ratio=ratio)
        emit(f"{name} {cell}: peak memory of a process", memory[0], "MB", memory[1])
    for child in (*pair, other, single):
        child.end()


def baseline_label(name: str) -> str:
    """What a potential is compared with."""
    if name == "nep89" and not find_spec("calorine"):
        return "nep-adapters' calculator in ASE Langevin (calorine cannot be imported)"
    return {"nep89": "calorine"}.get(name, f"{name}'s own calculator") + " in ASE Langevin"


def overhead(name: str, cells: tuple[str, ...], *, turns: int) -> None:
    """A batched step of four cells beside the bare force call of the same four, processor time of one thread."""
    import numpy as np  # noqa: PLC0415 - as above

    from vitrion_models.system import AtomicSystem  # noqa: PLC0415
    from vitrion_workflows.potentials.force_field import Cells  # noqa: PLC0415

    field = load(name, "", "cpu")
    for cell in cells:
        systems = [
            AtomicSystem(a.numbers, a.positions, a.cell.array) for a in (atoms_of(cell, seed) for seed in range(4))
        ]
        together = Cells.of(systems)
        positions = np.concatenate([system.positions_A for system in systems])
        moves = np.random.default_rng(1).normal(scale=0.02, size=(16, *positions.shape))

        def bare(steps: int, together: Any = together, positions: Any = positions, moves: Any = moves) -> None:
            for step in range(steps):
                field.compute_batch(together, positions + moves[step % 16])

        whole, rows = ours(name, "", "cpu", cell, 4), []
        for work in (bare, whole):
            work(10)
        for _ in range(turns):
            row = []
            for work in (whole, bare):
                start = time.process_time()
                work(100)
                row.append((time.process_time() - start) * 10)
            rows.append(row)
        step, call = (median([row[side] for row in rows]) for side in range(2))
        ratio = median([row[0] / row[1] for row in rows])
        emit(f"{name} 4 x {cell}: whole step beside the bare force call", step, "ms", call, ratio=ratio)


def on_gpu(names: list[str], *, model: str) -> None:
    """64 cells in one batch against ASE's loop over them, both on the GPU."""
    for name in names:
        mine = Child("ours", name, model, "cuda", GPU_CELLS)
        other = Child("default", name, model, "cuda", 1)
        for cell in ("LiCl-96", "Li3PS4-96", "Li2O-96"):
            rows, memory = [], 0.0
            for turn in range(4):
                other.ask(cell, 20)
                wall, _, _ = other.answer()
                mine.ask(cell, 20)
                answer = mine.answer()
                memory = answer[2]
                if turn:
                    rows.append((20 * GPU_CELLS / answer[0], 20 / wall))
            rate, base = (median([row[side] for row in rows]) for side in range(2))
            emit(f"{name} {GPU_CELLS} x {cell} on a GPU: steps/s, beside ASE's loop on it", rate, "1/s", base)
            emit(f"{name} {GPU_CELLS} x {cell} on a GPU: peak memory of the process", memory, "MB")
        mine.end()
        other.end()


def can_run(name: str) -> str | None:
    """Why a potential cannot run here, or None."""
    from vitrion_workflows import potentials  # noqa: PLC0415 - as above

    if name == "mace":
        return None if find_spec("mace") else "mace-torch is not installed"
    available = potentials.installed(name)
    return None if available.ok else available.reason


def main() -> None:
    """Measure everything that can run here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", choices=["nep89", "chgnet", "diep", "mace", "lennard-jones"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    for hidden in ("--child", "--model", "--cells"):
        parser.add_argument(hidden, default="1" if hidden == "--cells" else "", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.cells = int(options.cells)
    if options.child == "make":
        make_mace(Path(options.model))
        return
    if options.child:
        serve(options)
        return
    names = [options.only] if options.only else ["nep89", "chgnet", "diep", "mace"]
    for name in list(names):
        if reason := can_run(name):
            print(f"{name} left out: {reason}", file=sys.stderr)
            names.remove(name)
    cells, turns = (CELLS + MORE_CELLS, 5) if options.full else (CELLS, 2)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "benchmark.model"
        if "mace" in names:
            subprocess.run([sys.executable, __file__, "--child", "make", "--model", str(model)], check=True)
        if options.device == "cuda":
            on_gpu(names, model=str(model))
            return
        for name in names:
            if name == "nep89":
                overhead(name, cells, turns=2 * turns + 1)
            race(name, cells, model=str(model), turns=turns)


if __name__ == "__main__":
    main()
