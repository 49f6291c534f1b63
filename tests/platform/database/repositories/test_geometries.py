"""Cells larger than a document of MongoDB, on both back ends."""

import numpy as np
from one_line import error_in_one_line
from pymatgen.core import Lattice, Structure
from stored_records import random_cell

import vitrion
from vitrion.database.repositories import geometries
from vitrion_models.errors import CheckpointError, InputError, VitrionError
from vitrion_models.system import AtomicSystem


def test_a_large_cell_is_stored_and_comes_back(db):
    n = geometries.MOST_SITES_IN_A_DOCUMENT + 2
    positions = np.random.default_rng(0).uniform(0, 150, (n, 3))
    system = AtomicSystem(np.repeat([3, 17], n // 2), positions, np.eye(3) * 150)
    added = db.structures.add(system, kind="melt")
    assert added.created
    assert not db.structures.add(system, kind="melt").created
    document = db.collection("geometries").find_one({})
    assert "cartesian_site_positions" not in document
    assert db.artefacts.exists(document["arrays_sha256"])
    geometry = db.structures.geometry(added.fingerprint)
    np.testing.assert_allclose(geometry["cartesian_site_positions"], positions, atol=1e-10)
    assert geometry["species_at_sites"] == ["Li"] * (n // 2) + ["Cl"] * (n // 2)
    assert db.structures.get(added.fingerprint).n_atoms == n


def test_partial_occupancies_survive_in_a_large_cell(db, monkeypatch):
    monkeypatch.setattr(geometries, "MOST_SITES_IN_A_DOCUMENT", 3)
    cell = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.13), [{"Li": 0.5, "Na": 0.25}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    large, small = db.structures.add_many(
        [
            vitrion.database.NewStructure(cell=cell, kind="crystal"),
            vitrion.database.NewStructure(cell=Structure(cell.lattice, ["Li"], [[0, 0, 0]]), kind="melt"),
        ]
    )
    assert db.structures.structure(large.fingerprint).composition == cell.composition
    both = db.structures.structures([small.fingerprint, large.fingerprint])
    assert [len(both[name]) for name in (large.fingerprint, small.fingerprint)] == [8, 1]
    assert db.collection("geometries").count({"arrays_sha256": {"$exists": True}}) == 1
    monkeypatch.undo()
    assert not db.structures.add(cell, kind="crystal").created


def test_a_lost_array_is_named(embedded_db, monkeypatch):
    monkeypatch.setattr(geometries, "MOST_SITES_IN_A_DOCUMENT", 3)
    fingerprint = embedded_db.structures.add(random_cell(), kind="amorphous").fingerprint
    (path,) = (entry for entry in embedded_db.artefacts._folder.rglob("*") if entry.is_file())
    path.write_bytes(b"changed")
    with error_in_one_line(CheckpointError, match="damaged"):
        embedded_db.structures.structure(fingerprint)
    path.unlink()
    with error_in_one_line(VitrionError, match="no artefact"):
        embedded_db.structures.structure(fingerprint)


def test_any_other_document_over_the_limit_is_refused_with_numbers(db):
    db.campaigns.create_or_get("c", {"x": 1}, "hash")
    text = "x" * (17 * 1024**2)
    with error_in_one_line(InputError, match=r"\d{8}"):
        db.campaigns.create_or_get("large", {"x": text}, "hash")
    with error_in_one_line(VitrionError):
        db.campaigns.update("c", summary={"x": text})
    assert [row.name for row in db.campaigns.list()] == ["c"]
    assert db.campaigns.get("c").summary == {}
