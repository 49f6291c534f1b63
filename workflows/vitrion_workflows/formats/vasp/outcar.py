"""VASP's OUTCAR: Cartesian coordinates, energies, temperatures and settings of a run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np

from vitrion_models.bounds import MOST_ATOMS
from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.formats.frames import Frame, FrameFile, FrameOptions, atoms_of, floats, whole_number
from vitrion_workflows.formats.numbered_lines import NumberedLines
from vitrion_workflows.formats.vasp.cell import numbers_of
from vitrion_workflows.formats.vasp.settings import settings_of

# Whole words that begin as numbers do: a part of a damaged one would be another number.
NUMBER = r"[-+.\d][^\s;]*"
SETTING = re.compile(rf"(IBRION|POTIM|MDALGO|SMASS|TEBEG|TEEND|LANGEVIN_GAMMA)\s*=\s*({NUMBER}(?:\s+{NUMBER})*)")
TITLE = re.compile(r"\s*TITEL\s*=\s*\S+\s+(\S+)")
MASSES = re.compile(rf"\s*POMASS\s*=((?:\s+{NUMBER})+)\s*$")
COUNTS = re.compile(rf"\s*ions per type\s*=((?:\s+{NUMBER})+)\s*$")
STEP = re.compile(r"-+\s*(?:Iteration|Ionic step)\s+(\w+)\s*[(-]")
LATTICE = "direct lattice vectors"
POSITIONS = "TOTAL-FORCE (eV/Angst)"
# With two blanks it is the energy of an ionic step, with one that of an electronic one.
ENERGY = re.compile(r"\s*free  energy   TOTEN\s*=\s*(\S+)\s*eV")
TEMPERATURE = re.compile(r"\(temperature\s+([\w.+-]+)\s*K\)")
FOOTER = " General timing and accounting"
COLUMNS = 2 * DIMENSIONS  # position and force


@dataclass(eq=False)
class _Run:
    """Settings, atoms and cell of a run, as far as it is read.

    Attributes:
        values: settings as text.
        symbols: of the pseudopotentials, in the order of the types.
        masses_u: of the types, as the run used them.
        counts: number of atoms of each type.
        lattice_A: lattice vectors as rows, shape (3, 3), of the frame that follows.
        step: number of the ionic step.
        is_finished: the run came to its end.
    """

    values: dict[str, str] = field(default_factory=dict)
    symbols: list[str] = field(default_factory=list)
    masses_u: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    lattice_A: FloatArray | None = None
    step: int | None = None
    is_finished: bool = False


def read_frames(path: Path, _options: FrameOptions) -> FrameFile:
    """Read the frames of a run, of which a killed one may lack the end.

    The potential energy is the free energy, to which the forces belong. Times follow from the numbers of the ionic
    steps, since NBLOCK may thin out the positions.

    Raises:
        InputError: not an OUTCAR, or elements or numbers of atoms that it does not state.
    """
    run, remarks = _Run(), list[str]()
    frames = _complete(_frames(NumberedLines(path), run), run, remarks)
    first = next(frames, None)
    if first is None:
        raise InputError("no frame in this OUTCAR: it holds no table of positions and forces")
    settings = settings_of(run.values)
    remarks += settings.remarks
    return FrameFile(
        frames=_timed(first, frames, settings.time_step_ps),
        thermostat=settings.thermostat,
        friction_per_ps=settings.friction_per_ps,
        set_temperature_K=settings.set_temperature_K,
        remarks=remarks,
    )


def _timed(first: Frame, others: Iterator[Frame], time_step_ps: float | None) -> Iterator[Frame]:
    for frame in chain([first], others):
        if time_step_ps is None or frame.step is None:
            yield frame
        else:
            yield replace(frame, time_ps=frame.step * time_step_ps)


def _complete(frames: Iterator[Frame], run: _Run, remarks: list[str]) -> Iterator[Frame]:
    """Leave out the last frame of a killed run where its energy is not written."""
    first: Frame | None = None
    for frame in frames:
        first = first or frame
        if frame.potential_energy_eV is not None or first.potential_energy_eV is None:
            yield frame
    if not run.is_finished:
        remarks.append("the file ends before the run does: its complete frames are read")


def _frames(lines: NumberedLines, run: _Run) -> Iterator[Frame]:
    """Yield each frame when the next one begins, since its energy and temperature stand below its positions."""
    frame: Frame | None = None
    for line in lines:
        if POSITIONS in line:
            if frame is not None:
                yield frame
            frame = _frame(lines, run)
        elif LATTICE in line:
            run.lattice_A = _lattice(lines)
        elif match := STEP.match(line):
            run.step = whole_number(match[1], place=f"the step in line {lines.number}")
        elif frame is None:
            _read_header(line, run, place=f"line {lines.number}")
        elif line.startswith(FOOTER):
            run.is_finished = True
        else:
            frame = _completed(frame, line, lines)
    if frame is not None:
        yield frame


def _completed(frame: Frame, line: str, lines: NumberedLines) -> Frame:
    """Return a frame with the energy or temperature that a line below it holds."""
    if match := ENERGY.match(line):
        return replace(frame, potential_energy_eV=_number(match[1], lines))
    if match := TEMPERATURE.search(line):
        return replace(frame, temperature_K=_number(match[1], lines))
    return frame


def _read_header(line: str, run: _Run, *, place: str) -> None:
    run.values.update({name: value.strip() for name, value in SETTING.findall(line)})
    if match := TITLE.match(line):
        run.symbols.append(match[1])
    elif match := MASSES.match(line):
        run.masses_u = floats(match[1].split(), place=place).tolist()
    elif match := COUNTS.match(line):
        run.counts = [whole_number(word, place=place, largest=MOST_ATOMS) for word in match[1].split()]


def _lattice(lines: NumberedLines) -> FloatArray | None:
    rows = [numbers_of(line)[:DIMENSIONS] for line in islice(lines, DIMENSIONS)]
    return np.array(rows) if [len(row) for row in rows] == [DIMENSIONS] * DIMENSIONS else None


def _frame(lines: NumberedLines, run: _Run) -> Frame | None:
    """Return the frame whose table of positions follows; None where the file ends in it."""
    numbers, masses = _atoms(run)
    if run.lattice_A is None:
        raise InputError(f"no lattice vectors before the positions at line {lines.number}: damaged, copy it again")
    rows = [numbers_of(line) for line in islice(lines, 1, len(numbers) + 1)]  # below a line of dashes
    if len(rows) < len(numbers) or len(rows[-1]) < COLUMNS:
        if lines.peek() is None:
            return None
        raise InputError(f"the positions above line {lines.number} are not those of {len(numbers)} atoms: damaged")
    if any(len(row) != COLUMNS for row in rows):
        raise InputError(f"a row of positions and forces above line {lines.number} has not {COLUMNS} numbers: damaged")
    return Frame(
        numbers=numbers,
        masses_u=masses,
        coordinates=np.array(rows)[:, :DIMENSIONS],
        lattice_A=run.lattice_A,
        step=run.step,
    )


def _atoms(run: _Run) -> tuple[IntArray, FloatArray | None]:
    if not run.counts or len(run.symbols) < len(run.counts) or sum(run.counts) > MOST_ATOMS:
        raise InputError("the OUTCAR does not name the element (TITEL) and number of the ions of each type")
    numbers, masses = atoms_of(run.symbols[: len(run.counts)])
    if len(run.masses_u) == len(run.counts):
        masses = np.array(run.masses_u)
    return np.repeat(numbers, run.counts), None if masses is None else np.repeat(masses, run.counts)


def _number(word: str, lines: NumberedLines) -> float:
    return float(floats([word], place=f"line {lines.number}")[0])
