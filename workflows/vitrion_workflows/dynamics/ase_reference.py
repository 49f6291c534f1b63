"""ASE's integrators on Vitrion's potentials, for comparison, and Vitrion's potentials as ASE calculators."""

from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics.plan import MDPlan
from vitrion_workflows.dynamics.state import maxwell_boltzmann
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.schemas.geometry import atoms_from_system
from vitrion_workflows.trajectories.trajectory import Trajectory

A_PER_PS = 1.0 / (FEMTOSECONDS_PER_PS * units.fs)


class _ForceFieldCalculator(Calculator):
    """A potential as a calculator of the Atomic Simulation Environment."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 - ASE declares it so

    def __init__(self, force_field: ForceField) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._force_field = force_field

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Evaluate energy and forces, and the stress where it is among the properties."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        wants_stress = "stress" in (properties or ())
        cell: Any = self.atoms
        system = AtomicSystem(cell.numbers, cell.positions, cell.cell.array)
        result = self._force_field.evaluate(system, stress=wants_stress)
        self.results = {
            "energy": result.energy_eV,
            "free_energy": result.energy_eV,
            "forces": result.forces_eV_per_A,
        }
        if result.stress_eV_per_A3 is not None:
            self.results["stress"] = full_3x3_to_voigt_6_stress(result.stress_eV_per_A3)


def ase_calculator(force_field: ForceField) -> Calculator:
    """Return a potential as an ASE calculator, for ASE's optimisers and dynamics."""
    return _ForceFieldCalculator(force_field)


def ase_reference(
    system: AtomicSystem,
    force_field: ForceField,
    plan: MDPlan,
    *,
    velocities: FloatArray | None = None,
) -> Trajectory:
    """Run a plan with ASE's integrators: velocity Verlet, Langevin (not BAOAB) or Nose-Hoover chain.

    With ``nve`` the frames agree with `run_md` to rounding; with a thermostat their averages do.

    Args:
        system: starting cell.
        force_field: potential.
        plan: of the run, without a temperature ramp.
        velocities: starting velocities in A/ps, shape (N, 3); drawn as by `run_md` where None.

    Raises:
        InputError: the plan has a ramp, or elements outside the potential's coverage.
    """
    if plan.final_temperature_K is not None:
        raise InputError("the ASE reference runs no temperature ramp: use run_md")
    atoms = atoms_from_system(system)
    start = velocities
    if start is None:
        start = maxwell_boltzmann(
            system.masses_u, temperature_K=plan.temperature_K, seed=plan.seed, remove_drift=plan.remove_drift
        )
    atoms.set_velocities(start * A_PER_PS)
    atoms.calc = ase_calculator(force_field)
    integrator = _INTEGRATORS[plan.thermostat](atoms, plan)
    positions, temperatures, energies = [], [], []

    def record() -> None:
        positions.append(atoms.get_positions())
        temperatures.append(float(atoms.get_temperature()))
        energies.append(float(atoms.get_potential_energy()))

    integrator.attach(record, interval=plan.frame_every)
    integrator.run(plan.steps)
    return Trajectory(
        numbers=system.numbers,
        positions_A=np.array(positions),
        lattice_A=system.lattice_A,
        frame_interval_ps=plan.frame_interval_ps,
        temperatures_K=np.array(temperatures),
        potential_energies_eV=np.array(energies),
        masses_u=system.masses_u,
        source="ase_reference",
        set_temperature_K=plan.set_temperature_K,
        thermostat=plan.thermostat,
        friction_per_ps=plan.friction_per_ps,
    )


def _verlet(atoms: Atoms, plan: MDPlan) -> Any:
    from ase.md.verlet import VelocityVerlet  # noqa: PLC0415 - a second to import, and only comparisons need it

    return VelocityVerlet(atoms, timestep=plan.time_step_fs * units.fs)


def _langevin(atoms: Atoms, plan: MDPlan) -> Any:
    from ase.constraints import FixCom  # noqa: PLC0415 - as above
    from ase.md.langevin import Langevin  # noqa: PLC0415

    if plan.remove_drift:
        # Its own `fixcm` heats a cell of N atoms by N / (N - 1), as ASE warns since 3.28.
        atoms.set_constraint(FixCom())
    return Langevin(
        atoms,
        timestep=plan.time_step_fs * units.fs,
        temperature_K=plan.temperature_K,
        friction=(plan.friction_per_ps or 0.0) / (FEMTOSECONDS_PER_PS * units.fs),
        fixcm=False,
        rng=np.random.default_rng(plan.seed),
    )


def _nose_hoover(atoms: Atoms, plan: MDPlan) -> Any:
    from ase.md.nose_hoover_chain import NoseHooverChainNVT  # noqa: PLC0415 - as above

    tau_fs = FEMTOSECONDS_PER_PS / (plan.friction_per_ps or 1.0)
    return NoseHooverChainNVT(
        atoms,
        timestep=plan.time_step_fs * units.fs,
        temperature_K=plan.temperature_K,
        tdamp=tau_fs * units.fs,
    )


_INTEGRATORS: dict[str, Callable[[Atoms, MDPlan], Any]] = {
    "nve": _verlet,
    "langevin": _langevin,
    "nose-hoover": _nose_hoover,
}
