import numpy as np
import pytest
from md_runs import warm_plan
from model_force_fields import nep89_or_skip, rock_salt

from vitrion_models.errors import InputError
from vitrion_workflows import dynamics, potentials
from vitrion_workflows.schemas.geometry import atoms_from_system

NVE = warm_plan(temperature_K=400.0, thermostat="nve", friction_per_ps=None)


def test_nve_gives_ases_trajectory():
    system, force_field = rock_salt(noise_A=0.05), potentials.load("lennard-jones")
    ours = dynamics.run_md(system, force_field, NVE).trajectory
    theirs = dynamics.ase_reference(system, force_field, NVE)
    np.testing.assert_allclose(ours.positions_A, theirs.positions_A, atol=1e-6)
    # ASE counts 3 N degrees of freedom, we 3 N - 3.
    np.testing.assert_allclose(ours.temperatures_K * 21 / 24, theirs.temperatures_K, rtol=1e-5)
    np.testing.assert_allclose(ours.potential_energies_eV, theirs.potential_energies_eV, atol=1e-6)
    assert ours.frame_interval_ps == theirs.frame_interval_ps


@pytest.mark.nep
def test_nve_gives_ases_trajectory_with_nep89_and_their_own_calculator():
    from nep_adapters.ase import NepAseCalculator

    from vitrion_workflows.potentials.adapters.ase_calculator import AseForceField
    from vitrion_workflows.potentials.weights.package import weights_folder

    force_field = nep89_or_skip()
    theirs = AseForceField(
        NepAseCalculator(weights_folder() / "nep89.txt"),
        name="x",
        version="1",
        weights_sha256="0" * 64,
        elements=force_field.elements,
    )
    system = rock_salt(noise_A=0.05)
    ours = dynamics.run_md(system, force_field, NVE).trajectory
    reference = dynamics.ase_reference(system, theirs, NVE)
    np.testing.assert_allclose(ours.positions_A, reference.positions_A, atol=1e-5)


@pytest.mark.parametrize(("thermostat", "remove_drift"), [("langevin", True), ("nose-hoover", False)])
def test_thermostats_give_ases_averages(thermostat, remove_drift):
    # ASE's Nose-Hoover chain counts 3 N degrees of freedom: compared with the drift left in.
    system, force_field = rock_salt(noise_A=0.1, edge_A=5.4), potentials.load("lennard-jones")
    p = warm_plan(
        thermostat=thermostat,
        friction_per_ps=20.0,
        steps=4000,
        frame_every=20,
        temperature_K=900.0,
        remove_drift=remove_drift,
    )
    means, errors = [], []
    for run in (
        dynamics.run_md(system, force_field, p).trajectory,
        dynamics.ase_reference(system, force_field, p),
    ):
        blocks = run.potential_energies_eV[41:].reshape(10, -1).mean(axis=1)
        means.append(blocks.mean())
        errors.append(blocks.std(ddof=1) / np.sqrt(10))
    # Mean potential energies of 6.4 ps, blocks of 0.64 ps (13 thermostat times): 4.5 standard errors.
    assert abs(means[0] - means[1]) < 4.5 * np.hypot(*errors)


def test_a_ramp_is_not_offered():
    with pytest.raises(InputError, match="ramp"):
        dynamics.ase_reference(
            rock_salt(),
            potentials.load("lennard-jones"),
            warm_plan(final_temperature_K=100.0),
        )


def test_calculator_gives_stress_only_when_asked():
    system, force_field = rock_salt(noise_A=0.1), potentials.load("lennard-jones")
    atoms = atoms_from_system(system)
    atoms.calc = dynamics.ase_calculator(force_field)
    expected = force_field.evaluate(system, stress=True)
    np.testing.assert_allclose(atoms.get_forces(), expected.forces_eV_per_A)
    assert "stress" not in atoms.calc.results
    np.testing.assert_allclose(atoms.get_stress(voigt=False), expected.stress_eV_per_A3, atol=1e-12)
