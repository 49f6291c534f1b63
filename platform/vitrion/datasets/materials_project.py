"""Structures of the Materials Project through its own client; needs an API key."""

import os
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from vitrion.datasets.records import DatasetContent, DatasetStructure
from vitrion_models.errors import InputError, MissingDependencyError, VitrionError
from vitrion_workflows.formats.json.pymatgen import structure_from_dict
from vitrion_workflows.schemas import StructureKind

KEY_VARIABLE = "MP_API_KEY"
NAME = "materials-project"
LICENCE = "CC-BY-4.0"
CITATION = "A. Jain et al., APL Materials 1, 011002 (2013)"
FIELDS = ("material_id", "structure", "energy_above_hull", "band_gap", "theoretical")

Client = Callable[[str], Any]


def load(*, chemsys: str, client: Client | None = None) -> DatasetContent:
    """Read all materials of a chemical system, with hull energy and band gap.

    Args:
        chemsys: elements joined by hyphens, for example ``Li-P-S``.
        client: makes a context manager with mp-api's ``materials.summary.search`` from a key; mp-api's own when None.

    Raises:
        InputError: no key is set, the service refused, or it has no material of the system.
        MissingDependencyError: mp-api is not installed.
    """
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise InputError(f"{KEY_VARIABLE} is not set: get a key at materialsproject.org and export it")
    make = client if client is not None else _mp_client()
    try:
        with warnings.catch_warnings(), make(key) as rester:
            warnings.simplefilter("ignore")
            documents = rester.materials.summary.search(chemsys=chemsys, fields=list(FIELDS))
    except VitrionError:
        raise
    except Exception as fault:  # the client raises its own, requests' and pydantic's exceptions
        raise InputError(
            f"the Materials Project did not answer for {chemsys} ({type(fault).__name__}: {fault})"
        ) from fault
    structures = tuple(_records(documents))
    if not structures:
        raise InputError(f"the Materials Project has no material of {chemsys}: check the elements")
    return DatasetContent(structures=structures, notes=("hull energies and gaps are PBE values: gaps are too small",))


def _mp_client() -> Client:
    try:
        from mp_api.client import MPRester  # noqa: PLC0415 - optional, and slow to import
    except ImportError as fault:
        raise MissingDependencyError("mp-api is not installed: pip install 'vitrion[mp]'") from fault
    maker: Client = MPRester
    return maker


def _records(documents: Iterable[Any]) -> Iterable[DatasetStructure]:
    for document in sorted(documents, key=lambda each: str(_field(each, "material_id"))):
        structure = _field(document, "structure")
        if isinstance(structure, dict):
            structure = structure_from_dict(structure)
        yield DatasetStructure(
            name=str(_field(document, "material_id")),
            structure=structure,
            kind=StructureKind.CRYSTAL,
            properties={
                "e_above_hull_eV": _field(document, "energy_above_hull"),
                "band_gap_eV": _field(document, "band_gap"),
                "reference": str(_field(document, "material_id")),
            },
        )


def _field(document: Any, name: str) -> Any:
    # mp-api hands out models, or dictionaries when asked for raw answers.
    return document.get(name) if isinstance(document, dict) else getattr(document, name, None)
