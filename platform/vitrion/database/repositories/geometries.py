"""Geometries: one document a cell, and for large cells the arrays in the artefact store.

MongoDB's documents end at 16 MiB, about 270,000 sites of 61 bytes each. The embedded store has no such limit; both
follow the same rule, so that a store can move to a server.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from vitrion.database.artefacts import Artefacts
from vitrion.database.collection import Collection
from vitrion.database.records import GeometryRecord
from vitrion.database.repositories.cells import CellArrays, geometry_fields

MOST_SITES_IN_A_DOCUMENT = 100_000
GEOMETRY = ("lattice_vectors", "cartesian_site_positions", "species_at_sites", "species")
SITES = ("cartesian_site_positions", "species_at_sites")


class Geometries:
    """The geometries of a database, by fingerprint."""

    def __init__(self, geometries: Collection, artefacts: Artefacts) -> None:
        """Use the collection of documents and the store of large arrays."""
        self._geometries = geometries
        self._artefacts = artefacts

    def add(self, cells: Iterable[CellArrays]) -> None:
        """Store the geometries that are not stored yet."""
        self._geometries.insert_absent([self._document(cell) for cell in cells])

    def find(self, fingerprints: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the stored ones of several geometries by fingerprint, under the OPTIMADE names (lengths in A)."""
        wanted = dict.fromkeys((*GEOMETRY, "fingerprint", "arrays_sha256"), 1)
        documents = self._geometries.find({"fingerprint": {"$in": list(fingerprints)}}, projection=wanted)
        return {document["fingerprint"]: self._complete(document) for document in documents}

    def _document(self, cell: CellArrays) -> dict[str, Any]:
        fields = geometry_fields(cell)
        if len(cell) > MOST_SITES_IN_A_DOCUMENT:
            sites = {name: fields.pop(name) for name in SITES}
            fields["arrays_sha256"] = self._artefacts.put(
                _packed(sites, [species["name"] for species in fields["species"]]), name=f"geometry {cell.fingerprint}"
            )
        return GeometryRecord.of(fingerprint=cell.fingerprint, **fields).document()

    def _complete(self, document: dict[str, Any]) -> dict[str, Any]:
        if sha256 := document.get("arrays_sha256"):
            names = [species["name"] for species in document["species"]]
            document |= _unpacked(self._artefacts.get(sha256), names)
        return {name: document[name] for name in GEOMETRY}


def _packed(sites: dict[str, Any], names: Sequence[str]) -> bytes:
    place = {name: number for number, name in enumerate(names)}
    content = io.BytesIO()
    np.savez(
        content,
        positions_A=np.asarray(sites["cartesian_site_positions"], dtype=np.float64),
        species=np.array([place[name] for name in sites["species_at_sites"]], dtype=np.int32),
    )
    return content.getvalue()


def _unpacked(content: bytes, names: Sequence[str]) -> dict[str, Any]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {
            "cartesian_site_positions": arrays["positions_A"].tolist(),
            "species_at_sites": [names[number] for number in arrays["species"].tolist()],
        }
