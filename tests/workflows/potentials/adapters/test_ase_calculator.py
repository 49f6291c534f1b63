"""Calculators of the user: errors in one line, identity by the hash of their source."""

import sys
from importlib import invalidate_caches

import pytest
from model_force_fields import rock_salt
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows import potentials

CALCULATORS = """
from ase.calculators.lj import LennardJones


class Sound(LennardJones):
    pass


class Raising(LennardJones):
    def calculate(self, *arguments, **options):
        raise RuntimeError("no such orbital\\nand a second line")


class Short(LennardJones):
    def calculate(self, *arguments, **options):
        super().calculate(*arguments, **options)
        self.results["forces"] = self.results["forces"][:-1]


class Stressless(LennardJones):
    implemented_properties = ("energy", "forces")
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module of the user's, which may be changed."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(content=CALCULATORS):
        (tmp_path / "my_calculators.py").write_text(content)
        sys.modules.pop("my_calculators", None)
        invalidate_caches()

    write()
    yield write
    sys.modules.pop("my_calculators", None)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Raising", "gives no forces and stress for Cl, Li .no such orbital"),
        ("Short", r"forces of shape \(7, 3\) for 8 atoms"),
        ("Stressless", "gives no forces and stress"),
    ],
)
def test_faults_of_a_calculator_are_reported_in_one_line(name, words):
    with error_in_one_line(InputError, words):
        potentials.check(f"ase:my_calculators:{name}@Li,Cl")


def test_another_source_is_another_potential(mine):
    before = potentials.load("ase:my_calculators:Sound@Li,Cl")
    assert before.version == "unversioned"
    mine(CALCULATORS.replace("class Sound(LennardJones):\n    pass", "class Sound(LennardJones):\n    nrg = 1"))
    after = potentials.load("ase:my_calculators:Sound@Li,Cl")
    assert after.weights_sha256 != before.weights_sha256
    assert after.evaluate(rock_salt()).energy_eV == before.evaluate(rock_salt()).energy_eV
