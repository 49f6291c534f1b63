"""Generators by name. Importing this module does not import torch; training and loading do."""

from collections.abc import Sequence

from vitrion_models.errors import InputError
from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.generators.contract import ProgressCallback, TrainedGenerator
from vitrion_models.system import AtomicSystem
from vitrion_models.training.architectures import Architectures

ARCHITECTURES: Architectures[TrainedGenerator] = Architectures(
    kind="generator", folders={"amorphous_diffusion": "vitrion_models.generators.amorphous_diffusion"}
)
dumps, save, loads, load = ARCHITECTURES.dumps, ARCHITECTURES.save, ARCHITECTURES.loads, ARCHITECTURES.load


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
        systems: amorphous cells of any compositions and sizes.
        config: architecture and hyper-parameters.
        seed: equal cells, configuration, seed and parent give equal weights.
        parent: generator of the same architecture to start from.
        on_progress: called every few steps.

    Raises:
        InputError: no cells, or a parent of another architecture or shape.
    """
    if parent is not None and parent.architecture != config.architecture:
        raise InputError(f"a parent of architecture {parent.architecture} cannot start {config.architecture}")
    trainer = ARCHITECTURES.trainer(config.architecture)
    trained = trainer.train(systems, config=config, seed=seed, parent=parent, on_progress=on_progress)
    return ARCHITECTURES.identified(trained)
