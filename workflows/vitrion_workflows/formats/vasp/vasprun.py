"""VASP's vasprun.xml: wrapped fractional coordinates, energies and settings of a run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

import numpy as np
from ase import units

from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError, first_line
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.formats.frames import Frame, FrameFile, FrameOptions, atoms_of, floats, whole_number
from vitrion_workflows.formats.opening import lines
from vitrion_workflows.formats.vasp.settings import number, settings_of

LINES_AT_ONCE = 500
TYPE_COLUMNS = 3  # number of atoms, element, mass
DECLARATIONS = ("<!DOCTYPE", "<!ENTITY")
FREE_ENERGY, KINETIC_ENERGY = "e_fr_energy", "kinetic"


@dataclass(eq=False)
class _Run:
    """Settings and atoms of a run; complete once its first structure is reached.

    Attributes:
        values: settings of INCAR and of the parameters VASP used, as text.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        is_constrained: atoms or directions are fixed.
    """

    values: dict[str, str] = field(default_factory=dict)
    numbers: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    masses_u: FloatArray = field(default_factory=lambda: np.empty(0))
    is_constrained: bool = False


def read_frames(path: Path, _options: FrameOptions) -> FrameFile:
    """Read the frames of a run, of which a killed one may lack the end.

    The potential energy is the free energy, to which the forces belong; the temperature follows from the kinetic energy
    with 3 N - 3 degrees of freedom.

    Raises:
        InputError: not a vasprun.xml, damaged before its end, or elements that are unknown.
    """
    run, remarks = _Run(), list[str]()
    frames = _frames(path, run, remarks)
    first = next(frames, None)
    if first is None:
        raise InputError("no frame in this vasprun.xml: it holds no ionic step")
    settings = settings_of(run.values)
    remarks += settings.remarks
    return FrameFile(
        frames=chain([first], frames),
        interval_ps=_interval_ps(settings.time_step_ps, run.values, remarks),
        thermostat=settings.thermostat,
        friction_per_ps=settings.friction_per_ps,
        set_temperature_K=settings.set_temperature_K,
        remarks=remarks,
    )


def _interval_ps(time_step_ps: float | None, values: Mapping[str, str], remarks: list[str]) -> float | None:
    """Return the time between frames: every step is written, but in prediction by a learned force field.

    There ML_OUTBLOCK holds from version 6.4.3 on (https://www.vasp.at/wiki/ML_OUTBLOCK, table of output intervals).
    """
    every = number(values, "ML_OUTBLOCK") or 1.0
    if time_step_ps is None or every == 1:
        return time_step_ps
    remarks.append(f"ML_OUTBLOCK is {every:g}: whether each step is written depends on the version of VASP")
    return None


def _frames(path: Path, run: _Run, remarks: list[str]) -> Iterator[Frame]:
    """Yield a frame for each structure of an ionic step, once the energy that follows it is read."""
    structure: Element | None = None
    for element in _elements(path, remarks):
        if element.tag == "structure":
            run.is_constrained |= element.find("varray[@name='selective']") is not None
            if "name" not in element.attrib:
                structure = element
        elif element.tag == "energy" and structure is not None:
            yield _frame(structure, element, run)
            structure = None
        elif element.tag in {"incar", "parameters"}:
            run.values.update(
                {item.attrib["name"]: item.text or "" for item in element.iter() if "name" in item.attrib}
            )
        elif element.tag == "atominfo":
            run.numbers, run.masses_u = _atoms(element)


def _elements(path: Path, remarks: list[str]) -> Iterator[Element]:
    """Yield the elements of interest as they end; what has been yielded is forgotten."""
    wanted = {"incar", "parameters", "atominfo", "structure", "energy"}
    parser: XMLPullParser[Element] = XMLPullParser(["start", "end"])
    content = lines(path)
    root: Element | None = None
    depth = 0
    try:
        while block := "".join(islice(content, LINES_AT_ONCE)):
            if any(declaration in block for declaration in DECLARATIONS):
                raise InputError("it declares a document type, which VASP does not: not a vasprun.xml")
            parser.feed(block)
            for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                depth += 1 if event == "start" else -1
                root = element if root is None else root
                if event == "end" and element.tag in wanted:
                    yield element
                if event == "end" and depth == 1:
                    root.clear()
        if root is None or root.tag != "modeling":
            raise InputError("not a vasprun.xml: its outer element is not 'modeling'")
        if depth:
            remarks.append("the file ends before the run does: its complete frames are read")
    except ParseError as error:
        raise InputError(f"damaged vasprun.xml ({first_line(error)}): copy it again") from error


def _atoms(element: Element) -> tuple[IntArray, FloatArray]:
    types = [[cell.text or "" for cell in row] for row in element.iterfind("array[@name='atomtypes']/set/rc")]
    rows = [[cell.text or "" for cell in row] for row in element.iterfind("array[@name='atoms']/set/rc")]
    if not rows or any(len(row) != 2 or not row[1].strip().isdecimal() for row in rows):  # noqa: PLR2004 - element, type
        raise InputError("atominfo does not name the element and type of each atom: not a vasprun.xml")
    if any(len(row) < TYPE_COLUMNS for row in types):
        raise InputError("atominfo does not describe each type of atoms: not a vasprun.xml")
    masses = floats([row[2] for row in types], place="the masses of atominfo")
    kinds = np.array([whole_number(row[1], place="a type of atominfo", largest=len(masses)) for row in rows]) - 1
    if kinds.min() < 0 or kinds.max() >= len(masses):
        raise InputError("atominfo has atoms of a type that it does not describe: not a vasprun.xml")
    numbers, _ = atoms_of([row[0].strip() for row in rows])
    return numbers, masses[kinds]


def _frame(structure: Element, energy: Element, run: _Run) -> Frame:
    lattice = _vectors(structure, "crystal/varray[@name='basis']/v")
    fractional = _vectors(structure, "varray[@name='positions']/v")
    if len(fractional) != len(run.numbers):
        raise InputError(f"a structure has {len(fractional)} positions, atominfo {len(run.numbers)} atoms: damaged")
    energies = {
        str(item.attrib["name"]): float(floats([item.text or ""], place="energy")[0])
        for item in energy.iterfind("i[@name]")
        if item.attrib["name"] in {FREE_ENERGY, KINETIC_ENERGY}
    }
    kinetic_eV = energies.get(KINETIC_ENERGY)
    is_known = kinetic_eV is not None and kinetic_eV > 0 and not run.is_constrained and len(fractional) > 1
    return Frame(
        numbers=run.numbers,
        masses_u=run.masses_u,
        coordinates=fractional,
        scaled=True,
        lattice_A=lattice,
        temperature_K=2 * kinetic_eV / (3 * (len(fractional) - 1) * units.kB) if is_known and kinetic_eV else None,
        potential_energy_eV=energies.get(FREE_ENERGY),
    )


def _vectors(structure: Element, path: str) -> FloatArray:
    rows = [(row.text or "").split() for row in structure.iterfind(path)]
    if not rows or any(len(row) != DIMENSIONS for row in rows):
        raise InputError("a structure has no three numbers for each vector of its cell and each position: damaged")
    return floats([word for row in rows for word in row], place="a structure").reshape(-1, DIMENSIONS)
