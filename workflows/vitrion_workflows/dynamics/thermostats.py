"""Thermostats: each a pair of pure functions on a batch of cells, its initial variables and one step.

A step is velocity Verlet split in operators (Leimkuhler and Matthews): B a half step of the velocities, A of positions,
O the thermostat's part. With h the time step, m the masses, f the forces:

- ``nve``: B A A B, plain velocity Verlet.
- ``langevin``: B A O A B. O solves the Ornstein-Uhlenbeck process exactly: v <- c v + sqrt((1 - c^2) k_B T / m) xi
  with c = exp(-gamma h). Positions of a harmonic oscillator are sampled without error in h, and a free particle
  diffuses with D = (k_B T h / 2 m) coth(gamma h / 2), which is k_B T / (m gamma) (1 + (gamma h)^2 / 12 ...).
- ``nose-hoover``: O/2 B A A B O/2 with O the chain of Martyna, Klein and Tuckerman (J. Chem. Phys. 97, 2635, 1992),
  propagated as in Martyna et al., Mol. Phys. 87, 1117 (1996), eq. 29 and its Suzuki-Yoshida weights; masses
  Q_1 = f k_B T tau^2, Q_k = k_B T tau^2.

Each cell of a batch has its own step length, friction, temperature and stream of random numbers, and no sum runs over
two cells: what a cell does is bitwise the same alone and among others.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from vitrion_models.constants import BOLTZMANN_eV_PER_K
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.dynamics.state import NOISE_STREAM, Atoms, BatchState, normal_numbers

CHAIN_LENGTH = 3
# Suzuki-Yoshida weights of third order, w = 1 / (2 - 2^(1/3)).
_W = 1 / (2 - 2 ** (1 / 3))
SUZUKI_YOSHIDA = (_W, 1 - 2 * _W, _W)

# Positions of all atoms, shape (A, 3) -> (forces, shape (A, 3); potential energy of each cell, shape (C,)).
Compute = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Setting:
    """Constants of a group of runs.

    Attributes:
        compute: positions to forces in eV/A and energies in eV.
        atoms: masses, and which cell each atom belongs to.
        velocity_per_force: half a step over the mass, in A/ps per eV/A, shape (A, 1).
        half_ps: half a step, shape (A, 1).
        time_steps_ps: h of each cell.
        friction_per_ps: gamma, or 1/tau, of each cell; 0 for ``nve``.
        damping: exp(-gamma h), shape (A, 1).
        noise_A_per_ps: sqrt((1 - damping^2) k_B / m), to be multiplied by sqrt(T), shape (A, 1).
        degrees_of_freedom: f of each cell.
        fixed_momentum: 1 for cells whose total momentum is held at zero, 0 for others, shape (C, 1).
        seeds: of each cell's noise.
        sizes: atoms of each cell.
    """

    compute: Compute
    atoms: Atoms
    velocity_per_force: FloatArray
    half_ps: FloatArray
    time_steps_ps: tuple[float, ...]
    friction_per_ps: tuple[float, ...]
    damping: FloatArray
    noise_A_per_ps: FloatArray
    degrees_of_freedom: IntArray
    fixed_momentum: FloatArray
    seeds: tuple[int, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Thermostat:
    """A thermostat by its name.

    Attributes:
        name: as in `MDPlan.thermostat`.
        start: returns the thermostat variables of a cell at step 0.
        step: state, setting and target temperature of each cell, shape (C,), to the next state.
        label: format of the text for method records.
    """

    name: str
    start: Callable[[], FloatArray]
    step: Callable[[BatchState, Setting, FloatArray], BatchState]
    label: str

    def describe(self, friction_per_ps: float | None) -> str:
        """Return the text for method records, for example ``langevin-baoab(friction=1/ps)``."""
        return self.label.format(friction=0.0 if friction_per_ps is None else friction_per_ps)


def no_variables() -> FloatArray:
    """Return the variables of a thermostat that has none, shape (0,)."""
    return np.zeros(0)


def chain_at_rest() -> FloatArray:
    """Return positions and velocities (1/ps) of a Nose-Hoover chain at rest, shape (2, M)."""
    return np.zeros((2, CHAIN_LENGTH))


def step_nve(state: BatchState, setting: Setting, _targets_K: FloatArray) -> BatchState:
    """Return the state after one step of velocity Verlet."""
    velocities = state.velocities_A_per_ps + setting.velocity_per_force * state.forces_eV_per_A
    positions = state.positions_A + 2 * setting.half_ps * velocities
    return _half_step_by_forces(state, setting, positions, velocities)


def step_langevin(state: BatchState, setting: Setting, targets_K: FloatArray) -> BatchState:
    """Return the state after one BAOAB step.

    Where the momentum is fixed the drift of the centre of mass is subtracted after O: the projection of the exact
    Gaussian on zero momentum is the exact Gaussian of the remaining 3 N - 3 degrees of freedom.
    """
    owners = setting.atoms.owners
    noise = _noise(state, setting)
    noise *= setting.noise_A_per_ps * np.sqrt(targets_K)[owners, None]
    velocities = state.velocities_A_per_ps + setting.velocity_per_force * state.forces_eV_per_A
    positions = state.positions_A + setting.half_ps * velocities
    velocities *= setting.damping
    velocities += noise
    drifts = setting.atoms.drifts_A_per_ps(velocities)
    drifts *= setting.fixed_momentum
    velocities -= drifts[owners]
    positions += setting.half_ps * velocities
    return _half_step_by_forces(state, setting, positions, velocities)


def step_nose_hoover(state: BatchState, setting: Setting, targets_K: FloatArray) -> BatchState:
    """Return the state after one step of a Nose-Hoover chain around velocity Verlet."""
    velocities, chains = propagate_chains(state.velocities_A_per_ps, state.thermostat, setting, targets_K)
    moved = step_nve(replace(state, velocities_A_per_ps=velocities), setting, targets_K)
    velocities, chains = propagate_chains(moved.velocities_A_per_ps, chains, setting, targets_K)
    return replace(moved, velocities_A_per_ps=velocities, thermostat=chains)


def propagate_chains(
    velocities_A_per_ps: FloatArray,
    chains: FloatArray,
    setting: Setting,
    targets_K: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Propagate each cell's chain by half a step and scale the velocities.

    Args:
        velocities_A_per_ps: shape (A, 3).
        chains: positions and velocities of each chain, shape (C, 2, M).
        setting: constants of the cells.
        targets_K: temperature of each thermostat, shape (C,).

    Returns:
        Velocities in A/ps, shape (A, 3), and the chains, shape (C, 2, M).
    """
    heats = 2 * setting.atoms.kinetic_energies_eV(velocities_A_per_ps) / (BOLTZMANN_eV_PER_K * targets_K)
    moved = np.empty_like(chains)
    scales = np.empty(len(chains))
    for cell, (chain, heat) in enumerate(zip(chains.tolist(), heats.tolist(), strict=True)):
        try:
            scales[cell], moved[cell] = _propagate(chain, heat, cell, setting)
        except OverflowError:
            # Overlapping atoms fly apart: this cell alone is not finite from here on, which ends its run.
            scales[cell], moved[cell] = np.nan, np.nan
    return velocities_A_per_ps * scales[setting.atoms.owners, None], moved


