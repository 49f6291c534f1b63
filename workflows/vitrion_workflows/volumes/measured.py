"""Measured densities of melts and glasses, as volumes per atom.

`measured_densities.csv` has one line a substance and phase: the density at the lowest temperature of the measurement,
its fall with temperature, and the standard error. Column `compilation` names where the value was read, `reference` one
of the original works:

- ``CRC``: CRC Handbook of Chemistry and Physics, table "Density of molten elements and representative salts", whose
  salts are Janz, J. Phys. Chem. Ref. Data 17, Suppl. 2 (1988);
- ``SciGlass``: median over the sources (column `sources`) of that composition within 0.6 atomic % in SciGlass 7.12
  (doi:10.5281/zenodo.8287159, ODbL); the error is their scatter, for few sources 1-2 %;
- ``recalled``: stated from memory of the reference and not read again; the error is wide.
"""

import csv
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from pymatgen.core.composition import Composition

from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3
from vitrion_workflows.structure.composition import parse_formula


class Phase(StrEnum):
    """State of the substance whose density was measured."""

    MELT = "melt"
    GLASS = "glass"


# Volume expansivity where none was measured, its standard error where it is used outside of the measured range, per K,
# and how far outside it is used at all. Melts of the table: 0.1-0.7 per 1000 K. Glasses: silica 0.002, lithium
# silicates and phosphates 0.03-0.05, sulfides 0.06-0.09 per 1000 K.
EXPANSIVITY_PER_K = {Phase.MELT: 2e-4, Phase.GLASS: 5e-5}
EXPANSIVITY_STDERR_PER_K = {Phase.MELT: 1e-4, Phase.GLASS: 3e-5}
FARTHEST_K = {Phase.MELT: 500.0, Phase.GLASS: 300.0}


@dataclass(frozen=True, kw_only=True)
class MeasuredDensity:
    """Density of one substance in one phase.

    Attributes:
        formula: of the substance.
        phase: melt or glass.
        temperature_min_K: lowest temperature of the measurements.
        temperature_max_K: highest.
        density_g_per_cm3: at the lowest temperature.
        expansion_g_per_cm3_K: decrease for one kelvin within the range; None where one temperature was measured.
        stderr_g_per_cm3: standard error of the density.
        sources: number of works.
        compilation: where the value was read.
        reference: one of the works.
    """

    formula: str
    phase: Phase
    temperature_min_K: float
    temperature_max_K: float
    density_g_per_cm3: float
    expansion_g_per_cm3_K: float | None
    stderr_g_per_cm3: float
    sources: int
    compilation: str
    reference: str

    def volume(self, temperature_K: float) -> "MeasuredVolume | None":
        """Return the volume per atom at a temperature; None too far outside of the measured range.

        Within the range the density is linear in temperature. Outside, the volume goes on with the expansivity at the
        end of the range, V = V(end) exp(alpha (T - end)), and its error grows by that of alpha.
        """
        within_K = min(max(temperature_K, self.temperature_min_K), self.temperature_max_K)
        beyond_K = temperature_K - within_K
        if abs(beyond_K) > FARTHEST_K[self.phase]:
            return None
        slope = self.expansion_g_per_cm3_K
        density = self.density_g_per_cm3 - (slope or 0.0) * (within_K - self.temperature_min_K)
        expansivity = EXPANSIVITY_PER_K[self.phase] if slope is None else slope / density
        return MeasuredVolume(
            volume_A3_per_atom=volume_of_density(self.formula, density) * math.exp(expansivity * beyond_K),
            ln_stderr=math.hypot(
                self.stderr_g_per_cm3 / self.density_g_per_cm3, EXPANSIVITY_STDERR_PER_K[self.phase] * beyond_K
            ),
            temperature_K=temperature_K,
            density=self,
        )


@dataclass(frozen=True, kw_only=True)
class MeasuredVolume:
    """Volume per atom of a melt or glass, from its measured density.

    Attributes:
        volume_A3_per_atom: the volume.
        ln_stderr: standard error of its logarithm.
        temperature_K: of the volume.
        density: the measurement.
    """

    volume_A3_per_atom: float
    ln_stderr: float
    temperature_K: float
    density: MeasuredDensity


def volume_of_density(formula: str, density_g_per_cm3: float) -> float:
    """Return the volume per atom, A3, of a substance of this density."""
    return _atomic_mass_u(parse_formula(formula)) * U_PER_A3_IN_G_PER_CM3 / density_g_per_cm3


def measured_volume(formula: str, temperature_K: float) -> MeasuredVolume | None:
    """Return the measured volume of a melt or glass at a temperature, with the least error; None without any.

    Args:
        formula: chemical formula, in any number of units.
        temperature_K: of the volume.
    """
    volumes = [volume for density in _densities_of(formula) if (volume := density.volume(temperature_K)) is not None]
    return min(volumes, key=lambda volume: volume.ln_stderr, default=None)


def nearest_measured_volume(formula: str, temperature_K: float) -> MeasuredVolume | None:
    """Return `measured_volume`, or where the measurements are too far away the volume at the nearest of them.

    Args:
        formula: chemical formula, in any number of units.
        temperature_K: of the volume; `MeasuredVolume.temperature_K` says for which it is given.
    """
    here = measured_volume(formula, temperature_K)
    if here is not None:
        return here
    ends = [
        volume
        for density in _densities_of(formula)
        for kelvin in (density.temperature_min_K, density.temperature_max_K)
        if (volume := density.volume(kelvin)) is not None
    ]
    return min(ends, key=lambda volume: abs(volume.temperature_K - temperature_K), default=None)


def _densities_of(formula: str) -> list[MeasuredDensity]:
    reduced = parse_formula(formula).reduced_formula
    return [density for density in measured_densities() if parse_formula(density.formula).reduced_formula == reduced]


@cache
def measured_densities() -> tuple[MeasuredDensity, ...]:
    """Return the table of measured densities."""
    text = files("vitrion_workflows.volumes").joinpath("measured_densities.csv").read_text(encoding="utf-8")
    return tuple(
        MeasuredDensity(
            formula=row["formula"],
            phase=Phase(row["phase"]),
            temperature_min_K=float(row["temperature_min_K"]),
            temperature_max_K=float(row["temperature_max_K"]),
            density_g_per_cm3=float(row["density_g_per_cm3"]),
            expansion_g_per_cm3_K=float(row["expansion_mg_per_cm3_K"]) / 1000
            if row["expansion_mg_per_cm3_K"]
            else None,
            stderr_g_per_cm3=float(row["stderr_g_per_cm3"]),
            sources=int(row["sources"]),
            compilation=row["compilation"],
            reference=row["reference"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def _atomic_mass_u(composition: Composition) -> float:
    return float(composition.weight / composition.num_atoms)
