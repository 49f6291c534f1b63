"""Melt-quench: the stages that turn a random packing into a glass, each a pure function of its arguments."""

from collections.abc import Mapping
from pathlib import Path

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics import MDState, RelaxResult, relax
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks, MDStage, run_stage
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import CellProtocol

# Forces of a random packing reach tens of eV/A; the thermostat can handle what remains below this.
PACKING_FORCE_eV_PER_A = 5.0
PACKING_STEPS = 60
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


def melt(
    system: AtomicSystem,
    force_field: ForceField,
    *,
    protocol: CellProtocol,
    seed: int,
    folder: Path | None = None,
    callbacks: Callbacks = NO_CALLBACKS,
) -> MDState:
    """Run a cell at the melt temperature.

    Raises:
        StoppedError: the run was stopped by `callbacks`.
    """
    stage = MDStage(name="melt", duration_ps=protocol.melt_ps, temperature_K=protocol.melt_temperature_K)
    return run_stage(system, force_field, stage, protocol=protocol, seed=seed, folder=folder, callbacks=callbacks).state


def quench(
    system: AtomicSystem,
    force_field: ForceField,
    *,
    velocities: FloatArray | None,
    protocol: CellProtocol,
    seed: int,
    folder: Path | None = None,
    callbacks: Callbacks = NO_CALLBACKS,
) -> MDState:
    """Cool a melt linearly to the quench temperature and hold it there.

    Args:
        system: the melt, N atoms.
        force_field: potential.
        velocities: velocities of the melt in A/ps, shape (N, 3); drawn from the Maxwell distribution when None.
        protocol: temperatures and durations.
        seed: seed of the thermostat noise.
        folder: folder for the checkpoints of ramp and hold.
        callbacks: progress callback and stop condition.

    Raises:
        StoppedError: the run was stopped by `callbacks`.
    """
    hold = MDStage(name="hold", duration_ps=protocol.hold_ps, temperature_K=protocol.quench_temperature_K)
    cooled = run_stage(
        system,
        force_field,
        _ramp(protocol),
        protocol=protocol,
        seed=seed,
        velocities=velocities,
        folder=None if folder is None else folder / "ramp",
        callbacks=callbacks,
    )
    return run_stage(
        cooled.system,
        force_field,
        hold,
        protocol=protocol,
        seed=seed + 1,
        velocities=cooled.state.velocities_A_per_ps,
        folder=None if folder is None else folder / "hold",
        callbacks=callbacks,
    ).state


def relax_quenched(
    system: AtomicSystem, force_field: ForceField, *, callbacks: Callbacks = NO_CALLBACKS
) -> RelaxResult:
    """Relax the positions of a quenched cell at the volume of the melt, at which labels are run."""
    return relax(
        system,
        force_field,
        force_tolerance_eV_per_A=FINAL_FORCE_eV_PER_A,
        max_steps=FINAL_STEPS,
        should_stop=callbacks.should_stop,
    )


def cooling_rate_K_per_ps(protocol: CellProtocol) -> float:
    """Return the cooling rate as run: the duration of the ramp is rounded to whole frames."""
    duration_ps = _ramp(protocol).duration_as_run_ps(protocol)
    return (protocol.melt_temperature_K - protocol.quench_temperature_K) / duration_ps


def _ramp(protocol: CellProtocol) -> MDStage:
    return MDStage(
        name="quench",
        duration_ps=protocol.quench_ps,
        temperature_K=protocol.melt_temperature_K,
        final_temperature_K=protocol.quench_temperature_K,
    )
