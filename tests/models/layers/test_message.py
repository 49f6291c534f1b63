import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vitrion_models.layers.message import EquivariantLayer, InvariantLayer
from vitrion_models.layers.pooling import mean_pool, sum_at
from vitrion_models.layers.radial import BesselBasis

WIDTH, BASIS, ATOMS = 6, 5, 7


@pytest.fixture(name="cluster")
def make_cluster():
    generator = torch.Generator().manual_seed(0)
    positions = 3 * torch.rand(ATOMS, 3, generator=generator, dtype=torch.float64)
    edges = torch.cartesian_prod(torch.arange(ATOMS), torch.arange(ATOMS))
    edges = edges[edges[:, 0] != edges[:, 1]].T
    features = torch.randn(ATOMS, WIDTH, generator=generator, dtype=torch.float64)
    arrows = torch.randn(ATOMS, 3, WIDTH, generator=generator, dtype=torch.float64)
    return positions, edges, features, arrows


def edge_terms(positions, edges):
    vectors = positions[edges[1]] - positions[edges[0]]
    distances = vectors.norm(dim=1)
    return BesselBasis(BASIS, 5.0)(distances), vectors / distances[:, None]


@pytest.mark.parametrize("improper", [False, True])
def test_equivariant_layer_turns_with_the_cluster(cluster, improper):
    positions, edges, features, arrows = cluster
    torch.manual_seed(1)
    layer = EquivariantLayer(WIDTH, BASIS, mean_neighbours=6.0).double()
    turn = torch.tensor(Rotation.random(rng=np.random.default_rng(2)).as_matrix()) * (-1 if improper else 1)
    scalars, vectors = layer(features, arrows, edges, *edge_terms(positions, edges))
    turned_scalars, turned_vectors = layer(
        features, torch.einsum("ab,nbf->naf", turn, arrows), edges, *edge_terms(positions @ turn.T, edges)
    )
    assert torch.allclose(scalars, turned_scalars, atol=1e-10)
    assert torch.allclose(torch.einsum("ab,nbf->naf", turn, vectors), turned_vectors, atol=1e-10)
    assert not torch.allclose(vectors, arrows)


def test_invariant_layer_follows_the_order_of_atoms(cluster):
    positions, edges, features, _ = cluster
    torch.manual_seed(1)
    layer = InvariantLayer(WIDTH, BASIS, mean_neighbours=6.0).double()
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    place = torch.argsort(order)
    before = layer(features, edges, edge_terms(positions, edges)[0])
    after = layer(features[order], place[edges], edge_terms(positions, edges)[0])
    assert torch.allclose(before[order], after, atol=1e-12)


def test_layers_have_finite_gradients_at_zero_vectors(cluster):
    positions, edges, features, _ = cluster
    layer = EquivariantLayer(WIDTH, BASIS, mean_neighbours=6.0).double()
    positions.requires_grad_()
    scalars, vectors = layer(features, torch.zeros(ATOMS, 3, WIDTH).double(), edges, *edge_terms(positions, edges))
    (scalars.sum() + vectors.sum()).backward()
    assert torch.isfinite(positions.grad).all()


def test_pools_are_means_over_what_counts():
    values = torch.tensor([[1.0], [3.0], [10.0], [20.0]])
    batch = torch.tensor([0, 0, 1, 1])
    mask = torch.tensor([True, False, False, False])
    assert mean_pool(values, batch, 2).flatten().tolist() == [2.0, 15.0]
    assert mean_pool(values, batch, 2, mask=mask).flatten().tolist() == [1.0, 0.0]
    assert sum_at(values, batch, 3).flatten().tolist() == [4.0, 30.0, 0.0]


def test_no_layer_keeps_statistics_of_a_batch():
    for layer in (InvariantLayer(4, 3, mean_neighbours=5.0), EquivariantLayer(4, 3, mean_neighbours=5.0)):
        assert not [module for module in layer.modules() if "Norm" in type(module).__name__]
