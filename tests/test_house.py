"""The rules of the house that ruff and mypy do not know."""

import ast
import re
import statistics
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {"models": "vitrion_models", "workflows": "vitrion_workflows", "platform": "vitrion"}
ALLOWED = {  # a floor sees itself and those below
    "vitrion_models": {"vitrion_models"},
    "vitrion_workflows": {"vitrion_models", "vitrion_workflows"},
    "vitrion": {"vitrion_models", "vitrion_workflows", "vitrion"},
}
FORBIDDEN_BELOW = {  # what a floor must not know of the world
    "vitrion_models": {"pymongo", "mongoengine", "jobflow", "atomate2", "fireworks", "maggma", "litemongo"},
    "vitrion_workflows": {"pymongo", "mongoengine", "litemongo"},
    "vitrion": set(),
}
LONGEST_MODULE = 400
MEDIAN_MODULE = 150
LARGEST_FOLDER = 16
LARGEST_FILE_BYTES = 200_000


@cache
def tracked() -> tuple[Path, ...]:
    """Files of the commit; of the whole tree where there is no git (a source archive)."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return tuple(path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts)
    return tuple(ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file())


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file of every module of the three packages."""
    found = {}
    for folder, package in FLOORS.items():
        for path in (ROOT / folder / package).rglob("*.py"):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def imports(module: ast.Module) -> set[str]:
    """Absolute names that a module imports, `from a import b` as both `a` and `a.b`."""
    names = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_there_is_something_to_check():
    assert len(modules()) > 10
    assert len(tracked()) > 20


@pytest.mark.parametrize("folder", FLOORS)
def test_no_init_beside_the_packages(folder):
    # `platform/__init__.py` would shadow the standard library wherever the root is the working directory.
    assert not (ROOT / folder / "__init__.py").exists()


def test_no_module_is_too_long():
    lengths = {name: len(path.read_text().splitlines()) for name, path in modules().items()}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE}
    assert statistics.median(lengths.values()) < MEDIAN_MODULE


def test_no_module_is_a_drawer():
    drawers = {"utils", "util", "helpers", "helper", "misc", "common"}
    assert not [name for name in modules() if drawers & set(name.split("."))]


@pytest.mark.parametrize("package", FLOORS.values())
def test_a_floor_never_imports_upward(package):
    faults = []
    for name, path in modules().items():
        if name.split(".")[0] != package:
            continue
        roots = {imported.split(".")[0] for imported in imports(tree(path))}
        faults += [
            f"{name} imports {root}" for root in roots & set(FLOORS.values()) if root not in ALLOWED[package]
        ] + [f"{name} imports {root}" for root in roots & FORBIDDEN_BELOW[package]]
    assert not faults


def _edges() -> dict[str, set[str]]:
    """Return the imports of each module and benchmark, those inside functions and under TYPE_CHECKING included.

    `from package import module` needs the module, not the package.
    """
    files = modules() | {path.stem: path for path in (ROOT / "benchmarks").glob("*.py")}
    edges = {}
    for name, path in files.items():
        targets = set()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                full = {f"{node.module}.{alias.name}" for alias in node.names}
                targets |= full if full <= set(files) else full | {node.module}
        edges[name] = (targets & set(files)) - {name}
    return edges


def import_cycles(edges: dict[str, set[str]]) -> list[tuple[str, ...]]:
    """Return the import cycles of a graph, each as the modules along it."""
    cycles: list[tuple[str, ...]] = []
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            cycles.append((*path[path.index(name) :], name))
        elif name not in done:
            for target in sorted(edges[name]):
                visit(target, (*path, name))
            done.add(name)

    for name in sorted(edges):
        visit(name, ())
    return cycles


def test_no_import_cycles():
    cycles = import_cycles(_edges())
    assert not cycles, "; ".join(" -> ".join(cycle) for cycle in cycles)


def test_the_check_finds_an_import_cycle():
    assert import_cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [("a", "b", "c", "a")]


