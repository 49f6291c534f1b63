"""Small models of mace-torch with weights at random."""

import numpy as np
import torch

RESIDUAL = "RealAgnosticResidualInteractionBlock"


def model_of(*, first="RealAgnosticInteractionBlock", later=RESIDUAL, hidden="8x0e", **changes):
    """A model of mace-torch with weights at random, in double precision."""
    from e3nn import o3
    from mace import modules

    torch.manual_seed(1)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    numbers = {
        "r_max": 4.5,
        "num_bessel": 6,
        "num_polynomial_cutoff": 5,
        "max_ell": 2,
        "interaction_cls": modules.interaction_classes[later],
        "interaction_cls_first": modules.interaction_classes[first],
        "num_interactions": 2,
        "num_elements": 2,
        "hidden_irreps": o3.Irreps(hidden),
        "MLP_irreps": o3.Irreps("8x0e"),
        "gate": torch.nn.functional.silu,
        # Single precision cannot hold these.
        "atomic_energies": np.array([-203.123456789, -12518.987654321]),
        "avg_num_neighbors": 12.0,
        "atomic_numbers": [3, 17],
        "correlation": 2,
        "atomic_inter_scale": 1.0,
        "atomic_inter_shift": 0.3,
    }
    try:
        return modules.ScaleShiftMACE(**(numbers | changes))
    finally:
        torch.set_default_dtype(default)
