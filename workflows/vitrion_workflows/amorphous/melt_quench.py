"""Melt and quench: the stages that turn a random packing into a glass, each a function of its arguments alone."""

from collections.abc import Mapping
from pathlib import Path

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics import MDState, RelaxResult, relax
from vitrion_workflows.dynamics.stage import UNWATCHED, Stretch, Watch, run_stretch
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import CellProtocol

# Forces of a random packing reach tens of eV/A; below this the thermostat takes the rest.
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


def loosen(system: AtomicSystem, force_field: ForceField, *, watch: Watch = UNWATCHED) -> AtomicSystem:
    """A random packing with its worst forces relaxed, so that dynamics can begin."""
    return relax(
        system,
        force_field,
        force_tolerance_eV_per_A=PACKING_FORCE_eV_PER_A,
        max_steps=PACKING_STEPS,
        should_stop=watch.should_stop,
    ).system


def melt(
    system: AtomicSystem,
    force_field: ForceField,
    *,
    protocol: CellProtocol,
    seed: int,
    folder: Path | None = None,
    watch: Watch = UNWATCHED,
) -> MDState:
    """Hold a cell at the melt temperature.

    Raises:
        StoppedError: the watch asked for it.
    """
    stretch = Stretch(stage="melt", duration_ps=protocol.melt_ps, temperature_K=protocol.melt_temperature_K)
    return run_stretch(system, force_field, stretch, protocol=protocol, seed=seed, folder=folder, watch=watch).state


def quench(
    system: AtomicSystem,
    force_field: ForceField,
    *,
    velocities: FloatArray | None,
    protocol: CellProtocol,
    seed: int,
    folder: Path | None = None,
    watch: Watch = UNWATCHED,
) -> MDState:
    """Cool a melt linearly to the quench temperature and hold it there.

    Args:
        system: the melt.
        force_field: potential.
        velocities: of the melt, in A/ps.
        protocol: temperatures and times.
        seed: of the thermostat's noise.
        folder: for checkpoints of ramp and hold.
        watch: progress and stop.

    Raises:
        StoppedError: the watch asked for it.
    """
    hold = Stretch(stage="hold", duration_ps=protocol.hold_ps, temperature_K=protocol.quench_temperature_K)
    cooled = run_stretch(
        system,
        force_field,
        _ramp(protocol),
        protocol=protocol,
        seed=seed,
        velocities=velocities,
        folder=None if folder is None else folder / "ramp",
        watch=watch,
    )
    return run_stretch(
        cooled.system,
        force_field,
        hold,
        protocol=protocol,
        seed=seed + 1,
        velocities=cooled.state.velocities_A_per_ps,
        folder=None if folder is None else folder / "hold",
        watch=watch,
    ).state


def settle(system: AtomicSystem, force_field: ForceField, *, watch: Watch = UNWATCHED) -> RelaxResult:
    """Relax the positions of a quenched cell; its volume stays that of the melt, at which labels are run."""
    return relax(
        system,
        force_field,
        force_tolerance_eV_per_A=FINAL_FORCE_eV_PER_A,
        max_steps=FINAL_STEPS,
        should_stop=watch.should_stop,
    )


def cooling_rate_K_per_ps(protocol: CellProtocol) -> float:
    """Rate of the ramp as it is run: its length is rounded to whole frames, which matters for short ones."""
    duration_ps = _ramp(protocol).duration_as_run_ps(protocol)
    return (protocol.melt_temperature_K - protocol.quench_temperature_K) / duration_ps


def _ramp(protocol: CellProtocol) -> Stretch:
    return Stretch(
        stage="quench",
        duration_ps=protocol.quench_ps,
        temperature_K=protocol.melt_temperature_K,
        final_temperature_K=protocol.quench_temperature_K,
    )
