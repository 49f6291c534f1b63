"""Published lithium crystals inside the package, so that a campaign starts without a network."""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import spglib
import yaml
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion.datasets.records import DatasetContent, DatasetStructure
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.schemas import StructureKind

RESOURCE = "quickstart_compounds.yaml"
RIGHT_ANGLE_DEG = 90.0
HALL_NUMBERS = 530
SAME_SITE = 1e-4  # fractional; a third is written with ten digits


@dataclass(frozen=True)
class Compound:
    """A published crystal structure.

    Attributes:
        formula: reduced formula.
        space_group: Hermann-Mauguin symbol as spglib writes it.
        lattice_parameters: a, b, c in Angstrom and alpha, beta, gamma in degrees.
        sites: element and fractional coordinates of each symmetry-distinct site.
        charges: formal charge of each element.
        density_g_cm3: handbook density, or None.
        source: first author, journal, volume, page, year.
    """

    formula: str
    space_group: str
    lattice_parameters: tuple[float, float, float, float, float, float]
    sites: tuple[tuple[str, float, float, float], ...]
    charges: Mapping[str, int]
    density_g_cm3: float | None
    source: str

    def structure(self) -> Structure:
        """Return the conventional cell."""
        rotations, translations = _operations(self.space_group)
        species: list[str] = []
        positions: list[FloatArray] = []
        for symbol, *position in self.sites:
            orbit = _distinct(np.mod(rotations @ np.array(position) + translations, 1.0))
            species += [symbol] * len(orbit)
            positions += list(orbit)
        return Structure(Lattice.from_parameters(*self.lattice_parameters), species, positions)


def quickstart_compounds() -> tuple[Compound, ...]:
    """Return all compounds of the package, in the order of the file."""
    return tuple(_compound(entry) for entry in yaml.safe_load(_text()))


def require_compounds(formulas: tuple[str, ...]) -> None:
    """Refuse formulas that are not in the package.

    Raises:
        InputError: naming the first of them.
    """
    available = [compound.formula for compound in quickstart_compounds()]
    missing = [formula for formula in formulas if formula not in available]
    if missing:
        raise InputError(f"{missing[0]} is not a quickstart compound: choose from {', '.join(available)}")


def quickstart_crystals(formulas: tuple[str, ...] = ()) -> tuple[Structure, ...]:
    """Return crystals of the package by formula.

    Args:
        formulas: reduced formulas, in the order of the result; all compounds when empty.

    Raises:
        InputError: a formula is not in the package.
    """
    require_compounds(formulas)
    compounds = {compound.formula: compound for compound in quickstart_compounds()}
    return tuple(compounds[formula].structure() for formula in formulas or compounds)


def quickstart_sha256() -> str:
    """Return the sha256 of the package's file of compounds."""
    return hashlib.sha256(_text().encode()).hexdigest()


def load(_files: Mapping[str, Path]) -> DatasetContent:
    """Return the records of the quickstart compounds; no file is needed."""
    return DatasetContent(
        structures=tuple(
            DatasetStructure(
                name=compound.formula,
                structure=compound.structure(),
                kind=StructureKind.CRYSTAL,
                properties={"reference": compound.source, "space_group": compound.space_group},
            )
            for compound in quickstart_compounds()
        ),
    )


@cache
def _operations(symbol: str) -> tuple[FloatArray, FloatArray]:
    """Return rotations (N, 3, 3) and translations (N, 3) of a space group in its standard setting.

    Rhombohedral groups are in hexagonal axes. Taken from spglib's table: pymatgen's generators need over a second for a
    face-centred cubic group.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib announces a change of its errors
        for hall_number in range(1, HALL_NUMBERS + 1):
            kind = spglib.get_spacegroup_type(hall_number)
            if kind is not None and kind.international_short == symbol:
                operations = spglib.get_symmetry_from_database(hall_number) or {}
                rotations, translations = operations["rotations"], operations["translations"]
                return np.asarray(rotations, dtype=np.float64), np.asarray(translations, dtype=np.float64)
    raise InputError(f"{symbol!r} is not a space group of spglib")


def _distinct(positions: FloatArray) -> FloatArray:
    """Return the distinct fractional positions, shape (M, 3); periodic images count as equal."""
    kept: list[FloatArray] = []
    for position in positions:
        if not any(np.abs((position - other + 0.5) % 1.0 - 0.5).max() < SAME_SITE for other in kept):
            kept.append(position)
    return np.array(kept)


def _text() -> str:
    return resources.files("vitrion.datasets").joinpath(RESOURCE).read_text(encoding="utf-8")


def _compound(entry: dict[str, Any]) -> Compound:
    lattice = entry["lattice"]
    a = float(lattice["a"])
    alpha, beta, gamma = (float(lattice.get(angle, RIGHT_ANGLE_DEG)) for angle in ("alpha", "beta", "gamma"))
    return Compound(
        formula=entry["formula"],
        space_group=entry["space_group"],
        lattice_parameters=(a, float(lattice.get("b", a)), float(lattice.get("c", a)), alpha, beta, gamma),
        sites=tuple((site[0], float(site[1]), float(site[2]), float(site[3])) for site in entry["sites"]),
        charges=entry["charges"],
        density_g_cm3=entry["density_g_cm3"],
        source=entry["source"],
    )
