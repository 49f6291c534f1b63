"""Hyper-parameters of the multi-fidelity surrogate."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator

from vitrion_models.heads.multi_fidelity import FidelityLink, MultiFidelityPrior
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusConfig


class MultiFidelityConfig(ArrheniusConfig):
    """The Arrhenius head on descriptors, for labels of several sources.

    Attributes:
        fidelities: sources of the labels (`Sample.source`), least trusted first; the last is predicted. A campaign
            fills them in. Empty: the one source of the labels.
        prior_offset_std: deviation of the mean difference between neighbouring fidelities at the reference temperature
            before any label, decades.
        prior_Ea_offset_std_eV: deviation of their mean difference in activation energy.
    """

    architecture: Literal["multi_fidelity"] = "multi_fidelity"
    fidelities: tuple[str, ...] = ()
    prior_offset_std: float = Field(default=0.3, gt=0)
    prior_Ea_offset_std_eV: float = Field(default=0.1, gt=0)

    @field_validator("fidelities")
    @classmethod
    def _check_fidelities(cls, fidelities: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(fidelities)) < len(fidelities):
            raise ValueError("name each fidelity once")
        return fidelities

    def multi_prior(self, links: Sequence[FidelityLink]) -> MultiFidelityPrior:
        """Return the prior of the head with given links between neighbouring fidelities."""
        return MultiFidelityPrior(
            lowest=self.prior,
            links=tuple(links),
            offset_std=self.prior_offset_std,
            Ea_offset_std_eV=self.prior_Ea_offset_std_eV,
        )
