"""A remote potential that is closed at the end of its test."""

import pytest
from remote_clients import describe

from vitrion_workflows import potentials


@pytest.fixture
def remote(tmp_path):
    """A function that loads a description; what it loaded is closed at the end."""
    loaded = []

    def load(**changes):
        loaded.append(potentials.load(f"remote:{describe(tmp_path, **changes)}"))
        return loaded[-1]

    yield load
    for field in loaded:
        field.close()
