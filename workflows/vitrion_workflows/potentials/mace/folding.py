"""Which MACE models are folded (`mace_network`), and which are evaluated by mace-torch's own code (`mace_plain`).

A model is folded if it is made of parts that are known here, and if then a cluster of its atoms has the energy and the
gradient that its own code gives in double precision.

Importing this module imports torch.
"""

import copy
from typing import Any

import numpy as np
import torch

from vitrion_workflows.potentials.graph.force_field import Network
from vitrion_workflows.potentials.graph.neighbours import SkinLists
from vitrion_workflows.potentials.mace.network import MaceNetwork
from vitrion_workflows.potentials.mace.reference_network import PlainMaceNetwork

INTERACTIONS = {
    "RealAgnosticInteractionBlock",
    "RealAgnosticResidualInteractionBlock",
    "RealAgnosticDensityInteractionBlock",
    "RealAgnosticDensityResidualInteractionBlock",
}
# Of the greatest gradient, and of the greatest energy of an atom; single precision is a hundred times closer.
AGREEMENT = 1e-4
PROBED_ELEMENTS = 3
SPACING_A = 2.4


def network_of(model: Any, *, head: int, device: str) -> Network:
    """A model ready to be evaluated in single precision.

    Args:
        model: a `MACE` or `ScaleShiftMACE` of mace-torch, in any precision; it is changed.
        head: which of its heads is asked.
        device: ``cpu`` or ``cuda``.
    """
    if can_fold(model):
        own = PlainMaceNetwork(copy.deepcopy(model), head=head, device=device, precision=torch.float64)
        folded = MaceNetwork(copy.deepcopy(model), head=head, device=device)
        if _agree(folded, own, model.atomic_numbers.tolist(), device):
            return folded
    return PlainMaceNetwork(model, head=head, device=device)


def can_fold(model: Any) -> bool:
    """Whether a model is made of parts that can be folded."""
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
    # As many channels of each degree and parity, each of which occurs once.
    return len({block.mul for block in irreps}) == 1 and len({block.ir for block in irreps}) == len(irreps)


def _agree(one: Network, other: Network, known: list[int], device: str) -> bool:
    corners = np.stack(np.meshgrid(*[np.arange(2.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = SPACING_A * corners + np.random.default_rng(0).uniform(-0.3, 0.3, corners.shape)
    edges = SkinLists(one.cutoff_A, device=device).edges([(positions, np.eye(3) * (4 * SPACING_A + 2 * one.cutoff_A))])
    chosen = np.linspace(0, len(known) - 1, min(len(known), PROBED_ELEMENTS)).round().astype(int)
    numbers = torch.tensor(known)[torch.from_numpy(np.resize(chosen, len(corners)))].to(device)
    alone = SkinLists(one.cutoff_A, device=device).edges([(positions * 100, np.eye(3) * 1000)])
    found, wanted = (
        (*network.energies(numbers, edges), network.energies(numbers, alone)[0]) for network in (one, other)
    )
    bound = (wanted[0] - wanted[2]).abs().max(), wanted[1].abs().max()
    return all(
        float((ours.double() - theirs.double()).abs().max()) <= AGREEMENT * float(greatest)
        for ours, theirs, greatest in zip(found[:2], wanted[:2], bound, strict=True)
    )
