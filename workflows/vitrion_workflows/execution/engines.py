"""Potentials as jobs use them: loaded once in a process, and named in every method record."""

from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version

import numpy as np
from ase.data import atomic_numbers

from vitrion_workflows import potentials
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import MethodRecord, StartRecord

ENGINE = "vitrion"


@lru_cache(maxsize=4)
def force_field(name: str) -> ForceField:
    """A loaded potential; the same object for the same name.

    Raises:
        VitrionError: see `vitrion_workflows.potentials.load`.
    """
    return potentials.load(name)


def usable_potential(name: str | None, *, elements: Iterable[str]) -> str:
    """The potential that was named, or the default, checked before anything starts.

    Args:
        name: registry name, or None for the default.
        elements: symbols that it must cover.

    Raises:
        VitrionError: it is unknown, not installed, lacks its weights, or does not cover an element.
    """
    chosen = potentials.default_potential()[0] if name is None else name
    force_field(chosen).require_elements(np.array([atomic_numbers[symbol] for symbol in elements]))
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
    """How a number is about to be made with a potential."""
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
