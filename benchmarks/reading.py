"""Reading of long trajectories: peak memory and time, as a trajectory and as structures, each in a process of its own.

    python benchmarks/reading.py [--megabytes 200] [--formats xdatcar xyz lammps-dump vasprun outcar ase h5md]

One JSON line for each figure. The baseline of memory is the size of the positions in
double precision for a trajectory, and of one frame for structures; memory is what reading adds to the resident size of
the process that has imported the reader.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from figures import emit

ATOMS = 1000
CELL_A = 25.0
BYTES_OF_A_ROW = 24
MODES = ("trajectory", "structures")
CHILD = """
import sys, time
from pathlib import Path
path, name, mode = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
from vitrion_workflows.formats.structures import read_entries
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.formats.registry import format_of
import importlib
importlib.import_module("vitrion_workflows.formats." + format_of(path, name).frames)
def peak():  # getrusage counts the process that started this one, too
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])
before, started = peak(), time.process_time()
if mode == "trajectory":
    interval = None if name in {"vasprun", "outcar", "h5md"} else 0.01
    frames = len(read_trajectory(path, file_format=name, frame_interval_ps=interval))
else:
    frames = sum(1 for _ in read_entries(path, file_format=name))
print(frames, peak() - before, time.process_time() - started)
"""


def frames(count: int) -> Iterator[np.ndarray]:
    """Yield wrapped positions in Angstrom, shape (N, 3), of atoms that rattle about the points of a lattice."""
    rng = np.random.default_rng(0)
    spots = np.stack(np.meshgrid(*[np.arange(10) * CELL_A / 10] * 3), axis=-1).reshape(-1, 3)
    for _ in range(count):
        yield np.mod(spots + rng.normal(scale=0.05, size=spots.shape), CELL_A)


def rows(numbers: np.ndarray) -> str:
    """Return rows of numbers with eight digits."""
    return "".join(f"{x:.8f} {y:.8f} {z:.8f}\n" for x, y, z in numbers.tolist())


def write_xdatcar(path: Path, count: int) -> None:
    """Write an XDATCAR."""
    with path.open("w") as file:
        file.write(f"run\n1.0\n{CELL_A} 0 0\n0 {CELL_A} 0\n0 0 {CELL_A}\nLi\n{ATOMS}\n")
        for number, positions in enumerate(frames(count), start=1):
            file.write(f"Direct configuration= {number}\n" + rows(positions / CELL_A))


def write_xyz(path: Path, count: int) -> None:
    """Write extended XYZ."""
    with path.open("w") as file:
        for positions in frames(count):
            file.write(f'{ATOMS}\nLattice="{CELL_A} 0 0 0 {CELL_A} 0 0 0 {CELL_A}" Properties=species:S:1:pos:R:3\n')
            file.write("".join(f"Li {x:.8f} {y:.8f} {z:.8f}\n" for x, y, z in positions.tolist()))


def write_dump(path: Path, count: int) -> None:
    """Write a LAMMPS dump."""
    box = f"0 {CELL_A}\n" * 3
    with path.open("w") as file:
        for step, positions in enumerate(frames(count)):
            file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{ATOMS}\nITEM: BOX BOUNDS pp pp pp\n{box}")
            file.write("ITEM: ATOMS id element x y z\n")
            numbered = enumerate(positions.tolist(), start=1)
            file.write("".join(f"{number} Li {x:.8f} {y:.8f} {z:.8f}\n" for number, (x, y, z) in numbered))


def write_vasprun(path: Path, count: int) -> None:
    """Write a vasprun.xml with what is read of it."""
    basis = f"<v>{CELL_A} 0 0</v><v>0 {CELL_A} 0</v><v>0 0 {CELL_A}</v>"
    with path.open("w") as file:
        file.write('<modeling><parameters><i name="IBRION">0</i><i name="POTIM">1.0</i></parameters><atominfo>')
        file.write('<array name="atoms"><set>' + "<rc><c>Li</c><c>1</c></rc>" * ATOMS + "</set></array>")
        file.write(f'<array name="atomtypes"><set><rc><c>{ATOMS}</c><c>Li</c><c>6.94</c></rc></set></array></atominfo>')
        for positions in frames(count):
            file.write(f'\n<calculation><structure><crystal><varray name="basis">{basis}</varray></crystal>\n')
            written = "".join(f"<v> {x:.8f} {y:.8f} {z:.8f} </v>\n" for x, y, z in (positions / CELL_A).tolist())
            file.write(f'<varray name="positions">\n{written}</varray></structure>')
            file.write('<energy><i name="e_fr_energy">-1.0</i></energy></calculation>')
        file.write("</modeling>\n")


def write_outcar(path: Path, count: int) -> None:
    """Write an OUTCAR with what is read of it."""
    cell = f" direct lattice vectors\n{CELL_A} 0 0 0 0 0\n0 {CELL_A} 0 0 0 0\n0 0 {CELL_A} 0 0 0\n"
    with path.open("w") as file:
        file.write(f"  TITEL  = PAW_PBE Li\n   ions per type =   {ATOMS}\n   IBRION = 0\n   POTIM = 1.0\n{cell}")
        for number, positions in enumerate(frames(count), start=1):
            file.write(f"---- Iteration {number}(   1)  ---\n POSITION      TOTAL-FORCE (eV/Angst)\n ---\n")
            file.write("".join(f"{x:.5f} {y:.5f} {z:.5f} 0.0 0.0 0.0\n" for x, y, z in positions.tolist()))
            file.write("  free  energy   TOTEN  =   -1.0 eV\n")


def write_ase(path: Path, count: int) -> None:
    """Write an ASE trajectory."""
    from ase import Atoms  # noqa: PLC0415
    from ase.io.trajectory import TrajectoryWriter  # noqa: PLC0415

    with TrajectoryWriter(path) as writer:
        for positions in frames(count):
            writer.write(Atoms(f"Li{ATOMS}", positions=positions, cell=[CELL_A] * 3, pbc=True))


def write_h5md(path: Path, count: int) -> None:
    """Write an H5MD file."""
    from vitrion_workflows.trajectories import h5md  # noqa: PLC0415
    from vitrion_workflows.trajectories.trajectory import Trajectory  # noqa: PLC0415

    positions = np.array(list(frames(count)))
    h5md.write(path, Trajectory(np.full(ATOMS, 3), positions, np.eye(3) * CELL_A, 0.01))


# Bytes of a row of each writer, about.
WRITERS: dict[str, tuple[Callable[[Path, int], None], int]] = {
    "xdatcar": (write_xdatcar, 33),
    "xyz": (write_xyz, 37),
    "lammps-dump": (write_dump, 41),
    "vasprun": (write_vasprun, 43),
    "outcar": (write_outcar, 39),
    "ase": (write_ase, 24),
    "h5md": (write_h5md, 23),
}


def main() -> int:
    """Write a file of each format, read it, and print what that takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=200.0)
    parser.add_argument("--formats", nargs="+", choices=WRITERS, default=list(WRITERS))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    options = parser.parse_args()
    for name in options.formats:
        write, row_bytes = WRITERS[name]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run"
            write(path, max(2, round(options.megabytes * 1e6 / (row_bytes * ATOMS))))
            megabytes = path.stat().st_size / 1e6
            for mode in options.modes:
                done = subprocess.run(
                    [sys.executable, "-c", CHILD, path, name, mode], check=True, capture_output=True, text=True
                )
                count, peak, seconds = (float(word) for word in done.stdout.split())
                least = BYTES_OF_A_ROW * ATOMS * (count if mode == "trajectory" else 1)
                title = f"{name}, {megabytes:.0f} MB, {count:.0f} frames, as {mode}"
                emit(f"{title}: memory", peak / 1e6, "MB", least / 1e6)
                emit(f"{title}: processor time", seconds, "s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
