"""Formats of files of structures and frames by name; the reader of a format is imported when it reads."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrion_models.errors import InputError
from vitrion_workflows.formats.opening import name_of, require_file

if TYPE_CHECKING:
    from vitrion_workflows.formats.entry import StructureEntry
    from vitrion_workflows.formats.frames import FrameFile, FrameOptions

    StructureReader = Callable[[Path], Iterable[StructureEntry]]


@dataclass(frozen=True)
class FileFormat:
    """A file format with the patterns of its file names.

    Attributes:
        name: as ``--format`` takes it.
        title: what people call it.
        patterns: names of its files, lower case, with or without the ending of a compression.
        structures: module of this folder and function in it that gives every structure of a file; empty for none.
        frames: module of this folder with a function ``read_frames``; empty for none.
        options: fields of `FrameOptions` that the frames may need.
    """

    name: str
    title: str
    patterns: tuple[str, ...]
    structures: str = ""
    frames: str = ""
    options: frozenset[str] = frozenset()

    @property
    def read_structures(self) -> "StructureReader":
        """Return the reader of structures."""
        module, _, function = self.structures.rpartition(".")
        reader: StructureReader = _imported(module, function)
        return reader

    def read_frames(self, path: Path, options: "FrameOptions") -> "FrameFile":
        """Read a file of frames.

        Raises:
            InputError: an option that this format has no use for, or a file that cannot be read.
        """
        if unused := [name for name in options.stated if name not in self.options]:
            raise InputError(f"{self.title} holds its {unused[0]} itself: leave --{unused[0]} out")
        file: FrameFile = _imported(self.frames, "read_frames")(path, options)
        return file


def _imported(module: str, function: str) -> Any:
    return getattr(import_module(f"{__package__}.{module}"), function)


FORMATS: tuple[FileFormat, ...] = (
    FileFormat("cif", "CIF", ("*.cif",), structures="cif.read"),
    FileFormat("xdatcar", "XDATCAR", ("*xdatcar*",), frames="vasp.xdatcar"),
    FileFormat("vasprun", "vasprun.xml", ("*vasprun*.xml",), frames="vasp.vasprun"),
    FileFormat("outcar", "OUTCAR", ("*outcar*",), frames="vasp.outcar"),
    FileFormat("poscar", "POSCAR", ("*poscar*", "*contcar*", "*.vasp"), structures="vasp.poscar.read"),
    FileFormat("xyz", "XYZ", ("*.xyz", "*.extxyz"), frames="xyz.frames", options=frozenset({"cell", "types"})),
    FileFormat("gpumd", "GPUMD dump", (), frames="xyz.gpumd", options=frozenset({"types"})),
    FileFormat("ase", "ASE trajectory", ("*.traj",), frames="ase.traj"),
    FileFormat("ase-db", "ASE database", ("*.db",), structures="ase.database.read"),
    FileFormat(
        "lammps-dump", "LAMMPS dump", ("*.lammpstrj", "*.dump"), frames="lammps.dump", options=frozenset({"types"})
    ),
    FileFormat(
        "gromacs", "GROMACS trajectory", ("*.xtc", "*.trr"), frames="gromacs", options=frozenset({"topology", "types"})
    ),
    FileFormat(
        "netcdf", "AMBER NetCDF", ("*.nc", "*.ncdf"), frames="gromacs", options=frozenset({"topology", "types"})
    ),
    FileFormat("h5md", "H5MD", ("*.h5", "*.h5md", "*.hdf5"), frames="h5md"),
    FileFormat("json", "JSON", ("*.json",), structures="json.reading.read"),
    FileFormat("diffusion-analyzer", "DiffusionAnalyzer JSON", ("*.json",), frames="diffusion_analyzer"),
)


def file_format(path: Path) -> FileFormat | None:
    """Return the format of a file by its name, or None for an unrecognised name."""
    return next(iter(_matching(path)), None)


def format_of(path: Path, given: str | None = None, *, holds_frames: bool = False) -> FileFormat:
    """Return the format of a file that exists.

    Args:
        path: of the file, whose name tells the format unless it is given.
        given: name of the format.
        holds_frames: leave out formats of structures only.

    Raises:
        InputError: no such file, an empty one, an unknown format, or a name that does not tell it.
    """
    require_file(path)
    formats = [each for each in FORMATS if each.frames or not holds_frames]
    names = ", ".join(each.name for each in formats)
    if given is not None:
        chosen = next((each for each in formats if each.name == given), None)
        if chosen is None:
            raise InputError(f"unknown format {given!r}: choose from {names}")
        return chosen
    chosen = next((each for each in _matching(path) if each in formats), None)
    if chosen is None:
        raise InputError(f"{path}: unrecognised file name, format unknown: state --format; supported formats: {names}")
    return chosen


def _matching(path: Path) -> list[FileFormat]:
    name = name_of(path)
    return [entry for entry in FORMATS if any(fnmatch(name, pattern) for pattern in entry.patterns)]
