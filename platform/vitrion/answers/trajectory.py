"""Summary of a trajectory: tracer diffusivity and gates; transport of all species, of charge, of the framework."""

from typing import TYPE_CHECKING

from vitrion.answers.answer import Answer, Matrix, Range, Vector
from vitrion_workflows.schemas import Convention, GateOutcome, LabelState, MsdTable

if TYPE_CHECKING:
    from vitrion_workflows.labelling.analysis import TrajectoryAnalysis
    from vitrion_workflows.transport.observables import ChargeTransport, Observables, SpeciesTransport


class NonGaussianCurve(Answer):
    """Non-Gaussian parameter alpha_2 against lag time, with its standard error, shapes (L,)."""

    lag_ps: Vector
    alpha2: Vector
    stderr: Vector


class VanHoveCurves(Answer):
    """Self part of the van Hove function, 4 pi r^2 G_s(r, t): r of shape (B,), lags (L,), densities (L, B)."""

    r_A: Vector
    lag_ps: Vector
    density_per_A: Matrix


class VelocityCurve(Answer):
    """Velocity autocorrelation against lag time, shapes (L,)."""

    lag_ps: Vector
    value_A2_per_ps2: Vector


class VibrationCurve(Answer):
    """Vibrational density of states, shapes (F,)."""

    frequency_THz: Vector
    density_per_THz: Vector


class SpeciesSummary(Answer):
    """Transport of one species: diffusivities in cm2/s, the tensor of shape (3, 3), its principal axes as rows."""

    species: str
    count: int
    value: float
    stderr: float
    interval_68: Range | None
    interval_95: Range | None
    upper_95: float
    exponent: float | None
    fit_window_ps: Range
    tensor: Matrix
    tensor_stderr: Matrix
    principal: Vector
    principal_stderr: Vector
    axes: Matrix
    isotropic_p: float | None
    haven_ratio: float | None
    haven_interval_95: Range | None
    green_kubo: float | None
    green_kubo_stderr: float | None
    green_kubo_interval_95: Range | None
    green_kubo_plateau_ps: Range | None
    velocities: str
    vibrations_centre_THz: float | None
    vibrations_peak_THz: float | None
    vibrations_resolution_THz: float | None
    vibrations_resolved: bool | None
    alpha2_peak: float
    alpha2_peak_ps: float
    msd: MsdTable
    non_gaussian: NonGaussianCurve
    van_hove: VanHoveCurves
    velocity_correlation: VelocityCurve
    vibrations: VibrationCurve | None


class ChargeSummary(Answer):
    """Transport of charge: conductivities in S/cm, diffusivities in cm2/s, charges in elementary charges."""

    charges: dict[str, float]
    conductivity: float
    conductivity_interval_95: Range | None
    nernst_einstein: float
    nernst_einstein_interval_95: Range | None
    collective_diffusivity: float
    collective_diffusivity_stderr: float | None
    collective_fit_window_ps: Range
    haven_ratio: float | None
    haven_interval_95: Range | None


class FrameworkSummary(Answer):
    """State of the other species: vibrating, rotating, molten or absent; orientation correlation of shape (L,)."""

    state: str
    displacement_over_spacing: float | None
    growth: float | None
    groups: int | None
    turned: float | None
    orientation_lag_ps: Vector | None
    orientation_correlation: Vector | None


class TrajectorySummary(Answer):
    """Analysis of a trajectory under the field names of a label.

    `value` is D in cm2/s, an upper bound without intervals where the data are censored. `every_species`, `framework`
    and `charge` are None unless they were computed.
    """

    trajectory: str
    species: str
    temperature_K: float | None
    state: str
    status: str
    value: float
    unit: str = "cm2/s"
    convention: str = Convention.EINSTEIN_3D.value
    interval_68: Range | None
    interval_95: Range | None
    log10_stderr: float | None
    n_eff: float | None
    exponent: float | None
    exponent_stderr: float | None
    fit_window_ps: Range
    frame_interval_ps: float
    equilibration_ps: float
    production_ps: float
    haven_ratio: float | None
    framework_state: str
    drift_A: float
    mean_temperature_K: float | None
    not_checked: dict[str, str]
    remarks: tuple[str, ...] = ()
    gates: tuple[GateOutcome, ...]
    msd: MsdTable
    every_species: tuple[SpeciesSummary, ...] | None = None
    framework: FrameworkSummary | None = None
    charge: ChargeSummary | None = None


