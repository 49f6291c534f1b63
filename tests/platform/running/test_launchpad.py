"""Tasks on a FireWorks launchpad: whoever dies, each is done once and its result comes back."""

import io
import re
import signal
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import jobflow
import pytest
import vitrion_flows as flows
from database_fixtures import own_database
from fireworks import Firework, FWorker, ScriptTask
from fireworks.core.rocket import Rocket
from launchpad_workers import start, workers
from maggma.stores import MemoryStore
from vitrion_flows import outputs, results_of, task

import vitrion
from vitrion.running.launchpad_runner import LaunchpadRunner, connect_launchpad
from vitrion.running.launchpad_worker import WorkerLaunchPad, work
from vitrion.running.task import MachineFaultError, RunCallbacks, TaskKind
from vitrion_models.errors import InputError

pytestmark = [
    pytest.mark.server,
    # jobflow's own use of a deprecated name of maggma
    pytest.mark.filterwarnings("ignore::FutureWarning:jobflow"),
]

LOST_AFTER = 4.0

# A database of this module's own: its tests share one worker, which takes longer to start than to work.
shared_uri = pytest.fixture(scope="module")(own_database)


@pytest.fixture(scope="module")
def worker(shared_uri, tmp_path_factory):
    with workers(shared_uri, tmp_path_factory.mktemp("worker") / "scratch", count=1) as processes:
        yield processes[0]


@pytest.fixture(scope="module")
def db(shared_uri):
    with vitrion.connect(shared_uri) as database:
        yield database


@pytest.fixture(scope="module")
def pad(shared_uri):
    launchpad = connect_launchpad(shared_uri)
    yield launchpad
    launchpad.connection.close()


@contextmanager
def frozen(process):
    """Keep the worker from taking anything."""
    process.send_signal(signal.SIGSTOP)
    yield
    process.send_signal(signal.SIGCONT)


@contextmanager
def opened(uri):
    launchpad = connect_launchpad(uri)
    with vitrion.connect(uri) as database:
        yield database, launchpad
    launchpad.connection.close()


def make_runner(uri, db):
    return LaunchpadRunner(connect_launchpad(uri), db.job_store(), where=db.where, lost_after_seconds=LOST_AFTER)


def coordinate(uri, db, tasks, **options):
    return results_of(make_runner(uri, db), tasks, **options)


def submit(uri, db, tasks):
    """A coordinator that goes away as soon as it has submitted."""
    assert coordinate(uri, db, tasks, callbacks=RunCallbacks(should_stop=lambda: True)) == (False, {})


@pytest.mark.usefixtures("worker")
def test_flows_run_faults_stay_with_their_task_and_a_new_coordinator_finds_all(shared_uri, db, pad, tmp_path):
    record = tmp_path / "record"

    def tasks():
        return [
            task("first", flows.chain(3)),
            task("other", flows.double(1, str(record))),
            task("bad", flows.fail("no\nsuch luck")),
        ]

    def follow(result):
        return [task("later", flows.double(7, str(record)))] if result.task_id == "first" else []

    submit(shared_uri, db, tasks())
    # Another coordinator, with flows of its own for the same tasks.
    done, results = coordinate(shared_uri, db, tasks(), follow=follow)
    assert done
    assert outputs(results) == {"first": [6, 12], "other": [2], "later": [14], "bad": []}
    assert all(document["metadata"]["vitrion_task"] == "first" for document in results["first"].documents)
    assert results["bad"].error == "ValueError: no"
    assert 0 < results["first"].seconds < 60
    assert results["first"].worker

    again, same = coordinate(shared_uri, db, tasks(), follow=follow)
    assert again
    assert outputs(same) == outputs(results)
    assert same["bad"].error == results["bad"].error
    assert pad.workflows.count_documents({"name": {"$in": list(results)}}) == 4
    assert sorted(record.read_text().split()) == ["1", "7"]


