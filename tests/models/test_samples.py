import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_models.materials import compound_of, elements_of
from vitrion_models.samples import Measurement, Sample
from vitrion_models.surrogates import DIFFUSIVITY, diffusivity_sample
from vitrion_models.system import AtomicSystem
from vitrion_models.targets import Target

SPECTRUM = Target("phonon_density_of_states", unit="1/THz", shape=(4,))
LICL = {3: 1.0, 17: 1.0}


def sample(**changes):
    given = {"species": "Li", "temperature_K": 900.0, "log10_D": -5.0, "stderr": 0.1, "group": "Cl-Li", "key": "k"}
    return diffusivity_sample(**{"material": LICL, **given, **changes})


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [
        ({"temperature_K": 0.0}, "temperature"),
        ({"temperature_K": float("nan")}, "temperature"),
        ({"log10_D": float("-inf")}, "tracer_diffusivity"),
        ({"stderr": -0.1}, "stderr"),
        ({"systematic_stderr": float("nan")}, "systematic_stderr"),
        ({"species": "Xx"}, "Xx"),
        ({"material": {}}, "composition"),
    ],
)
def test_impossible_labels_are_refused(changes, quantity):
    with pytest.raises(InputError, match=quantity):
        sample(**changes)


def test_a_target_of_any_shape_with_missing_entries():
    values = np.array([0.1, np.nan, 0.3, 0.4])
    measured = Measurement(values, stderr=0.01, missing=np.isnan(values))
    spectrum = Sample(LICL, {SPECTRUM: measured}, group="Cl-Li", key="k")
    assert spectrum[SPECTRUM] is measured
    with pytest.raises(InputError, match="tracer_diffusivity"):
        spectrum[DIFFUSIVITY]
    for wrong in (Measurement(values, stderr=0.01), Measurement(values[:3], stderr=0.01)):
        with pytest.raises(InputError, match="phonon_density_of_states"):
            Sample(LICL, {SPECTRUM: wrong}, group="Cl-Li", key="k")


def test_a_crystal_its_supercell_and_its_composition_are_one_compound():
    cell = AtomicSystem(np.array([3, 17]), np.array([[0.0, 0, 0], [2, 2, 2]]), 4 * np.eye(3))
    double = AtomicSystem(np.tile(cell.numbers, 2), np.arange(12.0).reshape(4, 3), 8 * np.eye(3))
    assert compound_of(cell) == compound_of(double) == compound_of({17: 2.0, 3: 2.0})
    assert elements_of({3: 1.0, 8: 0.0}) == {3}
