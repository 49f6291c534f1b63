"""`vitrion doctor`: checks of the installation, the potentials, the database and the machine."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import psutil
import typer

from vitrion.cli.console.errors import EXIT_FAULT, format_error
from vitrion.cli.console.output import emit, note
from vitrion.settings import Settings
from vitrion_workflows.potentials.devices import THREAD_VARIABLES

OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 2 * 1024**3
PACKAGES = ("vitrion", "numpy", "torch", "torch-geometric", "ase", "pymatgen", "jobflow", "atomate2")
DATABASE_PACKAGES = ("pymongo", "mongoengine", "litemongo", "maggma", "fireworks")
OPTIONAL_PACKAGES = ("nep-adapters", "mace-torch", "sevenn", "orb-models", "mattersim", "pfp-api-client", "mp-api")
MODEL_POTENTIALS = frozenset({"lennard-jones"})


class State(StrEnum):
    """Result of one check."""

    OK = "ok"
    ABSENT = "absent"  # optional and missing
    FAULT = "fault"  # Vitrion cannot work


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's output."""

    topic: str
    name: str
    state: State
    detail: str


def _python() -> Iterator[Finding]:
    state = State.OK if sys.version_info >= OLDEST_PYTHON else State.FAULT
    yield Finding("python", platform.python_version(), state, f"{sys.executable} on {platform.platform(terse=True)}")


def _packages() -> Iterator[Finding]:
    for name in (*PACKAGES, *DATABASE_PACKAGES):
        installed = _version(name)
        state = State.OK if installed else State.FAULT
        yield Finding("package", name, state, installed or "not installed: pip install vitrion")
    for name in OPTIONAL_PACKAGES:
        installed = _version(name)
        state = State.OK if installed else State.ABSENT
        yield Finding("package", name, state, installed or "not installed (optional)")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _potentials() -> Iterator[Finding]:
    from vitrion_workflows import potentials  # noqa: PLC0415 - each check imports what it needs

    real = False
    for entry in potentials.entries():
        available = entry.probe("")
        real |= available.ok and entry.name not in MODEL_POTENTIALS
        yield Finding("potential", entry.name, State.OK if available.ok else State.ABSENT, available.reason)
    name, reason = potentials.default_potential()
    yield Finding("potential", f"default: {name}", State.OK if real else State.FAULT, reason)


def _database() -> Iterator[Finding]:
    from vitrion.database import DatabaseError, NotFoundError, advice, connect  # noqa: PLC0415

    kind = "server" if Settings().database_uri else "embedded"
    try:
        with connect(readonly=True) as database:
            words = f"{database.where}: {database.labels.count(gate_version='any')} labels, {advice(database)}"
            yield Finding("database", kind, State.OK, words)
    except NotFoundError as fault:
        yield Finding("database", kind, State.ABSENT, str(fault))
    except DatabaseError as fault:
        yield Finding("database", kind, State.FAULT, str(fault))


def _accelerator() -> Iterator[Finding]:
    import torch  # noqa: PLC0415 - seconds

    if torch.cuda.is_available():
        yield Finding("gpu", torch.cuda.get_device_name(0), State.OK, f"CUDA {torch.version.cuda}")
    else:
        yield Finding("gpu", "none", State.ABSENT, "none detected: everything runs on the CPU")


def _programs() -> Iterator[Finding]:
    beside = Path(sys.executable).parent / "packmol"
    packmol = shutil.which("packmol") or (str(beside) if beside.is_file() else None)
    yield Finding(
        "program",
        "packmol",
        State.OK if packmol else State.FAULT,
        packmol or "not found: pip install packmol",
    )
    java = shutil.which("java")
    words = java or "not found (only the tests with a MongoDB stand-in need it)"
    yield Finding("program", "java", State.OK if java else State.ABSENT, words)


def _machine() -> Iterator[Finding]:
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    memory = psutil.virtual_memory().total / 1024**3
    threads = ", ".join(f"{name}={os.environ[name]}" for name in THREAD_VARIABLES if name in os.environ)
    yield Finding("machine", "processor", State.OK, f"{cores} cores, {memory:.0f} GiB of memory")
    advice = "no thread variable is set: with several workers set OMP_NUM_THREADS=1"
    yield Finding("machine", "threads", State.OK if threads else State.ABSENT, threads or advice)
    home = Settings().home
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    state = State.OK if free >= LEAST_FREE_BYTES else State.FAULT
    yield Finding("machine", "disk", state, f"{free / 1024**3:.0f} GiB free at {there}")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _potentials,
    _database,
    _accelerator,
    _programs,
    _machine,
)


def examine() -> list[Finding]:
    """Run every check; one that raises an exception becomes a finding, and the others still run."""
    findings: list[Finding] = []
    for check in CHECKS:
        try:
            findings += check()
        except Exception as error:  # noqa: BLE001 - whatever is broken, the other checks must run
            words = format_error(error) or " ".join(f"{type(error).__name__}: {error}".split())
            from vitrion.database.address import redact  # noqa: PLC0415 - needed after an error only

            words = redact(words, Settings().database_uri or "")
            findings.append(Finding(check.__name__.strip("_"), "check", State.FAULT, words))
    return findings


def command(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check packages, potentials, database and machine; exit code 2 if Vitrion cannot work."""
    findings = examine()
    emit(findings, as_json=as_json, columns=("topic", "name", "state", "detail"))
    faults = [finding for finding in findings if finding.state is State.FAULT]
    if faults:
        note(f"vitrion: {len(faults)} of {len(findings)} findings are faults: {faults[0].name}: {faults[0].detail}")
        raise typer.Exit(EXIT_FAULT)
