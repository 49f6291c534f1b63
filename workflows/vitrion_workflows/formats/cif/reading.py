"""Read every crystal of a CIF; the grammar is gemmi's (https://gemmi.readthedocs.io/en/latest/cif.html)."""

import re
from collections.abc import Iterator
from pathlib import Path

import gemmi
import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows.formats.cif.formula import check_formula
from vitrion_workflows.formats.cif.sites import FIRST_COORDINATE, SharedSite, read_sites, share_positions
from vitrion_workflows.formats.cif.symmetry import read_operations
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.opening import read_text

LENGTHS = ("_cell_length_a", "_cell_length_b", "_cell_length_c")
ANGLES = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")
GRAMMAR_ERROR = re.compile(r"(?P<line>\d+):\d+\(\d+\): (?P<reason>.*)")
LONGEST_REASON = 60  # characters
STRAIGHT_DEG = 180.0
MOMENTS = "_atom_site_moment_label"
MODULATION = ("_cell_modulation_dimension", "_cell_wave_vector_seq_id")


def read(path: Path) -> Iterator[StructureEntry]:
    """Read every crystal of a CIF file; see `parse`."""
    yield from parse(read_text(path))


def parse(text: str) -> Iterator[StructureEntry]:
    """Parse every crystal of a CIF, each as the conventional cell of its own data block.

    Raises:
        InputError: against the grammar of CIF, no cell or an impossible one, a site that is no atom or has no position,
            an unknown space group, or sites that are not those of its formula sum (a truncated file).
    """
    document = _document(text)
    blocks = [block for block in document if block.find_values(FIRST_COORDINATE)]
    if not blocks:
        raise InputError("no atom positions in it (_atom_site_fract_x)")
    empty = [
        block.name for block in document if not block.find_values(FIRST_COORDINATE) and block.find_value(LENGTHS[0])
    ]
    for block in blocks:
        place = f"block {block.name}: " if len(blocks) > 1 else ""
        try:
            entry = _read_block(block)
        except InputError as error:
            raise InputError(f"{place}{error}") from error
        remarks = [f"block {name} has a cell but no atom positions" for name in empty if block is blocks[0]]
        yield StructureEntry(
            structure=entry.structure, remarks=(*remarks, *(f"{place}{remark}" for remark in entry.remarks))
        )


def _document(text: str) -> gemmi.cif.Document:
    try:
        return gemmi.cif.read_string(text)
    except (ValueError, RuntimeError) as error:  # gemmi's errors of grammar and of doubled names
        message = str(error).removeprefix("string:")
        place = GRAMMAR_ERROR.match(message)
        if place is None:
            raise InputError(f"this is no CIF: {message[:LONGEST_REASON]}") from error
        line = text.split("\n")[int(place["line"]) - 1].strip()[:LONGEST_REASON]
        raise InputError(f"damaged or truncated CIF: line {place['line']} ({line!r}): {place['reason']}") from error


def _read_block(block: gemmi.cif.Block) -> StructureEntry:
    if any(block.find_values(tag) for tag in MODULATION):
        raise InputError("a modulated structure: give a commensurate approximant in P 1")
    remarks: list[str] = []
    lattice = _lattice(block)
    operations = read_operations(block, lattice, remarks)
    sites = share_positions(read_sites(block, remarks), operations, remarks)
    structure = _structure(lattice, sites)
    check_formula(block, structure, remarks)
    if block.find_values(MOMENTS):
        remarks.append("magnetic moments are not read")
    return StructureEntry(structure=structure, remarks=tuple(remarks))


def _lattice(block: gemmi.cif.Block) -> Lattice:
    parameters = []
    for key in (*LENGTHS, *ANGLES):
        if (text := block.find_value(key)) is None:
            raise InputError(f"the lattice is absent ({key} is missing)")
        value = gemmi.cif.as_number(text)
        if not value > 0 or (key in ANGLES and value >= STRAIGHT_DEG):
            raise InputError(f"the lattice is impossible ({key} is {text})")
        parameters.append(value)
    lattice = Lattice.from_parameters(*parameters)
    if not np.isfinite(lattice.matrix).all() or not lattice.volume > 0:
        raise InputError(f"the lattice is impossible (angles {', '.join(f'{angle:g}' for angle in parameters[3:])})")
    return lattice


def _structure(lattice: Lattice, sites: list[SharedSite]) -> Structure:
    structure = Structure(
        lattice,
        [site.occupancies for site in sites for _ in site.images],
        [image for site in sites for image in site.images],
        labels=[site.label for site in sites for _ in site.images],
    )
    return structure.get_sorted_structure()
