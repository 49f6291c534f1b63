"""Fixtures of all test folders."""

import os
from pathlib import Path

import pytest

pytest_plugins = ["database_fixtures", "stub_potentials"]


@pytest.fixture(scope="session")
def data_mirror():
    """Folder of the real data; tests that take it carry the marker `data`."""
    return Path(os.environ["VITRION_DATA_MIRROR"])


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where labelling jobs keep their checkpoints."""
    monkeypatch.setenv("VITRION_SCRATCH", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


@pytest.fixture
def independent_walkers(monkeypatch):
    """Measure contacts in the first frame only: synthetic walkers feel no forces and pass through each other."""
    monkeypatch.setattr("vitrion_workflows.validation.trajectory_checks.FRAMES_OF_CONTACTS", 1)
