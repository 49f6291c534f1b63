"""Help pages and refusals that need no library do without: they are there at once."""

import subprocess
import sys

import pytest

import vitrion

HEAVY = {
    *("torch", "torch_geometric", "pymatgen", "ase", "scipy", "h5py", "jobflow", "atomate2", "maggma", "chgnet"),
    *("mongoengine", "pymongo", "pandas", "matplotlib", "rich"),
}
REFUSED = [
    ("amorphize", "Li3PS4@"),
    ("amorphize", "notes.txt"),
    ("amorphize", "absent.cif"),
    ("generate", "Li0Cl"),
    ("label", "absent.cif", "-t", "900"),
    ("label", "notes.txt", "-t", "900"),
    ("label", "cell.cif", "-t", "1000:900:10"),
    ("label", "-t", "900"),
    ("predict", "notes.txt", "-t", "900"),
    ("order", "notes.txt"),
    ("ingest", "structures", "absent.cif"),
    ("labels", "lst"),
]


def run_alone(*words):
    """Run a command in its own process; return its exit code, its output and the heavy packages it imported."""
    script = (
        "import sys\n"
        "from vitrion.cli.app import run\n"
        f"code = run({list(words)!r})\n"
        f"print(code, *sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *_, last = done.stdout.splitlines()
    code, *imported = last.split()
    return int(code), done, imported


@pytest.mark.parametrize("words", [("--help",), ("label", "--help"), ("amorphize", "--help"), ("labels", "--help")])
def test_help_imports_nothing_heavy(words):
    code, _, imported = run_alone(*words)
    assert (code, imported) == (0, [])


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_refusals_import_nothing_heavy_and_make_no_database(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    (tmp_path / "notes.txt").write_text("no structure")
    code, done, imported = run_alone(*words)
    assert (code, imported) == (2, [])
    assert done.stderr.startswith("vitrion: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("words", [("labels", "list"), ("structures", "list"), ("models", "list", "--json")])
def test_lists_read_the_database_without_crystallography_or_jobs(words, tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    with vitrion.connect():
        pass
    code, _, imported = run_alone(*words)
    assert code == 0
    assert not {"pymatgen", "jobflow", "maggma", "torch", "scipy", "atomate2", "chgnet"} & set(imported)
