"""Hyper-parameters of the two Arrhenius surrogates."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vitrion_models.heads.arrhenius import ArrheniusPrior

GRAPH_ARCHITECTURE: Literal["arrhenius_gnn"] = "arrhenius_gnn"
KERNEL_ARCHITECTURE: Literal["arrhenius_kernel"] = "arrhenius_kernel"


class ArrheniusConfig(BaseModel):
    """Priors of the Arrhenius head, which all Arrhenius architectures share.

    Attributes:
        members: folds of the cross-fitting; in ``arrhenius_gnn`` also the crystal networks, each trained without one
            fold of the groups.
        length_scale: distance in descriptor space (root mean square over descriptors) over which log10 D changes.
        prior_level: log10 D expected at the reference temperature before any label, D in cm2/s.
        prior_level_std: its standard deviation, decades.
        prior_Ea_eV: activation energy expected before any label.
        prior_Ea_std_eV: its standard deviation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    members: int = Field(default=5, ge=2)
    length_scale: float = Field(default=0.5, gt=0)
    prior_level: float = -4.5
    prior_level_std: float = Field(default=2.0, gt=0)
    prior_Ea_eV: float = Field(default=0.35, gt=0)
    prior_Ea_std_eV: float = Field(default=0.2, gt=0)

    @property
    def prior(self) -> ArrheniusPrior:
        """Prior of the head."""
        return ArrheniusPrior(
            level=self.prior_level,
            level_std=self.prior_level_std,
            Ea_eV=self.prior_Ea_eV,
            Ea_std_eV=self.prior_Ea_std_eV,
            length_scale=self.length_scale,
        )


class ArrheniusKernelConfig(ArrheniusConfig):
    """The Arrhenius head on descriptors alone: for compositions without cells, and for speed."""

    architecture: Literal["arrhenius_kernel"] = KERNEL_ARCHITECTURE


class ArrheniusGNNConfig(ArrheniusConfig):
    """The Arrhenius head on descriptors, corrected by an ensemble of crystal networks.

    Attributes:
        cutoff_A: radius of the graph.
        width: features of an atom in the network.
        basis_count: radial functions.
        layers: steps of message passing.
        steps: optimiser steps of each network.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_structures: cells in one optimiser step.
    """

    architecture: Literal["arrhenius_gnn"] = GRAPH_ARCHITECTURE
    cutoff_A: float = Field(default=4.5, gt=0)
    width: int = Field(default=16, gt=0)
    basis_count: int = Field(default=8, gt=0)
    layers: int = Field(default=2, gt=0)
    steps: int = Field(default=60, gt=0)
    learning_rate: float = Field(default=5e-3, gt=0)
    weight_decay: float = Field(default=1e-2, gt=0)
    batch_structures: int = Field(default=64, gt=0)
