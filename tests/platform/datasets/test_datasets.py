"""Registry, fetching, conventions and loaders; the real files where the mirror is set."""

import csv
import json
import math
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from materials_project_client import LICL, ROCK_SALT, client

from vitrion.datasets import (
    DatasetSpecification,
    SourceFile,
    einstein_factor,
    fetch,
    fetching,
    materials_project,
    specification,
    specifications,
)
from vitrion.datasets.amorphous_diffusivity import grouped_parts
from vitrion.datasets.amorphous_diffusivity import load as load_amorphous
from vitrion.datasets.formulas import chemical_system, reduced
from vitrion.datasets.obelix import conductivity
from vitrion.datasets.obelix import load as load_obelix
from vitrion.datasets.pfp_amorphous import unshifted
from vitrion.datasets.radial_distributions import read_partials
from vitrion.datasets.records import DatasetContent
from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows.schemas import Convention, LabelState

# sha256 of "hello\n", as coreutils prints it.
HELLO = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"


@pytest.fixture(autouse=True)
def _no_mirror(request, monkeypatch):
    if "data_mirror" not in request.fixturenames:
        monkeypatch.delenv("VITRION_DATA_MIRROR", raising=False)


def hello(sha256=HELLO, url="https://example.org/a.txt"):
    file = SourceFile(name="text", path="some/a.txt", url=url, sha256=sha256)
    return DatasetSpecification(
        name="hello",
        title="",
        licence="",
        citation="",
        files=(file,),
        loader=lambda _files: DatasetContent(),
    )


def test_every_entry_of_the_registry_is_complete():
    assert {entry.name for entry in specifications()} == {
        "aimd-amorphous-diffusivity",
        "obelix",
        "li-mp-candidates",
        "dft-rdf",
        "pfp-amorphous",
        "quickstart-compounds",
    }
    for entry in specifications():
        assert entry.title
        assert entry.licence
        assert entry.citation
        assert len(entry.sha256) == 64
        for file in entry.files:
            assert file.url.startswith("https://")
            assert len(file.sha256) == 64
        assert len({file.name for file in entry.files}) == len(entry.files)


def test_an_unknown_data_set_is_told_with_the_known_ones():
    with pytest.raises(InputError, match=r"'obelisk'.*obelix"):
        specification("obelisk")


def test_a_mirror_is_read_and_its_hash_checked(tmp_path, monkeypatch):
    (tmp_path / "some").mkdir()
    (tmp_path / "some/a.txt").write_text("hello\n")
    assert fetch(hello(), mirror=tmp_path)["text"].read_text() == "hello\n"
    monkeypatch.setenv("VITRION_DATA_MIRROR", str(tmp_path))
    assert fetch(hello())["text"].read_text() == "hello\n"
    with pytest.raises(InputError, match=r"a\.txt: sha256.*5891b5b522d5"):
        fetch(hello(sha256="0" * 64))


def test_a_file_that_the_mirror_lacks_is_named(tmp_path):
    with pytest.raises(InputError, match=r"a\.txt: .*mirror"):
        fetch(hello(), mirror=tmp_path)


@pytest.fixture
def download(monkeypatch):
    """Answers downloads with the text it is given; counts them."""
    import pooch

    calls = []

    def answer(text):
        def retrieve(url, known_hash, fname, path):
            calls.append(url)
            assert known_hash is None
            path.mkdir(parents=True, exist_ok=True)
            (path / fname).write_text(text)
            return str(path / fname)

        monkeypatch.setattr(pooch, "retrieve", retrieve)
        return calls

    return answer


def test_a_download_is_checked_and_kept(tmp_path, download):
    calls = download("hello\n")
    done = []
    for _ in range(2):
        path = fetch(hello(), cache=tmp_path, on_progress=lambda count, total: done.append((count, total)))["text"]
        assert path.read_text() == "hello\n"
    assert calls == ["https://example.org/a.txt"]
    assert done == [(1, 1), (1, 1)]


