"""Structures to label: strained cells, planted contacts, rattled crystals."""

import numpy as np
import pytest
from ase.data import covalent_radii
from small_nep import scattered_cell

from vitrion_models.graphs.neighbours import pairs_within
from vitrion_workflows.tuning.sampling import CONTACTS, RATTLE_A, STRAINS, rattled_crystals, strained_and_planted


def test_a_sixth_of_the_frames_is_strained_and_a_sixth_has_two_atoms_of_one_element_in_contact():
    frames = [scattered_cell(edge_A=8.0, seed=seed) for seed in range(12)]
    before = {frame.volume_A3 for frame in frames}
    extra = strained_and_planted(frames, seed=0)
    assert len(extra) == 4
    strained, planted = extra[:2], extra[2:]
    for cell in strained:
        ratios = [cell.volume_A3 / volume for volume in before]
        assert any(ratio == pytest.approx(factor**3) for ratio in ratios for factor in STRAINS)
    for cell, scale in zip(planted, CONTACTS, strict=False):
        assert cell.volume_A3 in before
        pairs = pairs_within(cell.positions_A, cell.lattice_A, 4.0)
        like = cell.numbers[pairs.edge_index[0]] == cell.numbers[pairs.edge_index[1]]
        lengths = pairs.distances_A[like] / (2 * covalent_radii[cell.numbers[pairs.edge_index[0][like]]])
        assert np.abs(lengths - scale).min() == pytest.approx(0, abs=1e-9)


def test_crystals_are_rattled_at_three_volumes():
    crystal = scattered_cell(numbers=(3,) * 8)
    cells = list(rattled_crystals([crystal], seed=0))
    assert [cell.volume_A3 / crystal.volume_A3 for cell in cells] == pytest.approx([0.97**3, 1, 1.03**3])
    moves = cells[1].positions_A - crystal.positions_A
    assert np.std(moves) == pytest.approx(RATTLE_A, rel=0.4)
