"""Lithium diffusivity of melts against ab initio molecular dynamics, by chemistry.

The AIMD table (Zheng et al., arXiv 2402.00177, MPContribs `amorphous_diffusivity`) gives D of 207 lithium formulas at
1000-2500 K, Einstein convention in `labels_tidy.csv`, and the volume an atom had there (feature `AAV`). Here the same
melts are made from nothing but the formula: about 100 atoms packed at random, brought to zero pressure by the volume
search at the table's temperature, run for 8 ps and labelled. A second route, `--route aimd-volume`, takes the table's
volume instead, which tells an error of the density from an error of the forces; `--route scaled:1.10` takes a multiple
of it (`benchmarks/volume_sensitivity.py`), `--route rule` the volume that a campaign takes (docs/design/volume.md).

    VITRION_DATA_MIRROR=... python benchmarks/aimd.py                       # 3 formulas, some two minutes
    ... python benchmarks/aimd.py --formulas 49 --results aimd.jsonl         # the study; goes on when killed
    ... python benchmarks/aimd.py --results aimd.jsonl --summary             # only the figures, routes side by side
    ... --potential chgnet --route aimd-volume --production-ps 1.5           # a reference, from NEP89's melt

Formulas are drawn by a stated rule: classes of anion in turn, within a class in the order of a seeded shuffle. All
formulas of one temperature come before the next temperature, so that whatever is finished is a fair sample.
One JSON line a figure: name, value, unit, baseline (the AIMD), ratio. Tables in Markdown on stderr.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
from aimd_checks import judged  # noqa: E402
from aimd_lines import (  # noqa: E402
    FRAME_EVERY,
    PRODUCTION,
    RATE_PER_PS,
    STEP_FS,
    THERMOSTAT,
    comparisons,
    identity,
    run_folder,
)
from aimd_summary import AT_AIMD_VOLUME, summary  # noqa: E402
from aimd_table import Row, draw, read_table  # noqa: E402
from aimd_tables import tables  # noqa: E402
from ase.data import atomic_numbers, chemical_symbols  # noqa: E402
from figures import earlier_lines, keep_line, show  # noqa: E402

from vitrion_models.errors import InputError, VitrionError  # noqa: E402
from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows import potentials  # noqa: E402
from vitrion_workflows.amorphous import VolumeSearchFailed, pack, relax_packing, search_volume  # noqa: E402
from vitrion_workflows.amorphous.cell_volume import size_cell  # noqa: E402
from vitrion_workflows.amorphous.volume import mean_pressure, scale_to  # noqa: E402
from vitrion_workflows.dynamics import DynamicsError, MDPlan, run_md  # noqa: E402
from vitrion_workflows.dynamics.checkpoint import TRAJECTORY_FILE  # noqa: E402
from vitrion_workflows.dynamics.stage import MDStage, run_stage  # noqa: E402
from vitrion_workflows.force_check.check import check_run  # noqa: E402
from vitrion_workflows.force_check.reference import reference_potential  # noqa: E402
from vitrion_workflows.labelling.analysis import analyse_trajectory  # noqa: E402
from vitrion_workflows.model_error.aimd_comparisons import write_comparisons  # noqa: E402
from vitrion_workflows.potentials import ForceField  # noqa: E402
from vitrion_workflows.schemas import CellProtocol, ForceCheckSettings  # noqa: E402
from vitrion_workflows.schemas.volume import RULE  # noqa: E402
from vitrion_workflows.structure.volume_estimate import estimate_volume  # noqa: E402
from vitrion_workflows.trajectories import h5md  # noqa: E402
from vitrion_workflows.trajectories.trajectory import Trajectory  # noqa: E402

ATOMS = 100
PACKING_SCALE = 1.15  # of the packing over the solid's estimate, as `MeltQuenchMaker` does
MELTED_AT_K = 2000.0  # other temperatures start from the end of this run
ZERO_PRESSURE, SCALED = "zero-pressure", "scaled:"


@dataclass(frozen=True)
class Study:
    """The simulation of one row."""

    force_field: ForceField
    folder: Path
    route: str
    production_ps: float
    volume_ps: float
    seed: int
    atoms: int = ATOMS

    def measure(self, row: Row) -> dict[str, Any]:
        """Return the figures of one label, or the reason for its absence."""
        begun = time.process_time()
        outcome: dict[str, Any] = {
            "potential": self.force_field.name,
            "route": self.route,
            "seed": self.seed,
            **asdict(row),
        }
        try:
            outcome |= self._label(row)
        except VolumeSearchFailed as failure:
            outcome |= {"outcome": "no equilibrium volume", "message": str(failure)}
        except DynamicsError as failure:
            outcome |= {"outcome": "exploded", "message": str(failure)}
        except VitrionError as failure:
            outcome |= {"outcome": "refused", "message": str(failure)}
        return {**outcome, "cpu_seconds": round(time.process_time() - begun, 1)}

    def _label(self, row: Row) -> dict[str, Any]:
        folder = self._folder(row.formula, row.temperature_K)
        if (folder / TRAJECTORY_FILE).is_file():
            trajectory = h5md.read(folder / TRAJECTORY_FILE)
        else:
            start = self._melt(row)
            trajectory = run_md(start, self.force_field, self._plan(row.temperature_K), folder=folder).trajectory
        volume = float(abs(np.linalg.det(trajectory.lattice_A))) / len(trajectory.numbers)
        label = analyse_trajectory(trajectory, species="Li", temperature_K=row.temperature_K)
        value = label.estimate.value_cm2_per_s
        pressure = mean_pressure(every_tenth(trajectory), self.force_field, temperature_K=row.temperature_K)
        line = {
            "outcome": "labelled",
            "state": str(label.state),
            "failed_gates": [gate.name for gate in label.gates if not gate.passed],
            "value_cm2_per_s": value,
            "log10_stderr": label.estimate.log10_stderr,
            "log10_ratio": float(np.log10(value / row.aimd_cm2_per_s)) if value > 0 else None,
            "framework": str(label.framework.state),
            "atoms": len(trajectory.numbers),
            "lithium": int((trajectory.numbers == atomic_numbers["Li"]).sum()),
            "volume_A3_per_atom": volume,
            "volume_ratio": volume / row.aimd_volume_A3_per_atom,
            "pressure_GPa": pressure.pressure_GPa,
            "pressure_stderr_GPa": pressure.stderr_GPa,
        }
        return judged(line, check_run(trajectory, production=self.force_field, settings=ForceCheckSettings()))

    def _melt(self, row: Row) -> AtomicSystem:
        if self.force_field.name != PRODUCTION:
            return self._production_melt(row)
        protocol = CellProtocol(melt_temperature_K=row.temperature_K, volume_ps=self.volume_ps, time_step_fs=STEP_FS)
        start = self._molten(row.formula) or self._packed(row)
        resized = self._resized(start, row, protocol)
        if self.route == ZERO_PRESSURE:
            return resized
        stage = MDStage(name="melt", duration_ps=self.volume_ps, temperature_K=row.temperature_K)
        return run_stage(resized, self.force_field, stage, protocol=protocol, seed=self.seed + 1).system

    def _resized(self, start: AtomicSystem, row: Row, protocol: CellProtocol) -> AtomicSystem:
        """Return the melt at the volume of the route."""
        if self.route not in (ZERO_PRESSURE, RULE):
            volume_A3_per_atom = row.aimd_volume_A3_per_atom * aimd_volumes(self.route)
            return relax_packing(scale_to(start, volume_A3_per_atom * len(start)), self.force_field)
        relaxed = relax_packing(start, self.force_field)
        if self.route == ZERO_PRESSURE:
            return search_volume(relaxed, self.force_field, protocol=protocol, seed=self.seed + 1)[0]
        name = self._reference(start)
        return size_cell(
            relaxed,
            self.force_field,
            formula=row.formula,
            twin=None,
            rule=RULE,
            protocol=protocol,
            seed=self.seed + 1,
            reference=None if name is None else loaded(name),
        ).system

    def _reference(self, system: AtomicSystem | Trajectory) -> str | None:
        symbols = [chemical_symbols[number] for number in np.unique(system.numbers)]
        return reference_potential(symbols, production=self.force_field.name)

    def _production_melt(self, row: Row) -> AtomicSystem:
        folder = self.folder / run_folder(PRODUCTION, self.route, row.formula, row.temperature_K, self.seed)
        if not (folder / TRAJECTORY_FILE).is_file():
            raise InputError(
                f"{self.force_field.name} starts from {PRODUCTION}'s melt: run {row.formula} with that first"
            )
        return _last_frame(folder)

    def _molten(self, formula: str) -> AtomicSystem | None:
        folder = self.folder / run_folder(PRODUCTION, ZERO_PRESSURE, formula, MELTED_AT_K, self.seed)
        return _last_frame(folder) if (folder / TRAJECTORY_FILE).is_file() else None

    def _packed(self, row: Row) -> AtomicSystem:
        room = PACKING_SCALE * estimate_volume(row.formula).volume_A3_per_atom
        return pack(row.formula, n_atoms=self.atoms, volume_A3_per_atom=room, seed=self.seed).system

    def _folder(self, formula: str, temperature_K: float) -> Path:
        return self.folder / run_folder(self.force_field.name, self.route, formula, temperature_K, self.seed)

    def _plan(self, temperature_K: float) -> MDPlan:
        frames = round(self.production_ps * 1000 / STEP_FS / FRAME_EVERY)
        return MDPlan(
            steps=frames * FRAME_EVERY,
            time_step_fs=STEP_FS,
            temperature_K=temperature_K,
            thermostat=THERMOSTAT,
            friction_per_ps=RATE_PER_PS,
            frame_every=FRAME_EVERY,
            seed=self.seed + 2,
        )


@cache
def loaded(name: str) -> ForceField:
    """Load a reference potential once."""
    return potentials.load(name)


def _last_frame(folder: Path) -> AtomicSystem:
    trajectory = h5md.read(folder / TRAJECTORY_FILE)
    return AtomicSystem(trajectory.numbers, trajectory.positions_A[-1], trajectory.lattice_A)


def every_tenth(trajectory: Trajectory) -> Trajectory:
    """Return frames far enough apart for independent samples of the pressure."""
    return Trajectory(
        trajectory.numbers,
        trajectory.positions_A[::10],
        trajectory.lattice_A,
        trajectory.frame_interval_ps * 10,
    )


def go(arguments: argparse.Namespace, rows: list[Row], folder: Path) -> list[dict[str, Any]]:
    """Measure the rows without a result."""
    lines = earlier_lines(arguments.results)
    study = Study(
        force_field=potentials.load(arguments.potential),
        folder=folder,
        route=arguments.route,
        production_ps=arguments.production_ps,
        volume_ps=arguments.volume_ps,
        seed=arguments.seed,
    )
    done = {identity(line) for line in lines}
    by_place: Mapping[tuple[str, int], Row] = {(row.formula, row.temperature_K): row for row in rows}
    drawn = draw(rows, formulas=arguments.formulas, seed=arguments.seed)
    for temperature, formula in itertools.product(arguments.temperatures, drawn):
        row = by_place.get((formula, temperature))
        if row is None or (study.force_field.name, study.route, formula, temperature, str(study.seed)) in done:
            continue
        line = study.measure(row)
        lines.append(line)
        print(progress(line), file=sys.stderr, flush=True)
        keep_line(arguments.results, line)
    return lines


def progress(line: Mapping[str, Any]) -> str:
    """Format a line for reading."""
    ratio = line.get("log10_ratio")
    said = line["outcome"] if ratio is None else f"{line['state']} {ratio:+.2f} decades"
    return f"{line['chemistry']:12} {line['formula']:16} {line['temperature_K']} K  {said}  {line['cpu_seconds']:.0f} s"


def main() -> None:
    """Measure, or only summarize."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--formulas", type=int, default=3)
    parser.add_argument("--temperatures", type=temperatures, default=(2000,), help="2000,1500,2500,1000; default 2000")
    parser.add_argument(
        "--route", type=route, default=ZERO_PRESSURE, help="zero-pressure, rule, aimd-volume or scaled:1.10"
    )
    parser.add_argument("--potential", default="nep89")
    parser.add_argument("--production-ps", type=float, default=8.0)
    parser.add_argument("--volume-ps", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--results", type=Path, help="JSON lines, one a label; trajectories lie beside it")
    parser.add_argument("--summary", action="store_true", help="run nothing")
    parser.add_argument("--table", type=Path, help="write the accepted labels here: aimd_comparisons.csv")
    arguments = parser.parse_args()
    if arguments.summary:
        lines = earlier_lines(arguments.results)
    else:
        reason = reason_to_skip(arguments.potential)
        if reason is not None:
            print(f"aimd: skipped, {reason}", file=sys.stderr)
            return
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) if arguments.results is None else arguments.results.with_suffix("")
            lines = go(arguments, read_table(Path(os.environ["VITRION_DATA_MIRROR"])), folder)
    for line in summary(lines):
        show(line)
    for text in tables(lines):
        print(text, file=sys.stderr)
    if arguments.table is not None:
        write_comparisons(comparisons(lines), arguments.table)


def reason_to_skip(potential: str) -> str | None:
    """Return the reason why nothing can be measured here; None where all is at hand."""
    if "VITRION_DATA_MIRROR" not in os.environ:
        return "VITRION_DATA_MIRROR is not set"
    try:
        potentials.load(potential)
    except VitrionError as missing:
        return str(missing)
    return None


def route(text: str) -> str:
    """Check the name of a route."""
    if text not in (ZERO_PRESSURE, RULE) and not aimd_volumes(text) > 0:
        raise argparse.ArgumentTypeError(f"{text} is no volume of a melt")
    return text


def aimd_volumes(route: str) -> float:
    """Return the volume of a route in volumes of the AIMD run."""
    return 1.0 if route == AT_AIMD_VOLUME else float(route.removeprefix(SCALED))


def temperatures(text: str) -> tuple[int, ...]:
    """Parse comma-separated temperatures of the table."""
    return tuple(int(word) for word in text.split(","))


if __name__ == "__main__":
    main()
