"""Volume of a cell before it is melted: the search where the rule needs it, the estimates, and the scaled cell."""

from dataclasses import dataclass

from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import potentials
from vitrion_workflows.amorphous.melt_quench import relax_packing
from vitrion_workflows.amorphous.volume import VolumeSearchFailed, scale_to, search_volume
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import CellProtocol, EstimateSource, VolumeEstimates, VolumeRecord, VolumeRule
from vitrion_workflows.schemas.volume import RULE
from vitrion_workflows.volumes.estimates import PotentialVolume, model_potential_estimates, volume_estimates
from vitrion_workflows.volumes.reference import ReferencePressures

SEARCHED = (RULE, EstimateSource.ZERO_PRESSURE.value, EstimateSource.REFERENCE.value)


@dataclass(frozen=True, eq=False)
class SizedCell:
    """A cell at the volume of its melt.

    Attributes:
        system: the cell, molten where a search was made.
        search: of the production potential's zero pressure; None where it was not made or found none.
        volumes: all estimates and the chosen volume.
    """

    system: AtomicSystem
    search: VolumeRecord | None
    volumes: VolumeEstimates


def size_cell(
    system: AtomicSystem,
    force_field: ForceField,
    *,
    formula: str,
    twin: Structure | None,
    rule: VolumeRule,
    protocol: CellProtocol,
    seed: int,
    reference: ForceField | None = None,
    callbacks: Callbacks = NO_CALLBACKS,
) -> SizedCell:
    """Bring a packing to the volume that a rule chooses for its melt.

    Args:
        system: a cell without overlaps.
        force_field: production potential.
        formula: of the compound.
        twin: its crystal.
        rule: see `VolumeRule`; ``rule``, ``zero-pressure`` and ``reference`` search for zero pressure.
        protocol: temperature of the melt, time step and length of the runs of the search.
        seed: of the search.
        reference: reference potential, evaluated on frames of the search.
        callbacks: progress callback and stop condition.

    Raises:
        VolumeSearchFailed: no zero pressure where the rule is that of the potential; ``rule`` does without.
        InputError: no estimate of the source asked for.
        StoppedError: the run was stopped by `callbacks`.
    """
    pressures = None if reference is None else ReferencePressures(force_field, reference)
    search = None
    if rule in SEARCHED:
        try:
            system, search = search_volume(
                system,
                force_field,
                protocol=protocol,
                seed=seed,
                callbacks=callbacks,
                on_run=pressures,
            )
        except VolumeSearchFailed:
            if rule != RULE or not potentials.find(force_field.name)[0].real_materials:
                raise
    kelvin, atoms = protocol.melt_temperature_K, len(system)
    production = None
    if search is not None:
        volume = search.volume_A3 / atoms, search.stderr_A3 / search.volume_A3
        production = _potential_volume(force_field, kelvin, volume)
    if potentials.find(force_field.name)[0].real_materials:
        root = None if pressures is None else pressures.zero_pressure()
        volumes = volume_estimates(
            formula,
            rule=rule,
            temperature_K=kelvin,
            twin=twin,
            production=production,
            reference=None
            if pressures is None or root is None
            else _potential_volume(pressures.reference, kelvin, (root[0] / atoms, root[1])),
        )
    else:
        volumes = model_potential_estimates(formula, rule=rule, temperature_K=kelvin, twin=twin, production=production)
    scaled = scale_to(system, volumes.volume_A3_per_atom * atoms)
    return SizedCell(relax_packing(scaled, force_field, callbacks=callbacks), search, volumes)


def require_volume(formula: str, twin: Structure | None, *, rule: VolumeRule, temperature_K: float) -> None:
    """Refuse a rule that leads to no volume, before anything is run.

    Raises:
        InputError: no measured density where it is asked for, a twin of another compound, a bad formula.
    """
    at_hand: VolumeRule = RULE if rule in SEARCHED else rule
    volume_estimates(formula, rule=at_hand, temperature_K=temperature_K, twin=twin)


def require_reference(rule: VolumeRule, reference: str | None, *, production: str) -> None:
    """Refuse the zero pressure of a reference potential where there is none.

    Raises:
        InputError: there is none.
    """
    if rule == "reference" and reference is None:
        raise InputError(
            f"no reference potential for {production} covers these elements: choose the volume by another rule"
        )


def _potential_volume(potential: ForceField, temperature_K: float, volume: tuple[float, float]) -> PotentialVolume:
    return PotentialVolume(
        potential=potential.name,
        weights_sha256=potential.weights_sha256,
        temperature_K=temperature_K,
        volume_A3_per_atom=volume[0],
        ln_stderr=volume[1],
    )
