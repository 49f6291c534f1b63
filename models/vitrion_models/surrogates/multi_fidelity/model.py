"""A trained multi-fidelity surrogate: it predicts its highest fidelity, or any other on request."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from vitrion_models.backbones import DescriptorBackbone
from vitrion_models.errors import InputError
from vitrion_models.heads.arrhenius import ArrheniusPosterior
from vitrion_models.heads.multi_fidelity import FidelityLink, MultiFidelityPrior, nodes
from vitrion_models.materials import Material, atomic_number
from vitrion_models.surrogates.arrhenius_gnn.dataset import compound_error_matrix
from vitrion_models.surrogates.arrhenius_gnn.model import ArrheniusSurrogate
from vitrion_models.surrogates.multi_fidelity.config import MultiFidelityConfig
from vitrion_models.system import FloatArray


@dataclass(frozen=True, eq=False)
class MultiFidelitySurrogate(ArrheniusSurrogate):
    """A surrogate of the architecture ``multi_fidelity``.

    Its head is fitted on nodes (`vitrion_models.heads.multi_fidelity`). `source` is the fidelity that it predicts.
    """

    @property
    def fidelities(self) -> tuple[str, ...]:
        """Sources of the labels, lowest first."""
        config = self.config
        named = config.fidelities if isinstance(config, MultiFidelityConfig) else ()
        return named or (self.source,)

    @property
    def links(self) -> tuple[FidelityLink, ...]:
        """Relation of each fidelity to the one below it."""
        prior = self.head.prior
        return prior.links if isinstance(prior, MultiFidelityPrior) else ()

    def of_source(self, source: str) -> Self:
        """Return the surrogate that predicts labels of one of its sources.

        Raises:
            InputError: it learned from other sources.
        """
        if source not in self.fidelities:
            raise InputError(f"the surrogate knows no labels of {source or 'a source not stated'}: train one with them")
        return replace(self, source=source)

    def posterior_of_all(self, materials: Sequence[Material]) -> ArrheniusPosterior:
        """Return the joint posterior of S materials in the view of all F fidelities: node f * S + s, F * S nodes."""
        count = len(self.fidelities)
        embeddings = DescriptorBackbone(atomic_number(self.species))(materials)
        errors = self._errors(materials)
        below = np.zeros(((count - 1) * len(materials), errors.shape[1]))
        fidelity = np.repeat(np.arange(count), len(materials))
        return self.head.posterior(nodes(np.tile(embeddings, (count, 1)), fidelity), np.concatenate([below, errors]))

    def _posterior(self, materials: Sequence[Material]) -> tuple[ArrheniusPosterior, FloatArray]:
        fidelity = self.fidelities.index(self.source)
        embeddings = DescriptorBackbone(atomic_number(self.species))(materials)
        errors = self._errors(materials) * (fidelity == len(self.fidelities) - 1)
        rows = nodes(embeddings, np.full(len(materials), fidelity))
        return self.head.posterior(rows, errors), np.zeros((1, len(materials), 2))

    def _errors(self, materials: Sequence[Material]) -> FloatArray:
        return compound_error_matrix(materials, list(self.compound_errors), self.compound_errors)
