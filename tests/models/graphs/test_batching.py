import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrion_models.graphs.batching import collate, crystal_graph
from vitrion_models.system import AtomicSystem


def random_system(seed, atoms=5, edge_A=4.0):
    rng = np.random.default_rng(seed)
    lattice = edge_A * (np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3)))
    return AtomicSystem(rng.choice([3, 8, 16], atoms), rng.uniform(-1, 2, (atoms, 3)) @ lattice, lattice)


@settings(max_examples=15, deadline=None)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=4, unique=True))
def test_vectors_of_a_batch_are_those_of_its_graphs_and_of_its_positions(seeds):
    graphs = [crystal_graph(random_system(seed), cutoff_A=4.5, mobile_number=3, dtype=torch.float64) for seed in seeds]
    batch = collate(graphs)
    centre, neighbour = batch.edge_index
    translation = torch.einsum("ei,eij->ej", batch.shifts.double(), batch.lattice_A[batch.batch[centre]])
    again = batch.positions_A[neighbour] - batch.positions_A[centre] + translation
    assert torch.allclose(again, batch.vectors_A, atol=1e-10)
    assert torch.equal(batch.vectors_A, torch.cat([graph.vectors_A for graph in graphs]))
    assert torch.equal(batch.batch[batch.edge_index[0]], batch.batch[batch.edge_index[1]])
    assert torch.equal(batch.mobile, batch.numbers == 3)


def test_molecules_slabs_and_crystals_share_a_batch():
    crystal = random_system(1)
    molecule = AtomicSystem.molecule(crystal.numbers, crystal.positions_A)
    slab = AtomicSystem(crystal.numbers, crystal.positions_A, crystal.lattice_A, pbc=(True, True, False))
    graphs = [crystal_graph(system, cutoff_A=4.5, dtype=torch.float64) for system in (crystal, molecule, slab)]
    counts = [graph.num_edges for graph in graphs]
    assert counts[1] < counts[2] < counts[0]
    batch = collate(graphs)
    assert torch.equal(batch.distances_A, torch.cat([graph.distances_A for graph in graphs]))
    assert torch.equal(torch.bincount(batch.batch[batch.edge_index[0]]), torch.tensor(counts))


def test_nothing_is_mobile_where_nothing_is_named():
    assert not crystal_graph(random_system(1), cutoff_A=3.0).mobile.any()


def test_an_isolated_atom_has_no_edges():
    graph = crystal_graph(AtomicSystem(np.array([3]), np.zeros((1, 3)), 20 * np.eye(3)), cutoff_A=5.0)
    assert graph.edge_index.shape == (2, 0)
    assert collate([graph, graph]).num_graphs == 2


def test_float32_by_default_for_training():
    assert crystal_graph(random_system(1), cutoff_A=3.0).distances_A.dtype == torch.float32


def test_a_graph_shares_no_memory_with_its_cell_which_may_be_read_only():
    arrays = np.array([3, 17]), np.array([[0.0, 0, 0], [2, 2, 2]]), 4 * np.eye(3)
    for array in arrays:
        array.flags.writeable = False
    graph = crystal_graph(AtomicSystem(*arrays), cutoff_A=3.0, mobile_number=3, dtype=torch.float64)
    graph.positions_A += 1
    graph.lattice_A += 1
    assert arrays[1][0, 0] == 0
    assert arrays[2][0, 0] == 4
