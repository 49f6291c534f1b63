"""Hyper-parameters of the Arrhenius surrogates."""

from dataclasses import asdict, dataclass
from typing import Any

from vitrion_models.errors import InputError

GRAPH_ARCHITECTURE = "arrhenius_gnn"
KERNEL_ARCHITECTURE = "arrhenius_kernel"


@dataclass(frozen=True)
class SurrogateConfig:
    """What is chosen before any label is seen.

    Attributes:
        architecture: ``arrhenius_gnn``, or ``arrhenius_kernel`` for the head alone (compositions without cells).
        members: crystal graph networks in the ensemble, each left without one fold of the groups.
        cutoff_A: radius of the graph.
        width: features of an atom in the graph network.
        basis_count: radial functions.
        layers: steps of message passing.
        steps: optimiser steps of each network.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_structures: cells in one optimiser step.
        length_scale: distance in descriptor space (root mean square over descriptors) over which log10 D changes.
        prior_level: log10 D expected at the reference temperature before any label, cm2/s.
        prior_level_std: its deviation, decades.
        prior_Ea_eV: activation energy expected before any label.
        prior_Ea_std_eV: its deviation.
    """

    architecture: str = GRAPH_ARCHITECTURE
    members: int = 5
    cutoff_A: float = 4.5
    width: int = 16
    basis_count: int = 8
    layers: int = 2
    steps: int = 60
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    batch_structures: int = 64
    length_scale: float = 0.5
    prior_level: float = -4.5
    prior_level_std: float = 2.0
    prior_Ea_eV: float = 0.35
    prior_Ea_std_eV: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            InputError: fewer than two members, or a size or scale that is not positive.
        """
        if self.members <= 1:
            raise InputError(f"an ensemble of {self.members} has no spread: give at least 2 members")
        for name, value in asdict(self).items():
            if name not in ("architecture", "prior_level") and not value > 0:
                raise InputError(f"surrogate configuration: {name} must be positive, not {value}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)
