import multiprocessing
import os
import signal
import time
from pathlib import Path

import psutil
import pytest
import vitrion_flows as flows
from vitrion_flows import outputs, results_of, task

from vitrion.running.local_runner import MOST_ATTEMPTS, LocalRunner, _Worker
from vitrion.running.spool import Spool
from vitrion.running.task import MachineFaultError, RunCallbacks, TaskResult


def run(tmp_path, tasks, *, workers=2, **options):
    return results_of(LocalRunner(workers=workers, scratch=tmp_path), tasks, **options)


def test_flows_run_and_results_bring_tasks(tmp_path):
    def follow(result):
        return [task("later", flows.double(7))] if result.task_id == "first" else []

    done, results = run(tmp_path, [task("first", flows.chain(3)), task("other", flows.double(1))], follow=follow)
    assert done
    assert outputs(results) == {"first": [6, 12], "other": [2], "later": [14]}
    assert all(document["metadata"]["vitrion_task"] == "first" for document in results["first"].documents)
    assert not list((tmp_path / "results").iterdir())


def test_a_fault_belongs_to_its_task_alone(tmp_path):
    done, results = run(tmp_path, [task("bad", flows.fail("no\nsuch luck")), task("good", flows.double(2))], workers=1)
    assert done
    assert results["bad"].error == "ValueError: no"
    assert results["bad"].documents == ()
    assert results["good"].error is None


def test_a_full_disk_stops_the_run_and_decides_nothing(tmp_path):
    with pytest.raises(MachineFaultError, match="No space left"):
        run(tmp_path, [task("unlucky", flows.fill_disk())], workers=1)
    assert not list((tmp_path / "results").iterdir())


def test_a_worker_that_dies_is_replaced(tmp_path):
    done, results = run(tmp_path, [task("mortal", flows.die_until(str(tmp_path), 2)), task("good", flows.double(2))])
    assert done
    assert outputs(results)["mortal"] == [2]
    assert results["good"].error is None


def test_a_task_that_kills_every_worker_is_given_up(tmp_path):
    _, results = run(tmp_path, [task("deadly", flows.die_until(str(tmp_path), 99))], workers=1)
    assert "died 3 times" in results["deadly"].error


def test_a_worker_that_died_while_it_was_idle_is_replaced(tmp_path):
    runner = LocalRunner(workers=1, scratch=tmp_path)
    results = []
    try:
        for name in ("first", "second"):
            kept = [task(name, flows.double(2))]
            assert runner.run(kept, on_result=lambda result: results.append(result) or [], callbacks=RunCallbacks())
            for child in psutil.Process().children():
                if "spawn_main" in " ".join(child.cmdline()):
                    child.kill()
                    child.wait()
    finally:
        runner.close()
    assert [result.error for result in results] == [None, None]


def test_a_result_that_was_spooled_before_its_worker_died_counts(tmp_path):
    runner = LocalRunner(workers=1, scratch=tmp_path)
    Spool(tmp_path / "results").write(TaskResult("done", ()))
    dead = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0,))
    dead.start()
    asked = task("done", flows.double(1))
    worker = _Worker(name="w", process=dead, connection=None, task=asked)
    assert runner._after_death(worker, {"done": MOST_ATTEMPTS - 1}, lambda _result: pytest.fail("given up")) == [asked]


@pytest.mark.parametrize(("rerun_finished", "left"), [(False, {"good"}), (True, set())])
def test_what_was_finished_is_forgotten_only_where_it_is_wanted_anew(tmp_path, rerun_finished, left):
    spool = Spool(tmp_path / "results")
    spool.write(TaskResult("good", ()))
    spool.write(TaskResult("failed", (), error="ValueError: unlucky"))
    LocalRunner(workers=1, scratch=tmp_path).retry(["good", "failed", "unknown"], rerun_finished=rerun_finished)
    assert {name for name in ("good", "failed", "unknown") if spool.read(name) is not None} == left


