"""Estimates of the volume of a cell from every source at hand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pymatgen.core.composition import Composition
from pymatgen.core.structure import Structure

from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.schemas import EstimatedVolume, EstimateSource, VolumeEstimates, VolumeRule
from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.structure.volume_estimate import estimate_volume
from vitrion_workflows.volumes.biases import source_bias
from vitrion_workflows.volumes.composition import REFERENCE_K, composition_model
from vitrion_workflows.volumes.measured import nearest_measured_volume
from vitrion_workflows.volumes.rule import choose_volume

CRYSTAL = "crystal"
NO_EXPANSION = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class PotentialVolume:
    """Volume of zero pressure of a potential.

    Attributes:
        potential: registry name.
        weights_sha256: of its weights.
        temperature_K: of the melt.
        volume_A3_per_atom: the volume.
        ln_stderr: statistical standard error of its logarithm.
    """

    potential: str
    weights_sha256: str
    temperature_K: float
    volume_A3_per_atom: float
    ln_stderr: float


def volume_estimates(
    formula: str,
    *,
    rule: VolumeRule,
    temperature_K: float,
    twin: Structure | None = None,
    production: PotentialVolume | None = None,
    reference: PotentialVolume | None = None,
) -> VolumeEstimates:
    """Return the estimates of a compound's volume as a melt or glass, and the one chosen by a rule.

    Args:
        formula: chemical formula.
        rule: see `VolumeRule`.
        temperature_K: of the volume.
        twin: crystal of the compound.
        production: zero pressure of the production potential, where it was searched for.
        reference: zero pressure of the reference potential.

    Raises:
        InputError: bad formula, a twin of another compound, no estimate of the source asked for.
    """
    composition = parse_formula(formula)
    model = composition_model()
    expansion = model.ln_expansion(composition)
    place = _Place(composition, temperature_K, expansion)
    ln_volume, stderr = model.ln_volume(composition, temperature_K)
    estimates = [
        EstimatedVolume(
            source=EstimateSource.COMPOSITION,
            detail=f"{place.chemistry}s",
            temperature_K=temperature_K,
            volume_A3_per_atom=math.exp(ln_volume),
            expected_A3_per_atom=math.exp(ln_volume),
            ln_stderr=stderr,
        )
    ]
    if twin is not None:
        estimates.append(place.twin(estimate_volume(formula, twin).volume_A3_per_atom))
    estimates += [
        place.zero_pressure(source, volume)
        for source, volume in ((EstimateSource.ZERO_PRESSURE, production), (EstimateSource.REFERENCE, reference))
        if volume is not None
    ]
    estimates += place.measured(formula)
    return choose_volume(rule, estimates, temperature_K=temperature_K, ln_expansion=expansion)


def model_potential_estimates(
    formula: str,
    *,
    rule: VolumeRule,
    temperature_K: float,
    twin: Structure | None,
    production: PotentialVolume | None,
) -> VolumeEstimates:
    """Return the volume for a potential that describes no real material: its own zero pressure, at every temperature.

    Args:
        formula: chemical formula.
        rule: ``rule`` and ``zero-pressure`` are the same here; others as for any potential.
        temperature_K: of the volume.
        twin: crystal of the compound.
        production: zero pressure of the potential, where it was searched for.

    Raises:
        InputError: as `volume_estimates`.
    """
    if production is None:
        return volume_estimates(formula, rule=rule, temperature_K=temperature_K, twin=twin)
    composition = parse_formula(formula)
    estimate = _Place(composition, temperature_K, NO_EXPANSION).zero_pressure(EstimateSource.ZERO_PRESSURE, production)
    return choose_volume(rule, [estimate], temperature_K=temperature_K, ln_expansion=NO_EXPANSION)


@dataclass(frozen=True)
class _Place:
    """Compound and temperature that estimates are made for."""

    composition: Composition
    temperature_K: float
    expansion: tuple[float, float]

    @property
    def chemistry(self) -> str:
        return anion_class([element.symbol for element in self.composition])

    def twin(self, volume_A3_per_atom: float) -> EstimatedVolume:
        bias = source_bias(EstimateSource.TWIN, CRYSTAL)
        ln_change, change_stderr = self._from(REFERENCE_K)
        return EstimatedVolume(
            source=EstimateSource.TWIN,
            detail=CRYSTAL,
            temperature_K=self.temperature_K,
            volume_A3_per_atom=volume_A3_per_atom,
            expected_A3_per_atom=volume_A3_per_atom * math.exp(ln_change - bias.at(self.chemistry, REFERENCE_K)),
            ln_stderr=math.hypot(bias.deviation, change_stderr),
        )

    def zero_pressure(self, source: EstimateSource, volume: PotentialVolume) -> EstimatedVolume:
        bias = source_bias(source, volume.potential, volume.weights_sha256)
        ln_change, change_stderr = self._from(volume.temperature_K)
        ln_bias = bias.at(self.chemistry, volume.temperature_K)
        return EstimatedVolume(
            source=source,
            detail=volume.potential,
            temperature_K=volume.temperature_K,
            volume_A3_per_atom=volume.volume_A3_per_atom,
            expected_A3_per_atom=volume.volume_A3_per_atom * math.exp(ln_change - ln_bias),
            ln_stderr=math.hypot(bias.deviation, volume.ln_stderr, change_stderr),
        )

    def measured(self, formula: str) -> Sequence[EstimatedVolume]:
        volume = nearest_measured_volume(formula, self.temperature_K)
        if volume is None:
            return []
        ln_change, change_stderr = self._from(volume.temperature_K)
        return [
            EstimatedVolume(
                source=EstimateSource.MEASURED,
                detail=volume.density.phase.value,
                temperature_K=volume.temperature_K,
                volume_A3_per_atom=volume.volume_A3_per_atom,
                expected_A3_per_atom=volume.volume_A3_per_atom * math.exp(ln_change),
                ln_stderr=math.hypot(volume.ln_stderr, change_stderr),
            )
        ]

    def _from(self, temperature_K: float) -> tuple[float, float]:
        """Return the change of ln V from another temperature, and its standard error."""
        kelvin = self.temperature_K - temperature_K
        return self.expansion[0] * kelvin, abs(self.expansion[1] * kelvin)
