"""Potentials of jobs: loaded once in a process, on a device, and recorded with every result."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.metadata import version

import numpy as np
from ase.data import atomic_numbers

from vitrion_workflows import potentials
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.potentials.devices import check_device_name, choose_device
from vitrion_workflows.schemas import MethodRecord, StartRecord

ENGINE = "vitrion"


_device_of_process: ContextVar[str | None] = ContextVar("device_of_process", default=None)


def force_field(name: str, device: str) -> ForceField:
    """Return a loaded potential, the same object for the same name and device.

    Args:
        name: registry name.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``; overruled where the process has a device of its own.

    Raises:
        VitrionError: see `vitrion_workflows.potentials.load`.
    """
    entry, _ = potentials.find(name)
    return _loaded(name, choose_device(entry, _device_of_process.get() or device))


@lru_cache(maxsize=4)
def _loaded(name: str, device: str) -> ForceField:
    return potentials.load(name, device=device)


@contextmanager
def jobs_run_on(device: str | None) -> Iterator[None]:
    """Run every job of this process on a device, whatever its flow asks for; None leaves the choice to the flow.

    Raises:
        InputError: there is no such kind of device.
    """
    if device is not None:
        check_device_name(device)
    token = _device_of_process.set(device)
    try:
        yield
    finally:
        _device_of_process.reset(token)


def usable_potential(name: str | None, *, elements: Iterable[str], device: str) -> str:
    """Return the name of a potential, or of the default one, loaded and checked before anything starts.

    Args:
        name: registry name, or None for the default.
        elements: symbols that it must cover.
        device: on which it must run.

    Raises:
        VitrionError: it is unknown, not installed, lacks its weights, does not run on the device, or does not cover an
            element.
    """
    chosen = potentials.default_potential()[0] if name is None else name
    force_field(chosen, device).require_elements(np.array([atomic_numbers[symbol] for symbol in elements]))
    return chosen


def method_record(
    potential: ForceField,
    *,
    time_step_fs: float,
    frame_interval_ps: float,
    thermostat: str,
    seed: int,
    ensemble: str = "NVT",
    start: StartRecord | None = None,
) -> MethodRecord:
    """Return the record of how a quantity is computed with a potential."""
    return MethodRecord(
        engine=ENGINE,
        potential=potential.name,
        potential_version=potential.version,
        weights_sha256=potential.weights_sha256,
        time_step_fs=time_step_fs,
        frame_interval_ps=frame_interval_ps,
        thermostat=thermostat,
        ensemble=ensemble,
        seed=seed,
        code_version=version("vitrion"),
        start=start,
    )
