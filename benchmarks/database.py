"""The embedded store with 64-atom cells: inserts, reopening, memory, and each offered query.

Prints one JSON line a figure: name, value, unit, baseline, ratio (value / baseline). The baseline is plain LiteMongo
with the same documents and indexes, measured in the same run, up to 20,000 structures. Times are processor time, the
least of some turns: other work on the machine only ever adds. Memory is that of a process that has opened the store
and run every query, imports included.

    python benchmarks/database.py                        # 1,000 and 10,000 structures
    python benchmarks/database.py --sizes 20000 100000
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from figures import emit  # noqa: E402
from litemongo.client import MongoClient  # noqa: E402

import vitrion  # noqa: E402
from vitrion.database import Database  # noqa: E402
from vitrion.database.queries.filters import query_of, sort_of  # noqa: E402
from vitrion.database.queries.shapes import QUERY_SHAPES, QueryShape  # noqa: E402
from vitrion.database.records import INDEXES, LabelRecord  # noqa: E402
from vitrion.database.repositories.new_structures import NewStructure  # noqa: E402
from vitrion_models.system import AtomicSystem  # noqa: E402
from vitrion_workflows.schemas.label import GATE_VERSION  # noqa: E402

ATOMS = 64
PARTNERS = (3, 8, 9, 11, 12, 14, 15, 16, 17, 35, 53)
PAGE = 50
MOST_FOR_BASELINE = 20_000
SINGLE_ADDS = 300


def cells(count: int, *, seed: int = 0) -> Iterator[NewStructure]:
    """Random lithium cells of many compositions."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        others = rng.choice(PARTNERS[1:], size=rng.integers(1, 4), replace=False)
        numbers = np.concatenate([np.full(24, 3), rng.choice(others, size=ATOMS - 24)])
        lattice = np.eye(3) * rng.uniform(9.0, 12.0)
        yield NewStructure(
            cell=AtomicSystem(numbers, rng.uniform(0.0, 12.0, (ATOMS, 3)), lattice),
            kind="amorphous",
            origin="melt-quench" if rng.random() < 0.7 else "generated",
            fields={
                "campaign": f"c{rng.integers(20)}",
                "cycle": int(rng.integers(10)),
                "dataset": f"d{rng.integers(9)}",
            },
        )


def label_documents(db: Database, *, seed: int = 1) -> Iterator[dict[str, Any]]:
    """One label for every other structure."""
    rng = np.random.default_rng(seed)
    names = ("formula", "reduced_formula", "chemsys", "elements", "n_atoms", "density_g_cm3", "mobile_ion_fraction")
    for place, row in enumerate(db.structures.search()):
        if place % 2:
            continue
        value = float(10 ** rng.uniform(-7, -4))
        yield LabelRecord.of(
            key=row.fingerprint[::-1],
            property="tracer_diffusivity",
            convention="einstein_3d",
            unit="cm2/s",
            species="Li",
            temperature_K=float(rng.integers(6, 21) * 100),
            state="accepted" if rng.random() < 0.8 else "censored",
            value=value,
            log10_value=float(np.log10(value)),
            structure_fingerprint=row.fingerprint,
            potential="nep89" if rng.random() < 0.9 else "chgnet",
            weights_sha256="0" * 64,
            msd={name: rng.random(60).tolist() for name in ("lag_ps", "msd_A2", "stderr_A2")},
            campaign=row.campaign,
            cycle=row.cycle,
            arm="random" if rng.random() < 0.2 else "acquisition",
            dataset=row.dataset,
            gate_version=GATE_VERSION,
            **{name: list(value) if isinstance(value := getattr(row, name), tuple) else value for name in names},
        ).document()


def build(home: Path, size: int) -> dict[str, float]:
    """Fill a store; structures a second in bulk and one at a time."""
    items = list(cells(size))
    with vitrion.connect(home=home) as db:
        start = time.process_time()
        db.structures.add_many(items)
        bulk = size / (time.process_time() - start)
        singles = list(cells(SINGLE_ADDS, seed=7))
        start = time.process_time()
        for item in singles:
            db.structures.add(item.cell, kind=item.kind)
        single = SINGLE_ADDS / (time.process_time() - start)
        db.collection("labels").insert_absent(list(label_documents(db)))
    return {"add_many": bulk, "add": single}


