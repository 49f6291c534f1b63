"""Rings against the vertex symbols of crystal nets (Reticular Chemistry Structure Resource) and against networkx."""

import networkx as nx
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from ase.spacegroup import crystal
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.analysis import bond_network, king_rings
from vitrion_workflows.schemas.geometry import system_from_atoms


def diamond():
    return bulk("C", "diamond", a=3.57)


def lonsdaleite():
    return crystal(["C"], [(1 / 3, 2 / 3, 0.0625)], spacegroup=194, cellpar=[2.52, 2.52, 4.12, 90, 90, 120])


def niobium_oxide():
    return Atoms(
        "Nb3O3",
        scaled_positions=[[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]],
        cell=np.eye(3) * 4.21,
        pbc=True,
    )


def polonium():
    return Atoms("Po", cell=np.eye(3) * 3.0, pbc=True)


def flat_carbon():
    sheet = graphene(vacuum=5)
    sheet.pbc = True
    return sheet


def quartz():
    return crystal(
        ["Si", "O"],
        [(0.4697, 0, 2 / 3), (0.4135, 0.2669, 0.7857)],
        spacegroup=154,
        cellpar=[4.916, 4.916, 5.4054, 90, 90, 120],
    )


def cristobalite():
    return crystal(
        ["Si", "O"], [(0.125, 0.125, 0.125), (0, 0, 0)], spacegroup=227, setting=2, cellpar=[7.16] * 3 + [90] * 3
    )


def sodalite():
    return crystal(["Si", "O"], [(0.25, 0.5, 0), (0.146, 0.146, 0.5)], spacegroup=229, cellpar=[8.8] * 3 + [90] * 3)


SIX_TWICE = ((6, 2),) * 6
# Net, network, vertex symbol, distinct rings per node. A ring of n nodes that is the shortest at each of its angles is
# met n times: then the last column is the sum of counts over the symbol divided by n.
NETS = [
    (diamond, {"cutoff_A": 1.7}, SIX_TWICE, {6: 2.0}),
    (lonsdaleite, {"cutoff_A": 1.7}, SIX_TWICE, {6: 2.0}),
    (niobium_oxide, {"cutoff_A": 2.2}, ((6, 2),) * 4 + ((8, 2),) * 2, {6: 8 / 6}),
    (polonium, {"cutoff_A": 3.1}, ((4, 1),) * 12 + ((6, 0),) * 3, {4: 3.0}),
    (flat_carbon, {"cutoff_A": 1.6}, ((6, 1),) * 3, {6: 0.5}),
    (
        quartz,
        {"node": "Si", "bridge": "O", "cutoff_A": 1.9},
        ((6, 1), (6, 1), (6, 2), (6, 2), (8, 7), (8, 7)),
        {6: 1.0},
    ),
    (cristobalite, {"node": "Si", "bridge": "O", "cutoff_A": 1.9}, SIX_TWICE, {6: 2.0}),
    (
        sodalite,
        {"node": "Si", "bridge": "O", "cutoff_A": 1.9},
        ((4, 1),) * 2 + ((6, 1),) * 4,
        {4: 0.5, 6: 4 / 6},
    ),
]


@pytest.mark.parametrize(("net", "network", "symbol", "per_node"), NETS, ids=[net[0].__name__ for net in NETS])
def test_vertex_symbols_of_crystals(net, network, symbol, per_node):
    rings = king_rings(bond_network(system_from_atoms(net()), **network))
    assert {rings.vertex_symbol(node) for node in range(rings.nodes)} == {symbol}
    assert {size: pytest.approx(count) for size, count in rings.per_node().items() if size in per_node} == per_node


def test_supercell_has_the_rings_of_the_primitive_cell():
    large = quartz() * (2, 1, 2)
    large.positions += [30.0, -17.0, 4.0]
    options = {"node": "Si", "bridge": "O", "cutoff_A": 1.9}
    one, four = (king_rings(bond_network(system_from_atoms(cell), **options)) for cell in (quartz(), large))
    assert four.per_node() == pytest.approx(one.per_node())


def test_edge_sharing_tetrahedra_make_rings_of_two():
    # A chain of SiS2: each silicon shares two sulphurs with each of its two neighbours.
    cell = np.diag([3.0, 12.0, 12.0])
    system = AtomicSystem([14, 16, 16], [[0, 6.0, 6.0], [1.5, 7.4, 6.0], [1.5, 4.6, 6.0]], cell)
    rings = king_rings(bond_network(system, node="Si", bridge="S", cutoff_A=2.3))
    assert rings.distinct == {2: 1}
    assert sorted(rings.angle_sizes) == [0, 0, 0, 0, 2, 2]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_shortest_closed_paths_equal_those_of_networkx(seed):
    # A random gas in a box wide enough that no path of ten bonds comes round it: the cell's graph is the network.
    rng = np.random.default_rng(seed)
    positions = rng.uniform(0, 9.0, (40, 3))
    system = AtomicSystem(np.full(40, 14), positions, np.eye(3) * 40.0)
    network = bond_network(system, cutoff_A=3.0)
    graph = nx.Graph([(i, j) for i, bonds in enumerate(network.bonds) for j, _ in bonds])
    rings = king_rings(network, largest=10)
    expected = []
    for node in range(40):
        if node not in graph:
            continue
        rest = nx.restricted_view(graph, [node], [])
        around = sorted(graph[node])
        for index, first in enumerate(around):
            lengths = nx.single_source_shortest_path_length(rest, first, cutoff=8)
            expected.extend((node, lengths[second] + 2 if second in lengths else 0) for second in around[index + 1 :])
    assert sorted(zip(rings.angle_nodes.tolist(), rings.angle_sizes.tolist(), strict=True)) == sorted(expected)


def test_no_rings_without_bonds_and_errors_in_one_line():
    system = AtomicSystem([14, 14], [[0.0, 0, 0], [5.0, 5, 5]], np.eye(3) * 10)
    rings = king_rings(bond_network(system, cutoff_A=2.0))
    assert rings.distinct == {}
    assert np.isnan(rings.mean_size())
    with pytest.raises(InputError, match="3 nodes"):
        king_rings(bond_network(system, cutoff_A=2.0), largest=2)
    with pytest.raises(InputError, match="cannot bridge"):
        bond_network(system, node="Si", bridge="Si", cutoff_A=2.0)
