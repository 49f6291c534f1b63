"""Agreement of forces in closed form: scaled, noisy, of mixed species."""

import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_workflows.force_check.agreement import agreement_by_species, force_agreement


def reference(shape=(40, 50, 3), *, seed=0):
    return np.random.default_rng(seed).normal(scale=1.5, size=shape)


def test_equal_forces_agree_exactly():
    forces = reference()
    agreement = force_agreement(forces, forces)
    assert (agreement.r2, agreement.slope, agreement.inverse_slope) == (1, 1, 1)
    assert agreement.mae_eV_per_A == 0
    assert agreement.components == forces.size


@pytest.mark.parametrize("scale", [0.6, 0.9, 1.3, -1.0])
def test_scaled_forces(scale):
    forces = reference()
    agreement = force_agreement(scale * forces, forces)
    assert agreement.slope == pytest.approx(scale)
    assert agreement.inverse_slope == pytest.approx(1 / scale)
    assert agreement.r2 == pytest.approx(1 - (1 - scale) ** 2)
    assert agreement.mae_eV_per_A == pytest.approx(abs(1 - scale) * np.abs(forces).mean())


def test_independent_errors_lower_the_inverse_slope_alone():
    forces = reference()
    noisy = forces + 0.75 * reference(seed=1)
    agreement = force_agreement(noisy, forces)
    assert agreement.slope == pytest.approx(1.0, abs=0.02)
    assert agreement.inverse_slope == pytest.approx(1 / (1 + 0.75**2), abs=0.02)
    assert agreement.r2 == pytest.approx(1 - 0.75**2, abs=0.02)


def test_no_forces_at_all_explain_nothing():
    agreement = force_agreement(np.zeros((4, 3)), np.ones((4, 3)))
    assert (agreement.r2, agreement.slope, agreement.inverse_slope) == (0, 0, 0)


def test_agreement_is_invariant_to_rotation():
    from scipy.spatial.transform import Rotation

    forces, noisy = reference(), reference() + reference(seed=1)
    turn = Rotation.random(random_state=3).as_matrix().T
    turned = force_agreement(noisy @ turn, forces @ turn)
    straight = force_agreement(noisy, forces)
    assert turned.r2 == pytest.approx(straight.r2)
    assert turned.slope == pytest.approx(straight.slope)


def test_each_species_has_its_own_agreement():
    numbers = np.array([8] * 30 + [3] * 20)
    forces = reference()
    scaled = np.where((numbers == 3)[:, None], 0.5, 1.0) * forces
    by_species = agreement_by_species(numbers, scaled, forces)
    assert list(by_species) == ["Li", "O"]
    assert by_species["Li"].slope == pytest.approx(0.5)
    assert by_species["O"].r2 == 1
    assert by_species["Li"].components + by_species["O"].components == forces.size


@pytest.mark.parametrize(
    ("forces", "reference_forces", "named"),
    [
        (np.ones((4, 3)), np.ones((5, 3)), "shape"),
        (np.full((4, 3), np.nan), np.ones((4, 3)), "finite"),
        (np.ones((4, 3)), np.full((4, 3), np.inf), "finite"),
        (np.ones((4, 3)), np.zeros((4, 3)), "vanish"),
        (np.empty((0, 3)), np.empty((0, 3)), "vanish"),
    ],
)
def test_forces_that_cannot_be_compared_are_refused(forces, reference_forces, named):
    with pytest.raises(InputError, match=named):
        force_agreement(forces, reference_forces)
