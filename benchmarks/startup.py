"""Time from typing a command to its answer, where the answer needs no computation.

    python benchmarks/startup.py [--before FOLDER] [--runs 5]

Each command runs in its own process, several times; the median counts. ``--before`` is a source tree of an older
version, run by the same interpreter. Prints one JSON line a figure: wall time in seconds, and time of the processor,
which other work on the machine changes less.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from refusals import ROCK_SALT_CIF

PACKAGES = ("models", "workflows", "platform")
LABEL = ("label", "good.cif", "-t", "900", "--ps", "1", "--potential", "lennard-jones")
COMMANDS = {  # figure -> words, exit code, target in s
    "help": (("--help",), 0, 0.3),
    "wrong formula": (("amorphize", "Xx3"), 2, 1.0),
    "wrong file name": (("label", "notes.txt", "-t", "900"), 2, 1.0),
    "damaged file": (("label", "bad.cif", "-t", "900"), 2, None),
    "labels list": (("labels", "list"), 0, None),
    "structures list": (("structures", "list"), 0, None),
    "label repeated": (LABEL, 0, 3.0),
}


def run(words: tuple[str, ...], folder: Path, source: Path | None) -> tuple[float, float, int]:
    """Run a command in a folder and return its wall time and processor time in s, and its exit code."""
    environment = {**os.environ, "VITRION_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    if source is not None:
        environment["PYTHONPATH"] = os.pathsep.join(str(source.resolve() / package) for package in PACKAGES)
    begun, used = time.perf_counter(), _processor_seconds()
    done = subprocess.run(
        [sys.executable, "-m", "vitrion", *words], cwd=folder, env=environment, capture_output=True, check=False
    )
    return time.perf_counter() - begun, _processor_seconds() - used, done.returncode


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(source: Path | None, *, runs: int) -> dict[str, tuple[float, float]]:
    """Return the median wall and processor time of each command of a version, in s."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "good.cif").write_text(ROCK_SALT_CIF)
        (folder / "bad.cif").write_text(ROCK_SALT_CIF[: len(ROCK_SALT_CIF) // 2])
        (folder / "notes.txt").write_text("no structure")
        *_, code = run(LABEL, folder, source)
        if code:
            raise SystemExit(f"the label itself failed with exit code {code}")
        medians = {}
        for figure, (words, expected, _) in COMMANDS.items():
            timed = [run(words, folder, source) for _ in range(runs)]
            if {code for *_, code in timed} != {expected}:
                raise SystemExit(f"{figure}: exit codes {[code for *_, code in timed]}, expected {expected}")
            wall, processor, _ = zip(*timed, strict=True)
            medians[figure] = statistics.median(wall), statistics.median(processor)
        return medians


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    after = measure(None, runs=arguments.runs)
    before = measure(arguments.before, runs=arguments.runs) if arguments.before else {}
    for figure, (_, _, target) in COMMANDS.items():
        row: dict[str, object] = {"name": f"seconds to {figure}", "target": target}
        for name, medians in (("", after), ("before_", before)):
            if figure in medians:
                wall, processor = medians[figure]
                row |= {f"{name}value": round(wall, 3), f"{name}processor": round(processor, 3)}
        print(json.dumps(row))


if __name__ == "__main__":
    main()
