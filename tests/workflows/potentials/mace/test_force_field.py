"""The MACE entry, on a tiny untrained model made here: no weights are fetched."""

import os

import numpy as np
import pytest
from mace_models import RESIDUAL, model_of
from model_force_fields import rock_salt
from one_line import error_in_one_line

from vitrion_models.errors import CheckpointError
from vitrion_workflows import potentials
from vitrion_workflows.potentials.checks.physical_checks import check_force_field

pytest.importorskip("mace", reason="mace-torch is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    import torch

    model = model_of(
        first=RESIDUAL,
        r_max=4.0,
        max_ell=1,
        num_interactions=1,
        atomic_energies=np.array([-1.0, -2.0]),
        atomic_inter_shift=0.0,
    )
    path = tmp_path_factory.mktemp("mace") / "tiny.model"
    torch.save(model, path)
    return path


def test_a_file_of_the_users_is_loaded_and_passes_the_checks(model_file):
    field = potentials.load(f"mace:{model_file}")
    assert field.name == "mace:tiny.model"
    assert field.elements == {"Li", "Cl"}
    assert len(field.weights_sha256) == 64
    assert all(report.passed for report in check_force_field(field, rock_salt(noise_A=0.1)))


def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path):
    path = tmp_path / "not.model"
    path.write_bytes(b"not a model")
    with error_in_one_line(CheckpointError, r"not\.model cannot be read as a MACE model"):
        potentials.load(f"mace:{path}")
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD" not in os.environ


def test_a_published_model_is_installed_under_its_name_and_loaded(model_file, tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path))
    potentials.install("mace-mpa-0", file=model_file)
    field, direct = potentials.load("mace-mpa-0"), potentials.load(f"mace:{model_file}")
    assert field.name == "mace-mpa-0"
    assert field.version.startswith("mace-mpa-0-medium.model (mace-torch ")
    assert field.weights_sha256 == direct.weights_sha256
    system = rock_salt(noise_A=0.1)
    np.testing.assert_allclose(
        field.evaluate(system).forces_eV_per_A, direct.evaluate(system).forces_eV_per_A, atol=1e-9
    )


def test_a_damaged_file_of_a_published_model_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path / "weights"))
    (tmp_path / "torn.model").write_bytes(b"PK torn")
    potentials.install("mace-mpa-0", file=tmp_path / "torn.model")
    with pytest.raises(CheckpointError, match="cannot be read as a MACE model"):
        potentials.load("mace-mpa-0")
