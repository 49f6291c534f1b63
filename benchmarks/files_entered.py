"""Files of the packages that a command enters: a measure of what one must read to follow it.

    python benchmarks/files_entered.py label POSCAR -t 1000 --potential lennard-jones --ps 1

A file is entered when one of its functions is called; module and class bodies, which every import runs, do not count.
Prints one JSON line with the number of files, then the number in each room; ``--list`` names the files. Run it in a
folder of its own: the command does its work.
"""

import contextlib
import inspect
import json
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

ROOTS = {
    name: Path(__file__).resolve().parents[1] / layer / name
    for layer, name in (("models", "vitrion_models"), ("workflows", "vitrion_workflows"), ("platform", "vitrion"))
}


def entered_files(words: list[str]) -> set[str]:
    """Run a command and return the files of the packages whose functions it called."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from vitrion.cli.app import run  # noqa: PLC0415 - counted from here on

    called: set[str] = set()

    def record(frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED:  # functions, not bodies of modules and classes
            called.add(code.co_filename)

    threading.setprofile(record)
    sys.setprofile(record)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            code = run(words)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]  # the standard library's own way to end it
    if code:
        raise SystemExit(code)
    roots = tuple(f"{root}/" for root in ROOTS.values())
    return {str(Path(name).relative_to(Path(roots[0]).parents[1])) for name in called if name.startswith(roots)}


def main() -> None:
    """Count the files that the command on the command line enters."""
    words = [word for word in sys.argv[1:] if word != "--list"]
    files = sorted(entered_files(words))
    rooms = Counter("/".join(Path(name).parts[1:3]) for name in files)
    print(json.dumps({"figure": "files entered", "command": words[0], "files": len(files), "rooms": dict(rooms)}))
    if "--list" in sys.argv:
        print("\n".join(files), file=sys.stderr)


if __name__ == "__main__":
    main()
