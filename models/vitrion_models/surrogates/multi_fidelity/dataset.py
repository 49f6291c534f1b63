"""Samples of several sources -> labels on nodes, a node being a material in the view of one fidelity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitrion_models.heads.likelihood import Labels
from vitrion_models.heads.multi_fidelity import nodes
from vitrion_models.samples import Sample
from vitrion_models.surrogates.arrhenius_gnn.dataset import compound_error_matrix, label_set
from vitrion_models.surrogates.diffusivity import DIFFUSIVITY
from vitrion_models.system import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class NodeSet:
    """n labels on N nodes.

    Attributes:
        rows: fidelity and descriptors of the nodes, shape (N, 1 + P).
        labels: labels on the nodes.
        fidelity: fidelity of each label, shape (n,).
        groups: group of each label.
        keys: key of each label.
        error_by_compound: standard deviation of the systematic error of the highest fidelity, decades.
        compound_errors: the same for each node in the column of its compound, zero below the highest fidelity, (N, C).
    """

    rows: FloatArray
    labels: Labels
    fidelity: IntArray
    groups: tuple[str, ...]
    keys: tuple[str, ...]
    error_by_compound: dict[str, float]
    compound_errors: FloatArray


def node_set(
    samples: Sequence[Sample], fidelities: Sequence[str], *, mobile_number: int, reference_K: float
) -> NodeSet:
    """Return the arrays of samples, sorted by key.

    The discrepancy of a lower fidelity is learned, so that a stated systematic error counts in the highest one alone.

    Args:
        samples: labels of these fidelities.
        fidelities: their sources, lowest first.
        mobile_number: atomic number of the mobile species.
        reference_K: temperature at which the level is log10 D.

    Raises:
        InputError: a material lacks the mobile species, or a sample has no diffusivity.
    """
    ordered = sorted(samples, key=lambda sample: sample.key)
    data = label_set(
        [_without_learned_error(entry, fidelities[-1]) for entry in ordered],
        mobile_number=mobile_number,
        reference_K=reference_K,
    )
    fidelity = np.array([fidelities.index(sample.source) for sample in ordered], dtype=np.int64)
    pairs, node = np.unique(np.stack([fidelity, data.labels.material], axis=1), axis=0, return_inverse=True)
    errors = compound_error_matrix(
        [data.materials[material] for material in pairs[:, 1]], data.compounds, data.error_by_compound()
    )
    highest = pairs[:, 0] == len(fidelities) - 1
    return NodeSet(
        rows=nodes(data.embeddings[pairs[:, 1]], pairs[:, 0]),
        labels=replace(data.labels, material=node.reshape(-1).astype(np.int64)),
        fidelity=fidelity,
        groups=data.groups,
        keys=data.keys,
        error_by_compound=data.error_by_compound(),
        compound_errors=errors * highest[:, None],
    )


def _without_learned_error(sample: Sample, highest: str) -> Sample:
    if sample.source == highest:
        return sample
    return replace(sample, targets={DIFFUSIVITY: replace(sample[DIFFUSIVITY], systematic_stderr=0.0)})
