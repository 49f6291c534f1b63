"""JSON of structures: pymatgen, entries with energies, answers of the Materials Project and of OPTIMADE."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vitrion_models.errors import InputError
from vitrion_workflows.formats.documents import load_json
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.json import optimade, pymatgen
from vitrion_workflows.formats.json.agreement import check_statements
from vitrion_workflows.formats.json.values import number_of

# Field of a document of the Materials Project -> field of a stored structure.
PROPERTIES = {"band_gap": "band_gap_eV", "energy_above_hull": "energy_above_hull_eV_per_atom"}
NAMES = ("material_id", "entry_id")


def read(path: Path) -> Iterator[StructureEntry]:
    """Read the structures of a file that holds one, a list of them, or the answer of a server with them as ``data``.

    Raises:
        InputError: no JSON, or a document without a structure that can be read.
    """
    documents = _documents(load_json(path))
    for index, document in enumerate(documents, start=1):
        try:
            yield _entry(document)
        except InputError as error:
            raise InputError(f"document {index}: {error}" if len(documents) > 1 else str(error)) from error


def _documents(content: Any) -> list[Any]:
    if (
        isinstance(content, dict)
        and not {"structure", "sites", "attributes", "energy"} & content.keys()
        and "data" in content
    ):
        content = content["data"]
    return content if isinstance(content, list) else [content]


def _entry(document: Any) -> StructureEntry:
    if not isinstance(document, dict):
        raise InputError("no structure in it: give a structure of pymatgen or OPTIMADE, or a list of them")
    if optimade.is_structure(document):
        return optimade.read_document(document)
    if "sites" in document:
        return pymatgen.read_document(document)
    if isinstance(document.get("structure"), dict):
        return _with_properties(document, pymatgen.read_document(document["structure"]))
    if "energy" in document and "composition" in document:
        raise InputError("an energy without a structure (ComputedEntry): give a ComputedStructureEntry")
    raise InputError("no pymatgen structure in it (no sites), and none of OPTIMADE")


def _with_properties(document: Mapping[str, Any], entry: StructureEntry) -> StructureEntry:
    """Add what an entry with an energy, or a document of the Materials Project, states of its structure.

    Raises:
        InputError: a statement contradicts the structure, or a number is none.
    """
    check_statements(document, entry.structure, n_sites=len(entry.structure))
    fields = {
        field: number_of(document[name], name=name)
        for name, field in PROPERTIES.items()
        if document.get(name) is not None
    }
    if fields.get("band_gap_eV", 0.0) < 0:
        raise InputError(f"band_gap is {fields['band_gap_eV']:g}: give 0 or more")
    remarks = list(entry.remarks)
    name = next((str(document[key]) for key in NAMES if isinstance(document.get(key), str | int)), "")
    if document.get("energy") is not None:
        n_atoms = entry.structure.composition.num_atoms
        fields["energy_eV_per_atom"] = number_of(document["energy"], name="energy") / n_atoms
        remarks.append(_energy_remark(document))
    if document.get("deprecated"):
        remarks.append(f"{name} is deprecated by its source")
    return StructureEntry(structure=entry.structure, fields=fields, remarks=tuple(remarks), name=name)


def _energy_remark(document: Mapping[str, Any]) -> str:
    energy = number_of(document["energy"], name="energy")
    correction = number_of(document.get("correction") or 0.0, name="correction")
    parameters = document.get("parameters")
    method = str(parameters.get("run_type") or "")[:20] if isinstance(parameters, dict) else ""
    left_out = f", without its correction of {correction:g} eV" if correction else ""
    return f"energy {energy:g} eV by {method or 'an unstated method'}{left_out}"
