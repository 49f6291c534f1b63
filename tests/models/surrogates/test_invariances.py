from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vitrion_models.system import AtomicSystem

TEMPERATURE = 1200.0
SAME_CELL = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def answer(model, *systems):
    return model.predict(systems, TEMPERATURE).mean


def test_graph_networks_do_take_part(graph_model, model, make_cell):
    cell = make_cell("Li-O", 3)
    without = replace(model, graph_share=0.0)
    assert abs(answer(graph_model, cell)[0] - answer(without, cell)[0]) > 1e-5


@SAME_CELL
@given(seed=st.integers(0, 10**6))
def test_rotation_translation_order_and_wrapping(graph_model, make_cell, seed):
    rng = np.random.default_rng(seed)
    cell = make_cell("Li-S", seed)
    turn = Rotation.random(rng=rng).as_matrix()
    order = rng.permutation(len(cell))
    images = rng.integers(-2, 3, (len(cell), 3)) @ cell.lattice_A
    moved = AtomicSystem(
        cell.numbers[order], ((cell.positions_A + images + rng.normal(0, 3, 3)) @ turn)[order], cell.lattice_A @ turn
    )
    assert answer(graph_model, moved) == pytest.approx(answer(graph_model, cell), abs=1e-8)


@SAME_CELL
@given(seed=st.integers(0, 10**6), copies=st.tuples(*[st.integers(1, 2)] * 3))
def test_supercell_and_other_choice_of_cell(graph_model, make_cell, seed, copies):
    cell = make_cell("I-Li", seed)
    shifts = np.stack(np.meshgrid(*map(range, copies), indexing="ij"), axis=-1).reshape(-1, 3)
    positions = (cell.positions_A[None] + (shifts @ cell.lattice_A)[:, None]).reshape(-1, 3)
    supercell = AtomicSystem(np.tile(cell.numbers, len(shifts)), positions, np.diag(copies) @ cell.lattice_A)
    sheared = AtomicSystem(
        cell.numbers, cell.positions_A, np.array([[1, 0, 0], [1, 1, 0], [0, -2, 1]]) @ cell.lattice_A
    )
    alone = answer(graph_model, cell)
    assert answer(graph_model, supercell) == pytest.approx(alone, abs=1e-8)
    assert answer(graph_model, sheared) == pytest.approx(alone, abs=1e-8)


def test_isotopes_are_one_element_to_models(graph_model, make_cell):
    cell = make_cell("Cl-Li", 2)
    light = replace(cell, masses_u=np.where(cell.numbers == 3, 6.015, cell.masses_u))
    assert (answer(graph_model, light) == answer(graph_model, cell)).all()


def test_choice_of_batch(graph_model, make_cell):
    cells = [make_cell(group, seed) for seed, group in enumerate(["Cl-Li", "Li-P", "Li-N", "Li-O", "F-Li"])]
    together = answer(graph_model, *cells)
    alone = np.concatenate([answer(graph_model, cell) for cell in cells])
    assert together == pytest.approx(alone, abs=1e-10)
    assert answer(graph_model, *cells[::-1])[::-1] == pytest.approx(together, abs=1e-10)


def test_a_molecule_beside_a_crystal_is_predicted_as_alone(graph_model, make_cell):
    cell = make_cell("Li-O", 1)
    molecule = AtomicSystem.molecule(cell.numbers, cell.positions_A)
    together = answer(graph_model, cell, molecule)
    assert together == pytest.approx([answer(graph_model, cell)[0], answer(graph_model, molecule)[0]], abs=1e-10)
    assert abs(together[0] - together[1]) > 1e-5
    turned = AtomicSystem.molecule(cell.numbers, cell.positions_A @ Rotation.random(rng=0).as_matrix())
    assert answer(graph_model, turned) == pytest.approx(together[1:], abs=1e-8)


def test_an_infinitesimal_move_changes_little_even_across_the_cutoff(graph_model, make_cell):
    cell = make_cell("Li-S", 5)
    nudged = AtomicSystem(cell.numbers, cell.positions_A + 1e-7, cell.lattice_A * (1 + 1e-9))
    assert answer(graph_model, nudged) == pytest.approx(answer(graph_model, cell), abs=1e-6)