def query(home: Path) -> dict[str, Any]:
    """Open a store that is there and run each offered query."""
    start = time.process_time()
    with vitrion.connect(home=home) as db:
        db.structures.search(limit=1)
        db.labels.search(limit=1)
        opening = time.process_time() - start
        times = {}
        for shape in QUERY_SHAPES:
            times[_name(shape)] = {"served": shape.index is not None, **_timed(db, shape)}
        times["structures statistics by chemsys"] = {
            "served": False,
            "search": least(lambda: db.structures.statistics("density_g_cm3", group_by="chemsys")),
        }
        times["labels statistics by temperature"] = {
            "served": False,
            "search": least(lambda: db.labels.statistics(group_by="temperature_K", across="source", potential="nep89")),
        }
        return {"opening": opening, "queries": times, "rss": psutil.Process().memory_info().rss / 2**20}


def _timed(db: Database, shape: QueryShape) -> dict[str, float]:
    repository: Any = db.structures if shape.collection == "structures" else db.labels
    filters = _realistic(db, shape)
    return {
        "search": least(lambda: repository.search(sort=shape.sort, limit=PAGE, **filters)),
        "count": least(lambda: repository.count(**filters)),
    }


def _realistic(db: Database, shape: QueryShape) -> dict[str, Any]:
    """The example's filters with values that the store holds."""
    repository: Any = db.structures if shape.collection == "structures" else db.labels
    row = repository.search(skip=101, limit=1)[0]
    known = {"campaign": "c3", "dataset": "d3"}
    own = ("fingerprint", "key", "structure_fingerprint", "formula", "reduced_formula", "chemsys")
    return {
        name: getattr(row, name) if name in own else known.get(name, value) for name, value in shape.filters.items()
    }


def baseline(home: Path) -> dict[str, Any]:
    """The same documents in plain LiteMongo: inserts a second, opening, and the same queries."""
    with tempfile.TemporaryDirectory() as folder, vitrion.connect(home=home, readonly=True) as db:
        documents = {name: db.collection(name).find({}) for name in ("geometries", "structures", "labels")}
        client = MongoClient(folder)
        for name in documents:
            for index in INDEXES[name]:
                client["v"][name].create_index(list(index.keys), unique=index.unique)
        start = time.process_time()
        for name in ("geometries", "structures"):
            client["v"][name].insert_many(documents[name])
        inserts = len(documents["structures"]) / (time.process_time() - start)
        client["v"]["labels"].insert_many(documents["labels"])
        client.close()
        start = time.process_time()
        client = MongoClient(folder)
        for name in documents:
            client["v"][name].find_one({"fingerprint": ""})
        opening = time.process_time() - start
        times = {}
        for shape in QUERY_SHAPES:
            wanted = query_of(shape.collection, _realistic(db, shape))
            order = sort_of(shape.collection, shape.sort)
            raw = client["v"][shape.collection]
            times[_name(shape)] = least(
                lambda raw=raw, wanted=wanted, order=order: list(raw.find(wanted).sort(order).limit(PAGE)), turns=1
            )
        client.close()
    return {
        "add_many": inserts,
        "opening": opening,
        "queries": times,
        "rss": psutil.Process().memory_info().rss / 2**20,
    }


def least(work: Callable[[], Any], *, turns: int = 3) -> float:
    """Least processor time of some turns, in seconds."""
    spent = []
    for _ in range(turns):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def report(size: int) -> None:
    """Measure one size, each step in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        built = _child("build", folder, str(size))
        asked = _child("query", folder)
        plain = _child("baseline", folder) if size <= MOST_FOR_BASELINE else {"queries": {}}
    at = f"database {size}"
    emit(f"{at}: structures added in bulk", built["add_many"], "1/s", plain.get("add_many"))
    emit(f"{at}: structures added one at a time", built["add"], "1/s", None)
    emit(f"{at}: opening", asked["opening"], "s", plain.get("opening"))
    emit(f"{at}: memory", asked["rss"], "MiB", plain.get("rss"))
    for name, entry in asked["queries"].items():
        kind = "indexed" if entry["served"] else "scan"
        emit(f"{at}: {kind}: page of {name}", 1000 * entry["search"], "ms", _milli(plain["queries"].get(name)))
        if "count" in entry:
            emit(f"{at}: {kind}: count of {name}", 1000 * entry["count"], "ms", None)


def _milli(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


def _child(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, __file__, "--child", *arguments], check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _name(shape: QueryShape) -> str:
    words = [*shape.filters, *(f"sorted by {field}" for field in shape.sort)]
    return f"{shape.collection} by {', '.join(words)}"


def main() -> None:
    """Measure the sizes asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args()
    if options.child:
        task, folder, *rest = options.child
        work: dict[str, Callable[..., dict[str, Any]]] = {"build": build, "query": query, "baseline": baseline}
        print(json.dumps(work[task](Path(folder), *map(int, rest))))
        return
    for size in options.sizes:
        report(size)


if __name__ == "__main__":
    main()
