"""Choice between our evaluation of a MACE model (`network`) and mace-torch's own code (`reference_network`).

A model is *folded*, that is, everything that is constant after training is precomputed, if all its parts are of known
kinds and the folded model agrees with mace-torch in double precision on the energies and the gradient of a cluster.

Importing this module imports torch.
"""

import copy
from typing import Any

import numpy as np
import torch

from vitrion_workflows.potentials.graph.force_field import Network
from vitrion_workflows.potentials.graph.neighbours import SkinLists
from vitrion_workflows.potentials.mace.network import MaceNetwork
from vitrion_workflows.potentials.mace.reference_network import ReferenceMaceNetwork

INTERACTIONS = {
    "RealAgnosticInteractionBlock",
    "RealAgnosticResidualInteractionBlock",
    "RealAgnosticDensityInteractionBlock",
    "RealAgnosticDensityResidualInteractionBlock",
}
# Relative to the greatest gradient and the greatest energy of an atom; single precision is a hundred times better.
AGREEMENT = 1e-4
PROBED_ELEMENTS = 3
SPACING_A = 2.4


def network_of(model: Any, *, head: int, device: str) -> Network:
    """Return the network of a model, ready to be evaluated in single precision.

    Args:
        model: a `MACE` or `ScaleShiftMACE` of mace-torch, in any precision; it is changed.
        head: index of the head that is evaluated.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
    """
    if can_fold(model):
        reference = ReferenceMaceNetwork(copy.deepcopy(model), head=head, device=device, precision=torch.float64)
        folded = MaceNetwork(copy.deepcopy(model), head=head, device=device)
        if _agree(folded, reference, model.atomic_numbers.tolist(), device):
            return folded
    return ReferenceMaceNetwork(model, head=head, device=device)


def can_fold(model: Any) -> bool:
    """Return True if all parts of a model are of kinds that can be folded."""
    layers = len(model.interactions)
    return (
        not hasattr(model, "joint_embedding")
        and len(model.readouts) in {1, layers}
        and all(
            _known_interaction(interaction) and _known_product(product)
            for interaction, product in zip(model.interactions, model.products, strict=True)
        )
    )


def _known_interaction(interaction: Any) -> bool:
    if type(interaction).__name__ not in INTERACTIONS:
        return False
    maps = (interaction.linear_up, interaction.conv_tp, interaction.linear, interaction.skip_tp)
    if not all(type(part).__module__.startswith("e3nn.") for part in maps):
        return False
    convolution = interaction.conv_tp
    reached = {convolution.irreps_out[instruction.i_out].ir for instruction in convolution.instructions}
    return (
        all(instruction.connection_mode == "uvu" for instruction in convolution.instructions)
        and all(block.mul == 1 for block in convolution.irreps_in2)
        and all(block.ir in reached for block in interaction.irreps_out)
        and _even(interaction.node_feats_irreps)
        and _even(convolution.irreps_in1)
        and _even(interaction.irreps_out)
        and _even(interaction.skip_tp.irreps_out)
    )


def _known_product(product: Any) -> bool:
    contraction = product.symmetric_contractions
    return (
        type(contraction).__name__ == "SymmetricContraction"
        and type(contraction).__module__.startswith("mace.")
        and type(product.linear).__module__.startswith("e3nn.")
        and len({block.correlation for block in contraction.contractions}) == 1
        and _even(contraction.irreps_out)
    )


def _even(irreps: Any) -> bool:
    # The same number of channels for each degree and parity, each of which occurs once.
    return len({block.mul for block in irreps}) == 1 and len({block.ir for block in irreps}) == len(irreps)


def _agree(folded: Network, reference: Network, atomic_numbers: list[int], device: str) -> bool:
    corners = np.stack(np.meshgrid(*[np.arange(2.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = SPACING_A * corners + np.random.default_rng(0).uniform(-0.3, 0.3, corners.shape)
    cutoff_A, count = folded.cutoff_A, len(atomic_numbers)
    edges = SkinLists(cutoff_A, device=device).edges([(positions, np.eye(3) * (4 * SPACING_A + 2 * cutoff_A))])
    chosen = np.linspace(0, count - 1, min(count, PROBED_ELEMENTS)).round().astype(int)
    numbers = torch.tensor(atomic_numbers)[torch.from_numpy(np.resize(chosen, len(corners)))].to(device)
    isolated = SkinLists(cutoff_A, device=device).edges([(positions * 100, np.eye(3) * 1000)])
    expected, isolated_energies = reference.energies(numbers, edges), reference.energies(numbers, isolated)[0]
    scales = (expected[0] - isolated_energies).abs().max(), expected[1].abs().max()
    return all(
        float((ours.double() - theirs.double()).abs().max()) <= AGREEMENT * float(scale)
        for ours, theirs, scale in zip(folded.energies(numbers, edges), expected, scales, strict=True)
    )
