"""Generators by name. Importing this module imports no torch; training or loading one does."""

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.generators.contract import ProgressCallback, TrainedGenerator
from vitrion_models.system import AtomicSystem

ARCHITECTURES = {
    "amorphous_diffusion": "vitrion_models.generators.amorphous_diffusion",
}
"""Name -> package with `train` and `load`."""

DESCRIPTION_FILE = "generator.json"


def train(
    systems: Sequence[AtomicSystem],
    *,
    config: GeneratorConfig,
    seed: int,
    parent: TrainedGenerator | None = None,
    on_progress: ProgressCallback | None = None,
) -> TrainedGenerator:
    """Train the generator that the configuration names on amorphous cells.

    Args:
        systems: amorphous cells, any compositions and sizes.
        config: architecture and hyper-parameters.
        seed: equal cells, configuration, seed and parent give equal weights.
        parent: generator of the same architecture to start from.
        on_progress: called every few steps.

    Raises:
        InputError: no cells, an unknown architecture, or a parent that does not fit.
    """
    if parent is not None and parent.config.architecture != config.architecture:
        raise InputError(f"a parent of architecture {parent.config.architecture} cannot start {config.architecture}")
    package = _package(config.architecture)
    trained: TrainedGenerator = package.train(systems, config=config, seed=seed, parent=parent, on_progress=on_progress)
    return trained


def load(folder: Path | str) -> TrainedGenerator:
    """Read a stored generator of any architecture.

    Raises:
        CheckpointError: the folder holds none, or a damaged one.
    """
    path = Path(folder)
    try:
        name = json.loads((path / DESCRIPTION_FILE).read_bytes())["config"]["architecture"]
    except OSError as error:
        raise CheckpointError(f"{path}: no generator is stored here ({error.strerror})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path / DESCRIPTION_FILE}: no description of a generator") from error
    if name not in ARCHITECTURES:
        raise CheckpointError(f"{path}: architecture {name!r} is not known here; known: {', '.join(ARCHITECTURES)}")
    loaded: TrainedGenerator = _package(name).load(path)
    return loaded


def _package(name: str) -> Any:
    if name not in ARCHITECTURES:
        raise InputError(f"no generator is called {name!r}; known: {', '.join(ARCHITECTURES)}")
    return importlib.import_module(ARCHITECTURES[name])
