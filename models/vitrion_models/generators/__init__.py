"""Generative models of amorphous cells: composition, number of atoms and lattice given, coordinates drawn.

Example:
    >>> from vitrion_models import generators
    >>> model = generators.train(cells, config=generators.AmorphousDiffusionConfig(), seed=1)  # doctest: +SKIP
    >>> glasses = model.sample(cells[0].numbers, cells[0].lattice_A, count=4, seed=2)  # doctest: +SKIP
"""

from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig
from vitrion_models.generators.comparison import GeneratorMetrics, compare
from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.generators.contract import LossBand, TrainedGenerator, TrainingMetrics, TrainingProgress
from vitrion_models.generators.registry import ARCHITECTURES, load, loads, train

__all__ = [
    "ARCHITECTURES",
    "AmorphousDiffusionConfig",
    "GeneratorConfig",
    "GeneratorMetrics",
    "LossBand",
    "TrainedGenerator",
    "TrainingMetrics",
    "TrainingProgress",
    "compare",
    "load",
    "loads",
    "train",
]
