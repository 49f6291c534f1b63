"""A small neuroevolution potential of random numbers, for two elements."""

import numpy as np

from vitrion_models.system import AtomicSystem
from vitrion_workflows.tuning.nep_file import NepModel


def small_nep(elements=("Li", "P"), *, neurons=4, seed=0):
    """A potential of the form nep4_zbl with short cutoffs and few parameters, exact in single precision."""
    generator = np.random.default_rng(seed)
    count = len(elements)

    def draw(*shape, scale=1.0):
        return generator.normal(scale=scale, size=shape).astype(np.float32).astype(np.float64)

    return NepModel(
        elements=tuple(elements),
        zbl_inner_A=1.0,
        zbl_outer_A=2.0,
        radial_cutoff_A=4.5,
        angular_cutoff_A=4.0,
        most_neighbours=(200, 150),
        hidden_weights=draw(count, neurons, 15, scale=0.3),
        hidden_biases=draw(count, neurons, scale=0.3),
        output_weights=draw(count, neurons),
        output_bias_eV=float(draw(1)[0]),
        radial_coefficients=draw(3, 4, count, count, scale=0.5),
        angular_coefficients=draw(2, 3, count, count, scale=0.5),
        scaler=np.ones(15),
    )


def scattered_cell(numbers=(3, 3, 3, 15, 15), *, edge_A=6.0, seed=1):
    """A skewed cell with atoms on a disturbed grid, none of them close to another."""
    generator = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)[: len(numbers)]
    positions = (grid + 0.25) * edge_A / 2 + generator.normal(scale=0.25, size=(len(numbers), 3))
    lattice = np.eye(3) * edge_A + generator.normal(scale=0.3, size=(3, 3))
    return AtomicSystem(np.array(numbers), positions, lattice)
