"""Formats of structure files by file name; the reader of a format is imported when it reads."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from vitrion_models.errors import InputError
from vitrion_workflows.formats.opening import name_of, require_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vitrion_workflows.formats.entry import StructureEntry


@dataclass(frozen=True)
class FileFormat:
    """A file format with the patterns of its file names.

    Attributes:
        name: what people call it.
        patterns: names of its files, lower case, with or without the ending of a compression.
        reader: module of this folder and function in it that gives every structure of a file in order.
    """

    name: str
    patterns: tuple[str, ...]
    reader: str

    @property
    def read(self) -> "Callable[[Path], Iterable[StructureEntry]]":
        """Return the reader."""
        module, function = self.reader.split(".")
        reader: Callable[[Path], Iterable[StructureEntry]] = getattr(import_module(f"{__package__}.{module}"), function)
        return reader


FORMATS: tuple[FileFormat, ...] = (
    FileFormat("CIF", ("*.cif",), "cif.read"),
    FileFormat("XDATCAR", ("*xdatcar*",), "poscar.read_xdatcar"),
    FileFormat("POSCAR", ("*poscar*", "*contcar*", "*.vasp"), "poscar.read"),
    FileFormat("extended XYZ", ("*.xyz", "*.extxyz"), "ase_structures.read_extxyz"),
    FileFormat("ASE trajectory", ("*.traj",), "ase_structures.read_traj"),
    FileFormat("pymatgen JSON", ("*.json",), "pymatgen_json.read"),
)


def file_format(path: Path) -> FileFormat | None:
    """Return the format of a file by its name, or None for an unrecognised name."""
    name = name_of(path)
    return next((entry for entry in FORMATS if any(fnmatch(name, pattern) for pattern in entry.patterns)), None)


def require_format(path: Path) -> FileFormat:
    """Return the format of a file that exists.

    Raises:
        InputError: no such file, an empty one, or an unrecognised name.
    """
    require_file(path)
    chosen = file_format(path)
    if chosen is None:
        names = ", ".join(each.name for each in FORMATS)
        raise InputError(f"{path}: unrecognised file name; supported formats: {names}")
    return chosen
