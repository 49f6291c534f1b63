import numpy as np
import pytest
from argon_model import Argon
from model_force_fields import rock_salt
from one_line import error_in_one_line

from vitrion_models.constants import GPA_PER_eV_A3
from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.judging import NoComparison, compare_frames, compare_melt
from vitrion_workflows.potentials import ForceField, ForceResult


class Scaled(ForceField):
    """Another potential times a factor; an offset of its energy, as of another reference for atoms."""

    def __init__(self, of, factor):
        super().__init__(name="scaled", version="1", weights_sha256="2" * 64, elements=of.elements)
        self.of, self.factor = of, factor

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        of = self.of.compute(numbers, positions_A, lattice_A, stress=stress)
        tensor = None if of.stress_eV_per_A3 is None else self.factor * of.stress_eV_per_A3
        return ForceResult(self.factor * of.energy_eV + 3.0, self.factor * of.forces_eV_per_A, tensor)


def frames(noise_A=0.15):
    return [rock_salt(noise_A=noise_A, seed=seed) for seed in range(4)]


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.3])
def test_a_scaled_potential_has_the_factor_as_slope(factor):
    field = potentials.load("lennard-jones")
    result = compare_frames(frames(), Scaled(field, factor), field, source="rock salt")
    assert result.agreement.slope == pytest.approx(factor, rel=1e-12)
    assert result.agreement.inverse_slope == pytest.approx(1 / factor, rel=1e-12)
    assert result.agreement.r2 == pytest.approx(1 - (1 - factor) ** 2, rel=1e-12)
    evaluated = [field.evaluate(frame, stress=True) for frame in frames()]
    energies = np.array([each.energy_eV for each in evaluated])
    expected_meV = 1000 * abs(factor - 1) * energies.std(ddof=1) / 8
    assert result.check.energy_scatter_meV_per_atom == pytest.approx(expected_meV, abs=1e-9)
    pressure = -np.mean([np.trace(each.stress_eV_per_A3) / 3 for each in evaluated]) * GPA_PER_eV_A3
    assert result.check.pressure_difference_GPa == pytest.approx((factor - 1) * pressure, abs=1e-9)


class WrongFor(Scaled):
    """The forces on one atom are another vector."""

    def __init__(self, of, atom):
        super().__init__(of, 1.0)
        self.atom = atom

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):
        result = super().compute(numbers, positions_A, lattice_A, stress=stress)
        result.forces_eV_per_A[self.atom] = [40.0, 0.0, 0.0]
        return result


def test_an_atom_in_a_hole_is_named_and_sound_frames_have_none():
    field = potentials.load("lennard-jones")
    hole = compare_melt(frames(), field, WrongFor(field, 5), source="rock salt")
    assert hole.worst_species == "Cl"
    assert hole.hole.startswith("Cl 5 - ")
    assert "40.0 eV/A" in hole.hole
    assert compare_melt(frames(noise_A=0.05), Scaled(field, 0.8), field, source="rock salt").hole == ""


def test_one_frame_has_no_scatter_and_a_potential_without_stress_no_pressure():
    cell = AtomicSystem([18, 18], [[0, 0, 0], [4.0, 0, 0]], 12 * np.eye(3))

    class Stressless(Argon):
        def compute(self, numbers, positions_A, lattice_A, *, stress=False):
            result = super().compute(numbers, positions_A, lattice_A, stress=stress)
            return ForceResult(result.energy_eV, result.forces_eV_per_A)

    result = compare_frames([cell], Stressless(), Argon(), source="pair")
    assert result.check.energy_scatter_meV_per_atom is None
    assert result.check.pressure_difference_GPa is None
    assert result.agreement.r2 == pytest.approx(1.0)


def test_no_frames_are_refused():
    with error_in_one_line(NoComparison, "no frames"):
        compare_frames([], Argon(), Argon(), source="nothing")
