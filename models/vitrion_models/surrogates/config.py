"""Configuration of any surrogate: a union that `architecture` discriminates."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig, ArrheniusKernelConfig
from vitrion_models.surrogates.multi_fidelity.config import MultiFidelityConfig

SurrogateConfig: TypeAlias = Annotated[
    ArrheniusGNNConfig | ArrheniusKernelConfig | MultiFidelityConfig, Field(discriminator="architecture")
]
"""Field type for a campaign file or a checkpoint; `ArrheniusGNNConfig()` is the default surrogate."""
