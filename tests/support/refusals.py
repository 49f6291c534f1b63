"""A command line that must refuse what it is given: one line, exit code 2, and nothing changed anywhere."""

import hashlib
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitrion.cli.app import run
from vitrion_workflows.execution import engines

XDATCAR_HEADER = "x\n1.0\n5 0 0\n0 5 0\n0 0 5\nLi\n2\n"
ROCK_SALT_CIF = """data_LiCl
_cell_length_a 5.13
_cell_length_b 5.13
_cell_length_c 5.13
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
_chemical_formula_sum 'Li4 Cl4'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Li1 Li 0.0 0.0 0.0
Li2 Li 0.0 0.5 0.5
Li3 Li 0.5 0.0 0.5
Li4 Li 0.5 0.5 0.0
Cl1 Cl 0.5 0.5 0.5
Cl2 Cl 0.5 0.0 0.0
Cl3 Cl 0.0 0.5 0.0
Cl4 Cl 0.0 0.0 0.5
"""


def documents(home):
    """Return every document and artefact of an embedded store, read without Vitrion: collection -> identity -> hash."""
    content: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as elsewhere:
        # SQLite may need room beside a file even to read it.
        copy = Path(elsewhere) / "database"
        if (home / "database").is_dir():
            shutil.copytree(home / "database", copy)
        for path in sorted(copy.rglob("*")):
            if path.is_file() and not path.name.endswith(("-wal", "-shm")):
                rows = _rows(path)
                content |= {path.name: rows} if rows else {}
    content["artefacts"] = sorted(path.name for path in (home / "artefacts").rglob("*") if path.is_file())
    return content


def _rows(path):
    connection = sqlite3.connect(path)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'documents'").fetchone():
            return {}
        rows = connection.execute("SELECT _id, doc FROM documents").fetchall()
    finally:
        connection.close()
    return {key: hashlib.sha256(doc).hexdigest() for key, doc in rows}


def files(folder, *, without):
    """Return every file below a folder but for those below another, with its sha256."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_relative_to(without)
    }


@dataclass
class Desk:
    """A working folder with a database, in which commands are typed.

    Attributes:
        folder: the working directory; holds ``good.cif``.
        home: VITRION_HOME.
        capsys: pytest's.
    """

    folder: Path
    home: Path
    capsys: Any

    def write(self, name, content):
        """Write a file in the working folder and return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def refused(self, *words, says=()):
        """Run a command that must be refused, and return its one line."""
        before = documents(self.home), files(self.folder, without=self.home)
        self.capsys.readouterr()
        code = run([str(word) for word in words])
        printed = self.capsys.readouterr()
        line = printed.err
        assert code == 2, (words, printed)
        assert printed.out == "", (words, printed)
        assert line.startswith("vitrion: "), line
        assert line.count("\n") == 1, line
        assert len(line) < 1200, line
        for part in (says,) if isinstance(says, str) else says:
            assert part in line, (part, line)
        assert (documents(self.home), files(self.folder, without=self.home)) == before, "something was changed"
        assert not list(self.home.rglob("*.partial")) + list(self.home.rglob(".incoming-*"))
        return line


def xdatcar(*, frames=30, header=XDATCAR_HEADER):
    """Return the text of an XDATCAR in which two atoms walk."""
    path = 0.3 + np.cumsum(np.random.default_rng(0).normal(scale=0.003, size=(frames, 2, 3)), axis=0)
    rows = ("\n".join(" ".join(f"{value:.6f}" for value in atom) for atom in frame) for frame in path)
    return header + "".join(f"Direct configuration= {index + 1}\n{text}\n" for index, text in enumerate(rows))


def open_desk(folder, monkeypatch, capsys):
    """Open a desk in a folder, with one crystal in its database and without settings of the environment."""
    import vitrion

    for name in ("VITRION_DATABASE_URI", "VITRION_SCRATCH", "VITRION_DATA_MIRROR", "MP_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    engines._loaded.cache_clear()  # a potential that another test loaded
    home = folder.parent / f"{folder.name}-home"
    monkeypatch.setenv("VITRION_HOME", str(home))
    monkeypatch.setenv("VITRION_POTENTIALS", str(folder / "potentials"))
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    desk = Desk(folder, home, capsys)
    good = desk.write("good.cif", ROCK_SALT_CIF)
    if not home.exists():
        from vitrion.ingest.files import ingest_files

        with vitrion.connect() as db:
            ingest_files(db, [good])
    return desk
