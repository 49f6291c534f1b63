"""Generative models of amorphous cells.

Example:
    >>> from vitrion_models import generators
    >>> model = generators.train(cells, config=generators.AmorphousDiffusionConfig(), seed=1)  # doctest: +SKIP
    >>> request = generators.GenerationRequest(
    ...     count=4, seed=2, composition=cells[0].numbers, cell_A=cells[0].lattice_A
    ... )  # doctest: +SKIP
    >>> glasses = model.sample(request)  # doctest: +SKIP
"""

from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig
from vitrion_models.generators.comparison import GeneratorMetrics, compare
from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.generators.contract import LossBand, TrainedGenerator, TrainingMetrics, TrainingProgress
from vitrion_models.generators.registry import ARCHITECTURES, dumps, load, loads, save, train
from vitrion_models.generators.request import GenerationRequest

__all__ = [
    "ARCHITECTURES",
    "AmorphousDiffusionConfig",
    "GenerationRequest",
    "GeneratorConfig",
    "GeneratorMetrics",
    "LossBand",
    "TrainedGenerator",
    "TrainingMetrics",
    "TrainingProgress",
    "compare",
    "dumps",
    "load",
    "loads",
    "save",
    "train",
]
