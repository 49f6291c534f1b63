"""Fits to frames whose truth is another potential of the same form."""

from itertools import count

import numpy as np
import pytest
from small_nep import scattered_cell, small_nep

from vitrion_models.errors import InputError
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.dynamics.stage import Callbacks
from vitrion_workflows.force_check.agreement import force_agreement
from vitrion_workflows.tuning.fit import element_shifts, fit
from vitrion_workflows.tuning.frames import LabelledFrame, read_frames, write_frames
from vitrion_workflows.tuning.network import evaluate
from vitrion_workflows.tuning.settings import FitSettings

SHORT = FitSettings(steps=150, frames_per_step=4)


def labelled(model, cells, *, shifts=(0.0, 0.0), stress=True):
    frames = []
    for cell in cells:
        result = evaluate(model, cell)
        zero = shifts[0] * np.sum(cell.numbers == 3) + shifts[1] * np.sum(cell.numbers == 15)
        tensor = result.stress_eV_per_A3 if stress else None
        frames.append(LabelledFrame(cell, result.energy_eV + zero, result.forces_eV_per_A, tensor, "Li-P"))
    return frames


def cells(seeds):
    numbers = ((3, 3, 3, 15, 15), (3, 15, 15, 15), (3, 3, 3, 3, 15, 15, 15))
    return [scattered_cell(numbers=numbers[seed % 3], edge_A=6.5, seed=seed) for seed in seeds]


def r2(model, frames):
    forces = np.concatenate([evaluate(model, frame.system).forces_eV_per_A for frame in frames])
    return force_agreement(forces, np.concatenate([frame.forces_eV_per_A for frame in frames])).r2


def test_a_fit_recovers_the_forces_of_another_potential_on_frames_it_has_not_learned():
    start, target = small_nep(), small_nep(seed=1)
    held_out = labelled(target, cells(range(100, 110)))
    fitted = fit(start, labelled(target, cells(range(24))), seed=0, settings=SHORT)
    assert r2(start, held_out) < 0.5
    assert r2(fitted, held_out) > 0.9


def test_a_fit_is_repeated_exactly_by_its_seed():
    frames = labelled(small_nep(seed=1), cells(range(6)))
    settings = FitSettings(steps=5)
    first, second, other = (fit(small_nep(), frames, seed=seed, settings=settings) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.hidden_weights, second.hidden_weights)
    assert not np.array_equal(first.hidden_weights, other.hidden_weights)


def test_frames_without_stress_are_learned_from():
    frames = labelled(small_nep(seed=1), cells(range(6)), stress=False)
    fitted = fit(small_nep(), frames, seed=0, settings=SHORT)
    assert r2(fitted, frames) > 0.9


def test_another_zero_of_energy_of_each_element_is_found_and_does_not_enter_the_fit():
    model = small_nep()
    frames = labelled(model, cells(range(9)), shifts=(-2.0, 5.0))
    shifts = element_shifts(model, frames)
    assert shifts == pytest.approx({"Li": -2.0, "P": 5.0}, abs=1e-4)
    fitted = fit(model, frames, seed=0, settings=FitSettings(steps=10))
    cell = frames[0].system
    assert evaluate(fitted, cell).energy_eV == pytest.approx(evaluate(model, cell).energy_eV, abs=0.1)


@pytest.mark.parametrize(("goes_on", "reached"), [(0, "1 of 1 parts"), (1, "1 of 150")])
def test_a_stop_ends_the_fit_without_a_result(goes_on, reached):
    """While the frames are expanded, or at a step."""
    frames = labelled(small_nep(seed=1), cells(range(3)))
    calls = count()
    with pytest.raises(StoppedError, match=reached):
        fit(
            small_nep(), frames, seed=0, settings=SHORT, callbacks=Callbacks(should_stop=lambda: next(calls) >= goes_on)
        )


def test_nothing_can_be_learned_from_no_frames():
    with pytest.raises(InputError, match="no frames"):
        fit(small_nep(), [], seed=0)


def test_frames_survive_their_file(tmp_path):
    frames = labelled(small_nep(), cells(range(2))) + labelled(small_nep(), cells([2]), stress=False)
    write_frames(frames, tmp_path / "frames.npz")
    for before, after in zip(frames, read_frames(tmp_path / "frames.npz"), strict=True):
        np.testing.assert_array_equal(after.system.positions_A, before.system.positions_A)
        np.testing.assert_array_equal(after.system.lattice_A, before.system.lattice_A)
        np.testing.assert_array_equal(after.system.numbers, before.system.numbers)
        np.testing.assert_array_equal(after.forces_eV_per_A, before.forces_eV_per_A)
        assert (after.energy_eV, after.pressure_GPa, after.group) == (
            before.energy_eV,
            before.pressure_GPa,
            before.group,
        )
