"""Queries on both back ends, against the same question asked in plain Python."""

import numpy as np
import pytest

from vitrion.database.queries.shapes import QUERY_SHAPES
from vitrion.database.records import INDEXES
from vitrion.database.repositories.new_structures import NewStructure
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem

ELEMENTS = {3: "Li", 11: "Na", 15: "P", 16: "S", 17: "Cl"}
COUNT = 60


@pytest.fixture
def filled(db):
    rng = np.random.default_rng(0)
    items = []
    for place in range(COUNT):
        others = rng.choice([11, 15, 16, 17], size=rng.integers(1, 3), replace=False)
        numbers = np.concatenate([np.full(4, 3), rng.choice(others, size=8)])
        length = rng.uniform(5, 8)
        fields = {"campaign": f"c{place % 3}", "cycle": place % 4, "dataset": None if place % 5 else "obelix"}
        items.append(
            NewStructure(
                cell=AtomicSystem(numbers, rng.uniform(0, length, (12, 3)), np.eye(3) * length),
                kind="amorphous" if place % 2 else "crystal",
                fields=fields,
            )
        )
    db.structures.add_many(items)
    return db


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({}, lambda _: True),
        ({"chemsys": "S-Li"}, lambda row: set(row.elements) == {"Li", "S"}),
        ({"chemsys": ["Li-P-S", "Li-Na"]}, lambda row: row.chemsys in {"Li-P-S", "Li-Na"}),
        ({"elements_all": ["Li", "S"]}, lambda row: {"Li", "S"} <= set(row.elements)),
        ({"elements_all": ["S", "P"], "elements_none": ["Na"]}, lambda row: {"S", "P"} <= set(row.elements)),
        ({"elements_any": ["Na", "P"]}, lambda row: {"Na", "P"} & set(row.elements)),
        ({"elements_none": "S"}, lambda row: "S" not in row.elements),
        ({"reduced_formula": "Li4S8"}, lambda row: row.reduced_formula == "LiS2"),
        ({"formula": "Li4S8"}, lambda row: row.formula == "Li4 S8"),
        ({"kind": "crystal", "density": (1.0, 2.0)}, lambda row: row.kind == "crystal" and 1 <= row.density_g_cm3 <= 2),
        ({"density": (1.5, None)}, lambda row: row.density_g_cm3 >= 1.5),
        ({"mobile_ion_fraction": (None, 0.4)}, lambda row: row.mobile_ion_fraction <= 0.4),
        ({"n_atoms": 12}, lambda row: row.n_atoms == 12),
        ({"campaign": ["c0", "c1"], "cycle": 2}, lambda row: row.campaign in {"c0", "c1"} and row.cycle == 2),
        ({"dataset": "obelix", "kind": "amorphous"}, lambda row: row.dataset and row.kind == "amorphous"),
        ({"disordered": True}, lambda _: False),
        ({"accepted": True, "chemsys": None}, lambda row: row.kind == "crystal"),  # no glass was judged
    ],
)
def test_filters_find_what_plain_python_finds(filled, filters, holds):
    wanted = [row.fingerprint for row in filled.structures.search() if holds(row)]
    assert [row.fingerprint for row in filled.structures.search(**filters)] == wanted
    assert filled.structures.count(**filters) == len(wanted)


@pytest.mark.parametrize("sort", [None, "density_g_cm3", "-density_g_cm3", ["kind", "-density_g_cm3"], ["-cycle"]])
def test_pages_are_cut_from_one_order(filled, sort):
    whole = [row.fingerprint for row in filled.structures.search(sort=sort)]
    pages = [filled.structures.search(sort=sort, limit=7, skip=start) for start in range(0, COUNT + 7, 7)]
    assert [row.fingerprint for page in pages for row in page] == whole
    assert sorted(whole) == sorted(row.fingerprint for row in filled.structures.search())
    if sort == "-density_g_cm3":
        densities = [row.density_g_cm3 for row in filled.structures.search(sort=sort)]
        assert densities == sorted(densities, reverse=True)


