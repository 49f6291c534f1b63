"""A potential that records the devices it is loaded on, on a machine that seems to have GPUs."""

from dataclasses import replace

import pytest

from vitrion_workflows.execution import engines
from vitrion_workflows.potentials import devices, find
from vitrion_workflows.potentials.adapters import lennard_jones

STUB = "stub"


@pytest.fixture
def loaded_on(monkeypatch):
    """Devices on which the potential `stub` (Lennard-Jones) was loaded; the machine seems to have two GPUs."""
    entry, _ = find("lennard-jones")
    used = []

    def load(argument, device):
        used.append(device)
        return entry.loader(argument, "cpu")

    # What another test has loaded would not be loaded again.
    stub = replace(entry, name=STUB, gpu=True, loader=load)
    monkeypatch.setattr(lennard_jones, "ENTRIES", (*lennard_jones.ENTRIES, stub))
    monkeypatch.setattr(devices, "count_gpus", lambda: 2)
    engines._loaded.cache_clear()
    yield used
    engines._loaded.cache_clear()
