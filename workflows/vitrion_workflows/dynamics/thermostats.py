"""Thermostats: each a pair of pure functions, the start of its own variables and one step.

A step is velocity Verlet split in operators (Leimkuhler and Matthews): B a half kick by the forces, A a half drift,
O the thermostat's part. With h the time step, m the masses, f the forces:

- ``nve``: B A A B, plain velocity Verlet.
- ``langevin``: B A O A B. O solves the Ornstein-Uhlenbeck process exactly: v <- c v + sqrt((1 - c^2) k_B T / m) xi
  with c = exp(-gamma h). Positions of a harmonic oscillator are sampled without error in h, and a free particle
  diffuses with D = (k_B T h / 2 m) coth(gamma h / 2), which is k_B T / (m gamma) (1 + (gamma h)^2 / 12 ...).
- ``nose-hoover``: O/2 B A A B O/2 with O the chain of Martyna, Klein and Tuckerman (J. Chem. Phys. 97, 2635, 1992),
  propagated as in Martyna et al., Mol. Phys. 87, 1117 (1996), eq. 29 and its Suzuki-Yoshida weights; masses
  Q_1 = f k_B T tau^2, Q_k = k_B T tau^2.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.dynamics.constants import BOLTZMANN_eV_PER_K
from vitrion_workflows.dynamics.state import (
    NOISE_STREAM,
    MDState,
    kinetic_energy_eV,
    normal_numbers,
    thermal_speeds_A_per_ps,
    without_drift,
)

CHAIN_LENGTH = 3
# Suzuki-Yoshida weights of third order, w = 1 / (2 - 2^(1/3)).
_W = 1 / (2 - 2 ** (1 / 3))
SUZUKI_YOSHIDA = (_W, 1 - 2 * _W, _W)

# Positions -> (forces, potential energy).
Compute = Callable[[FloatArray], tuple[FloatArray, float]]


@dataclass(frozen=True, eq=False)
class Setting:
    """What does not change during a run.

    Attributes:
        compute: positions to forces in eV/A and energy in eV.
        masses_u: shape (N,).
        accelerations_per_force: 1 / m in A/ps^2 per eV/A, shape (N, 1).
        time_step_ps: h.
        friction_per_ps: gamma, or 1/tau; 0 for ``nve``.
        degrees_of_freedom: f.
        remove_drift: hold the total momentum at zero.
        seed: of the noise.
    """

    compute: Compute
    masses_u: FloatArray
    accelerations_per_force: FloatArray
    time_step_ps: float
    friction_per_ps: float
    degrees_of_freedom: int
    remove_drift: bool
    seed: int


@dataclass(frozen=True)
class Thermostat:
    """A named pair of pure functions.

    Attributes:
        name: as in `MDPlan.thermostat`.
        coupled: it sets a temperature, hence needs a friction.
        start: the thermostat's own variables at step 0.
        step: state, setting and target temperature to the next state.
        label: format of the text for method records.
    """

    name: str
    coupled: bool
    start: Callable[[], FloatArray]
    step: Callable[[MDState, Setting, float], MDState]
    label: str

    def describe(self, friction_per_ps: float | None) -> str:
        """Text for method records, for example ``langevin-baoab(friction=1/ps)``."""
        return self.label.format(friction=0.0 if friction_per_ps is None else friction_per_ps)


def no_variables() -> FloatArray:
    """Own variables of a thermostat that has none, shape (0,)."""
    return np.zeros(0)


def chain_at_rest() -> FloatArray:
    """Positions and velocities (1/ps) of a Nose-Hoover chain at rest, shape (2, M)."""
    return np.zeros((2, CHAIN_LENGTH))


def step_nve(state: MDState, setting: Setting, _target_K: float) -> MDState:
    """One step of velocity Verlet."""
    half = 0.5 * setting.time_step_ps
    velocities = state.velocities_A_per_ps + half * setting.accelerations_per_force * state.forces_eV_per_A
    positions = state.positions_A + setting.time_step_ps * velocities
    forces, energy = setting.compute(positions)
    velocities = velocities + half * setting.accelerations_per_force * forces
    return MDState(state.step + 1, positions, velocities, forces, energy, state.thermostat)


def step_langevin(state: MDState, setting: Setting, target_K: float) -> MDState:
    """One BAOAB step.

    With `remove_drift` the centre of mass is taken out after O: the projection of the exact Gaussian on zero momentum
    is the exact Gaussian of the remaining 3 N - 3 degrees of freedom.
    """
    half = 0.5 * setting.time_step_ps
    kept = math.exp(-setting.friction_per_ps * setting.time_step_ps)
    noise = normal_numbers(seed=setting.seed, stream=NOISE_STREAM, step=state.step, atoms=len(setting.masses_u))
    noise *= math.sqrt(1 - kept * kept) * thermal_speeds_A_per_ps(setting.masses_u, target_K)

    velocities = state.velocities_A_per_ps + half * setting.accelerations_per_force * state.forces_eV_per_A
    positions = state.positions_A + half * velocities
    velocities = kept * velocities + noise
    if setting.remove_drift:
        velocities = without_drift(velocities, setting.masses_u)
    positions += half * velocities
    forces, energy = setting.compute(positions)
    velocities += half * setting.accelerations_per_force * forces
    return MDState(state.step + 1, positions, velocities, forces, energy, state.thermostat)


def step_nose_hoover(state: MDState, setting: Setting, target_K: float) -> MDState:
    """One step of a Nose-Hoover chain around velocity Verlet."""
    velocities, chain = propagate_chain(state.velocities_A_per_ps, state.thermostat, setting, target_K)
    moved = step_nve(
        MDState(state.step, state.positions_A, velocities, state.forces_eV_per_A, state.potential_energy_eV, chain),
        setting,
        target_K,
    )
    velocities, chain = propagate_chain(moved.velocities_A_per_ps, chain, setting, target_K)
    return MDState(moved.step, moved.positions_A, velocities, moved.forces_eV_per_A, moved.potential_energy_eV, chain)


def propagate_chain(
    velocities_A_per_ps: FloatArray,
    chain: FloatArray,
    setting: Setting,
    target_K: float,
) -> tuple[FloatArray, FloatArray]:
    """Half a step of the chain: velocities scaled, chain moved on.

    Returns:
        Velocities in A/ps, shape (N, 3), and the chain, shape (2, M).
    """
    thermal_eV = BOLTZMANN_eV_PER_K * target_K
    position, speed = chain.tolist()
    twice_kinetic = 2 * kinetic_energy_eV(velocities_A_per_ps, setting.masses_u)
    scale = 1.0
    for weight in SUZUKI_YOSHIDA:
        h = weight * setting.time_step_ps
        _kick(speed, reversed(range(CHAIN_LENGTH)), h, twice_kinetic / thermal_eV, setting)
        factor = math.exp(-0.5 * h * speed[0])
        scale *= factor
        twice_kinetic *= factor * factor
        position = [x + 0.5 * h * v for x, v in zip(position, speed, strict=True)]
        _kick(speed, range(CHAIN_LENGTH), h, twice_kinetic / thermal_eV, setting)
    return velocities_A_per_ps * scale, np.array([position, speed])


def _kick(speed: list[float], links: Iterable[int], h: float, heat: float, setting: Setting) -> None:
    # A quarter kick of each link's speed, damped by the next link's; heat is 2 E_kin / kT. Divided by the links'
    # inertias, f kT tau^2 for the first and kT tau^2 for the others, the pulls take the simple forms below.
    rate2 = setting.friction_per_ps**2
    freedom = setting.degrees_of_freedom
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
        Thermostat("langevin", True, no_variables, step_langevin, "langevin-baoab(friction={friction:g}/ps)"),
        Thermostat(
            "nose-hoover",
            True,
            chain_at_rest,
            step_nose_hoover,
            f"nose-hoover-chain(links={CHAIN_LENGTH}, rate={{friction:g}}/ps)",
        ),
        Thermostat("nve", False, no_variables, step_nve, "none"),
    )
}
