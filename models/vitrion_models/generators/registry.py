"""Generators by name. Importing this module imports no torch; training or loading one does."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.generators.contract import KIND, SCHEMA_VERSION, ProgressCallback, TrainedGenerator
from vitrion_models.system import AtomicSystem
from vitrion_models.training import checkpoint

ARCHITECTURES = {
    "amorphous_diffusion": "vitrion_models.generators.amorphous_diffusion.model",
}
"""Name -> module with `train` and `loads`."""


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


def load(path: Path | str) -> TrainedGenerator:
    """Read a stored generator of any architecture, from its folder or its artefact file.

    Raises:
        CheckpointError: there is none, or it is damaged, of another kind or of a newer schema.
    """
    return loads(checkpoint.read(Path(path)), source=str(path))


def loads(content: bytes, *, source: str) -> TrainedGenerator:
    """Generator of any architecture from the bytes of its artefact.

    Args:
        content: what `TrainedGenerator.dumps` gave.
        source: file or record they came from, for messages.

    Raises:
        CheckpointError: damaged, of another kind, of an unknown architecture or of a newer schema.
    """
    _, manifest = checkpoint.unpack(content, source=source)
    checkpoint.require(manifest, kind=KIND, schema_version=SCHEMA_VERSION, source=source)
    name = manifest.get("config", {}).get("architecture")
    if name not in ARCHITECTURES:
        raise CheckpointError(f"{source}: architecture {name!r} is not known here; known: {', '.join(ARCHITECTURES)}")
    loaded: TrainedGenerator = _package(name).loads(content, source=source)
    return loaded


def _package(name: str) -> Any:
    if name not in ARCHITECTURES:
        raise InputError(f"no generator is called {name!r}; known: {', '.join(ARCHITECTURES)}")
    return importlib.import_module(ARCHITECTURES[name])
