"""Transport observables of a trajectory: every species, tensor, charge, vibrations, framework."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.analysis.vibrations import FEWEST_LAGS, VibrationalDensity, vibrational_density
from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate, estimate_diffusivity
from vitrion_workflows.diffusivity.regression import fit_lags
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.collective import (
    CollectiveDiffusivity,
    Haven,
    collective_diffusivity,
    haven_from_values,
    haven_ratio,
    in_host_frame,
)
from vitrion_workflows.transport.conductivity import (
    ChargeCarriers,
    Conductivity,
    charges_of,
    collective_conductivity,
    nernst_einstein,
)
from vitrion_workflows.transport.framework import Framework, framework
from vitrion_workflows.transport.tensor import DiffusivityTensor, diffusivity_tensor
from vitrion_workflows.transport.van_hove import NonGaussian, VanHove, non_gaussian, van_hove
from vitrion_workflows.transport.velocity import (
    GreenKubo,
    VelocityCorrelation,
    VelocitySource,
    green_kubo,
    relative_velocities,
    velocity_correlation,
)

# Resolves lines half a THz wide: thermal motion broadens them by more.
SPECTRUM_LAG_PS = 2.0
VAN_HOVE_LAGS = 3


@dataclass(frozen=True, eq=False)
class SpeciesTransport:
    """Motion of one species.

    Attributes:
        species: chemical symbol.
        count: atoms in the cell.
        estimate: tracer diffusivity.
        tensor: diffusivity tensor.
        haven: D_tracer / D_sigma for equal charges; None where its error exceeds 60 %, or too few jumps were observed.
        correlation: velocity autocorrelation.
        green_kubo: diffusivity from its integral; None where frames are too far apart for stored velocities.
        vibrations: density of states; None in runs too short for one.
        non_gaussian: non-Gaussian parameter against lag.
        van_hove: self-part at the first, the middle and the last lag of the fit.
    """

    species: str
    count: int
    estimate: DiffusivityEstimate
    tensor: DiffusivityTensor
    haven: Haven | None
    correlation: VelocityCorrelation
    green_kubo: GreenKubo | None
    vibrations: VibrationalDensity | None
    non_gaussian: NonGaussian
    van_hove: VanHove


@dataclass(frozen=True, eq=False)
class ChargeTransport:
    """Motion of charge, for stated charges.

    Attributes:
        charges: of each species, in elementary charges.
        collective: diffusivity of the summed charge.
        haven: tracer diffusivity, weighted by squared charges, over the collective one; None where not resolved.
        nernst_einstein: conductivity of independent ions.
        conductivity: from the collective diffusivity.
    """

    charges: Mapping[str, float]
    collective: CollectiveDiffusivity
    haven: Haven | None
    nernst_einstein: Conductivity
    conductivity: Conductivity


@dataclass(frozen=True, eq=False)
class Observables:
    """Transport of every species, framework and charge.

    Attributes:
        species: one for each element, by atomic number.
        framework: state of all species but the mobile one.
        charge: None where no charges were stated.
    """

    species: tuple[SpeciesTransport, ...]
    framework: Framework
    charge: ChargeTransport | None


def observe(
    trajectory: Trajectory,
    *,
    mobile: str,
    discarded_frames: int,
    charges: Mapping[str, float] | None = None,
    temperature_K: float | None = None,
) -> Observables:
    """Compute the transport of every species, the framework and the charge.

    Args:
        trajectory: unwrapped, with its frame interval.
        mobile: chemical symbol of the mobile species; the others form the framework.
        discarded_frames: frames of equilibration at the start, left out.
        charges: formal charge of each species that carries charge; species that are not named are hosts.
        temperature_K: of the run; needed for a conductivity.

    Raises:
        InputError: charges without a temperature, of absent species or that do not add to zero; too few frames.
    """
    source = trajectory.source or "trajectory"
    if charges and temperature_K is None:
        raise InputError(f"{source}: a conductivity needs the temperature of the run: state it with the charges")
    positions = trajectory.positions_A[discarded_frames:]
    displacements = remove_drift(positions, trajectory.masses_u)
    velocities = relative_velocities(trajectory, discarded_frames=discarded_frames)
    numbers = trajectory.numbers
    transport = []
    for number in np.unique(numbers).tolist():
        atoms = numbers == number
        transport.append(
            _species(
                chemical_symbols[number],
                displacements[:, atoms],
                None if velocities is None else velocities[:, atoms],
                relative_A=in_host_frame(displacements, trajectory.masses_u, atoms),
                interval_ps=trajectory.frame_interval_ps,
            )
        )
    start = AtomicSystem(numbers, positions[0], trajectory.lattice_A)
    charge = None
    if charges and temperature_K is not None:
        atom_charges = charges_of(numbers, charges, source=source)
        charge = _charge(
            in_host_frame(displacements, trajectory.masses_u, atom_charges != 0),
            atom_charges[atom_charges != 0],
            transport,
            charges,
            volume_A3=start.volume_A3,
            temperature_K=temperature_K,
        )
    return Observables(
        species=tuple(transport),
        framework=framework(displacements, start, mobile=atomic_numbers[mobile]),
        charge=charge,
    )


def _species(
    symbol: str, ions: FloatArray, velocities: FloatArray | None, *, relative_A: FloatArray, interval_ps: float
) -> SpeciesTransport:
    estimate = estimate_diffusivity(ions, interval_ps)
    correlation = velocity_correlation(ions, interval_ps, velocities_A_per_ps=velocities)
    first, last = int(estimate.fit.lags[0]), int(estimate.fit.lags[-1])
    return SpeciesTransport(
        species=symbol,
        count=ions.shape[1],
        estimate=estimate,
        tensor=diffusivity_tensor(ions, estimate),
        haven=haven_ratio(relative_A, estimate),
        correlation=correlation,
        green_kubo=green_kubo(ions, correlation),
        vibrations=_vibrations(correlation),
        non_gaussian=non_gaussian(ions, interval_ps),
        van_hove=van_hove(ions, interval_ps, lags=fit_lags(first, last, count=VAN_HOVE_LAGS)),
    )


def _vibrations(correlation: VelocityCorrelation) -> VibrationalDensity | None:
    longest = min(SPECTRUM_LAG_PS, float(correlation.lag_ps[-1]))
    if longest < FEWEST_LAGS * correlation.frame_interval_ps:
        return None
    return vibrational_density(
        correlation.mean_A2_per_ps2,
        correlation.frame_interval_ps,
        longest_lag_ps=longest,
        from_differences=correlation.source is VelocitySource.DIFFERENCES,
    )


def _charge(
    displacements: FloatArray,
    ion_charges: FloatArray,
    species: list[SpeciesTransport],
    charges: Mapping[str, float],
    *,
    volume_A3: float,
    temperature_K: float,
) -> ChargeTransport:
    interval = species[0].estimate.frame_interval_ps
    collective = collective_diffusivity(displacements, ion_charges, interval)
    carriers = [
        ChargeCarriers(
            count=ions.count,
            charge=charges[ions.species],
            value_cm2_per_s=ions.estimate.value_cm2_per_s,
            stderr_cm2_per_s=ions.estimate.stderr_cm2_per_s,
        )
        for ions in species
        if charges.get(ions.species)
    ]
    weights = np.array([ions.count * ions.charge**2 for ions in carriers])
    weights = weights / weights.sum()
    tracer = float(weights @ [ions.value_cm2_per_s for ions in carriers])
    error = float(np.linalg.norm(weights * [ions.stderr_cm2_per_s for ions in carriers]))
    return ChargeTransport(
        charges=dict(charges),
        collective=collective,
        haven=haven_from_values(tracer, error, collective),
        nernst_einstein=nernst_einstein(carriers, volume_A3=volume_A3, temperature_K=temperature_K),
        conductivity=collective_conductivity(collective, ion_charges, volume_A3=volume_A3, temperature_K=temperature_K),
    )
