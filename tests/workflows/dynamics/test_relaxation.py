import numpy as np
import pytest
from model_force_fields import HarmonicWells, Poisoned, nep89_or_skip, rock_salt, scattered

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import dynamics, potentials
from vitrion_workflows.schemas.geometry import atoms_from_system


def test_wells_are_found():
    system = scattered([3] * 5)
    wells = HarmonicWells(system.positions_A, 2.0)
    away = AtomicSystem(system.numbers, system.positions_A + 0.7, system.lattice_A)
    result = dynamics.relax(away, wells, force_tolerance_eV_per_A=1e-4, max_steps=300)
    assert result.converged
    np.testing.assert_allclose(result.system.positions_A, system.positions_A, atol=1e-4)
    assert result.energy_eV == pytest.approx(0, abs=1e-8)
    assert result.pressure_GPa is None


def test_nothing_to_do_takes_no_step():
    result = dynamics.relax(rock_salt(), potentials.load("lennard-jones"), force_tolerance_eV_per_A=0.01, max_steps=9)
    assert (result.steps, result.converged) == (0, True)


def test_no_steps_left_is_said():
    result = dynamics.relax(
        rock_salt(noise_A=0.2), potentials.load("lennard-jones"), force_tolerance_eV_per_A=1e-3, max_steps=2
    )
    assert (result.steps, result.converged) == (2, False)


def test_an_overlapping_packing_is_untangled():
    generator = np.random.default_rng(4)
    system = AtomicSystem(np.tile([3, 17], 32), generator.uniform(0, 11, (64, 3)), np.eye(3) * 11)
    result = dynamics.relax(system, potentials.load("lennard-jones"), force_tolerance_eV_per_A=0.1, max_steps=500)
    assert result.converged
    assert result.energy_eV / 64 < -0.6


def test_same_minimum_as_ase():
    from ase.optimize import FIRE

    system = rock_salt(noise_A=0.1, repeats=2)
    force_field = potentials.load("lennard-jones")
    ours = dynamics.relax(system, force_field, force_tolerance_eV_per_A=2e-3, max_steps=500)
    atoms = atoms_from_system(system)
    atoms.calc = dynamics.ase_calculator(force_field)
    FIRE(atoms, logfile=None).run(fmax=2e-3, steps=500)
    assert ours.converged
    assert ours.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-3)


def test_the_cell_breathes_to_zero_pressure():
    # The Lennard-Jones crystal's energy against its edge has one minimum: the relaxed edge must be it.
    force_field = potentials.load("lennard-jones")
    edges = np.linspace(4.6, 5.4, 161)
    energies = [force_field.evaluate(rock_salt(edge_A=edge)).energy_eV for edge in edges]
    best = edges[int(np.argmin(energies))]
    for start in (4.6, 5.3):
        result = dynamics.relax(
            rock_salt(edge_A=start, noise_A=0.02),
            force_field,
            force_tolerance_eV_per_A=0.005,
            max_steps=500,
            relax_cell=True,
            pressure_tolerance_GPa=0.02,
        )
        assert result.converged
        assert abs(result.pressure_GPa) <= 0.02
        assert result.system.volume_A3 ** (1 / 3) == pytest.approx(best, abs=0.02)
        np.testing.assert_allclose(result.system.lattice_A / result.system.lattice_A[0, 0], np.eye(3), atol=1e-12)


@pytest.mark.nep
def test_nep89_lithium_chloride_has_its_lattice_constant():
    # 5.13 A at room temperature (Wyckoff); dispersion-corrected PBE contracts by some 3 %.
    result = dynamics.relax(
        rock_salt(edge_A=5.4), nep89_or_skip(), force_tolerance_eV_per_A=0.01, max_steps=200, relax_cell=True
    )
    assert result.converged
    assert result.system.volume_A3 ** (1 / 3) == pytest.approx(5.13, rel=0.04)


def test_nonsense_is_refused():
    force_field = potentials.load("lennard-jones")
    with pytest.raises(InputError, match="tolerances"):
        dynamics.relax(rock_salt(), force_field, force_tolerance_eV_per_A=0.0, max_steps=5)
    with pytest.raises(InputError, match="Cl"):
        dynamics.relax(rock_salt(), Poisoned(1), force_tolerance_eV_per_A=0.1, max_steps=5)
    with pytest.raises(dynamics.DynamicsError, match="not finite"):
        dynamics.relax(scattered([3] * 3), Poisoned(1), force_tolerance_eV_per_A=0.1, max_steps=5)