def test_statistics_are_those_of_pandas(filled):
    frame = filled.structures.search().to_dataframe()
    groups = filled.structures.statistics("density_g_cm3", group_by=["kind", "chemsys"], elements_none="Na")
    wanted = frame[~frame.chemsys.str.contains("Na")].groupby(["kind", "chemsys"]).density_g_cm3
    assert [group.group for group in groups] == list(wanted.groups)
    assert [group.count for group in groups] == wanted.count().tolist()
    assert [group.mean for group in groups] == pytest.approx(wanted.mean().tolist())
    assert [group.minimum for group in groups] == pytest.approx(wanted.min().tolist())
    assert [group.maximum for group in groups] == pytest.approx(wanted.max().tolist())
    (whole,) = filled.structures.statistics("volume_A3")
    assert (whole.group, whole.count) == ((), COUNT)
    assert whole.mean == pytest.approx(frame.volume_A3.mean())
    assert filled.structures.statistics("volume_A3", chemsys="Li-O") == []


def test_an_empty_result_still_has_its_columns(db):
    rows = db.structures.search(chemsys="Li-P-S")
    assert len(rows) == 0
    assert {"fingerprint", "density_g_cm3"} <= set(rows.to_dataframe().columns)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"chemsis": "Li"}, "did you mean 'chemsys'"),
        ({"formula": "Li3(PS"}, "formula"),
        ({"elements_all": ["Lithium"]}, "Lithium"),
        ({"density": (3, 1)}, "empty"),
        ({"density": (None, None)}, "no limit"),
        ({"density": "dense"}, "density"),
        ({"sort": "colour"}, "no field 'colour'"),
        ({"density": ("1", "2")}, "density"),
        ({"n_atoms": "12"}, "n_atoms"),
        ({"density": True}, "density"),
        ({"cycle": "1"}, "cycle is '1'"),
        ({"cycle": 1.5}, "cycle is 1.5"),
        ({"campaign": 3}, "campaign is 3"),
        ({"accepted": "no"}, "give True or False"),
        ({"disordered": 1}, "give True or False"),
        ({"limit": -1}, "limit is -1"),
        ({"skip": -1}, "skip is -1"),
        ({"limit": 2.5}, "limit is 2.5"),
    ],
)
def test_a_wrong_filter_is_told_in_one_line(db, filters, message):
    with pytest.raises(InputError, match=message) as refused:
        db.structures.search(**filters)
    assert "\n" not in str(refused.value)


def test_numbers_of_numpy_are_numbers(filled):
    assert filled.structures.count(n_atoms=np.int64(12)) == COUNT
    assert filled.structures.count(n_atoms=(np.int64(12), np.float32(12))) == COUNT


@pytest.mark.parametrize(
    "shape", QUERY_SHAPES, ids=lambda shape: f"{shape.collection}-{'-'.join(shape.filters)}-{shape.sort}"
)
def test_each_offered_query_is_served_by_the_index_it_names(embedded_db, shape):
    from vitrion.database.queries.filters import query_of, sort_of

    raw = embedded_db.collection(shape.collection).raw
    for document in ({"elements": ["Li", "S"]}, {"elements": ["Co"]}):
        # Empty collections have no arrays and the planner no reason: two documents beyond validation will do.
        raw.insert_one({**document, "fingerprint": str(document), "key": str(document)})
    filters = dict(shape.filters)
    if shape.collection == "labels":
        filters["superseded"] = False
    explained = raw._store.explain(query_of(shape.collection, filters), sort=sort_of(shape.collection, shape.sort))
    if shape.index is None:
        return
    assert "Python" not in explained
    served = "entries" if shape.index.keys[0][0] == "elements" else f"ix:{shape.index.name}"
    assert served in explained
    if shape.sort:
        assert "TEMP B-TREE" not in explained


@pytest.mark.server
def test_each_index_exists_on_the_server_with_the_fields_of_its_queries_first(mongo_uri):
    import vitrion
    from vitrion.database.queries.filters import query_of

    with vitrion.connect(mongo_uri) as db:
        for collection, indexes in INDEXES.items():
            there = db.collection(collection).raw.index_information()
            for index in indexes:
                assert [tuple(key) for key in there[index.name]["key"]] == list(index.keys)
                assert there[index.name].get("unique", False) == index.unique
        for shape in QUERY_SHAPES:
            if shape.index is None:
                continue
            fields = set(query_of(shape.collection, shape.filters)) | {name.lstrip("-") for name in shape.sort}
            first = [name for name, _ in shape.index.keys][: len(fields)]
            assert set(first) == fields


def test_a_scan_is_only_where_the_registry_says_so():
    assert {tuple(shape.filters) for shape in QUERY_SHAPES if shape.index is None} == {("elements_none",)}