def _noise(state: BatchState, setting: Setting) -> FloatArray:
    parts = [
        normal_numbers(seed=seed, stream=NOISE_STREAM, step=step, atoms=size)
        for seed, step, size in zip(setting.seeds, state.steps.tolist(), setting.sizes, strict=True)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _half_step_by_forces(
    state: BatchState, setting: Setting, positions_A: FloatArray, velocities_A_per_ps: FloatArray
) -> BatchState:
    # The last B: `velocities_A_per_ps` is an array of the caller's own, changed in place.
    forces, energies = setting.compute(positions_A)
    velocities_A_per_ps += setting.velocity_per_force * forces
    return BatchState(state.steps + 1, positions_A, velocities_A_per_ps, forces, energies, state.thermostat)


def _propagate(chain: list[list[float]], heat: float, cell: int, setting: Setting) -> tuple[float, list[list[float]]]:
    # One cell's chain in plain numbers: scale of its velocities, and the chain moved on. heat is 2 E_kin / kT.
    position, speed = chain
    rate2 = setting.friction_per_ps[cell] ** 2
    freedom = int(setting.degrees_of_freedom[cell])
    scale = 1.0
    for weight in SUZUKI_YOSHIDA:
        h = weight * setting.time_steps_ps[cell]
        _half_step_of_chain(speed, reversed(range(CHAIN_LENGTH)), h, heat, (rate2, freedom))
        factor = math.exp(-0.5 * h * speed[0])
        scale *= factor
        heat *= factor * factor
        position = [x + 0.5 * h * v for x, v in zip(position, speed, strict=True)]
        _half_step_of_chain(speed, range(CHAIN_LENGTH), h, heat, (rate2, freedom))
    return scale, [position, speed]


def _half_step_of_chain(
    speed: list[float], links: Iterable[int], h: float, heat: float, constants: tuple[float, int]
) -> None:
    # A quarter kick of each link's speed, damped by the next link's. Divided by the links' inertias, f kT tau^2 for
    # the first and kT tau^2 for the others, the pulls take the simple forms below.
    rate2, freedom = constants
    for link in links:
        if link == 0:
            pull = rate2 * (heat / freedom - 1)
        else:
            pull = speed[link - 1] ** 2 * (freedom if link == 1 else 1) - rate2
        damping = math.exp(-0.125 * h * speed[link + 1]) if link + 1 < CHAIN_LENGTH else 1.0
        speed[link] = damping * (damping * speed[link] + 0.25 * h * pull)


THERMOSTATS = {
    thermostat.name: thermostat
    for thermostat in (
        Thermostat("langevin", no_variables, step_langevin, "langevin-baoab(friction={friction:g}/ps)"),
        Thermostat(
            "nose-hoover",
            chain_at_rest,
            step_nose_hoover,
            f"nose-hoover-chain(links={CHAIN_LENGTH}, rate={{friction:g}}/ps)",
        ),
        Thermostat("nve", no_variables, step_nve, "none"),
    )
}
