"""Good files of every kind that is read, and mutations of their bytes: each is read, or refused in one line."""

import contextlib
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import yaml
from ase import Atoms
from ase.io import write
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from refusals import ROCK_SALT_CIF
from small_models import small_generator, small_surrogate
from tiny_campaign import TINY

from vitrion.exchange.binary_tables import arrow_bytes, hdf5_bytes, parquet_bytes
from vitrion.ingest.job_store import open_job_store
from vitrion.ingest.label_files import read_labels
from vitrion.learning.configuration import load_configuration
from vitrion_models import generators, surrogates
from vitrion_models.errors import VitrionError
from vitrion_workflows.formats.registry import format_of
from vitrion_workflows.formats.structures import read_structures
from vitrion_workflows.potentials.remote.description import read_description
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.trajectories.trajectory import Trajectory

NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
WORD = re.compile(rb"\S+")
NUMBERS = [
    *b"nan inf -inf 0 -0 -1 1 2 1e400 1e308 -1e308 1e-308 99999999999 -99999999999 1e5 0.5 1e-3 3.0000001".split(),
    b"9" * 400,
    b"9" * 5000,
    "٣".encode(),
    b"1_0",
    b"0x10",
]
WORDS = [
    *b'null true [] {} "" .. - ? . * T F Xx D Li+ Li_sv/1 Cl1- ITEM: data_ loop_'.split(),
    *b"!!int !!timestamp &a *a << %s {0}".split(),
    b"",
    b" ",
    b"\n",
    b"\t",
    b"\r",
    b"\0",
    b"\x1b[31m",
    b"\xff",
    "Ł".encode(),
    b"x" * 3000,
    b"[" * 200,
]
XDATCAR = "LiCl\n1.0\n5 0 0\n0 5 0\n0 0 5\nLi Cl\n1 1\n" + "".join(
    f"Direct configuration= {n}\n0.0{n} 0.0 0.0\n0.5 0.5 0.5{n}\n" for n in range(1, 4)
)
COLUMNS = "composition,property,species,temperature_K,value,unit,convention,potential,lower_95,upper_95\n"


@dataclass(frozen=True)
class Target:
    """A kind of file with a reader.

    Attributes:
        name: of the target.
        file: name of its files.
        good: content that is read.
        read: reader; raises `VitrionError` for a file that it refuses.
        format_name: of the registry; empty for other kinds of files.
    """

    name: str
    file: str
    good: bytes
    read: Callable[[Path], Any]
    format_name: str = ""

    def outcome(self, content: bytes, folder: Path) -> str:
        """Return ``accepted`` or ``refused``; whatever else the reader does is a fault and passes through."""
        path = folder / self.file
        path.write_bytes(content)
        try:
            result = self.read(path)
        except VitrionError as error:
            if len(str(error).splitlines()) != 1:
                raise AssertionError(f"a refusal in several lines: {error}") from error
            return "refused"
        if isinstance(result, Trajectory) and not (np.isfinite(result.positions_A).all() and len(result.numbers)):
            raise AssertionError("a trajectory of no atoms or of positions that are not finite")
        return "accepted"


def targets(folder: Path) -> list[Target]:
    """Return every target, its good file made in a folder."""
    structures = [
        Target(f"structure {path.name}", path.name, path.read_bytes(), read_structures, format_of(path).name)
        for path in _structure_files(folder)
    ]
    trajectories = []
    for path, interval_ps in _trajectory_files(folder):
        chosen = format_of(path, "gpumd" if "gpumd" in path.name else None, holds_frames=True).name
        read = partial(read_trajectory, frame_interval_ps=interval_ps, file_format=chosen)
        trajectories.append(Target(f"trajectory {path.name}", path.name, path.read_bytes(), read, chosen))
    return [*structures, *trajectories, *_documents(), *_models()]


def _cell(index: int = 0) -> Atoms:
    rng = np.random.default_rng(index)
    positions = np.array([[0.0, 0, 0], [2.565, 2.565, 2.565]]) + rng.normal(scale=0.01, size=(2, 3))
    return Atoms("LiCl", positions, cell=5.13 * np.eye(3), pbc=True)


