"""Relaxation of positions, and optionally of the volume, by FIRE.

FIRE: Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006), with the semi-implicit Euler step and the step back on going
uphill of Guénolé et al., Comput. Mater. Sci. 175, 109584 (2020). With `relax_cell` the volume changes and the shape
of the cell stays: one more coordinate, the logarithm of the length scale, is driven by the pressure.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics.errors import DynamicsError
from vitrion_workflows.potentials.force_field import ForceField, ForceResult

FIRST_STEP = 0.1
LONGEST_STEP = 1.0
LONGEST_MOVE_A = 0.2
MIXING = 0.1
PATIENCE = 5
GROWTH, SHRINKAGE, MIXING_DECAY = 1.1, 0.5, 0.99


@dataclass(frozen=True, eq=False)
class RelaxResult:
    """Result of `relax`.

    Attributes:
        system: the relaxed cell.
        energy_eV: its potential energy.
        pressure_GPa: minus a third of the trace of the stress; None unless the cell was relaxed.
        steps: force calls after the first.
        converged: True if the tolerances were met within the steps allowed.
    """

    system: AtomicSystem
    energy_eV: float
    pressure_GPa: float | None
    steps: int
    converged: bool


def relax(
    system: AtomicSystem,
    force_field: ForceField,
    *,
    force_tolerance_eV_per_A: float,
    max_steps: int,
    relax_cell: bool = False,
    pressure_tolerance_GPa: float = 0.1,
    should_stop: Callable[[], bool] | None = None,
) -> RelaxResult:
    """Move atoms downhill until the largest force is below the tolerance.

    Args:
        system: starting cell.
        force_field: potential.
        force_tolerance_eV_per_A: greatest length of a force at the end.
        max_steps: greatest number of force calls.
        relax_cell: also scale the cell, its shape kept, to zero pressure.
        pressure_tolerance_GPa: greatest absolute pressure at the end, with `relax_cell`.
        should_stop: called after each step; True ends the relaxation.

    Raises:
        InputError: elements outside the potential's coverage, or a tolerance that is not positive.
        DynamicsError: forces are not finite.
    """
    if not (force_tolerance_eV_per_A > 0 and pressure_tolerance_GPa > 0 and max_steps >= 0):
        raise InputError("tolerances of a relaxation must be positive numbers and max_steps not negative")
    force_field.require_elements(system.numbers)
    problem = _Problem(system, force_field, relax_cell=relax_cell)

    x = problem.start()
    result, force = problem.evaluate(x)
    velocity = np.zeros_like(x)
    step, mixing, downhill = FIRST_STEP, MIXING, 0
    done = 0
    while done < max_steps and not problem.converged(result, x, force_tolerance_eV_per_A, pressure_tolerance_GPa):
        if float(np.vdot(force, velocity)) > 0:
            downhill += 1
            if downhill > PATIENCE:
                step, mixing = min(step * GROWTH, LONGEST_STEP), mixing * MIXING_DECAY
        else:
            x = x - 0.5 * step * velocity
            velocity = np.zeros_like(x)
            step, mixing, downhill = step * SHRINKAGE if done else step, MIXING, 0
        velocity = velocity + step * force
        norm = float(np.linalg.norm(force))
        velocity = (1 - mixing) * velocity + mixing * force * float(np.linalg.norm(velocity)) / max(norm, 1e-300)
        velocity = velocity * min(1.0, LONGEST_MOVE_A / max(step * float(np.abs(velocity).max()), 1e-300))
        x = x + step * velocity
        result, force = problem.evaluate(x)
        done += 1
        if should_stop is not None and should_stop():
            break
    return problem.outcome(
        result,
        x,
        steps=done,
        converged=problem.converged(result, x, force_tolerance_eV_per_A, pressure_tolerance_GPa),
    )


class _Problem:
    """Coordinates, shape (N + 1, 3): positions in the unscaled cell, and a row whose first entry is the scale's.

    The positions of a cell scaled by s = exp(q / L) are s times the row's; their generalised forces are s f, and that
    of q is 3 p V / L. L makes the scale as soft as an atom: the cell's size times the root of the number of atoms.
    """

    def __init__(self, system: AtomicSystem, force_field: ForceField, *, relax_cell: bool) -> None:
        self._system = system
        self._force_field = force_field
        self._relax_cell = relax_cell
        self._softness_A = system.volume_A3 ** (1 / 3) * len(system) ** 0.5

    def start(self) -> FloatArray:
        """Return the coordinates of the starting cell, shape (N + 1, 3)."""
        return np.concatenate([self._system.positions_A, np.zeros((1, 3))])

    def evaluate(self, x: FloatArray) -> tuple[ForceResult, FloatArray]:
        """Return the result of the potential and the generalised forces, shape (N + 1, 3)."""
        scale = self._scale(x)
        lattice = scale * self._system.lattice_A
        result = self._force_field.compute(self._system.numbers, scale * x[:-1], lattice, stress=self._relax_cell)
        if not (np.isfinite(result.energy_eV) and np.isfinite(result.forces_eV_per_A).all()):
            raise DynamicsError("relaxation: forces or energy are not finite: atoms overlap; pack the cell again")
        force = np.zeros_like(x)
        force[:-1] = scale * result.forces_eV_per_A
        if result.stress_eV_per_A3 is not None:
            volume_A3 = abs(float(np.linalg.det(lattice)))
            force[-1, 0] = -float(np.trace(result.stress_eV_per_A3)) * volume_A3 / self._softness_A
        return result, force

    def converged(
        self, result: ForceResult, _x: FloatArray, force_tolerance: float, pressure_tolerance_GPa: float
    ) -> bool:
        """Return True if the forces and, with `relax_cell`, the pressure are within their tolerances."""
        pressure = result.static_pressure_GPa
        return _largest(result) <= force_tolerance and (pressure is None or abs(pressure) <= pressure_tolerance_GPa)

    def outcome(self, result: ForceResult, x: FloatArray, *, steps: int, converged: bool) -> RelaxResult:
        """Return the result at given coordinates."""
        scale = self._scale(x)
        return RelaxResult(
            system=replace(self._system, positions_A=scale * x[:-1], lattice_A=scale * self._system.lattice_A),
            energy_eV=result.energy_eV,
            pressure_GPa=result.static_pressure_GPa,
            steps=steps,
            converged=converged,
        )

    def _scale(self, x: FloatArray) -> float:
        return float(np.exp(x[-1, 0] / self._softness_A))


def _largest(result: ForceResult) -> float:
    return float(np.linalg.norm(result.forces_eV_per_A, axis=1).max())