def test_folders_hold_few_modules():
    counts = Counter(path.parent for path in modules().values() if path.name != "__init__.py")
    assert not {str(folder.relative_to(ROOT)): count for folder, count in counts.items() if count > LARGEST_FOLDER}


RIDDLES = ("What ", "Whose ", "Whether ", "Does ", "Is ", "Are ", "Has ")


def test_docstrings_say_what_a_thing_is_or_does():
    """A docstring opens with a verb and its object or with a noun, not with a question (DESIGN 10)."""
    openings = [
        f"{name}:{node.body[0].lineno}"
        for name, path in modules().items()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and (ast.get_docstring(node) or "").startswith(RIDDLES)
    ]
    assert not openings


def test_every_module_says_what_it_is():
    assert not [name for name, path in modules().items() if not ast.get_docstring(tree(path))]


def test_every_package_folder_has_an_init():
    bare = {path.parent.relative_to(ROOT) for path in modules().values() if not (path.parent / "__init__.py").is_file()}
    assert not bare


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def _faults_in(module: ast.Module) -> list[str]:
    faults = []
    for node in ast.walk(module):
        if isinstance(node, ast.Assert):
            faults.append(f"{node.lineno}: assert")
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            faults.append(f"{node.lineno}: bare except")
        elif isinstance(node, ast.Call):
            called = _called(node)
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if called in {"yaml.load", "eval", "exec", "logging.basicConfig"}:
                faults.append(f"{node.lineno}: {called}")
            if called == "torch.load" and options.get("weights_only") != "True":
                faults.append(f"{node.lineno}: torch.load without weights_only=True")
            if called in {"np.load", "numpy.load"} and options.get("allow_pickle", "False") != "False":
                faults.append(f"{node.lineno}: numpy.load with allow_pickle")
            if called.endswith("load_from_checkpoint"):
                faults.append(f"{node.lineno}: {called} unpickles")
    roots = {name.split(".")[0] for name in imports(module)}
    return faults + [f"imports {root}" for root in roots & {"pickle", "dill", "joblib", "shelve", "cloudpickle"}]


def test_no_module_does_what_is_never_done():
    faults = {name: found for name, path in modules().items() if (found := _faults_in(tree(path)))}
    assert not faults


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("assert True", "assert"),
        ("try:\n    x = 1\nexcept:\n    pass", "bare except"),
        ("import torch\ntorch.load('a')", "weights_only"),
        ("import torch\ntorch.load('a', weights_only=False)", "weights_only"),
        ("import yaml\nyaml.load('a')", "yaml.load"),
        ("from pickle import loads", "pickle"),
        ("import numpy as np\nnp.load('a', allow_pickle=True)", "allow_pickle"),
    ],
)
def test_the_check_itself_finds_faults(source, fault):
    assert any(fault in found for found in _faults_in(ast.parse(source)))


# Written in pieces, or this file would name what it forbids.
MACHINE_PATHS = re.compile("|".join(("/wo" + "rk/", "/ro" + "ot/", "/tmp/ba" + "sh", "/ho" + r"me/(?!vitrion)\w+")))
INDEX_HOSTS = re.compile(
    "|".join(("files.python" + "hosted", r"pypi\.org/" + "simple", "--index" + "-url", "download.py" + "torch"))
)


def test_no_machine_paths_and_no_index_hosts():
    faults = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        faults += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if MACHINE_PATHS.search(line) or INDEX_HOSTS.search(line)
        ]
    assert not faults


def test_no_large_files():
    assert not {str(path): path.stat().st_size for path in tracked() if path.stat().st_size > LARGEST_FILE_BYTES}


def test_the_lock_names_versions_and_nothing_else():
    line = re.compile(r"[a-z0-9][a-z0-9._-]*==[\w.+!]+( ; .+)?")
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert lines
    assert not [entry for entry in lines if not line.fullmatch(entry) or "://" in entry]