def _structure_files(folder: Path) -> list[Path]:
    from pymatgen.core import Lattice, Structure

    folder = folder / "structures"
    folder.mkdir()
    for name in ("POSCAR", "cells.extxyz", "cells.traj", "cells.db"):
        write(folder / name, _cell() if name == "POSCAR" else [_cell(0), _cell(1)])
    symmetric = ROCK_SALT_CIF.replace("loop_", "loop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'\n'-x,-y,-z'\nloop_", 1)
    symmetric = symmetric.replace("'P 1'", "'P -1'")
    (folder / "cell.cif").write_text(ROCK_SALT_CIF)
    (folder / "symmetric.cif").write_text(symmetric.replace("0.0 0.5 0.5\n", "0.0 0.5 0.5(2)\n"))
    (folder / "XDATCAR").write_text(XDATCAR)
    structure = Structure(Lattice.cubic(5.13), ["Li+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    (folder / "cells.json").write_text(json.dumps([structure.as_dict()]))
    return sorted(folder.iterdir())


def _trajectory_files(folder: Path) -> list[tuple[Path, float | None]]:
    folder = folder / "trajectories"
    folder.mkdir()
    frames = [_cell(index) for index in range(3)]
    for index, atoms in enumerate(frames):
        atoms.info["time_ps"] = 0.1 * index
        atoms.set_velocities(np.full((2, 3), 0.01 * index))
    write(folder / "run.extxyz", frames)
    write(folder / "run.traj", frames)
    (folder / "vasprun.xml").write_text(_vasprun())
    (folder / "OUTCAR").write_text(_outcar())
    (folder / "gpumd.xyz").write_text("".join(map(_gpumd_frame, range(3))))
    (folder / "XDATCAR").write_text(XDATCAR)
    (folder / "run.dump").write_text("".join(map(_dump_frame, range(3))))
    positions = np.array([atoms.positions for atoms in frames])
    h5md.write(
        folder / "run.h5",
        Trajectory(numbers=np.array([3, 17]), positions_A=positions, lattice_A=5.13 * np.eye(3), frame_interval_ps=0.1),
    )
    site = {"species": [{"element": "Li", "occu": 1}], "abc": [0.1, 0.2, 0.3]}
    analyzer = {
        "structure": {"sites": [site], "lattice": {"matrix": (5 * np.eye(3)).tolist()}},
        "displacements": [[[0.0, 0.0, 0.0], [0.1, 0.0, 0.1], [0.2, 0.1, 0.0]]],
        "time_step": 2,
        "step_skip": 50,
        "temperature": 900,
    }
    (folder / "run.json").write_text(json.dumps(analyzer))
    stated = {"run.traj": 0.1, "XDATCAR": 0.1, "run.dump": 0.1}
    return [(path, stated.get(path.name)) for path in sorted(folder.iterdir())]


def _dump_frame(index: int) -> str:
    return (
        f"ITEM: TIMESTEP\n{100 * index}\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS xy xz yz pp pp pp\n"
        "0.0 5.5 0.5\n0.0 5.0 0.0\n0.0 5.0 0.0\nITEM: ATOMS id element x y z ix iy iz\n"
        f"1 Li 0.{index} 0.0 0.0 0 0 0\n2 Cl 2.5 2.5 2.{index} 0 0 1\n"
    )


def _outcar() -> str:
    frames = "".join(
        f"{'-' * 39} Iteration {n:6d}(   1)  {'-' * 39}\n"
        f" POSITION                                       TOTAL-FORCE (eV/Angst)\n {'-' * 80}\n"
        f"   0.{n}0000 0.00000 0.00000 0.0 0.0 0.0\n   2.50000 2.50000 2.5{n}000 0.0 0.0 0.0\n {'-' * 80}\n"
        f"  free  energy   TOTEN  =      -20.{n} eV\n"
        for n in range(1, 4)
    )
    vectors = "     5.0 0.0 0.0     0.2 0.0 0.0\n     0.0 5.0 0.0     0.0 0.2 0.0\n     0.0 0.0 5.0     0.0 0.0 0.2\n"
    return (
        " vasp.6.3.0 20Jan22\n   TITEL  = PAW_PBE Li_sv 10Sep2004\n   POMASS =    6.941; ZVAL   =    3.000    mass\n"
        "   TITEL  = PAW_PBE Cl 06Sep2000\n   POMASS =   35.453; ZVAL   =    7.000    mass\n"
        "   ions per type =               1   1\n   IBRION =      0    ionic relax\n   POTIM  = 2.0\n"
        f"   NBLOCK =      1\n      direct lattice vectors                 reciprocal lattice\n{vectors}{frames}"
        " General timing and accounting informations for this job:\n"
    )


def _vasprun() -> str:
    def rows(name: str, *vectors: str) -> str:
        return f'<varray name="{name}">' + "".join(f"<v>{vector}</v>\n" for vector in vectors) + "</varray>\n"

    cell = f"<crystal>{rows('basis', '5 0 0', '0 5 0', '0 0 5')}</crystal>"
    frames = "".join(
        f"<calculation><structure>{cell}{rows('positions', f'0.0{n} 0 0', f'0.5 0.5 0.5{n}')}</structure>\n"
        f'<energy><i name="e_fr_energy">-20.{n}</i><i name="kinetic">0.1</i></energy></calculation>\n'
        for n in range(1, 4)
    )
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n<parameters><i name="IBRION">0</i>\n'
        '<i name="POTIM">2.0</i>\n<i name="NBLOCK">1</i></parameters>\n<atominfo><array name="atoms"><set>'
        "<rc><c>Li</c><c>1</c></rc><rc><c>Cl</c><c>2</c></rc></set></array>"
        '<array name="atomtypes"><set><rc><c>1</c><c>Li</c><c>6.941</c><c>1.0</c><c>PAW_PBE Li_sv</c></rc>'
        "<rc><c>1</c><c>Cl</c><c>35.453</c><c>7.0</c><c>PAW_PBE Cl</c></rc></set></array></atominfo>\n"
        f"{frames}</modeling>\n"
    )


def _gpumd_frame(index: int) -> str:
    return (
        f'2\nTime={100 * index} pbc="T T T" Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:vel:R:3\n'
        f"Li 0.{index} 0.0 0.0 0.001 0.0 0.0\nCl 2.5 2.5 2.5 0.0 0.001 0.0\n"
    )


def _documents() -> list[Target]:
    numbers = "LiCl,tracer_diffusivity,Li,900,1e-6,cm2/s,einstein_3d,x,5e-7,2e-6\n"
    row = dict(zip(COLUMNS.strip().split(","), numbers.strip().split(","), strict=True))
    columns = {name: [cell] for name, cell in row.items()}
    identity = {"name": "x", "version": "1", "weights_sha256": "0" * 64, "elements": ["Li", "Cl"]}
    description = {"identity": identity, "address": "127.0.0.1:4000", "restarts": 3}
    store = {"docs_store": {"type": "MemoryStore", "collection_name": "x"}}
    return [
        Target("labels csv", "labels.csv", (COLUMNS + numbers).encode(), read_labels),
        Target("labels json", "labels.json", json.dumps([row]).encode(), read_labels),
        Target("labels jsonl", "labels.jsonl", f"{json.dumps(row)}\n".encode() * 2, read_labels),
        Target("labels parquet", "labels.parquet", parquet_bytes(columns), read_labels),
        Target("labels arrow", "labels.arrow", arrow_bytes(columns), read_labels),
        Target("labels hdf5", "labels.h5", hdf5_bytes(columns), read_labels),
        Target("campaign", "campaign.yaml", yaml.safe_dump(TINY).encode(), load_configuration),
        Target("job store", "store.yaml", yaml.safe_dump(store).encode(), open_job_store),
        Target("remote description", "remote.yaml", yaml.safe_dump(description).encode(), read_description),
    ]


def _models() -> list[Target]:
    file = "model.safetensors"
    return [
        Target("surrogate", file, surrogates.dumps(small_surrogate()), surrogates.load),
        Target("generator", file, generators.dumps(small_generator()), generators.load),
    ]


@dataclass
class Tally:
    """Outcomes of mutations of one target.

    Attributes:
        accepted: how many were read.
        refused: how many were refused.
        fault: smallest content that ended in anything else; None where none did.
        error: what it ended in.
    """

    accepted: int = 0
    refused: int = 0
    fault: bytes | None = None
    error: BaseException | None = None


def fuzz(target: Target, folder: Path, *, inputs: int, seed: int) -> Tally:
    """Try mutations of the good file of a target, and shrink the first that is a fault; a warning is one, too.

    Args:
        target: kind of file.
        folder: where the mutated file is written.
        inputs: how many mutations.
        seed: of the mutations.
    """
    tally = Tally()

    @hypothesis.seed(seed)
    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
    )
    @given(mutated(target.good))
    def attempt(content: bytes) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                outcome = target.outcome(content, folder)
        except Exception as error:
            tally.fault, tally.error = content, error
            raise
        if tally.fault is None:
            setattr(tally, outcome, getattr(tally, outcome) + 1)

    # The exception of the smallest content is kept in the tally.
    with contextlib.suppress(Exception):
        attempt()
    return tally


