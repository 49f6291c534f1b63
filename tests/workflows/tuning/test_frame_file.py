"""Frames of other programs: units, signs, refusals, and blocks that are held out."""

import os
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from model_force_fields import nep89_or_skip

from vitrion_models.errors import InputError
from vitrion_workflows.tuning.frame_file import read_labelled, split, thinned


def copper(seed=0, symbol="Cu"):
    atoms = bulk(symbol, cubic=True)
    atoms.rattle(0.1, seed=seed)
    atoms.set_cell(atoms.cell * 0.97, scale_atoms=True)
    atoms.calc = EMT()
    results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def test_energy_forces_and_stress_are_those_that_ase_wrote(tmp_path):
    atoms = copper()
    ase.io.write(tmp_path / "frames.extxyz", [atoms])
    (frame,) = read_labelled(tmp_path / "frames.extxyz")
    assert frame.energy_eV == pytest.approx(atoms.get_potential_energy())
    np.testing.assert_allclose(frame.forces_eV_per_A, atoms.get_forces(), atol=1e-7)
    np.testing.assert_allclose(frame.stress_eV_per_A3, atoms.get_stress(voigt=False), atol=1e-7)
    assert frame.pressure_GPa > 1  # the cell is compressed


def test_a_virial_is_minus_stress_times_volume(tmp_path):
    atoms = copper()
    expected = atoms.get_stress(voigt=False)
    results = {"energy": 1.0, "forces": atoms.get_forces()}
    atoms.info["virial"] = (-expected * atoms.get_volume()).ravel()
    atoms.calc = SinglePointCalculator(atoms, **results)
    ase.io.write(tmp_path / "frames.extxyz", [atoms])
    (frame,) = read_labelled(tmp_path / "frames.extxyz")
    np.testing.assert_allclose(frame.stress_eV_per_A3, expected, atol=1e-7)


def without(quantity):
    atoms = copper()
    atoms.calc = SinglePointCalculator(atoms, **{k: v for k, v in atoms.calc.results.items() if k != quantity})
    return atoms


def impossible():
    atoms = copper()
    atoms.calc.results["forces"][0, 0] = np.nan
    return atoms


def molecule():
    atoms = Atoms("Cu2", [[0, 0, 0], [0, 0, 2]])
    atoms.calc = SinglePointCalculator(atoms, energy=0.0, forces=np.zeros((2, 3)))
    return atoms


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (lambda: without("energy"), "energy"),
        (lambda: without("forces"), "forces"),
        (impossible, "impossible"),
        (molecule, "periodic"),
    ],
)
def test_frames_that_cannot_be_learned_from_are_named(tmp_path, bad, named):
    ase.io.write(tmp_path / "frames.extxyz", [copper(), bad()])
    with pytest.raises(InputError, match=f"frame 2.*{named}"):
        read_labelled(tmp_path / "frames.extxyz")


@pytest.mark.parametrize("content", ["", "4\nLattice=", "not a number\n", "\x00\x01"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "frames.extxyz").write_text(content)
    with pytest.raises(InputError, match=r"frames\.extxyz"):
        read_labelled(tmp_path / "frames.extxyz")


def test_the_end_of_each_block_is_held_out(tmp_path):
    frames = [copper(seed) for seed in range(10)] + [copper(seed, "Au") for seed in range(5)] + [copper(99)]
    ase.io.write(tmp_path / "frames.extxyz", frames)
    read = read_labelled(tmp_path / "frames.extxyz")
    training, held_out = split(read)
    assert [read.index(frame) for frame in held_out] == [8, 9, 14]
    assert len(training) == 13
    assert [read.index(frame) for frame in thinned(read, 4)] == [0, 5, 10, 15]
    with pytest.raises(InputError, match="held out"):
        split(read[:4])


@pytest.mark.data
@pytest.mark.parametrize("name", ["li_p_s/test_regularization.extxyz", "llzo_nep_train/llzo_dev.extxyz.gz"])
def test_pressures_of_dft_have_the_sign_of_those_of_nep89(name):

    nep89 = nep89_or_skip()
    path = Path(os.environ["VITRION_DATA_MIRROR"]) / "structures" / name
    frames = thinned(read_labelled(path), 20)
    pressures = [frame.pressure_GPa for frame in frames]
    stresses = [nep89.evaluate(frame.system, stress=True).stress_eV_per_A3 for frame in frames]
    assert np.corrcoef(pressures, [-np.trace(stress) for stress in stresses])[0, 1] > 0.4
