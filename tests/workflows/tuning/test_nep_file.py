"""Text files of neuroevolution potentials, read, reduced and written."""

from dataclasses import fields

import numpy as np
import pytest
from model_force_fields import nep89_or_skip
from small_nep import scattered_cell, small_nep

from vitrion_models.errors import CheckpointError, InputError
from vitrion_workflows.potentials import weights_folder
from vitrion_workflows.potentials.adapters.nep import NepForceField
from vitrion_workflows.tuning.nep_file import read_nep, write_nep


def assert_same_model(left, right):
    for field in fields(left):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b


def test_numbers_survive_a_file(tmp_path):
    model = small_nep()
    write_nep(model, tmp_path / "nep.txt")
    assert_same_model(read_nep(tmp_path / "nep.txt"), model)


def test_the_reduced_file_has_the_energy_and_forces_of_the_whole(tmp_path):
    nep89 = nep89_or_skip()
    write_nep(read_nep(weights_folder() / "nep89.txt").reduced_to(["P", "Li"]), tmp_path / "nep.txt")
    slim = NepForceField(tmp_path / "nep.txt", name="slim", weights_sha256="", device="cpu")
    assert slim.elements == {"Li", "P"}
    cell = scattered_cell()
    whole, part = nep89.evaluate(cell), slim.evaluate(cell)
    assert part.energy_eV == pytest.approx(whole.energy_eV, abs=1e-9)
    np.testing.assert_allclose(part.forces_eV_per_A, whole.forces_eV_per_A, atol=1e-9)


def test_elements_outside_the_coverage_are_named():
    with pytest.raises(InputError, match="Xe"):
        small_nep().reduced_to(["Li", "Xe"])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("nep4_zbl", "nep3"),
        lambda text: text.replace("l_max 4 2 1", "l_max 4 2 0"),
        lambda text: text.replace("zbl 1 2", "zbl 1 2 0.6"),
        lambda text: text.replace("nep4_zbl 2", "nep4_zbl 3"),
        lambda text: text.replace("Li P", "Li Qq"),
        lambda _text: "",
        lambda _text: "Li 1 2 3\n" * 20,
    ],
)
def test_other_forms_are_refused(tmp_path, change):
    path = tmp_path / "nep.txt"
    write_nep(small_nep(), path)
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=r"nep\.txt"):
        read_nep(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.rsplit("\n", 3)[0],
        lambda text: text + "1.0\n",
        lambda text: text.replace("0.", "0,", 1),
        lambda text: text.replace("ANN 4", "ANN 5"),
        lambda text: text.replace("ANN 4", "ANN four"),
        lambda text: text.rsplit("\n", 2)[0] + "\nnan\n",
    ],
)
def test_damaged_files_are_refused(tmp_path, change):
    path = tmp_path / "nep.txt"
    write_nep(small_nep(), path)
    path.write_text(change(path.read_text()))
    with pytest.raises(CheckpointError, match=r"nep\.txt"):
        read_nep(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError):
        read_nep(tmp_path)