def test_a_changed_download_is_refused_and_leaves_nothing(tmp_path, download):
    download("something else\n")
    with pytest.raises(InputError, match="sha256"):
        fetch(hello(), cache=tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_damaged_cache_is_downloaded_again(tmp_path, download):
    calls = download("hello\n")
    path = fetch(hello(), cache=tmp_path)["text"]
    path.write_text("damaged")
    fetch(hello(), cache=tmp_path)
    assert len(calls) == 2
    assert fetching.sha256_of(path) == HELLO


def test_no_network_is_one_line(tmp_path):
    with pytest.raises(InputError, match="cannot be downloaded"):
        fetch(hello(url="http://127.0.0.1:9/a.txt"), cache=tmp_path)


def test_slope_half_is_three_times_einstein():
    # <|r|^2> = 6 D t, so slope/2 = 3 D.
    assert einstein_factor(Convention.SLOPE_HALF, source="x") == pytest.approx(1 / 3)
    assert einstein_factor("einstein_3d", source="x") == 1


@pytest.mark.parametrize("convention", [None, "slope"])
def test_an_unstated_or_unknown_convention_is_refused(convention):
    with pytest.raises(InputError, match=r"table\.csv: .*einstein_3d, slope_half"):
        einstein_factor(convention, source="table.csv")


def amorphous_table(folder, text):
    path = folder / "feature_target.dat"
    path.write_text(text)
    return {"table": path}


def test_the_amorphous_table_is_refused_without_its_convention(tmp_path):
    files = amorphous_table(tmp_path, '"Unnamed: 0" formula diff_coeff_mul_thousand temperature\n0 Li2O 0.3 1000\n')
    (label,) = load_amorphous(files).labels
    assert label.value == pytest.approx(1e-4)
    assert label.factor == pytest.approx(1 / 3)
    assert label.convention == "einstein_3d"
    with pytest.raises(InputError, match="not stated"):
        load_amorphous(files, convention=None)


def test_another_table_is_not_taken_for_the_amorphous_one(tmp_path):
    with pytest.raises(InputError, match="table of amorphous diffusivities"):
        load_amorphous(amorphous_table(tmp_path, "a b\n1 2\n"))


@pytest.mark.parametrize(
    ("text", "value", "state"),
    [("1.2e-4", 1.2e-4, LabelState.PUBLISHED), ("<1E-10", 1e-10, LabelState.CENSORED), (" <1E-8 ", 1e-8, "censored")],
)
def test_printed_conductivities(text, value, state):
    assert conductivity(text) == (value, state)


@pytest.mark.parametrize("text", ["", "n/a", "-1e-5", "0", "<"])
def test_what_is_no_conductivity_is_refused(text):
    with pytest.raises(InputError):
        conductivity(text)


def test_obelix_in_small(tmp_path):
    table, archive = tmp_path / "train.csv", tmp_path / "all.zip"
    table.write_text(
        "ID,Reduced Composition,Ionic conductivity (S cm-1),DOI\nabc,LiCl,<1E-10,d1\nxyz,Li3PS4,2e-4,d2\n",
        encoding="utf-8-sig",
    )
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("cifs/abc.cif", ROCK_SALT.to(fmt="cif"))
        bundle.writestr("cifs/tst.cif", ROCK_SALT.to(fmt="cif"))
    content = load_obelix({"table": table, "cifs": archive})
    first, second = content.labels
    assert (first.state, first.structure, first.value) == (LabelState.CENSORED, "abc", 1e-10)
    assert (second.structure, second.formula, second.property, second.unit) == (
        None,
        "Li3PS4",
        "ionic_conductivity",
        "S/cm",
    )
    assert content.splits["official"] == {"abc": "train", "tst": "test", "xyz": "train"}


def test_the_shifted_keys_are_put_back():
    row = {"id_min_vol": "LiCl", "formula": "[1, 2]", "volumes": "[3]", "temperature": None, "sigma": "0.1"} | {
        key: key.upper()
        for key in (
            "potential_energies",
            "min_hydrostatic_pressure",
            "structure_cif",
            "x_fit",
            "argmin",
            "hydrostatic_pressures",
        )
    }
    right = unshifted(row)
    assert right["formula"] == "LiCl"
    assert right["volumes"] == "[1, 2]"
    assert right["structure_cif"] == "MIN_HYDROSTATIC_PRESSURE"
    assert right["temperature"] == "HYDROSTATIC_PRESSURES"
    assert right["sigma"] == "0.1"


def test_partials_in_small(tmp_path):
    path = tmp_path / "DFT_RDF_SiAl.csv"
    path.write_text(",Si-Al,Si-Si,r\n0,0.0,0.0,0.0\n1,1.5,2.0,0.1\n")
    curve = read_partials(path)
    assert (curve.method, curve.formula) == ("DFT", reduced("SiAl"))
    assert curve.partials == {"Al-Si": (0.0, 1.5), "Si-Si": (0.0, 2.0)}
    path.write_text("no,table\n")
    with pytest.raises(InputError, match="table of partial"):
        read_partials(path)


def test_grouped_parts_keep_groups_together_and_near_their_shares():
    names = [f"record{index}" for index in range(1000)]
    groups = {name: f"system{index % 97}" for index, name in enumerate(names)}
    parts = grouped_parts(groups, parts={"train": 0.8, "test": 0.2}, seed=1)
    by_group = {}
    for name, group in groups.items():
        assert by_group.setdefault(group, parts[name]) == parts[name]
    assert list(parts.values()).count("test") == pytest.approx(200, abs=11)  # a group has 10 or 11
    assert parts == grouped_parts(dict(reversed(groups.items())), parts={"train": 0.8, "test": 0.2}, seed=1)
    assert parts != grouped_parts(groups, parts={"train": 0.8, "test": 0.2}, seed=2)


def test_formulas():
    assert reduced("Li4O2") == "Li2O"
    assert reduced("Li1.3Al0.3Ti1.7(PO4)3") == "Li1.3Ti1.7Al0.3P3O12"
    assert chemical_system("Li3PS4") == "Li-P-S"
    for text in ("", "Xx2", "foo"):
        with pytest.raises(InputError, match="chemical formula"):
            reduced(text)


def test_materials_project_documents_become_records(monkeypatch):
    """Answers are summary documents with a structure, or raw dictionaries."""
    monkeypatch.setenv("MP_API_KEY", "k" * 32)
    raw = {
        "material_id": "mp-1185319",
        "structure": json.loads(json.dumps(ROCK_SALT.as_dict())),
        "energy_above_hull": 0.1,
        "band_gap": None,
    }
    content = materials_project.load(chemsys="Li-Cl", client=client(SimpleNamespace(**LICL, theoretical=False), raw))
    assert [record.name for record in content.structures] == ["mp-1185319", "mp-22905"]
    second = content.structures[1]
    assert second.structure.composition.reduced_formula == "LiCl"
    assert second.properties["band_gap_eV"] == 6.25
    assert second.properties["e_above_hull_eV"] == 0.0


def test_materials_project_faults_are_one_line(monkeypatch):
    monkeypatch.setenv("MP_API_KEY", "k" * 32)
    with pytest.raises(InputError, match="no material of"):
        materials_project.load(chemsys="Li-Cl", client=client())
    fault = RuntimeError("REST query returned with error status code 401\nInvalid key")
    with pytest.raises(InputError, match="did not answer for Li-Cl"):
        materials_project.load(chemsys="Li-Cl", client=client(fault=fault))
    monkeypatch.delenv("MP_API_KEY")
    with pytest.raises(InputError, match="MP_API_KEY is not set"):
        materials_project.load(chemsys="Li-Cl", client=client())


def test_materials_project_without_its_package(monkeypatch):
    monkeypatch.setenv("MP_API_KEY", "k" * 32)
    monkeypatch.setitem(__import__("sys").modules, "mp_api.client", None)
    with pytest.raises(MissingDependencyError, match="mp-api is not installed"):
        materials_project.load(chemsys="Li-Cl")


@pytest.mark.data
def test_real_amorphous_diffusivities_are_a_third_of_the_table(data_mirror):
    content = specification("aimd-amorphous-diffusivity").loader(fetch(specification("aimd-amorphous-diffusivity")))
    with (data_mirror / "aimd_li_diffusivity/labels_tidy.csv").open(newline="") as handle:
        tidy = list(csv.DictReader(handle))
    assert len(content.labels) == len(tidy) == 792
    assert len({label.formula for label in content.labels}) == 207
    for label, row in zip(content.labels, tidy, strict=True):
        assert label.formula == reduced(row["formula"])
        assert label.temperature_K == float(row["temperature_K"])
        assert label.value == pytest.approx(float(row["D_einstein_slope6_cm2_s"]), rel=1e-6)
        assert label.raw_value == pytest.approx(float(row["D_mp_slope2_cm2_s"]), rel=1e-6)
    parts = content.splits["chemsys_test"]
    systems = {"train": set(), "test": set()}
    for label in content.labels:
        systems[parts[label.name]].add(chemical_system(label.formula))
    assert not systems["train"] & systems["test"]
    assert list(parts.values()).count("test") / 792 == pytest.approx(0.2, abs=0.02)


@pytest.mark.data
def test_real_obelix(data_mirror):
    assert data_mirror
    content = specification("obelix").loader(fetch(specification("obelix")))
    assert (len(content.structures), len(content.labels)) == (321, 478)
    assert sum(not record.structure.is_ordered for record in content.structures) == 249
    censored = [label for label in content.labels if label.state is LabelState.CENSORED]
    assert len(censored) == 29
    assert {label.value for label in censored} == {1e-10, 1e-8}
    assert sum(label.structure is not None for label in content.labels) == 254
    assert {label.property for label in content.labels} == {"ionic_conductivity"}


@pytest.mark.data
def test_real_pool_and_curves(data_mirror):
    assert data_mirror
    pool = specification("li-mp-candidates").loader(fetch(specification("li-mp-candidates"))).compositions
    assert len(pool) == 4582
    assert all("Li" in chemical_system(record.formula).split("-") for record in pool)
    known = next(record for record in pool if record.name == "mp-6075")
    assert (known.formula, known.band_gap_eV) == ("Ba2Li(BO2)5", 4.9517)
    curves = specification("dft-rdf").loader(fetch(specification("dft-rdf"))).curves
    assert len(curves) == 422
    for curve in curves:
        np.testing.assert_allclose(np.diff(curve.r_A), 0.1, atol=1e-6)
        assert max(curve.r_A) <= 10


@pytest.mark.data
def test_real_pfp_cells(data_mirror):
    assert data_mirror
    content = specification("pfp-amorphous").loader(fetch(specification("pfp-amorphous")))
    assert len(content.structures) == 10
    assert "6779" in content.refused["10"]
    assert {record.name for record in content.structures if all(gate.passed for gate in record.gates)} == {
        label.name for label in content.labels
    }
    assert 1 <= len(content.labels) == 10 - len(content.refused)
    for label in content.labels:
        assert label.state is LabelState.REJECTED
        assert label.value == pytest.approx(5 * label.raw_value)
        assert "five times" in label.factor_reason
        assert label.temperature_K == 1000
        assert math.isfinite(label.value)
