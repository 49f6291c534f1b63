"""Errors planted in sound trajectories, and labels of trajectories with their own claims.

A planted error changes what a trajectory claims together with the bookkeeping: the protocol states the wrong interval
too, the set temperature is the claimed one. Only physics is left to find it.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from plain_labels import METHOD

from vitrion_workflows.labelling.label import label_trajectory
from vitrion_workflows.schemas import LabelProtocol
from vitrion_workflows.structure.contacts import CONTACT_RADII_A
from vitrion_workflows.trajectories.trajectory import Trajectory


@dataclass(frozen=True)
class Claim:
    """A trajectory and the statements about it.

    Attributes:
        trajectory: as it would be handed in.
        species: mobile symbol.
        temperature_K: of the label.
        thermostat, friction_per_ps: of the run.
    """

    trajectory: Trajectory
    species: str = "Li"
    temperature_K: float = 1000.0
    thermostat: str = "langevin"
    friction_per_ps: float = 1.0

    def changed(self, **fields):
        """Return the claim about a changed trajectory; the set temperature stays the claimed one."""
        return replace(self, trajectory=replace(self.trajectory, **fields))

    def keeping(self, frames):
        """Return the claim about some of the frames; the interval stays the claimed one."""
        return replace(self, trajectory=keep_frames(self.trajectory, frames))


def label(claim):
    """Return the label of a claim, whose protocol agrees with its frame interval whatever that is."""
    interval_fs = claim.trajectory.frame_interval_ps * 1000
    steps = math.ceil(interval_fs / 2)
    duration_ps = claim.trajectory.frame_interval_ps * (len(claim.trajectory) - 1)
    return label_trajectory(
        claim.trajectory,
        species=claim.species,
        temperature_K=claim.temperature_K,
        protocol=LabelProtocol(
            time_step_fs=interval_fs / steps,
            frame_interval_fs=interval_fs,
            production_ps=duration_ps,
            thermostat=claim.thermostat,
            friction_per_ps=claim.friction_per_ps,
        ),
        method=METHOD.model_copy(
            update={
                "time_step_fs": interval_fs / steps,
                "frame_interval_ps": claim.trajectory.frame_interval_ps,
                "thermostat": claim.thermostat,
            }
        ),
        structure_fingerprint="f" * 64,
    )


def _lengths(claim, _rng, *, factor):
    """Positions and cell in another unit."""
    run = claim.trajectory
    return claim.changed(positions_A=run.positions_A * factor, lattice_A=run.lattice_A * factor)


def _paths(claim, _rng, *, factor):
    """Displacements by a factor, from the right start in the right cell."""
    positions = claim.trajectory.positions_A
    return claim.changed(positions_A=positions[0] + factor * (positions - positions[0]))


def _interval(claim, _rng, *, factor):
    """Another time between frames than there was."""
    return claim.changed(frame_interval_ps=claim.trajectory.frame_interval_ps * factor)


def _stride(claim, _rng, *, step):
    """Every so many frames kept, the interval not adapted."""
    return claim.keeping(np.arange(0, len(claim.trajectory), step))


def keep_frames(trajectory, kept):
    """Return some frames of a trajectory without velocities, in the order given."""
    return replace(
        trajectory,
        positions_A=trajectory.positions_A[kept],
        temperatures_K=trajectory.temperatures_K[kept],
        potential_energies_eV=trajectory.potential_energies_eV[kept],
    )


def _doubled(claim, rng, *, jitter_A=0.0, halved=False):
    """Every frame written twice, the interval adapted or not."""
    run = claim.trajectory
    twice = claim.keeping(np.repeat(np.arange(len(run)), 2))
    moved = twice.trajectory.positions_A + jitter_A * rng.normal(size=twice.trajectory.positions_A.shape)
    return twice.changed(positions_A=moved, frame_interval_ps=run.frame_interval_ps * (0.5 if halved else 1.0))


def _somewhere(claim, rng):
    # In what is analysed: equilibration may take the first half.
    count = len(claim.trajectory)
    return int(rng.integers(count // 2, count - 15))


def _dropped(claim, rng, *, count):
    at = _somewhere(claim, rng)
    kept = np.delete(np.arange(len(claim.trajectory)), np.arange(at, at + count))
    return claim.keeping(kept)


def _gone_back(claim, rng, *, count):
    """A restart from an earlier frame, the frames since then kept."""
    at = _somewhere(claim, rng)
    every = np.arange(len(claim.trajectory))
    return claim.keeping(np.concatenate([every[: at + 1], every[at - count + 1 :]]))


def _jump(claim, rng, *, cells):
    """One mobile ion put a part of a cell vector further, once: an image that was lost."""
    run, at = claim.trajectory, _somewhere(claim, rng)
    positions = run.positions_A.copy()
    positions[at:, rng.choice(np.flatnonzero(run.numbers == _number(claim)))] += cells * run.lattice_A[0]
    return claim.changed(positions_A=positions)


def _wrapped(claim, _rng):
    run = claim.trajectory
    fractional = run.positions_A @ np.linalg.inv(run.lattice_A)
    return claim.changed(positions_A=(fractional % 1.0) @ run.lattice_A)


def _drift(claim, _rng, *, speed_A_per_ps, mobile_only):
    run = claim.trajectory
    path = speed_A_per_ps * run.frame_interval_ps * np.arange(len(run))
    moved = np.ones(len(run.numbers), dtype=bool)
    if mobile_only:
        moved = run.numbers == _number(claim)
    return claim.changed(positions_A=run.positions_A + path[:, None, None] * moved[:, None] * np.array([1, 0, 0]))


def _number(claim):
    from ase.data import atomic_numbers

    return atomic_numbers[claim.species]


def _nm(claim, _rng, *, positions, lattice):
    run = claim.trajectory
    fields = {"positions_A": run.positions_A / 10} if positions else {}
    return claim.changed(**fields, **({"lattice_A": run.lattice_A / 10} if lattice else {}))


def _swapped(claim, _rng):
    """The mobile species' name on the lightest other one, and the other way round; None where there is no other."""
    numbers, mobile = claim.trajectory.numbers, _number(claim)
    others = sorted(set(numbers.tolist()) - {mobile})
    if not others:
        return None
    names = numbers.copy()
    names[numbers == mobile], names[numbers == others[-1]] = others[-1], mobile
    return claim.changed(numbers=names, masses_u=np.empty(0))


