"""Bonded groups and their turning against rigid bodies whose motion is known."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import FrameworkState
from vitrion_workflows.transport.framework import bonded_groups, framework, orientation

BOND_A = 2.05
TETRAHEDRON = BOND_A / np.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
LITHIUM, PHOSPHORUS, SULPHUR = 3, 15, 16
EDGE_A = 14.0


def centres():
    return np.stack(np.meshgrid(*[[0.5, 7.5]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def thiophosphate(turns):
    """Positions of eight PS4 and eight lithium ions; `turns` holds a rotation matrix for each frame and group."""
    places = centres()
    sulphur = places[None, :, None, :] + np.einsum("fgab,kb->fgka", turns, TETRAHEDRON)
    frames = len(turns)
    still = np.broadcast_to(places, (frames, 8, 3))
    return np.concatenate([still + 3.5, still, sulphur.reshape(frames, 32, 3)], axis=1)


NUMBERS = np.repeat([LITHIUM, PHOSPHORUS, SULPHUR], [8, 8, 32])


def cell(positions, *, numbers=NUMBERS, edge=EDGE_A):
    return AtomicSystem(numbers, positions, np.eye(3) * edge)


def tumbling(rng, *, frames, step):
    """Rotational diffusion: small random turns of each group, D_r = step^2 / 2 a frame."""
    turns = np.empty((frames, 8, 3, 3))
    turns[0] = Rotation.random(8, rng=rng).as_matrix()
    for frame in range(1, frames):
        turns[frame] = Rotation.from_rotvec(rng.normal(scale=step, size=(8, 3))).as_matrix() @ turns[frame - 1]
    return turns


def librating(rng, *, frames, degrees):
    base = Rotation.random(8, rng=rng).as_matrix()
    swing = Rotation.from_rotvec(rng.normal(scale=np.radians(degrees), size=(frames * 8, 3))).as_matrix()
    return swing.reshape(frames, 8, 3, 3) @ base


def rotation_of(positions):
    start = cell(positions[0])
    return orientation(positions - positions[0], bonded_groups(start, NUMBERS != LITHIUM), numbers=NUMBERS)


def test_groups_are_found_across_the_boundary_and_whole():
    positions = thiophosphate(np.broadcast_to(np.eye(3), (1, 8, 3, 3)))[0]
    wrapped = cell(np.mod(positions, EDGE_A))
    groups = bonded_groups(wrapped, NUMBERS != LITHIUM)
    assert sorted(sorted(NUMBERS[atoms]) for atoms, _ in groups) == [[15, 16, 16, 16, 16]] * 8
    for atoms, places in groups:
        centre = places[NUMBERS[atoms] == PHOSPHORUS]
        outer = places[NUMBERS[atoms] == SULPHUR]
        np.testing.assert_allclose(np.linalg.norm(outer - centre, axis=1), BOND_A)


def test_networks_and_lone_atoms_are_no_groups():
    """A chain of bonded silicon through the boundary, and chlorine that is bonded to nothing."""
    chain = np.column_stack([np.arange(4) * 2.35, np.zeros(4), np.zeros(4)])
    numbers = np.array([14, 14, 14, 14, 17])
    positions = np.concatenate([chain, [[0.0, 5.0, 5.0]]])
    system = AtomicSystem(numbers, positions, np.diag([4 * 2.35, 12.0, 12.0]))
    assert bonded_groups(system, np.ones(5, dtype=bool)) == []


def test_rotational_diffusion_decays_exponentially():
    """<tr R> / 3 = exp(-2 D_r t) with D_r = step^2 / 2; 8 groups x 600 frames know it within some 0.1."""
    step = 0.1
    rotation = rotation_of(thiophosphate(tumbling(np.random.default_rng(0), frames=1200, step=step)))
    assert rotation.groups == 8
    np.testing.assert_allclose(rotation.correlation, np.exp(-(step**2) * rotation.lags), atol=0.12)
    assert rotation.turned > 0.8


def test_libration_keeps_the_orientation():
    """Independent turns of s radians about each axis: the mean overlap of two is close to 1 - 2 s^2."""
    rotation = rotation_of(thiophosphate(librating(np.random.default_rng(1), frames=200, degrees=10)))
    np.testing.assert_allclose(rotation.correlation, 1 - 2 * np.radians(10) ** 2, atol=0.01)
    assert rotation.turned == 0


@pytest.mark.parametrize(("axis", "angle", "overlap"), [([1, 1, 1], 120, 0.0), ([0, 0, 1], 180, -1 / 3)])
def test_jump_to_an_equal_orientation_counts_as_a_turn(axis, angle, overlap):
    """Sulphur atoms change places: no picture of the cell tells, their paths do. tr R / 3 in closed form."""
    turn = Rotation.from_rotvec(np.radians(angle) * np.array(axis) / np.linalg.norm(axis)).as_matrix()
    turns = np.broadcast_to(np.eye(3), (101, 8, 3, 3)).copy()
    turns[25:] = turn
    rotation = rotation_of(thiophosphate(turns))
    # Over 50 frames, 25 of 51 origins lie before the jump.
    assert rotation.turned == pytest.approx(25 / 51)
    assert rotation.correlation[-1] == pytest.approx((25 * overlap + 26) / 51)


def test_groups_that_break_are_left_out():
    positions = thiophosphate(np.broadcast_to(np.eye(3), (50, 8, 3, 3)).copy())
    positions[:, 16] += np.linspace(0, 5, 50)[:, None]
    assert rotation_of(positions).groups == 7


@pytest.mark.parametrize(
    ("motion", "state"),
    [
        (lambda rng: thiophosphate(librating(rng, frames=200, degrees=10)), FrameworkState.VIBRATING),
        (lambda rng: thiophosphate(tumbling(rng, frames=200, step=0.1)), FrameworkState.ROTATING),
        (
            lambda rng: (
                thiophosphate(tumbling(rng, frames=200, step=0.1))
                + np.cumsum(rng.normal(scale=0.15, size=(200, 48, 3)), axis=0)
            ),
            FrameworkState.MOLTEN,
        ),
    ],
    ids=["vibrating", "rotating", "molten"],
)
def test_state_of_the_framework(motion, state):
    positions = motion(np.random.default_rng(2))
    sublattice = framework(positions - positions[0], cell(positions[0]), mobile=LITHIUM)
    assert sublattice.state is state


def test_framework_of_one_species_is_absent():
    positions = np.random.default_rng(3).random((30, 8, 3)) * 5
    sublattice = framework(positions - positions[0], cell(positions[0], numbers=np.full(8, LITHIUM)), mobile=LITHIUM)
    assert sublattice.state is FrameworkState.ABSENT
    assert sublattice.orientation is None
