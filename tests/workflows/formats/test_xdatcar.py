"""XDATCAR as VASP really writes it: names of pseudopotentials, a target volume, glued numbers, a killed run."""

from pathlib import Path

import numpy as np
import pytest

from vitrion_workflows.formats.structures import read_structures
from vitrion_workflows.trajectories.reading import read_trajectory

CASES = Path(__file__).parent / "cases"
EDGES_A = {"30_XDATCAR_vasp642": 12.6, "30b_XDATCAR_negscale": np.cbrt(2000), "31_XDATCAR_glued": 12.6}


@pytest.mark.parametrize(("name", "edge_A"), EDGES_A.items())
def test_ingest_and_diffusivity_read_the_same_frames(name, edge_A):
    structures = read_structures(CASES / name)
    trajectory = read_trajectory(CASES / name, frame_interval_ps=0.1)
    assert len(structures) == len(trajectory)
    for structure, positions in zip(structures, trajectory.positions_A, strict=True):
        assert structure.composition.formula == "Li27 Cl27"
        assert structure.volume == pytest.approx(edge_A**3)
        away = (structure.cart_coords - positions) / edge_A
        np.testing.assert_allclose(away, np.round(away), atol=1e-7)


def test_a_header_without_its_frame_is_left_out_with_a_remark():
    trajectory = read_trajectory(CASES / "30_XDATCAR_vasp642", frame_interval_ps=0.1)
    assert len(trajectory) == 2
    assert any("header at line 125" in remark for remark in trajectory.remarks)