def test_a_worker_that_heard_of_a_stop_as_its_task_ended_is_not_waited_for(tmp_path, monkeypatch):
    # Its handler has taken the signal, nothing was left to stop, and it waits for its next task.
    monkeypatch.setattr("vitrion.running.local_runner.STOP_GRACE_SECONDS", 5.0)
    runner = LocalRunner(workers=1, scratch=tmp_path)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=flows.be_deaf, args=(theirs,))
    process.start()
    theirs.close()
    assert ours.recv_bytes() == b"ready"
    runner._workers = [_Worker(name="w", process=process, connection=ours)]
    runner.close()
    assert process.exitcode == 0  # not killed


def test_a_result_that_somebody_took_away_is_told_in_one_line(tmp_path):
    runner = LocalRunner(workers=1, scratch=tmp_path)
    runner._spool = Spool(tmp_path / "elsewhere")
    try:
        with pytest.raises(MachineFaultError, match="another process has taken it"):
            runner.run([task("one", flows.double(1))], on_result=lambda _: [], callbacks=RunCallbacks())
    finally:
        runner.close()


def test_a_stop_ends_early_and_says_so(tmp_path):
    begun = time.monotonic()
    callbacks = RunCallbacks(should_stop=lambda: time.monotonic() - begun > 1)
    done, results = run(tmp_path, [task("long", flows.sleep(600))], workers=1, callbacks=callbacks)
    assert not done
    assert results == {}


def _coordinate(folder):
    tasks = [task("quick", flows.double(5, str(folder / "record"))), task("long", flows.sleep(600))]
    # A coordinator that dies after the work but before the result is stored anywhere.
    run(folder, tasks, follow=lambda _result: os.kill(os.getpid(), signal.SIGKILL))


def test_a_killed_coordinator_loses_nothing_and_leaves_nobody(tmp_path):
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    coordinator = multiprocessing.get_context("spawn").Process(target=_coordinate, args=(tmp_path,))
    coordinator.start()
    deadline = time.monotonic() + 120
    family = set()
    while coordinator.is_alive():
        assert time.monotonic() < deadline
        family |= {child.pid for child in psutil.Process().children(recursive=True)} - before
        time.sleep(0.05)
    coordinator.join()
    while time.monotonic() < deadline and any(_works(pid) for pid in family):
        time.sleep(0.1)
    assert not any(_works(pid) for pid in family)

    done, results = run(tmp_path, [task("quick", flows.double(5, str(tmp_path / "record")))])
    assert done
    assert outputs(results) == {"quick": [10]}
    assert Path(tmp_path / "record").read_text() == "5\n"  # computed once


def _works(pid):
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_no_result(tmp_path, workers):
    _, results = run(tmp_path, [task(f"n{number}", flows.double(number)) for number in range(6)], workers=workers)
    assert outputs(results) == {f"n{number}": [2 * number] for number in range(6)}


def test_a_ctrl_c_while_a_worker_starts_is_heard_and_the_worker_never_hears_it(tmp_path, monkeypatch):
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    start = multiprocessing.get_context("spawn").Process.start

    def start_and_interrupt(process):
        os.kill(os.getpid(), signal.SIGINT)
        start(process)
        os.kill(process.pid, signal.SIGINT)

    monkeypatch.setattr(multiprocessing.get_context("spawn").Process, "start", start_and_interrupt)
    try:
        done, results = run(tmp_path, [task("only", flows.double(2))], workers=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done
    assert heard
    assert results["only"].worker == "worker-1"
    assert results["only"].error is None


@pytest.mark.parametrize(("given", "seen"), [(None, "1"), ("3", "3")])
def test_a_worker_has_one_thread_unless_the_user_says_otherwise(tmp_path, monkeypatch, given, seen):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    _, results = run(tmp_path, [task("ask", flows.variable("OMP_NUM_THREADS"))], workers=1)
    assert results["ask"].documents[0]["output"] == seen
    assert os.environ.get("OMP_NUM_THREADS") == given
