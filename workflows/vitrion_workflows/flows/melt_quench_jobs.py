"""Jobs of melt and quench, from a formula to a validated cell; each a top-level function of its arguments."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from ase.data import chemical_symbols
from jobflow import job
from pydantic import BaseModel, ConfigDict
from pymatgen.core.structure import Structure

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows import amorphous
from vitrion_workflows.amorphous.cell_volume import SEARCHED, require_reference
from vitrion_workflows.amorphous.melt_quench import cooling_rate_K_per_ps
from vitrion_workflows.dynamics import MDResult
from vitrion_workflows.dynamics.stage import Callbacks, MDStage
from vitrion_workflows.execution.engines import force_field
from vitrion_workflows.execution.scratch import Progress, scratch_root, stage_key, stage_seed
from vitrion_workflows.execution.stop_signal import stop_condition
from vitrion_workflows.flows.cell_validation import validate_structure
from vitrion_workflows.force_check.reference import reference_potential
from vitrion_workflows.schemas import (
    CellOutcome,
    CellProtocol,
    ForceCheckSettings,
    Origin,
    VolumeEstimates,
    VolumeRecord,
    VolumeRule,
)
from vitrion_workflows.schemas.cell import StructureDict
from vitrion_workflows.schemas.geometry import structure_from_system, system_from_structure
from vitrion_workflows.structure.element_masses import with_element_masses
from vitrion_workflows.structure.volume_estimate import estimate_volume

Rows: TypeAlias = tuple[tuple[float, float, float], ...]


class CellStage(BaseModel):
    """A cell between two jobs of a melt quench.

    Attributes:
        structure: pymatgen ``Structure.as_dict()``.
        velocities_A_per_ps: with which the next job goes on, shape (N, 3); None where it draws its own.
        packer: program that packed the cell.
        search: record of the search for zero pressure, after it.
        volumes: estimates of the volume and the chosen one, after that.
        wall_seconds: time spent so far.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    structure: StructureDict
    velocities_A_per_ps: Rows | None = None
    packer: str
    search: VolumeRecord | None = None
    volumes: VolumeEstimates | None = None
    wall_seconds: float = 0.0

    def system(self) -> AtomicSystem:
        """Return the cell as arrays."""
        return system_from_structure(Structure.from_dict(self.structure))

    def velocities(self) -> FloatArray | None:
        """Return the velocities in A/ps, shape (N, 3)."""
        return None if self.velocities_A_per_ps is None else np.array(self.velocities_A_per_ps)

    def advanced(self, system: AtomicSystem, seconds: float, **changes: Any) -> "CellStage":
        """Return the input of the next job.

        Args:
            system: the cell after this job.
            seconds: time that it took.
            changes: further fields.
        """
        return self.model_copy(
            update={
                "structure": structure_from_system(system).as_dict(),
                "wall_seconds": self.wall_seconds + seconds,
                **changes,
            }
        )


@job(output_schema=CellStage)
def pack_cell(
    formula: str,
    *,
    n_atoms: int,
    seed: int,
    twin: Structure | None,
    volume_scale: float,
    masses_u: Mapping[str, float],
) -> CellStage:
    """Pack whole formula units at random.

    Args:
        formula: chemical formula.
        n_atoms: wanted number of atoms.
        seed: of the cell.
        twin: crystal of the compound, for its volume.
        volume_scale: volume over that of the crystal.
        masses_u: of elements that are isotopes, by symbol.
    """
    begun = time.monotonic()
    estimate = estimate_volume(formula, twin)
    packed = amorphous.pack(
        formula,
        n_atoms=n_atoms,
        volume_A3_per_atom=volume_scale * estimate.volume_A3_per_atom,
        seed=stage_seed(seed, "pack"),
    )
    return CellStage(
        structure=with_element_masses(structure_from_system(packed.system), masses_u).as_dict(),
        packer=packed.packer,
        wall_seconds=time.monotonic() - begun,
    )


