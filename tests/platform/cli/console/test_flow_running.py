import os
import subprocess
import sys

from jobflow import Flow, job

from vitrion.cli.console.flow_running import COMMAND, run_flow
from vitrion_workflows.execution.scratch import PROGRESS_FILE


@job
def five():
    return 5


def test_a_command_removes_the_progress_of_killed_ones_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_SCRATCH", str(tmp_path))
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    for process in (killed.pid, os.getppid()):
        (tmp_path / f"{COMMAND}{process}").mkdir()
        (tmp_path / f"{COMMAND}{process}" / PROGRESS_FILE).write_text("{}")
    (document,) = run_flow(Flow([five()]), description="five", quiet=True)
    assert document["output"] == 5
    assert [folder.name for folder in tmp_path.iterdir()] == [f"{COMMAND}{os.getppid()}"]
