"""Structure and temperature -> log10 D with an honest interval."""

from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig, ArrheniusKernelConfig
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.contract import Progress, TrainedSurrogate
from vitrion_models.surrogates.observation import Material, Observation
from vitrion_models.surrogates.prediction import Prediction
from vitrion_models.surrogates.registry import ARCHITECTURES, load, loads, train

__all__ = [
    "ARCHITECTURES",
    "ArrheniusGNNConfig",
    "ArrheniusKernelConfig",
    "Material",
    "Observation",
    "Prediction",
    "Progress",
    "SurrogateConfig",
    "TrainedSurrogate",
    "load",
    "loads",
    "train",
]
