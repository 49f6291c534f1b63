"""Configuration of any surrogate: a union that `architecture` discriminates."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig, ArrheniusKernelConfig

SurrogateConfig: TypeAlias = Annotated[ArrheniusGNNConfig | ArrheniusKernelConfig, Field(discriminator="architecture")]
"""Field type for a campaign file or a checkpoint; `ArrheniusGNNConfig()` is the default surrogate."""
