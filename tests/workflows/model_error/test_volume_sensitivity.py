"""Change of a diffusivity with volume."""

import numpy as np
import pytest

from vitrion_workflows.model_error.volume_sensitivity import sensitivity

ONE_OF_EACH_CLASS = [
    {"Li", "P", "O"},
    {"Li", "Cl"},
    {"Li", "Zr", "O"},
    {"Li", "P", "S"},
    {"Li", "P"},
    {"Li", "Si"},
    {"Li", "Mg"},
]


@pytest.mark.parametrize("elements", ONE_OF_EACH_CLASS)
@pytest.mark.parametrize("temperature_K", [600.0, 1000.0, 1500.0, 2000.0])
def test_larger_melts_are_faster(elements, temperature_K):
    slope, stderr = sensitivity(elements, temperature_K)
    assert slope > 0
    assert stderr > 0


@pytest.mark.parametrize("elements", ONE_OF_EACH_CLASS)
def test_volume_is_less_certain_in_the_cold(elements):
    assert sensitivity(elements, 300)[1] > sensitivity(elements, 1000)[1] > sensitivity(elements, 1500)[1]


def test_volume_matters_more_in_the_cold():
    """In the mean over classes, and in no class significantly less: that of oxoanions does not grow."""
    cold, hot = (np.array([sensitivity(elements, kelvin) for elements in ONE_OF_EACH_CLASS]) for kelvin in (1000, 2000))
    assert cold[:, 0].mean() > 1.2 * hot[:, 0].mean()
    assert (cold[:, 0] > hot[:, 0] - 2 * np.hypot(cold[:, 1], hot[:, 1])).all()


def test_volume_explains_no_more_than_the_regression_over_compounds():
    # log10(D / D_AIMD) = 0.06 + 1.02 ln(V / V_AIMD) over 124 compositions at 2000 K, with the errors of the forces that
    # go along with those of the volume.
    slopes = [sensitivity(elements, 2000.0)[0] for elements in ONE_OF_EACH_CLASS]
    assert 0.2 < sum(slopes) / len(slopes) < 1.1