@job(output_schema=CellStage)
def find_volume(
    stage: CellStage,
    *,
    formula: str,
    twin: Structure | None,
    volume: VolumeRule,
    potential: str,
    protocol: CellProtocol,
    seed: int,
    device: str,
) -> CellStage:
    """Bring a packing to the volume of its melt; see `amorphous.size_cell`.

    Raises:
        VolumeSearchFailed: see `size_cell`.
        InputError: no estimate of the source asked for.
        StoppedError: a stop was requested.
    """
    begun = time.monotonic()
    field = force_field(potential, device)
    field.require_elements(stage.system().numbers)
    callbacks = _callbacks(stage_key("volume", stage.system()), protocol)
    reference = reference_potential(_symbols(stage.system()), production=potential) if volume in SEARCHED else None
    require_reference(volume, reference, production=potential)
    sized = amorphous.size_cell(
        amorphous.relax_packing(stage.system(), field, callbacks=callbacks),
        field,
        formula=formula,
        twin=twin,
        rule=volume,
        protocol=protocol,
        seed=stage_seed(seed, "volume"),
        reference=None if reference is None else force_field(reference, device),
        callbacks=callbacks,
    )
    return stage.advanced(sized.system, time.monotonic() - begun, search=sized.search, volumes=sized.volumes)


@job(output_schema=CellStage)
def melt_cell(stage: CellStage, *, potential: str, protocol: CellProtocol, seed: int, device: str) -> CellStage:
    """Run the melt, from its last checkpoint.

    Raises:
        StoppedError: a stop was requested.
    """
    return _run_dynamics(
        "melt", amorphous.melt, stage, potential=potential, protocol=protocol, seed=seed, device=device
    )


@job(output_schema=CellStage)
def quench_cell(stage: CellStage, *, potential: str, protocol: CellProtocol, seed: int, device: str) -> CellStage:
    """Run quench and hold, from the last checkpoint.

    Raises:
        StoppedError: a stop was requested.
    """
    volume_at = None if stage.volumes is None else stage.volumes.at
    cool = partial(amorphous.quench, velocities=stage.velocities(), volume_at=volume_at)
    return _run_dynamics("quench", cool, stage, potential=potential, protocol=protocol, seed=seed, device=device)


@job(output_schema=CellOutcome)
def validate_quenched_cell(
    stage: CellStage,
    *,
    formula: str,
    twin: Structure | None,
    potential: str,
    protocol: CellProtocol,
    seed: int,
    device: str,
    force_check: ForceCheckSettings | None = None,
) -> CellOutcome:
    """Relax a quenched cell and validate it.

    Raises:
        StoppedError: a stop was requested.
    """
    begun = time.monotonic()
    field = force_field(potential, device)
    system = amorphous.relax_quenched(stage.system(), field).system
    outcome = validate_structure(
        system,
        formula=formula,
        twin=twin,
        potential=field,
        origin=Origin.MELT_QUENCH,
        stage=MDStage(name="quench", duration_ps=protocol.quench_ps, temperature_K=protocol.melt_temperature_K),
        protocol=protocol,
        seed=seed,
        force_check=force_check,
    )
    return outcome.model_copy(
        update={
            "protocol": protocol,
            "quench_rate_K_per_ps": cooling_rate_K_per_ps(protocol),
            "volume": stage.search,
            "volumes": stage.volumes,
            "wall_seconds": stage.wall_seconds + time.monotonic() - begun,
        }
    )


def _run_dynamics(
    name: str,
    run: Callable[..., MDResult],
    stage: CellStage,
    *,
    potential: str,
    protocol: CellProtocol,
    seed: int,
    device: str,
) -> CellStage:
    """Run `amorphous.melt` or `amorphous.quench` from its last checkpoint."""
    begun = time.monotonic()
    field, start = force_field(potential, device), stage.system()
    settings = protocol.model_dump(mode="json")
    volumes = None if stage.volumes is None else stage.volumes.model_dump(mode="json")
    key = stage_key(name, start, weights=field.weights_sha256, protocol=settings, seed=seed, volumes=volumes)
    result = run(
        start,
        field,
        protocol=protocol,
        seed=stage_seed(seed, name),
        folder=scratch_root() / "cells" / key,
        callbacks=_callbacks(key, protocol),
    )
    rows = tuple(tuple(row) for row in result.state.velocities_A_per_ps.tolist())
    return stage.advanced(result.system, time.monotonic() - begun, velocities_A_per_ps=rows)


def _callbacks(key: str, protocol: CellProtocol) -> Callbacks:
    return Callbacks(on_progress=Progress(key, time_step_fs=protocol.time_step_fs), should_stop=stop_condition())


def _symbols(system: AtomicSystem) -> set[str]:
    return {chemical_symbols[number] for number in system.numbers}