def test_every_trace_of_a_dead_worker_is_mended(shared_uri, db, pad, worker):
    """Killed between two of FireWorks' writes: the states that a worker leaves are made by hand."""
    names = ["reserved", "locked", "orphan", "fizzled", "unrefreshed"]

    def tasks():
        return [task(name, flows.double(number)) for number, name in enumerate(names)]

    with frozen(worker):
        submit(shared_uri, db, tasks())
        fw_id = {name: pad.fireworks.find_one({"spec.vitrion_task": name})["fw_id"] for name in names}
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        claimed = {"$set": {"state": "RESERVED", "updated_on": long_ago}}
        pad.fireworks.update_one({"fw_id": fw_id["reserved"]}, claimed)
        pad.workflows.update_one({"nodes": fw_id["locked"]}, {"$set": {"locked": True}})
        pad.workflows.delete_one({"nodes": fw_id["orphan"]})
        for name in ("fizzled", "unrefreshed"):
            pad.checkout_fw(FWorker(name="dead"), "/", fw_id=fw_id[name])
        pad.mark_fizzled(pad.launches.find_one({"fw_id": fw_id["fizzled"]})["launch_id"])
        assert pad.workflows.find_one({"nodes": fw_id["fizzled"]})["state"] == "FIZZLED"
        # The launch has ended and nobody has told the firework.
        pad.launches.update_one({"fw_id": fw_id["unrefreshed"]}, {"$set": {"state": "FIZZLED"}})
    done, results = coordinate(shared_uri, db, tasks())
    assert done
    assert outputs(results) == {name: [2 * number] for number, name in enumerate(names)}


def test_what_failed_or_was_defused_is_run_again_when_it_is_asked_again(shared_uri, db, pad, worker, tmp_path):
    wanted = tmp_path / "wanted"

    def tasks():
        return [task("broken", flows.require(str(wanted))), task("defused", flows.double(4))]

    with frozen(worker):
        submit(shared_uri, db, tasks())
        pad.defuse_fw(pad.fireworks.find_one({"spec.vitrion_task": "defused"})["fw_id"])
    _, results = coordinate(shared_uri, db, tasks())
    assert results["broken"].error == "ValueError: no wanted"
    assert "defused" in results["defused"].error
    wanted.write_text("here")
    runner = make_runner(shared_uri, db)
    runner.retry(["broken", "defused", "unknown"])
    runner.close()
    done, results = coordinate(shared_uri, db, tasks())
    assert done
    assert outputs(results) == {"broken": ["here"], "defused": [8]}
    assert all(result.error is None for result in results.values())
    # What ended well stays as it is, unless it is asked for again.
    wanted.write_text("there")
    for rerun_finished, answer in ((False, "here"), (True, "there")):
        runner = make_runner(shared_uri, db)
        runner.retry(["broken"], rerun_finished=rerun_finished)
        runner.close()
        done, results = coordinate(shared_uri, db, tasks()[:1])
        assert (done, outputs(results)) == (True, {"broken": [answer]})


def test_a_firework_that_costs_every_worker_is_given_up(shared_uri, db, pad, worker):
    def on_tick(_statuses):
        if pad.fireworks.find_one({"spec.vitrion_task": "deadly", "state": "READY"}):
            _, launch = pad.checkout_fw(FWorker(name="dead"), "/")
            history = "state_history.0.updated_on"
            pad.launches.update_one({"launch_id": launch}, {"$set": {history: "2000-01-01T00:00:00+00:00"}})

    with frozen(worker):
        done, results = coordinate(
            shared_uri, db, [task("deadly", flows.double(1))], callbacks=RunCallbacks(on_tick=on_tick)
        )
    assert done
    assert "lost workers" in results["deadly"].error
    assert pad.launches.count_documents({"fworker.name": "dead", "state": "FIZZLED"}) >= 10


def test_a_killed_worker_and_a_stopped_one_cost_time_only(mongo_uri, tmp_path):
    steps = tmp_path / "steps"
    done_at = []
    processes = {name: start(mongo_uri, tmp_path / "scratch", "--name", name) for name in ("one", "two", "three")}

    def on_tick(statuses):
        done = len(steps.read_text()) if steps.exists() else 0
        if not statuses or len(done_at) == 2 or done < 10 + sum(done_at[-1:]):
            return
        assert [(status.task_id, status.kind) for status in statuses] == [("long", TaskKind.LABEL)]
        worker = processes[statuses[0].worker]
        if worker.returncode is None:
            done_at.append(done)
            worker.send_signal(signal.SIGKILL if len(done_at) == 1 else signal.SIGTERM)
            assert worker.wait(timeout=60) == (-signal.SIGKILL if len(done_at) == 1 else 128 + signal.SIGTERM)
            assert launchpad.workflows.find_one({})["state"] != "FIZZLED"

    with opened(mongo_uri) as (database, launchpad):
        try:
            tasks = [task("long", flows.step_on(str(tmp_path), 100))]
            done, results = coordinate(mongo_uri, database, tasks, callbacks=RunCallbacks(on_tick=on_tick))
        finally:
            for process in processes.values():
                process.kill()
                process.wait()
        assert done
        assert len(done_at) == 2
        assert outputs(results) == {"long": [100]}
        assert len(steps.read_text()) == 100  # went on, not anew
        assert launchpad.launches.count_documents({}) == 3


