"""Classes of compounds by their anions."""

import pytest

from vitrion_workflows.model_error.anion_classes import anion_class


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"Li", "P", "O"}, "oxoanion"),
        ({"Li", "V", "P", "O", "F"}, "oxoanion"),
        ({"Li", "V", "O", "F"}, "halide"),
        ({"Li", "P", "S", "Cl"}, "halide"),
        ({"Li", "Zr", "O"}, "oxide"),
        ({"Li", "P", "S"}, "chalcogenide"),
        ({"Li", "P"}, "pnictide"),
        ({"Li", "Si"}, "tetrelide"),
        ({"Li", "Zn"}, "alloy"),
    ],
)
def test_classes_of_known_compounds(elements, expected):
    assert anion_class(elements) == expected
