"""One rule for signals: 130 after Ctrl-C and 143 after SIGTERM, in every command, from its first import on."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
import yaml
from refusals import ROCK_SALT_CIF
from tiny_campaign import TINY

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
# A command, and the module after whose import the signal comes.
MOMENTS = (
    (("structures", "list"), "typer"),
    (("structures", "list"), "pydantic"),
    (("ingest", "structures", "good.cif"), "pymatgen.core.lattice"),
    (("campaign", "run", "campaign.yaml"), "jobflow.core.job"),
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "good.cif").write_text(ROCK_SALT_CIF)
    (tmp_path / "campaign.yaml").write_text(yaml.safe_dump(TINY))
    return tmp_path


@contextmanager
def started(folder, *words):
    """Start a command that reports each import on standard error when it is done; it is killed at the end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VITRION_")}
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "vitrion", *words],
        cwd=folder,
        env={**kept, "OMP_NUM_THREADS": "1", "VITRION_HOME": str(folder / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def ends_by(process, number, *, after):
    """Send a signal once a text was printed, and check how the command ends."""
    assert any(line.rstrip().endswith(after) for line in process.stderr), f"{after} did not come"
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    lines = [line for line in errors.splitlines() if not line.startswith("import time:")]
    assert process.returncode == CODES[number], lines
    assert not any("Traceback" in line or "ignored" in line for line in lines), lines


@pytest.mark.parametrize(("words", "module"), MOMENTS)
@pytest.mark.parametrize("number", CODES)
def test_a_signal_during_an_import_ends_the_command(folder, words, module, number):
    with started(folder, *words) as process:
        ends_by(process, number, after=f" {module}")


@pytest.mark.parametrize("number", CODES)
def test_a_signal_during_a_step_of_a_schedule_ends_it(folder, number):
    with started(folder, "schedule", "campaign.yaml", "--every", "1h") as process:
        ends_by(process, number, after="choosing what to label")


def test_a_label_writes_its_checkpoint_first(folder):
    with started(folder, "label", "good.cif", "-t", "1000", "--potential", "lennard-jones", "--ps", "500") as process:
        ends_by(process, signal.SIGTERM, after=" jobflow.managers.local")
