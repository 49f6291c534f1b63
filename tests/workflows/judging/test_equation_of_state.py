import numpy as np
import pytest
from argon_model import A6, A12, SIGMA_A, Argon, DEPTH_eV, fcc
from model_force_fields import FreeParticles
from one_line import error_in_one_line

from vitrion_models.constants import GPA_PER_eV_A3
from vitrion_models.system import AtomicSystem
from vitrion_workflows.judging import EquationOfStateFailed, compare_crystal, equation_of_state
from vitrion_workflows.judging.equation_of_state import fit_birch_murnaghan

# Minimum of 2 eps (A12 (sigma/r)^12 - A6 (sigma/r)^6) over the nearest distance r, volume r^3 / sqrt(2).
NEAREST_A = SIGMA_A * (2 * A12 / A6) ** (1 / 6)
VOLUME_A3 = NEAREST_A**3 / 2**0.5
# V d2E/dV2 with E = a V^-4 - b V^-2 at its minimum: 8 |E| / V.
BULK_GPa = 8 * DEPTH_eV * A6**2 / (2 * A12) / VOLUME_A3 * GPA_PER_eV_A3


def test_argon_has_volume_and_stiffness_of_the_lattice_sum():
    crystal = fcc(edge_A=5.0)
    equation = equation_of_state(crystal, Argon(cutoff_A=8 * SIGMA_A))
    assert equation.volume_A3_per_atom == pytest.approx(VOLUME_A3, rel=1e-3)
    assert equation.bulk_modulus_GPa == pytest.approx(BULK_GPa, rel=0.02)  # not quite a Birch-Murnaghan solid


def test_the_fit_returns_the_equation_that_made_the_energies():
    volumes = np.linspace(9.0, 11.0, 7)
    eta = (10.1 / volumes) ** (2 / 3)
    bulk_eV_per_A3 = 50.0 / GPA_PER_eV_A3
    energies = 9 * 10.1 * bulk_eV_per_A3 / 16 * ((eta - 1) ** 3 * 4.5 + (eta - 1) ** 2 * (6 - 4 * eta))
    equation = fit_birch_murnaghan(volumes, energies, atoms=2)
    assert equation.volume_A3_per_atom == pytest.approx(5.05, rel=1e-6)
    assert equation.bulk_modulus_GPa == pytest.approx(50.0, rel=1e-4)


def test_a_crystal_without_a_minimum_is_reported():
    with error_in_one_line(EquationOfStateFailed, "no minimum of energy between"):
        fit_birch_murnaghan([8.0, 9.0, 10.0, 11.0, 12.0], [5.0, 4.0, 3.0, 2.0, 1.0], atoms=1)
    crystal = AtomicSystem([3, 53], [[0, 0, 0], [2.0, 2, 2]], 4 * np.eye(3))
    with pytest.raises(EquationOfStateFailed):
        equation_of_state(crystal, FreeParticles())


def test_a_softer_crystal_shows_in_forces_and_stiffness_not_in_its_volume():
    soft, hard = (Argon(cutoff_A=8 * SIGMA_A, factor=factor) for factor in (0.8, 1.0))
    result = compare_crystal(fcc(edge_A=5.4), soft, hard, source="fcc", seed=1)
    assert result.disturbed.agreement.slope == pytest.approx(0.8)
    assert result.equation.volume_A3_per_atom == pytest.approx(result.reference_equation.volume_A3_per_atom, rel=1e-3)
    assert result.equation.bulk_modulus_GPa == pytest.approx(0.8 * result.reference_equation.bulk_modulus_GPa, rel=0.01)
    assert result.volume_A3_per_atom == pytest.approx(5.4**3 / 4)
