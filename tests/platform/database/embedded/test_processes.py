"""The embedded store among processes: killed writers, a second writer, readers, forks."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time

import pytest

import vitrion
from vitrion.database import DatabaseError, DatabaseLockedError, NotFoundError

KILLS = 50

# Adds structures, labels' campaign and artefacts one after another, and says so after each call has returned.
WRITER = """
import sys, numpy as np, vitrion
from vitrion_models.system import AtomicSystem
home, start = sys.argv[1], int(sys.argv[2])
db = vitrion.connect(home=home)
print("open", flush=True)
for number in range(start, start + 100000):
    rng = np.random.default_rng(number)
    cell = AtomicSystem(np.repeat([3, 17], 4), rng.uniform(0, 6, (8, 3)), np.eye(3) * 6)
    name = db.structures.add(cell, kind="amorphous", seed=number).fingerprint
    print("structure", name, flush=True)
    print("artefact", db.artefacts.put(name.encode(), name="x"), flush=True)
    db.cycles.create("c", number)
    db.cycles.acquire_lease("c", number, "me", 60)
    db.cycles.transition("c", number, expected="proposed", new="labelling", owner="me")
    print("cycle", number, flush=True)
"""


def start_python(source, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", source, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def finish(process):
    process.communicate(timeout=60)


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_call_that_returned_survives_kill_9(tmp_path):
    # A forked child costs no imports: the fifty writers start in milliseconds.
    rng = random.Random(0)
    said = {"structure": set(), "artefact": set(), "cycle": set()}
    for kill in range(KILLS):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(writing, 1)
            sys.argv = ["-c", str(tmp_path), str(kill * 1000)]
            sys.stdout = os.fdopen(1, "w", closefd=False)
            try:
                exec(WRITER, {})
            finally:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading) as lines:
            assert lines.readline() == "open\n"
            time.sleep(rng.uniform(0.0, 0.1))
            os.kill(child, signal.SIGKILL)
            heard = lines.read()
        os.waitpid(child, 0)
        for line in heard[: heard.rfind("\n") + 1].splitlines():
            kind, _, name = line.partition(" ")
            said[kind].add(name)
    assert len(said["structure"]) > KILLS  # they did work
    with vitrion.connect(home=tmp_path) as db:  # and the lock of the last one is taken over
        stored = {row.fingerprint for row in db.structures.search()}
        assert said["structure"] <= stored
        assert len(stored) <= len(said["structure"]) + KILLS  # at most the call that was under way
        assert set(db.structures.structures(sorted(stored))) == stored  # each has its geometry
        assert all(db.artefacts.get(name) for name in said["artefact"])
        cycles = {str(row.index): row.state for row in db.cycles.list("c")}
        assert all(cycles[number] == "labelling" for number in said["cycle"])


def test_a_second_writer_is_told_who_writes(tmp_path):
    process = start_python(WRITER, tmp_path, 0)
    assert process.stdout.readline() == "open\n"
    try:
        with pytest.raises(DatabaseLockedError) as refused:
            vitrion.connect(home=tmp_path)
        message = str(refused.value)
        assert f"process {process.pid} on " in message
        assert "\n" not in message
    finally:
        process.kill()
        finish(process)
    with vitrion.connect(home=tmp_path) as db:
        assert db.structures.count() >= 0


def test_a_second_writer_in_the_same_process_is_refused_and_the_first_keeps_its_lock(tmp_path):
    with vitrion.connect(home=tmp_path) as db:
        with pytest.raises(DatabaseLockedError, match="in this process"):
            vitrion.connect(home=tmp_path)
        other = start_python("import sys, vitrion; vitrion.connect(home=sys.argv[1])", tmp_path)
        _, errors = other.communicate(timeout=60)
        assert "DatabaseLockedError" in errors
        assert str(os.getpid()) in errors
        db.cycles.create("c", 0)
    vitrion.connect(home=tmp_path).close()


def test_two_stores_in_one_process_know_nothing_of_each_other(tmp_path):
    with vitrion.connect(home=tmp_path / "a") as one, vitrion.connect(home=tmp_path / "b") as other:
        one.campaigns.create_or_get("c", {"x": 1}, "hash")
        assert len(other.campaigns.list()) == 0
        assert len(one.campaigns.list()) == 1


READER = """
import sys, time, vitrion
with vitrion.connect(home=sys.argv[1], readonly=True) as db:
    print(len(db.campaigns.list()), flush=True)
    for line in sys.stdin:
        print(len(db.campaigns.list()), db.structures.count(), flush=True)
"""


def test_a_reader_elsewhere_sees_new_documents_at_once_and_takes_no_lock(tmp_path):
    with vitrion.connect(home=tmp_path) as db:
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert reader.stdout.readline() == "0\n"
        for number in range(1, 4):
            db.campaigns.create_or_get(f"c{number}", {"x": 1}, "hash")
            reader.stdin.write("look\n")
            reader.stdin.flush()
            assert reader.stdout.readline() == f"{number} 0\n"
        reader.stdin.close()
        reader.wait(timeout=60)
        reader.stdout.close()


def test_a_reader_writes_nothing(tmp_path):
    with pytest.raises(NotFoundError, match="vitrion init"):
        vitrion.connect(home=tmp_path / "nothing", readonly=True)
    assert not (tmp_path / "nothing").exists()
    vitrion.connect(home=tmp_path).close()
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with vitrion.connect(home=tmp_path, readonly=True) as db:
        with pytest.raises(DatabaseError, match="readonly"):
            db.campaigns.create_or_get("c", {"x": 1}, "hash")
        with pytest.raises(DatabaseError, match="readonly"):
            db.artefacts.put(b"x", name="x")
        assert db.structures.count() == 0
        assert db.collection("not there yet").find({}) == []
    after = sorted(path.name for path in tmp_path.rglob("*") if not path.name.endswith(("-shm", "-wal")))
    assert after == before


def _use_in_child(db, answers):
    try:
        db.campaigns.list()
    except DatabaseError as fault:
        answers.put(str(fault))
    db.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_is_told_to_connect_again_and_does_not_unlock_its_parent(tmp_path):
    with vitrion.connect(home=tmp_path) as db:
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        child = context.Process(target=_use_in_child, args=(db, answers))
        child.start()
        assert "connect again" in answers.get(timeout=30)
        child.join(30)
        other = start_python("import sys, vitrion; vitrion.connect(home=sys.argv[1])", tmp_path)
        assert "DatabaseLockedError" in other.communicate(timeout=60)[1]
        db.campaigns.create_or_get("c", {"x": 1}, "hash")


def test_the_lock_names_its_holder_for_people(tmp_path):
    with vitrion.connect(home=tmp_path):
        holder = json.loads((tmp_path / "writer.lock").read_text())
        assert holder["pid"] == os.getpid()
        assert {"host", "command", "since"} <= set(holder)
    assert (tmp_path / "writer.lock").read_text() == ""


def test_threads_of_the_writer_may_write(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    with vitrion.connect(home=tmp_path) as db, ThreadPoolExecutor(4) as threads:
        for number in range(8):
            db.cycles.create("c", number)
        list(threads.map(lambda number: db.cycles.acquire_lease("c", number % 8, f"t{number}", 60), range(64)))
        assert len(db.cycles.list("c")) == 8
        assert all(row.lease_owner is not None for row in db.cycles.list("c"))
