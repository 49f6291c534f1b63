"""Structures to label: melts over temperatures at two volumes, strained cells, planted contacts, rattled crystals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase.data import covalent_radii

from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous import relaxed_packing
from vitrion_workflows.dynamics import DynamicsError, MDPlan, run_md
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks
from vitrion_workflows.potentials import ForceField

ATOMS = 64
TEMPERATURES_K = (2500.0, 2000.0, 1500.0, 1000.0)
VOLUME_SCALES = (1.15, 1.0)  # over the estimate for the solid
STRAINS = (0.95, 1.06)  # of lengths
CONTACTS = (0.5, 0.75, 1.0)  # times the sum of covalent radii
EXTRA_SHARE = 6  # one strained cell and one planted contact for so many frames of a melt
TIME_STEP_FS = 2.0
FRICTION_PER_PS = 10.0
SETTLING_STEPS = 250
SAMPLING_STEPS = 500
RATTLE_A = 0.12
RATTLED_STRAINS = (0.97, 1.0, 1.03)


@dataclass(frozen=True, eq=False)
class MeltFrames:
    """Frames of dynamics of one composition.

    Attributes:
        systems: in the order of falling temperature.
        stable: False where a run ended in an explosion; the frames before it are kept.
    """

    systems: list[AtomicSystem]
    stable: bool


def melt_frames(
    formula: str, force_field: ForceField, *, count: int, seed: int, callbacks: Callbacks = NO_CALLBACKS
) -> MeltFrames:
    """Run a fresh melt of a composition at each volume from 2500 to 1000 K and draw frames evenly from it.

    Args:
        formula: composition.
        force_field: potential that moves the atoms.
        count: frames in all, rounded up to a whole number for each volume and temperature.
        seed: of packing, velocities and thermostat.
        callbacks: progress and stop condition.

    Raises:
        InputError: the formula cannot be packed.
        StoppedError: a callback stopped it.
    """
    each = -(-count // (len(VOLUME_SCALES) * len(TEMPERATURES_K)))
    systems: list[AtomicSystem] = []
    for place, scale in enumerate(VOLUME_SCALES):
        own_seed = seed * len(VOLUME_SCALES) + place
        try:
            cell = relaxed_packing(
                formula, force_field, n_atoms=ATOMS, volume_scale=scale, seed=own_seed, callbacks=callbacks
            )
            named = callbacks.within(f"{formula}, volume {place + 1} of {len(VOLUME_SCALES)}")
            for temperature in TEMPERATURES_K:
                cell, drawn = _sample(cell, force_field, temperature, each, seed=own_seed, callbacks=named)
                systems += drawn
        except DynamicsError:
            return MeltFrames(systems, stable=False)
    return MeltFrames(systems, stable=True)


def strained_and_planted(systems: Sequence[AtomicSystem], *, seed: int) -> list[AtomicSystem]:
    """Return copies of some frames under strain, and of others with two atoms pushed together.

    Frames of thermal runs do not reach the pressures and contacts where a potential may have a hole.
    """
    generator = np.random.default_rng(seed)
    extra = -(-len(systems) // EXTRA_SHARE)
    chosen = [systems[place] for place in generator.permutation(len(systems))]
    strained = [system.scaled(STRAINS[place % len(STRAINS)]) for place, system in enumerate(chosen[:extra])]
    planted = [
        _with_contact(system, CONTACTS[place % len(CONTACTS)], generator)
        for place, system in enumerate(chosen[extra : 2 * extra])
    ]
    return [*strained, *planted]


def rattled_crystals(crystals: Sequence[AtomicSystem], *, seed: int) -> Iterator[AtomicSystem]:
    """Yield each crystal at three volumes with normal displacements of 0.12 A a component."""
    generator = np.random.default_rng(seed)
    for crystal in crystals:
        for strain in RATTLED_STRAINS:
            scaled = crystal.scaled(strain)
            moves = generator.normal(scale=RATTLE_A, size=scaled.positions_A.shape)
            yield replace(scaled, positions_A=scaled.positions_A + moves)


def _sample(
    cell: AtomicSystem, force_field: ForceField, temperature_K: float, count: int, *, seed: int, callbacks: Callbacks
) -> tuple[AtomicSystem, list[AtomicSystem]]:
    every = SAMPLING_STEPS // count
    settled = -(-SETTLING_STEPS // every)
    plan = MDPlan(
        steps=every * (settled + count),
        time_step_fs=TIME_STEP_FS,
        temperature_K=temperature_K,
        thermostat="langevin",
        friction_per_ps=FRICTION_PER_PS,
        frame_every=every,
        seed=seed,
    )
    result = run_md(
        cell,
        force_field,
        plan,
        on_progress=lambda done, total: callbacks.on_progress(f"melt at {temperature_K:.0f} K", done, total),
        should_stop=callbacks.should_stop,
    )
    if not result.finished:
        raise StoppedError(f"stopped in the melt at {temperature_K:.0f} K")
    frames = result.trajectory.positions_A[-count:]
    return result.system, [replace(cell, positions_A=np.asarray(frame, dtype=np.float64)) for frame in frames]


def _with_contact(system: AtomicSystem, scale: float, generator: np.random.Generator) -> AtomicSystem:
    """Move the nearer neighbour of a random pair of one element along their line, to a distance of scale radii."""
    number = generator.choice(system.numbers)
    first = int(generator.choice(np.flatnonzero(system.numbers == number)))
    others = np.flatnonzero(system.numbers == number)
    vectors = system.positions_A[others] - system.positions_A[first]
    fractions = vectors @ np.linalg.inv(system.lattice_A)
    vectors = (fractions - np.round(fractions)) @ system.lattice_A
    distances = np.linalg.norm(vectors, axis=1)
    distances[others == first] = np.inf
    second = int(distances.argmin())
    if not np.isfinite(distances[second]):
        return system
    positions = system.positions_A.copy()
    length = scale * 2 * covalent_radii[number]
    positions[others[second]] = positions[first] + vectors[second] * length / distances[second]
    return replace(system, positions_A=positions)
