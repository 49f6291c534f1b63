"""Surrogates: structure and temperature -> log10 D with a calibrated interval."""

from vitrion_models.materials import Material
from vitrion_models.samples import Measurement, Sample
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig, ArrheniusKernelConfig
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.surrogates.contract import Progress, TrainedSurrogate
from vitrion_models.surrogates.diffusivity import DIFFUSIVITY, DiffusivityPrediction, diffusivity_sample
from vitrion_models.surrogates.multi_fidelity.config import MultiFidelityConfig
from vitrion_models.surrogates.registry import ARCHITECTURES, dumps, load, loads, save, train

__all__ = [
    "ARCHITECTURES",
    "DIFFUSIVITY",
    "ArrheniusGNNConfig",
    "ArrheniusKernelConfig",
    "DiffusivityPrediction",
    "Material",
    "Measurement",
    "MultiFidelityConfig",
    "Progress",
    "Sample",
    "SurrogateConfig",
    "TrainedSurrogate",
    "diffusivity_sample",
    "dumps",
    "load",
    "loads",
    "save",
    "train",
]
