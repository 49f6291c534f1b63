"""Between what people hand over (pymatgen, ASE, arrays) and the documents of a structure."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from ase import Atoms
from pymatgen.core.lattice import Lattice
from pymatgen.core.periodic_table import DummySpecies
from pymatgen.core.structure import Structure

from vitrion.database.identity import marker
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas.geometry import structure_from_system, system_from_atoms

Cell: TypeAlias = Structure | Atoms | AtomicSystem

# The order in which the mobile species is looked for: the ions whose conduction batteries and sensors live on.
MOBILE_IONS = ("Li", "Na", "K", "Ag", "Cu", "Mg", "Zn", "F")


def as_structure(cell: Cell) -> Structure:
    """The pymatgen structure of a cell.

    Args:
        cell: pymatgen structure (sites may be partially occupied), ASE atoms or an `AtomicSystem`.

    Raises:
        InputError: no atoms, coordinates that are no numbers, a lattice without volume, unknown elements, or a type
            that is none of the three.
    """
    if isinstance(cell, AtomicSystem):
        return structure_from_system(cell)
    if isinstance(cell, Atoms):
        return structure_from_system(system_from_atoms(cell))
    if not isinstance(cell, Structure):
        raise InputError(f"{type(cell).__name__} is no structure: give pymatgen, ASE or an AtomicSystem")
    if len(cell) == 0:
        raise InputError("an empty structure cannot be stored")
    if not (np.isfinite(cell.cart_coords).all() and np.isfinite(cell.lattice.matrix).all()):
        raise InputError(f"{cell.composition.reduced_formula}: coordinates or lattice vectors are not finite numbers")
    if cell.lattice.volume < 1e-3:  # noqa: PLR2004 - Angstrom cubed, as in AtomicSystem
        raise InputError(f"{cell.composition.reduced_formula}: the lattice vectors enclose no volume")
    unknown = [str(species) for species in cell.composition if isinstance(species, DummySpecies)]
    if unknown:
        raise InputError(f"{unknown[0]} is no element: a structure must be of elements")
    return cell


def geometry_fields(structure: Structure) -> dict[str, Any]:
    """OPTIMADE fields of the geometry document."""
    species: dict[str, dict[str, Any]] = {}
    names = []
    for site in structure:
        occupancies = sorted((_symbol(kind), float(share)) for kind, share in site.species.items())
        name = occupancies[0][0] if _is_full(occupancies) else "+".join(f"{s}{share:.6g}" for s, share in occupancies)
        names.append(name)
        if name not in species:
            species[name] = {
                "name": name,
                "chemical_symbols": [symbol for symbol, _ in occupancies],
                "concentration": [share for _, share in occupancies],
            }
    return {
        "lattice_vectors": structure.lattice.matrix.tolist(),
        "cartesian_site_positions": structure.cart_coords.tolist(),
        "species_at_sites": names,
        "species": list(species.values()),
    }


def structure_from_geometry(document: Mapping[str, Any]) -> Structure:
    """The pymatgen structure that a geometry document describes."""
    occupancies = {
        species["name"]: dict(zip(species["chemical_symbols"], species["concentration"], strict=True))
        for species in document["species"]
    }
    return Structure(
        Lattice(document["lattice_vectors"]),
        [occupancies[name] for name in document["species_at_sites"]],
        document["cartesian_site_positions"],
        coords_are_cartesian=True,
    )


def describe(structure: Structure, *, mobile_ion: str | None = None) -> dict[str, Any]:
    """What of a structure people filter by.

    Args:
        structure: the cell.
        mobile_ion: symbol of the mobile species; the first of `MOBILE_IONS` that is there when None.
    """
    composition = structure.composition.element_composition
    symbols = sorted(element.symbol for element in composition)
    ion = mobile_ion or next((symbol for symbol in MOBILE_IONS if symbol in symbols), None)
    return {
        "marker": marker(structure),
        "formula": composition.formula,
        "reduced_formula": composition.reduced_formula,
        "chemsys": "-".join(symbols),
        "elements": symbols,
        "n_elements": len(symbols),
        "n_atoms": len(structure),
        "volume_A3": float(structure.volume),
        "density_g_cm3": float(structure.density),
        "disordered": not structure.is_ordered,
        "mobile_ion": ion,
        "mobile_ion_fraction": float(composition.get_atomic_fraction(ion)) if ion else 0.0,
    }


def _symbol(species: Any) -> str:
    return str(species.symbol)


def _is_full(occupancies: list[tuple[str, float]]) -> bool:
    return len(occupancies) == 1 and abs(occupancies[0][1] - 1.0) < 1e-8  # noqa: PLR2004 - pymatgen's own tolerance
