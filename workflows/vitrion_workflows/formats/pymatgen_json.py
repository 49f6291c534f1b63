"""Structures from pymatgen's JSON, without letting the file name any class to be imported."""

from pathlib import Path
from typing import Any

from pymatgen.core.lattice import Lattice
from pymatgen.core.periodic_table import Element, Species
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows.formats.documents import load_json
from vitrion_workflows.formats.entry import StructureEntry

Occupancies = dict[Element | Species, float]


def read(path: Path) -> list[StructureEntry]:
    """Return the structures of a file that holds one, or a list of them.

    Only lattice, species and positions are read. pymatgen's own decoder would import whatever class a site's
    properties name, which a downloaded file must not decide.

    Raises:
        InputError: no JSON, or no structure in it.
    """
    content = load_json(path)
    entries = content if isinstance(content, list) else [content]
    return [StructureEntry(structure=structure_from_dict(entry)) for entry in entries]


def structure_from_dict(entry: Any) -> Structure:
    """Return a structure from pymatgen's ``as_dict``, with lattice, species and positions only.

    Raises:
        InputError: it is not a structure.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("sites"), list):
        raise InputError("no pymatgen structure in it (no sites)")
    lattice = entry.get("lattice")
    if not isinstance(lattice, dict) or "matrix" not in lattice:
        raise InputError("the lattice is absent (a molecule?)")
    sites = entry["sites"]
    return Structure(
        Lattice(lattice["matrix"]),
        [_occupancies(site) for site in sites],
        [[float(value) for value in site["abc"]] for site in sites],
    )


def _occupancies(site: dict[str, Any]) -> Occupancies:
    return {_species(part): float(part["occu"]) for part in site["species"]}


def _species(part: dict[str, Any]) -> Element | Species:
    symbol = str(part["element"])
    if not Element.is_valid_symbol(symbol):
        raise InputError(f"{symbol} is not an element")
    state = part.get("oxidation_state")
    return Element(symbol) if state is None else Species(symbol, float(state))