def _claimed(claim, _rng, *, factor):
    """A thermostat that was set to something else than is claimed."""
    claimed_K = claim.temperature_K * factor
    return replace(claim.changed(set_temperature_K=claimed_K), temperature_K=claimed_K)


def _claimed_with_book(claim, _rng, *, factor):
    return replace(claim, temperature_K=claim.temperature_K * factor)


def _recorded(claim, _rng, *, factor):
    """Temperatures recorded as claimed where the atoms have others."""
    claimed_K = claim.temperature_K * factor
    run = claim.changed(set_temperature_K=claimed_K, temperatures_K=claim.trajectory.temperatures_K * factor)
    return replace(run, temperature_K=claimed_K)


def _renamed(claim, _rng, *, change):
    """The mobile species under another name, in the claim, too; None where the name is taken."""
    from ase.data import chemical_symbols

    was, name = _number(claim), change(_number(claim))
    if (claim.trajectory.numbers == name).any():
        return None
    numbers = np.where(claim.trajectory.numbers == was, name, claim.trajectory.numbers)
    return replace(claim.changed(numbers=numbers, masses_u=np.empty(0)), species=chemical_symbols[name])


def _heat_hidden(claim, _rng):
    """A run that is heated by 30 %, by its paths, under a record that stays where it was."""
    run = claim.trajectory
    steps = np.diff(run.positions_A, axis=0)
    pace = np.sqrt(np.linspace(0.85, 1.15, len(steps)))[:, None, None]
    path = np.concatenate([run.positions_A[:1], run.positions_A[0] + np.cumsum(steps * pace, axis=0)])
    return claim.changed(positions_A=path)


def _gas(claim, _rng):
    return claim.changed(lattice_A=claim.trajectory.lattice_A * 2.5)


def _in_one_another(claim, _rng, *, share):
    """Two atoms of the heaviest element that move together, as near as a share of the shortest bond that there is."""
    run = claim.trajectory
    first, second = np.flatnonzero(run.numbers == run.numbers.max())[:2]
    positions = run.positions_A.copy()
    bond_A = 2 * CONTACT_RADII_A[run.numbers.max()]
    positions[:, second] = positions[:, first] + [share * bond_A, 0.0, 0.0]
    return claim.changed(positions_A=positions)


def _isotopes(claim, _rng, *, factor):
    """All atoms heavier and all times longer: exactly what the same forces do to heavier atoms."""
    run = claim.trajectory
    return claim.changed(masses_u=run.masses_u * factor, frame_interval_ps=run.frame_interval_ps * math.sqrt(factor))


