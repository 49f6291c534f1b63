"""The checkpoints that the package chgnet carries, against its own calculator."""

import contextlib
import io
import warnings

import numpy as np
import pytest
from model_force_fields import assert_same_forces, calculated, rock_salt

from vitrion_models.errors import CheckpointError, MissingDependencyError
from vitrion_workflows import potentials
from vitrion_workflows.potentials.weights import package
from vitrion_workflows.potentials.weights import package as weights


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("release", ["0.2.0", "r2scan"])
def test_each_checkpoint_is_its_ase_calculator(release):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from chgnet.model import CHGNet
        from chgnet.model.dynamics import CHGNetCalculator

        calculator = CHGNetCalculator(CHGNet.load(model_name=release, use_device="cpu"), use_device="cpu")
    field = potentials.load(f"chgnet:{release}")
    system = rock_salt(noise_A=0.15)
    ours, expected = field.evaluate(system, stress=True), calculated(system, calculator)
    # Single precision: neighbours in another order change the sixth digit.
    assert_same_forces(ours, expected, energy_eV=5e-5, force_eV_per_A=1e-4, stress_eV_per_A3=1e-5)
    assert field.name == f"chgnet:{release}"
    assert field.weights_sha256 == potentials.find(f"chgnet:{release}")[0].weights_sha256


def test_the_checkpoints_are_different_potentials():
    energies = {name: potentials.load(name).evaluate(rock_salt(noise_A=0.1)).energy_eV / 8 for name in NAMES}
    # Two of them learned the same data and agree to 5 meV an atom: far beyond rounding (1e-6), no more is to be asked.
    assert min(np.diff(sorted(energies.values()))) > 1e-4


NAMES = ("chgnet", "chgnet:0.2.0", "chgnet:r2scan")


def test_missing_or_other_weights_are_refused(monkeypatch):
    monkeypatch.setattr(weights, "sha256_of", lambda _path: "f" * 64)
    with pytest.raises(CheckpointError, match="chgnet:r2scan needs 8eba3db0f35a"):
        potentials.load("chgnet:r2scan")
    monkeypatch.setattr(package, "find_spec", lambda _name: None)
    assert not potentials.installed("chgnet:0.2.0").ok
    with pytest.raises(MissingDependencyError, match="pip install chgnet"):
        potentials.load("chgnet:0.2.0")
