"""Real lithium crystals that the package holds as facts, so that a campaign starts without any network."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion.datasets.records import DatasetContent, StructureRecord
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import StructureKind

RESOURCE = "quickstart_compounds.yaml"
RIGHT_ANGLE_DEG = 90.0


@dataclass(frozen=True)
class Compound:
    """A published crystal structure.

    Attributes:
        formula: reduced formula.
        space_group: Hermann-Mauguin symbol as spglib writes it.
        lattice_parameters: a, b, c in Angstrom and alpha, beta, gamma in degrees.
        sites: element and fractional coordinates of each site that symmetry does not repeat.
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
        """The conventional cell."""
        return Structure.from_spacegroup(
            self.space_group,
            Lattice.from_parameters(*self.lattice_parameters),
            [site[0] for site in self.sites],
            [site[1:] for site in self.sites],
        )


def quickstart_compounds() -> tuple[Compound, ...]:
    """Every compound of the package, in the order of the file."""
    return tuple(_compound(entry) for entry in yaml.safe_load(_text()))


def quickstart_crystals(formulas: tuple[str, ...] = ()) -> tuple[Structure, ...]:
    """Crystals of the package by formula.

    Args:
        formulas: reduced formulas, in the order wanted; all of them when empty.

    Raises:
        InputError: a formula is not among them.
    """
    known = {compound.formula: compound for compound in quickstart_compounds()}
    unknown = [formula for formula in formulas if formula not in known]
    if unknown:
        raise InputError(f"{unknown[0]} is no quickstart compound: choose from {', '.join(known)}")
    return tuple(known[formula].structure() for formula in formulas or known)


def quickstart_sha256() -> str:
    """Sha256 of the package's file of compounds."""
    return hashlib.sha256(_text().encode()).hexdigest()


def load(_files: Mapping[str, Path]) -> DatasetContent:
    """Records of the quickstart compounds; needs no file."""
    return DatasetContent(
        structures=tuple(
            StructureRecord(
                name=compound.formula,
                structure=compound.structure(),
                kind=StructureKind.CRYSTAL,
                properties={"reference": compound.source, "space_group": compound.space_group},
            )
            for compound in quickstart_compounds()
        ),
    )


def _text() -> str:
    return resources.files("vitrion.datasets").joinpath(RESOURCE).read_text(encoding="utf-8")


def _compound(entry: dict[str, Any]) -> Compound:
    given = entry["lattice"]
    a = float(given["a"])
    alpha, beta, gamma = (float(given.get(angle, RIGHT_ANGLE_DEG)) for angle in ("alpha", "beta", "gamma"))
    return Compound(
        formula=entry["formula"],
        space_group=entry["space_group"],
        lattice_parameters=(a, float(given.get("b", a)), float(given.get("c", a)), alpha, beta, gamma),
        sites=tuple((site[0], float(site[1]), float(site[2]), float(site[3])) for site in entry["sites"]),
        charges=entry["charges"],
        density_g_cm3=entry["density_g_cm3"],
        source=entry["source"],
    )
