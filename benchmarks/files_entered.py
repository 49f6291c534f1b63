"""Files of the packages that `vitrion label POSCAR` enters: a measure of what one must read to follow it.

    python benchmarks/files_entered.py [--list]

A file is entered when one of its functions is called; bodies of modules and classes, which every import runs, do not
count. Prints one JSON line: the number of files, and of those in each room; ``--list`` names them on standard error.
"""

import contextlib
import inspect
import json
import os
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("models/vitrion_models/", "workflows/vitrion_workflows/", "platform/vitrion/")
POSCAR = """LiCl
1.0
5.13 0 0
0 5.13 0
0 0 5.13
Li Cl
4 4
Direct
0 0 0
0 0.5 0.5
0.5 0 0.5
0.5 0.5 0
0.5 0.5 0.5
0.5 0 0
0 0.5 0
0 0 0.5
"""
COMMAND = ["label", "POSCAR", "-t", "1000", "--ps", "1"]


def entered_files() -> list[str]:
    """Run the command in an empty folder and return the files of the packages whose functions it called."""
    called: set[str] = set()

    def record(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # functions, not bodies
            called.add(frame.f_code.co_filename)

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        os.chdir(folder)
        os.environ["VITRION_HOME"] = folder
        Path("POSCAR").write_text(POSCAR)
        threading.setprofile(record)
        sys.setprofile(record)
        from vitrion.cli.app import run  # noqa: PLC0415 - what its import calls counts, too

        code = run(COMMAND)
        sys.setprofile(None)
        os.chdir(REPOSITORY)
    if code:
        raise SystemExit(code)
    files = (str(Path(name).relative_to(REPOSITORY)) for name in called if Path(name).is_relative_to(REPOSITORY))
    return sorted(name for name in files if name.startswith(PACKAGES))


def main() -> None:
    """Count the files and print one JSON line."""
    files = entered_files()
    rooms = Counter("/".join(Path(name).parts[1:3]) for name in files)
    print(json.dumps({"name": "files entered by vitrion label", "value": len(files), "rooms": dict(rooms)}))
    if "--list" in sys.argv:
        print("\n".join(files), file=sys.stderr)


if __name__ == "__main__":
    main()
