"""A database that holds the crystal of `job_outputs`."""

import pytest
from job_outputs import CRYSTAL

import vitrion


@pytest.fixture
def database(tmp_path):
    with vitrion.connect(home=tmp_path / "home") as db:
        db.structures.add(CRYSTAL, kind="crystal")
        yield db