def summarize_trajectory(
    analysis: "TrajectoryAnalysis",
    *,
    source: str,
    temperature_K: float | None,
    observables: "Observables | None" = None,
    remarks: tuple[str, ...] = (),
) -> TrajectorySummary:
    """Return the summary of an analysed trajectory.

    Args:
        analysis: of the mobile species.
        source: file it came from.
        temperature_K: set temperature, if stated.
        observables: of every species, if computed.
        remarks: on what was left out or assumed when the file was read.
    """
    estimate = analysis.estimate
    # An interval around the estimate does not belong to a bound.
    censored = analysis.checked_state is LabelState.CENSORED
    return TrajectorySummary(
        trajectory=source,
        species=analysis.species,
        temperature_K=temperature_K,
        state=analysis.state.value,
        status=analysis.status,
        value=analysis.value_cm2_per_s,
        interval_68=None if censored else estimate.interval_68,
        interval_95=None if censored else estimate.interval_95,
        log10_stderr=None if censored else estimate.log10_stderr,
        n_eff=estimate.n_eff,
        exponent=estimate.exponent,
        exponent_stderr=estimate.exponent_stderr,
        fit_window_ps=estimate.fit_window_ps,
        frame_interval_ps=estimate.frame_interval_ps,
        equilibration_ps=analysis.equilibration_ps,
        production_ps=analysis.production_ps,
        haven_ratio=analysis.haven.ratio if analysis.haven else None,
        framework_state=analysis.framework.state,
        drift_A=analysis.checks.drift_A,
        mean_temperature_K=analysis.checks.mean_temperature_K,
        not_checked=dict(analysis.checks.not_checked),
        remarks=remarks,
        gates=analysis.gates,
        msd=estimate.msd,
        every_species=observables and tuple(map(_species, observables.species)),
        framework=observables and _framework(observables, frame_interval_ps=estimate.frame_interval_ps),
        charge=_charge(observables.charge) if observables and observables.charge else None,
    )


def _species(transport: "SpeciesTransport") -> SpeciesSummary:
    estimate, tensor, vibrations = transport.estimate, transport.tensor, transport.vibrations
    integral, alpha2, distances = transport.green_kubo, transport.non_gaussian, transport.van_hove
    peak, peak_ps = alpha2.peak
    return SpeciesSummary(
        species=transport.species,
        count=transport.count,
        value=estimate.value_cm2_per_s,
        stderr=estimate.stderr_cm2_per_s,
        interval_68=estimate.interval_68,
        interval_95=estimate.interval_95,
        upper_95=estimate.upper_95,
        exponent=estimate.exponent,
        fit_window_ps=estimate.fit_window_ps,
        tensor=tensor.tensor_cm2_per_s,
        tensor_stderr=tensor.stderr_cm2_per_s,
        principal=tensor.principal_cm2_per_s,
        principal_stderr=tensor.principal_stderr_cm2_per_s,
        axes=tensor.axes,
        isotropic_p=tensor.isotropic_p,
        haven_ratio=transport.haven.ratio if transport.haven else None,
        haven_interval_95=transport.haven.interval_95 if transport.haven else None,
        green_kubo=integral.value_cm2_per_s if integral else None,
        green_kubo_stderr=integral.stderr_cm2_per_s if integral else None,
        green_kubo_interval_95=integral.interval_95 if integral else None,
        green_kubo_plateau_ps=integral.plateau_ps if integral else None,
        velocities=transport.correlation.source,
        vibrations_centre_THz=vibrations.centre_THz if vibrations else None,
        vibrations_peak_THz=vibrations.peak_THz if vibrations else None,
        vibrations_resolution_THz=vibrations.resolution_THz if vibrations else None,
        vibrations_resolved=vibrations.resolved if vibrations else None,
        alpha2_peak=peak,
        alpha2_peak_ps=peak_ps,
        msd=estimate.msd,
        non_gaussian=NonGaussianCurve(lag_ps=alpha2.lag_ps, alpha2=alpha2.alpha2, stderr=alpha2.stderr),
        van_hove=VanHoveCurves(r_A=distances.r_A, lag_ps=distances.lag_ps, density_per_A=distances.density_per_A),
        velocity_correlation=VelocityCurve(
            lag_ps=transport.correlation.lag_ps, value_A2_per_ps2=transport.correlation.mean_A2_per_ps2
        ),
        vibrations=VibrationCurve(frequency_THz=vibrations.frequency_THz, density_per_THz=vibrations.density_per_THz)
        if vibrations
        else None,
    )


def _charge(transport: "ChargeTransport") -> ChargeSummary:
    spread, independent = transport.conductivity.intervals, transport.nernst_einstein.intervals
    return ChargeSummary(
        charges=dict(transport.charges),
        conductivity=transport.conductivity.value_S_per_cm,
        conductivity_interval_95=spread.interval_95 if spread else None,
        nernst_einstein=transport.nernst_einstein.value_S_per_cm,
        nernst_einstein_interval_95=independent.interval_95 if independent else None,
        collective_diffusivity=transport.collective.value_cm2_per_s,
        collective_diffusivity_stderr=transport.collective.stderr_cm2_per_s,
        collective_fit_window_ps=transport.collective.fit_window_ps,
        haven_ratio=transport.haven.ratio if transport.haven else None,
        haven_interval_95=transport.haven.interval_95 if transport.haven else None,
    )


def _framework(observables: "Observables", *, frame_interval_ps: float) -> FrameworkSummary:
    framework, orientation = observables.framework, observables.framework.orientation
    return FrameworkSummary(
        state=framework.state,
        displacement_over_spacing=framework.ratio,
        growth=framework.growth,
        groups=orientation.groups if orientation else None,
        turned=orientation.turned if orientation else None,
        orientation_lag_ps=orientation.lags * frame_interval_ps if orientation else None,
        orientation_correlation=orientation.correlation if orientation else None,
    )