def test_a_fault_of_the_machine_decides_nothing_and_ends_its_worker(mongo_uri, tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_SCRATCH", str(tmp_path))
    monkeypatch.setattr(jobflow.SETTINGS, "JOB_STORE", jobflow.SETTINGS.JOB_STORE)
    monkeypatch.chdir(tmp_path)
    with opened(mongo_uri) as (database, launchpad):
        submit(mongo_uri, database, [task("unlucky", flows.fill_disk())])
        own = connect_launchpad(mongo_uri, kind=WorkerLaunchPad)
        with pytest.raises(MachineFaultError, match=r"^small .* given its task back: OSError: .*No space left"):
            work(
                own,
                database.job_store(),
                scratch=tmp_path,
                name="small",
                heartbeat_seconds=20,
                once=True,
                should_stop=lambda: False,
            )
        own.connection.close()
        assert launchpad.workflows.find_one({})["state"] == "READY"
        submit(mongo_uri, database, [task("unlucky", flows.fill_disk())])  # a coordinator sees no failure


def foreign_rlaunch(pad):
    """`rlaunch` of a user whose jobflow writes into a store of its own: in memory, by default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobflow.SETTINGS, "JOB_STORE", jobflow.JobStore(MemoryStore()))
        assert Rocket(pad, FWorker(), None).run(err_file=io.StringIO())


def test_what_ran_with_another_job_store_is_named_and_the_rest_goes_on(mongo_uri, tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_SCRATCH", str(tmp_path))
    monkeypatch.setattr(jobflow.SETTINGS, "JOB_STORE", jobflow.SETTINGS.JOB_STORE)
    monkeypatch.chdir(tmp_path)

    def tasks():
        return [task("alone", flows.double(1)), task("chain", flows.chain(3)), task("ours", flows.double(5))]

    with opened(mongo_uri) as (database, launchpad):
        submit(mongo_uri, database, tasks()[:2])
        for _ in range(2):  # both first jobs; the second of the chain cannot find what it refers to
            foreign_rlaunch(launchpad)
        own = connect_launchpad(mongo_uri, kind=WorkerLaunchPad)

        def finish():
            submit(mongo_uri, database, tasks())
            store = database.job_store()
            work(own, store, scratch=tmp_path, name="w", heartbeat_seconds=20, once=True, should_stop=lambda: False)
            return coordinate(mongo_uri, database, tasks())

        done, results = finish()
        assert done
        assert outputs(results)["ours"] == [10]
        for name in ("alone", "chain"):
            assert re.match(r"firework \d ran with another JobStore", results[name].error)
            assert "retry" in results[name].error
            assert "\n" not in results[name].error
        runner = make_runner(mongo_uri, database)
        runner.retry(["alone", "chain", "ours"])
        runner.close()
        done, results = finish()
        own.connection.close()
    assert done
    assert outputs(results) == {"alone": [2], "chain": [6, 12], "ours": [10]}


def test_an_existing_launchpad_is_left_as_it_is(mongo_uri):
    with opened(mongo_uri) as (_, first):
        first.add_wf(Firework([ScriptTask.from_str("true")], name="somebody's own"))
    with opened(mongo_uri) as (_, second):
        assert list(second.fw_id_assigner.find({}, {"_id": 0})) == [{"next_fw_id": 2, "next_launch_id": 1}]
        assert second.workflows.count_documents({"name": "somebody's own"}) == 1


def test_no_address_and_no_password_travel_with_a_workflow(mongo_uri):
    with opened(mongo_uri) as (database, launchpad):
        submit(mongo_uri, database, [task("one", flows.double(1))])
        stored = str(launchpad.fireworks.find_one({})) + str(launchpad.workflows.find_one({}))
    assert "mongodb" not in stored


def test_without_a_server_there_is_no_launchpad():
    with pytest.raises(InputError, match="VITRION_DATABASE_URI"):
        connect_launchpad(None)
