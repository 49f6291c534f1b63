"""Our evaluation of MACE models against their own calculator in double precision, on models made here."""

import numpy as np
import pytest
from mace_models import RESIDUAL, model_of
from model_force_fields import assert_same_forces, calculated, rock_salt

from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.potentials.force_field import Cells

pytest.importorskip("mace", reason="mace-torch is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def made(path, **form):
    import torch

    torch.save(model_of(**form), path)
    return path


# Forms that published models have. Two layers; l up to 2 and two factors unless said otherwise.
FORMS = {
    "scalars": {},
    "scalars, l up to 3, three factors": {"max_ell": 3, "correlation": 3},
    "vectors": {"hidden": "4x0e+4x1o", "first": RESIDUAL},
    "vectors, l up to 3, three factors": {"hidden": "4x0e+4x1o", "max_ell": 3, "correlation": 3},
    "l = 2 carried on, one factor": {"hidden": "4x0e+4x1o+4x2e", "correlation": 1},
    "one layer": {"num_interactions": 1, "first": RESIDUAL},
    "three layers, factors differ": {"num_interactions": 3, "max_ell": 1, "correlation": [3, 1, 2]},
    "density, repulsion, transformed distances": {
        "hidden": "4x0e+4x1o",
        "first": "RealAgnosticDensityInteractionBlock",
        "later": "RealAgnosticDensityResidualInteractionBlock",
        "distance_transform": "Agnesi",
        "pair_repulsion": True,
    },
    "own code": {"later": "RealAgnosticResidualNonLinearInteractionBlock"},
}


@pytest.fixture(scope="module")
def scalar_file(tmp_path_factory):
    """Two layers of scalar features."""
    return made(tmp_path_factory.mktemp("mace") / "scalar.model")


@pytest.mark.parametrize("form", FORMS)
def test_energies_forces_and_stress_are_the_calculators_in_double(form, tmp_path, monkeypatch):
    path = made(tmp_path / "made.model", **FORMS[form])
    field = potentials.load(f"mace:{path}")
    assert type(field._network).__name__ == ("ReferenceMaceNetwork" if form == "own code" else "MaceNetwork")
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    from mace.calculators import MACECalculator

    calculator = MACECalculator(model_paths=str(path), device="cpu", default_dtype="float64")
    lattice = np.array([[2.9, 1.0, 0.3], [1.2, 4.0, 0.5], [-0.7, 0.6, 3.5]])
    squeezed = AtomicSystem([3, 17], [[0, 0, 0], [2.4, 0.2, 0.1]], lattice)
    apart = AtomicSystem([3, 17], [[0.0, 0, 0], [9, 9, 9]], np.eye(3) * 18)
    for system in (rock_salt(noise_A=0.2), squeezed, apart):
        ours, expected = field.evaluate(system, stress=True), calculated(system, calculator)
        # The models' forces are small: what is bounded is their relative error.
        bound = min(1e-4, 1e-5 * abs(expected.forces_eV_per_A).max() + 1e-9)
        assert_same_forces(ours, expected, energy_eV=1e-5, force_eV_per_A=bound, stress_eV_per_A3=1e-5)


def test_a_cell_is_bitwise_the_same_alone_and_among_others(scalar_file):
    field, systems = potentials.load(f"mace:{scalar_file}"), [rock_salt(noise_A=0.1), rock_salt(noise_A=0.1, seed=2)]
    together = field.compute_batch(Cells.of(systems), np.concatenate([system.positions_A for system in systems]))
    for index, system in enumerate(systems):
        alone = potentials.load(f"mace:{scalar_file}").evaluate(system)
        assert together.energies_eV[index] == alone.energy_eV
        np.testing.assert_array_equal(together.forces_eV_per_A[8 * index : 8 * index + 8], alone.forces_eV_per_A)


def test_a_cell_is_bitwise_the_same_whatever_was_evaluated_before(tmp_path):
    # Tables of pairs of elements are made when they are first needed: a run that goes on must find the same ones.
    path = made(tmp_path / "made.model", max_ell=1, distance_transform="Agnesi")
    used, fresh = (potentials.load(f"mace:{path}") for _ in range(2))
    system = rock_salt(noise_A=0.1)
    chlorine = AtomicSystem([17, 17], [[0, 0, 0], [2.4, 0.2, 0.1]], np.eye(3) * 9)
    used.evaluate(chlorine)
    one, other = used.evaluate(system), fresh.evaluate(system)
    assert one.energy_eV == other.energy_eV
    np.testing.assert_array_equal(one.forces_eV_per_A, other.forces_eV_per_A)


@pytest.mark.usefixtures("scalar_file")  # which loads e3nn
def test_a_model_that_does_something_else_is_left_to_its_own_code():
    from vitrion_workflows.potentials.mace.folding import can_fold, network_of
    from vitrion_workflows.potentials.mace.reference_network import ReferenceMaceNetwork

    model = model_of()
    linear = model.products[0].linear
    linear.forward = lambda rows: type(linear).forward(linear, rows).tanh()
    assert can_fold(model)
    assert isinstance(network_of(model, head=0, device="cpu"), ReferenceMaceNetwork)