def _collapsing(claim, _rng, *, share):
    """A cell under pressure whose volume falls all the run long; positions are those of the mean cell, as read."""
    run = claim.trajectory
    volume = abs(np.linalg.det(run.lattice_A))
    return claim.changed(volumes_A3=volume * np.linspace(1 + share / 2, 1 - share / 2, len(run)))


def _unset(claim, _rng, *, factor):
    """The error of `_claimed`, in a trajectory that does not carry the temperature of its thermostat."""
    return replace(claim.changed(set_temperature_K=None), temperature_K=claim.temperature_K * factor)


def _unrecorded(claim, _rng):
    return claim.changed(temperatures_K=None)


MUTATIONS = {
    **{
        f"lengths x {name}": partial(_lengths, factor=f)
        for name, f in (("1/3", 1 / 3), ("3", 3), ("5", 5), ("10", 10), ("1000", 1e3))
    },
    **{f"paths x {name}": partial(_paths, factor=f) for name, f in (("1/3", 1 / 3), ("3", 3))},
    **{
        f"D x {name}": partial(_paths, factor=f**0.5)
        for name, f in (("1/10", 0.1), ("1/5", 0.2), ("1/3", 1 / 3), ("3", 3), ("5", 5))
    },
    **{
        f"interval x {name}": partial(_interval, factor=factor)
        for name, factor in (("1/1000", 1e-3), ("1/10", 0.1), ("1/5", 0.2), ("1/3", 1 / 3), ("1/2", 0.5))
    },
    **{f"interval x {factor}": partial(_interval, factor=factor) for factor in (2, 3, 5, 10, 1000)},
    **{f"every frame in {step}": partial(_stride, step=step) for step in (2, 5, 10)},
    "wrapped": _wrapped,
    "one ion jumps 0.45 of a cell": partial(_jump, cells=0.45),
    "one frame dropped": partial(_dropped, count=1),
    "ten frames dropped": partial(_dropped, count=10),
    "one frame twice": partial(_gone_back, count=1),
    "every frame twice": _doubled,
    "every frame twice, interval halved": partial(_doubled, halved=True),
    "every frame twice, jitter 0.001 A": partial(_doubled, jitter_A=1e-3),
    "restart ten frames back": partial(_gone_back, count=10),
    "all drift 10 A/ps": partial(_drift, speed_A_per_ps=10.0, mobile_only=False),  # a slower one is taken out whole
    "ions drift 3 A/ps": partial(_drift, speed_A_per_ps=3.0, mobile_only=True),
    "cell and positions in nm": partial(_nm, positions=True, lattice=True),
    "positions in nm": partial(_nm, positions=True, lattice=False),
    "cell in nm": partial(_nm, positions=False, lattice=True),
    "species swapped": _swapped,
    "gas": _gas,
    "two atoms at 0.8 of their shortest bond": partial(_in_one_another, share=0.8),
    "cell shrinks by 24 %": partial(_collapsing, share=0.24),
    "atoms twice as heavy": partial(_isotopes, factor=2.0),
    "atoms a tenth heavier": partial(_isotopes, factor=1.1),
    "temperature not recorded": _unrecorded,
    "mobile species called hydrogen": partial(_renamed, change=lambda _number: 1),
    "mobile species called potassium": partial(_renamed, change=lambda _number: 19),
    "heated by 30 %, record steady": _heat_hidden,
    "thermostat 10 % high": partial(_claimed, factor=1 / 1.1),
    "thermostat 10 % low": partial(_claimed, factor=1 / 0.9),
    "recorded 10 % low": partial(_recorded, factor=0.9),
    "recorded 10 % high": partial(_recorded, factor=1.1),
    "claimed 10 % low": partial(_claimed_with_book, factor=0.9),
    "claimed 10 % high": partial(_claimed_with_book, factor=1.1),
    "claimed 10 % low, setting unknown": partial(_unset, factor=0.9),
    "claimed 10 % high, setting unknown": partial(_unset, factor=1.1),
}
# What thermal motion hides in part: a drift that diffusion exceeds, names of nearly the same mass.
STATISTICAL = {
    "all drift 1 A/ps": partial(_drift, speed_A_per_ps=1.0, mobile_only=False),
    "ions drift 1 A/ps": partial(_drift, speed_A_per_ps=1.0, mobile_only=True),
    "ions drift 0.5 A/ps": partial(_drift, speed_A_per_ps=0.5, mobile_only=True),
    "mobile species called its neighbour": partial(_renamed, change=lambda number: number + 1),
}
