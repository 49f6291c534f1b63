"""Files and data sets into a database, and the commands that do it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from materials_project_client import LICL, client
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

import vitrion
from vitrion.cli.app import run
from vitrion.datasets import DatasetContent, fetching, registry
from vitrion.ingest.datasets import (
    candidate_pool,
    ingest_dataset,
    ingest_materials_project,
    radial_distributions,
    store_content,
)
from vitrion.ingest.files import ingest_files
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import StructureKind

CRYSTAL = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])

GOOD_CIF = """data_x
_cell_length_a {a}
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Li1 Li 0 0 0
Cl1 Cl 0.5 0.5 0.5
"""


@pytest.fixture
def database(tmp_path):
    with vitrion.connect(home=tmp_path / "home") as db:
        yield db


def folder_of_cifs(folder, count):
    folder.mkdir(parents=True)
    for index in range(count):
        (folder / f"{index:03d}.cif").write_text(GOOD_CIF.format(a=4 + index / 100))
    return folder


def test_a_folder_goes_in_but_for_its_bad_files(database, tmp_path):
    folder = folder_of_cifs(tmp_path / "cifs", 30)
    (folder / "nested").mkdir()
    (folder / "nested/POSCAR").write_text("broken")
    (folder / "010.cif").write_text("")
    (folder / "notes.txt").write_text("mine")
    done = []
    report = ingest_files(database, [folder], on_progress=lambda count, total, name: done.append((count, total, name)))
    assert (report.files, report.structures, report.created, report.skipped) == (29, 29, 29, 1)
    assert sorted(fault.split(":")[0] for fault in report.faults) == [
        str(folder / "010.cif"),
        str(folder / "nested/POSCAR"),
    ]
    assert report.kinds == {"crystal": 29}
    assert report.kind_decided_by == "order"
    assert done[-1][:2] == (31, 31)
    assert database.structures.count() == 29
    assert database.structures.get(report.fingerprints[0]).source == str(folder / "000.cif")
    again = ingest_files(database, [folder])
    assert (again.created, database.structures.count()) == (0, 29)


def test_a_file_with_one_bad_frame_is_left_out_whole(database, tmp_path):
    good = Atoms("LiCl", [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True)
    path = tmp_path / "set.extxyz"
    write(path, [good, good])
    path.write_text(path.read_text().replace("2.00000000", "nan", 1))
    with pytest.raises(InputError, match=r"set\.extxyz: .*frame 1"):
        ingest_files(database, [path])
    assert database.structures.count() == 0


def test_an_imported_glass_is_judged_by_its_geometry(database, tmp_path):
    """A gas, and a packing at the density of molten lithium chloride (1.50 g/cm3)."""
    rng = np.random.default_rng(3)
    for name, edge in (("gas", 30.0), ("melt", 9.07)):
        grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        places = (grid[rng.permutation(64)[:32]] + 0.1 * rng.random((32, 3))) / 4
        atoms = Atoms("Li16Cl16", scaled_positions=places, cell=[edge] * 3, pbc=True)
        write(tmp_path / f"{name}.extxyz", atoms)
    rows = {}
    for name in ("gas", "melt"):
        report = ingest_files(database, [tmp_path / f"{name}.extxyz"], kind=StructureKind.AMORPHOUS)
        rows[name] = database.structures.get(report.fingerprints[0])
    assert {gate.name for gate in rows["gas"].gates} == {"minimum_distance", "density"}
    assert not rows["gas"].accepted
    assert rows["melt"].accepted


def test_frames_are_numbered_in_their_source(database, tmp_path):
    frames = [Atoms("LiCl", [[0, 0, 0], [2, 2, 2]], cell=[4 + x, 4, 4], pbc=True) for x in (0.0, 0.1)]
    write(tmp_path / "two.xyz", frames, format="extxyz")
    report = ingest_files(database, [tmp_path / "two.xyz"], kind=StructureKind.MELT)
    rows = [database.structures.get(name) for name in report.fingerprints]
    assert [row.source for row in rows] == [f"{tmp_path}/two.xyz#1", f"{tmp_path}/two.xyz#2"]
    assert {row.kind for row in rows} == {"melt"}
    assert report.kind_decided_by == "user"


def test_order_decides_between_crystal_and_glass(database, tmp_path):
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    crystal.make_supercell(2)
    noisy = crystal.copy()
    noisy.perturb(0.15, seed=1)
    rng, places = np.random.default_rng(4), []
    while len(places) < len(crystal):
        place = rng.random(3)
        apart = np.array([place - other - np.rint(place - other) for other in places or [place + 0.5]])
        if np.linalg.norm(apart @ crystal.lattice.matrix, axis=1).min() > 1.6:
            places.append(place)
    random = Structure(crystal.lattice, crystal.species, places)
    folder = tmp_path / "cells"
    folder.mkdir()
    for name, cell in (("crystal", crystal), ("noisy", noisy), ("random", random)):
        cell.to(filename=str(folder / f"{name}.vasp"), fmt="poscar")
    report = ingest_files(database, [folder])
    kinds = {
        database.structures.get(name).source.split("/")[-1]: database.structures.get(name).kind
        for name in report.fingerprints
    }
    assert kinds == {"crystal.vasp": "crystal", "noisy.vasp": "crystal", "random.vasp": "amorphous"}


@pytest.mark.parametrize("paths", [["nowhere"], ["."]])
def test_nothing_to_read_is_told(paths, database, tmp_path, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    with pytest.raises(InputError, match=r"no such file or folder|no structure file"):
        ingest_files(database, [empty / path for path in paths])


def test_the_quickstart_crystals_need_no_network(database):
    report = ingest_dataset(database, "quickstart-compounds")
    assert report.structures == report.structures_created >= 16
    assert ingest_dataset(database, "quickstart-compounds").structures_created == 0
    (row,) = database.structures.search(reduced_formula="Li3PS4")
    assert (row.kind, row.dataset) == ("crystal", "quickstart-compounds")
    assert "Homma" in row.source
    stored = database.datasets.get("quickstart-compounds")
    assert (stored.rows, stored.licence, stored.sha256) == (report.structures, "MIT", report.sha256)


def broken(monkeypatch, name):
    known = registry.specification(name)

    def fail(_files):
        raise InputError("the loader stops here")

    monkeypatch.setitem(registry._REGISTRY, name, known.__class__(**{**vars(known), "loader": fail}))


def test_a_data_set_that_cannot_be_read_leaves_the_database_unchanged(database, monkeypatch):
    broken(monkeypatch, "quickstart-compounds")
    with pytest.raises(InputError, match="stops here"):
        ingest_dataset(database, "quickstart-compounds")
    assert database.structures.count() == 0
    assert len(database.datasets.list()) == 0


def test_materials_project_structures_carry_gap_and_hull_energy(database, monkeypatch):
    monkeypatch.setenv("MP_API_KEY", "k" * 32)
    report = ingest_materials_project(database, chemsys="Li-Cl", client=client(LICL))
    assert report.structures_created == 1
    (row,) = database.structures.search(chemsys="Li-Cl")
    assert (row.band_gap_eV, row.energy_above_hull_eV_per_atom, row.source) == (6.25, 0.0, "mp-22905")
    assert database.datasets.get("materials-project:Li-Cl").licence == "CC-BY-4.0"


def test_command_structures(home, tmp_path, capsys):
    folder = folder_of_cifs(tmp_path / "cifs", 3)
    assert run(["ingest", "structures", str(folder), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["created"], report["kind_decided_by"]) == (3, "order")
    (folder / "bad.cif").write_text("")
    assert run(["ingest", "structures", str(folder), "--kind", "crystal", "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["created"] == 0
    assert printed.err.count("\n") == 1
    assert "bad.cif: the file is empty" in printed.err
    assert home.is_dir()


def test_command_datasets_lists_licences(home, capsys):
    assert run(["ingest", "datasets", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows} >= {"obelix", "materials-project", "quickstart-compounds"}
    assert all(row["licence"] for row in rows)
    assert not home.exists()


def test_command_candidates(home, capsys):
    assert run(["candidates", "propose", "LiCl", "LiFePO4", "--json", "-n", "6", "--seed", "3"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 6
    assert all(row["accepted"] and row["reasons"] for row in rows)
    assert not home.exists()
    assert run(["ingest", "dataset", "quickstart-compounds", "--json"]) == 0
    capsys.readouterr()
    assert run(["candidates", "propose", "--json", "--refused"]) == 0
    rows = json.loads(capsys.readouterr().out)
    with vitrion.connect(home=home) as db:
        known = {row.fingerprint for row in db.structures.search()}
    assert {row["parent_fingerprint"] for row in rows} <= known
    assert any(not row["accepted"] for row in rows)


def test_command_candidates_without_crystals_says_how_to_get_some(home, capsys):
    with vitrion.connect(home=home):
        pass
    assert run(["candidates", "propose"]) == 2
    assert "quickstart-compounds" in capsys.readouterr().err


@pytest.mark.data
def test_real_data_sets(database, data_mirror, tmp_path):
    assert data_mirror
    table = ingest_dataset(database, "aimd-amorphous-diffusivity")
    assert table.labels_created == 792
    (row,) = database.labels.search(reduced_formula="Li2Si2Os", temperature=1500.0)
    assert row.value == pytest.approx(4.17211e-05)
    assert row.source_value == pytest.approx(3 * row.value)
    assert row.conversion_factor == pytest.approx(1 / 3)
    assert "slope/2" in row.conversion
    assert row.structure_fingerprint is None
    split = database.datasets.get("aimd-amorphous-diffusivity").splits["chemsys_test"]
    by_part = {part: set() for part in split.values()}
    for label in database.labels.search(dataset="aimd-amorphous-diffusivity"):
        by_part[split[label.key]].add(label.chemsys)
    assert not by_part["train"] & by_part["test"]

    cells = ingest_dataset(database, "pfp-amorphous")
    assert "10" in cells.refused
    assert cells.label_states == {"rejected": cells.labels}
    gas = database.structures.search(dataset="pfp-amorphous", accepted=False, reduced_formula="Li3CrF6")
    assert len(gas) == 1
    assert database.labels.count(dataset="pfp-amorphous", accepted=True) == 0
    assert database.labels.count(structure_fingerprint=gas[0].fingerprint) == 0

    assert ingest_dataset(database, "li-mp-candidates").compositions == 4582
    assert len(candidate_pool(database)) == 4582
    assert ingest_dataset(database, "dft-rdf").curves == 422
    assert radial_distributions(database)[0].r_A[:2] == (0.0, 0.1)

    shutil.copy(data_mirror / "trajectories/argyrodite/Li6PS5I_0p_run1_XDATCAR.gz", tmp_path)
    report = ingest_files(database, [tmp_path / "Li6PS5I_0p_run1_XDATCAR.gz"], kind=StructureKind.CRYSTAL)
    assert report.structures == report.created > 50


@pytest.mark.data
def test_real_conductivities_stay_apart_from_diffusivities(database, data_mirror):
    known = registry.specification("obelix")
    whole = known.loader(fetching.fetch(known, mirror=data_mirror))
    structures = whole.structures[:60]
    names = {record.name for record in structures}
    labels = tuple(label for label in whole.labels if label.structure is None or label.structure in names)
    content = replace(whole, structures=structures, labels=labels, splits={})
    report = store_content(database, content, name="obelix", sha256=known.sha256, licence="CC-BY-4.0", citation="x")
    assert report.labels_created == len(labels)
    rows = database.labels.search(dataset="obelix", state="censored")
    assert len(rows) == sum(label.state == "censored" for label in labels) > 5
    assert {(row.unit, row.property, row.convention) for row in rows} == {
        ("S/cm", "ionic_conductivity", "as_published")
    }
    assert database.structures.count(disordered=True) == sum(not record.structure.is_ordered for record in structures)
    assert database.labels.count(property="tracer_diffusivity") == 0


def test_an_empty_content_has_no_rows():
    assert DatasetContent().rows == 0


def test_what_a_reader_left_out_is_reported_and_stored(database, tmp_path):
    document = {
        "material_id": "mp-1",
        "structure": CRYSTAL.as_dict(),
        "band_gap": 6.25,
        "energy_above_hull": 0.0,
        "energy": -27.2,
        "correction": -1.0,
    }
    (tmp_path / "entry.json").write_text(json.dumps(document))
    report = ingest_files(database, [tmp_path / "entry.json"])
    (remark,) = report.remarks
    assert remark.startswith(f"{tmp_path}/entry.json: energy -27.2 eV")
    row = database.structures.get(report.fingerprints[0])
    assert row.remarks == (remark.removeprefix(f"{tmp_path}/entry.json: "),)
    assert (row.source, row.band_gap_eV) == (f"{tmp_path}/entry.json#mp-1", 6.25)
    assert row.energy_above_hull_eV_per_atom == 0.0
    assert row.energy_eV_per_atom == pytest.approx(-27.2 / 8)


@pytest.mark.parametrize("last_is_bad", [False, True])
def test_a_file_of_many_frames_is_stored_whole_or_not_at_all(database, tmp_path, monkeypatch, last_is_bad):
    monkeypatch.setattr("vitrion.ingest.files.STRUCTURES_AT_ONCE", 3)
    frames = [Atoms("LiCl", [[0, 0, 0], [2, 2, 2]], cell=[4 + x / 10, 4, 4], pbc=True) for x in range(8)]
    frames[-1].positions[1] *= 0.1 if last_is_bad else 1.0
    write(tmp_path / "many.extxyz", frames)
    if last_is_bad:
        with pytest.raises(InputError, match="structure 8: atoms 1 and 2"):
            ingest_files(database, [tmp_path / "many.extxyz"])
        assert database.structures.count() == 0
    else:
        report = ingest_files(database, [tmp_path / "many.extxyz"], kind=StructureKind.CRYSTAL)
        assert (report.structures, report.created, database.structures.count()) == (8, 8, 8)
        sources = [database.structures.get(name).source for name in report.fingerprints]
        assert sources == [f"{tmp_path}/many.extxyz#{number}" for number in range(1, 9)]
