"""Melt-quench: the stages that turn a random packing into a glass, each a pure function of its arguments."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.amorphous.packing import pack
from vitrion_workflows.amorphous.volume import scale_to
from vitrion_workflows.dynamics import MDResult, RelaxResult, relax
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks, MDStage, run_stage
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import CellProtocol
from vitrion_workflows.structure.volume_estimate import estimate_volume

# Forces of a random packing reach tens of eV/A; the thermostat can handle what remains below this.
PACKING_FORCE_eV_PER_A = 5.0
PACKING_STEPS = 60
# Ramps of a quench, each at the volume of its middle: with an expansion of 1e-4 /K steps of some 2 % of the volume.
RAMPS = 8
FRAMES_OF_A_RAMP = 3
FINAL_FORCE_eV_PER_A = 0.1
FINAL_STEPS = 300

PROTOCOLS: Mapping[str, CellProtocol] = {
    # 3,600 steps with the volume search: about 15 s for 56 atoms with NEP89 on one core.
    "quickstart": CellProtocol(
        melt_temperature_K=2000.0, melt_ps=1.2, quench_ps=3.0, hold_ps=0.4, volume_ps=0.4, friction_per_ps=10.0
    ),
    "default": CellProtocol(
        melt_temperature_K=2000.0, melt_ps=10.0, quench_ps=50.0, hold_ps=5.0, volume_ps=3.0, friction_per_ps=10.0
    ),
}


def relax_packing(
    system: AtomicSystem, force_field: ForceField, *, callbacks: Callbacks = NO_CALLBACKS
) -> AtomicSystem:
    """Relax the largest forces of a random packing, so that dynamics can begin."""
    return relax(
        system,
        force_field,
        force_tolerance_eV_per_A=PACKING_FORCE_eV_PER_A,
        max_steps=PACKING_STEPS,
        should_stop=callbacks.should_stop,
    ).system


def relaxed_packing(
    formula: str,
    force_field: ForceField,
    *,
    n_atoms: int,
    volume_scale: float,
    seed: int,
    callbacks: Callbacks = NO_CALLBACKS,
) -> AtomicSystem:
    """Pack a composition at random at a multiple of the estimated volume of its solid, and relax the largest forces.

    Args:
        formula: chemical formula.
        force_field: potential that relaxes.
        n_atoms: target number of atoms; see `pack`.
        volume_scale: volume over the estimate from the formula alone.
        seed: of the packing.
        callbacks: stop condition.

    Raises:
        InputError: bad formula, or an element that the potential does not cover.
        DynamicsError: forces are not finite.
    """
    volume = volume_scale * estimate_volume(formula).volume_A3_per_atom
    packed = pack(formula, n_atoms=n_atoms, volume_A3_per_atom=volume, seed=seed).system
    force_field.require_elements(packed.numbers)
    return relax_packing(packed, force_field, callbacks=callbacks)


def melt(
    system: AtomicSystem,
    force_field: ForceField,
    *,
    protocol: CellProtocol,
    seed: int,
    folder: Path | None = None,
    callbacks: Callbacks = NO_CALLBACKS,
) -> MDResult:
    """Run a cell at the melt temperature.

    Raises:
        StoppedError: the run was stopped by `callbacks`.
    """
    stage = MDStage(name="melt", duration_ps=protocol.melt_ps, temperature_K=protocol.melt_temperature_K)
    return run_stage(system, force_field, stage, protocol=protocol, seed=seed, folder=folder, callbacks=callbacks)


def quench(
    system: AtomicSystem,
    force_field: ForceField,
    *,
    velocities: FloatArray | None,
    protocol: CellProtocol,
    seed: int,
    volume_at: Callable[[float], float] | None = None,
    folder: Path | None = None,
    callbacks: Callbacks = NO_CALLBACKS,
) -> MDResult:
    """Cool a melt linearly to the quench temperature and hold it there, at the volume of each temperature.

    Args:
        system: the melt, N atoms.
        force_field: potential.
        velocities: velocities of the melt in A/ps, shape (N, 3); drawn from the Maxwell distribution when None.
        protocol: temperatures and durations.
        seed: seed of the thermostat noise.
        volume_at: volume per atom, A3, at a temperature in K; None keeps the volume of the melt.
        folder: folder for the checkpoints of ramps and hold.
        callbacks: progress callback and stop condition.

    Raises:
        StoppedError: the run was stopped by `callbacks`.
    """
    hold = MDStage(name="hold", duration_ps=protocol.hold_ps, temperature_K=protocol.quench_temperature_K)
    for number, stage in enumerate((*_ramps(protocol), hold)):
        start, end = stage.temperature_K, stage.final_temperature_K or stage.temperature_K
        if volume_at is not None:
            system = scale_to(system, volume_at((start + end) / 2) * len(system))
        result = run_stage(
            system,
            force_field,
            stage,
            protocol=protocol,
            seed=seed + number,
            velocities=velocities,
            folder=None if folder is None else folder / f"{stage.name}_{number}",
            callbacks=callbacks,
        )
        system, velocities = result.system, result.state.velocities_A_per_ps
    return result


def relax_quenched(
    system: AtomicSystem, force_field: ForceField, *, callbacks: Callbacks = NO_CALLBACKS
) -> RelaxResult:
    """Relax the positions of a quenched cell at its volume."""
    return relax(
        system,
        force_field,
        force_tolerance_eV_per_A=FINAL_FORCE_eV_PER_A,
        max_steps=FINAL_STEPS,
        should_stop=callbacks.should_stop,
    )


def cooling_rate_K_per_ps(protocol: CellProtocol) -> float:
    """Return the cooling rate as run: the duration of each ramp is rounded to whole frames."""
    duration_ps = sum(ramp.duration_as_run_ps(protocol) for ramp in _ramps(protocol))
    return (protocol.melt_temperature_K - protocol.quench_temperature_K) / duration_ps


def _ramps(protocol: CellProtocol) -> list[MDStage]:
    edges = np.linspace(protocol.melt_temperature_K, protocol.quench_temperature_K, RAMPS + 1).tolist()
    return [
        MDStage(
            name="quench",
            duration_ps=protocol.quench_ps / RAMPS,
            temperature_K=start,
            final_temperature_K=end,
            frames=FRAMES_OF_A_RAMP,
        )
        for start, end in pairwise(edges)
    ]