@st.composite
def mutated(draw: st.DrawFn, good: bytes) -> bytes:
    """Draw one to four changes of a content: of bytes, of numbers and words, of lines."""
    content = good
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=4)):
        content = change(draw, content)
    return content


def _place(draw: st.DrawFn, content: bytes) -> int:
    return draw(st.integers(0, max(len(content) - 1, 0)))


def _flip(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]


def _truncate(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def _delete(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + content[place + draw(st.integers(1, 40)) :]


def _double(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    length = draw(st.integers(1, 200))
    return content[: place + length] + content[place:]


def _insert(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + draw(st.sampled_from(WORDS)) + content[place:]


def _replace(pattern: re.Pattern[bytes], choices: list[bytes], draw: st.DrawFn, content: bytes) -> bytes:
    spans = [match.span() for match in pattern.finditer(content)]
    if not spans:
        return content
    start, end = draw(st.sampled_from(spans))
    return content[:start] + draw(st.sampled_from(choices)) + content[end:]


def _lines(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    first, second = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    kind = draw(st.sampled_from(["swap", "double", "delete"]))
    if kind == "swap":
        lines[first], lines[second] = lines[second], lines[first]
    elif kind == "double":
        lines.insert(second, lines[first])
    else:
        del lines[first]
    return b"\n".join(lines)


CHANGES = [
    _flip,
    _truncate,
    _delete,
    _double,
    _insert,
    partial(_replace, NUMBER, NUMBERS),
    partial(_replace, WORD, WORDS),
    _lines,
]
