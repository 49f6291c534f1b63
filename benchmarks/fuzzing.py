"""Fuzzing of every reader: mutations of good files are read, or refused in one line, within bounds of memory and time.

    python benchmarks/fuzzing.py                      # one minute
    python benchmarks/fuzzing.py --minutes 60 --only trajectory --seed 7 --faults FOLDER

Prints one JSON line: inputs tried, refused, accepted, and faults: anything else than a result or a one-line refusal, a
warning, more than 10 s, or more than 1 GiB of memory. Each fault is shrunk and saved in the folder. An input that ends
the process (a crash of a library) is the file ``current`` there. The baseline of faults is none.
"""

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from itertools import count
from pathlib import Path
from types import FrameType

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from figures import show  # noqa: E402
from fuzzing import Target, fuzz, targets  # noqa: E402

INPUTS_AT_ONCE = 100
LONGEST_S = 10
MOST_BYTES = 2**30


class Bounded(Target):
    """A target whose reader is held to bounds of time and memory."""

    def outcome(self, content: bytes, folder: Path) -> str:
        """Return the outcome; see `Target.outcome`."""
        (folder / "current").write_bytes(content)
        before = _peak_bytes()
        signal.alarm(LONGEST_S)
        try:
            return super().outcome(content, folder)
        finally:
            signal.alarm(0)
            if _peak_bytes() - before > MOST_BYTES:
                raise MemoryError(f"{(_peak_bytes() - before) >> 20} MiB")


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {LONGEST_S} s")


def main() -> None:
    """Fuzz all targets in turn until the time is over."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=1.0)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", default="", help="part of the names of the targets")
    options.add_argument("--faults", type=Path, default=Path("fuzzing-faults"), help="folder of the inputs at fault")
    chosen = options.parse_args()
    signal.signal(signal.SIGALRM, _too_slow)
    end = time.monotonic() + 60 * chosen.minutes
    counts: Counter[str] = Counter()
    faults: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.faults
        folder.mkdir(exist_ok=True)
        every = [Bounded(**vars(target)) for target in targets(Path(scratch)) if chosen.only in target.name]
        for seed in count(chosen.seed):
            for target in every:
                if time.monotonic() > end:
                    _report(counts, faults)
                    return
                tally = fuzz(target, folder, inputs=INPUTS_AT_ONCE, seed=seed)
                counts.update(accepted=tally.accepted, refused=tally.refused)
                if tally.fault is not None:
                    line = f"{type(tally.error).__name__}: {str(tally.error).splitlines()[:1]}"
                    print(f"{target.name} (seed {seed}): {line}", file=sys.stderr, flush=True)
                    (folder / f"{target.name.replace(' ', '-')}-{seed}").write_bytes(tally.fault)
                    faults[f"{target.name} {seed}"] = line


def _report(counts: Counter[str], faults: dict[str, str]) -> None:
    tried = counts["accepted"] + counts["refused"] + len(faults)
    show({"name": "fuzzing", "value": len(faults), "unit": "faults", "baseline": 0, "tried": tried, **counts})
    for place, line in faults.items():
        print(json.dumps({place: line}), file=sys.stderr)


if __name__ == "__main__":
    main()
