"""What `vitrion diffusivity --all` prints and draws beyond the one diffusivity."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrion.cli.console.figures import new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vitrion_workflows.transport.observables import ChargeTransport, Observables, SpeciesTransport
    from vitrion_workflows.transport.velocity import VelocityCorrelation

SPECIES_COLUMNS = (
    "species",
    "count",
    "value",
    "interval_95",
    "principal",
    "isotropic_p",
    "haven_ratio",
    "green_kubo",
    "alpha2_peak",
    "vibrations_centre_THz",
)


def species_row(found: "SpeciesTransport") -> dict[str, Any]:
    """One species; diffusivities in cm2/s.

    Args:
        found: what was seen of it.
    """
    tensor, integral, vibrations = found.tensor, found.green_kubo, found.vibrations
    peak, peak_ps = found.non_gaussian.peak
    return {
        "species": found.species,
        "count": found.count,
        "value": found.estimate.value_cm2_per_s,
        "stderr": found.estimate.stderr_cm2_per_s,
        "interval_68": found.estimate.interval_68,
        "interval_95": found.estimate.interval_95,
        "upper_95": found.estimate.upper_95,
        "exponent": found.estimate.exponent,
        "fit_window_ps": found.estimate.fit_window_ps,
        "tensor": tensor.tensor_cm2_per_s,
        "tensor_stderr": tensor.stderr_cm2_per_s,
        "principal": tensor.principal_cm2_per_s,
        "principal_stderr": tensor.principal_stderr_cm2_per_s,
        "axes": tensor.axes,
        "isotropic_p": tensor.isotropic_p,
        "haven_ratio": found.haven.ratio if found.haven else None,
        "haven_interval_95": found.haven.interval_95 if found.haven else None,
        "green_kubo": integral.value_cm2_per_s if integral else None,
        "green_kubo_stderr": integral.stderr_cm2_per_s if integral else None,
        "green_kubo_interval_95": integral.interval_95 if integral else None,
        "green_kubo_plateau_ps": integral.plateau_ps if integral else None,
        "velocities": found.correlation.source,
        "vibrations_centre_THz": vibrations.centre_THz if vibrations else None,
        "vibrations_peak_THz": vibrations.peak_THz if vibrations else None,
        "vibrations_resolution_THz": vibrations.resolution_THz if vibrations else None,
        "vibrations_resolved": vibrations.resolved if vibrations else None,
        "alpha2_peak": peak,
        "alpha2_peak_ps": peak_ps,
    }


def curves(found: "SpeciesTransport") -> dict[str, Any]:
    """The functions behind a row, for JSON."""
    vibrations = found.vibrations
    return {
        "msd": found.estimate.msd,
        "non_gaussian": found.non_gaussian,
        "van_hove": found.van_hove,
        "velocity_correlation": _correlation(found.correlation),
        "vibrations": {"frequency_THz": vibrations.frequency_THz, "density_per_THz": vibrations.density_per_THz}
        if vibrations
        else None,
    }


def _correlation(found: "VelocityCorrelation") -> dict[str, Any]:
    return {"lag_ps": found.lag_ps, "value_A2_per_ps2": found.mean_A2_per_ps2}


def charge_row(found: "ChargeTransport") -> dict[str, Any]:
    """Motion of charge; conductivities in S/cm, diffusivities in cm2/s."""
    spread, independent = found.conductivity.spread, found.nernst_einstein.spread
    return {
        "charges": found.charges,
        "conductivity": found.conductivity.value_S_per_cm,
        "conductivity_interval_95": spread.interval_95 if spread else None,
        "nernst_einstein": found.nernst_einstein.value_S_per_cm,
        "nernst_einstein_interval_95": independent.interval_95 if independent else None,
        "collective_diffusivity": found.collective.value_cm2_per_s,
        "collective_diffusivity_stderr": found.collective.stderr_cm2_per_s,
        "collective_fit_window_ps": found.collective.fit_window_ps,
        "haven_ratio": found.haven.ratio if found.haven else None,
        "haven_interval_95": found.haven.interval_95 if found.haven else None,
    }


def framework_row(found: "Observables", *, frame_interval_ps: float) -> dict[str, Any]:
    """The other species: whether they stand, turn or flow."""
    state, turning = found.framework, found.framework.orientation
    return {
        "state": state.state,
        "displacement_over_spacing": state.ratio,
        "growth": state.growth,
        "groups": turning.groups if turning else None,
        "turned": turning.turned if turning else None,
        "orientation_lag_ps": turning.lags * frame_interval_ps if turning else None,
        "orientation_correlation": turning.correlation if turning else None,
    }


def draw(path: Path, found: "Observables", *, mobile: str, title: str) -> None:
    """Four pictures on one page: MSD with its fit, van Hove, density of states, non-Gaussian parameter.

    Args:
        path: .png or .svg.
        found: all that was seen.
        mobile: the species of the first two pictures.
        title: heading.

    Raises:
        InputError: the file cannot be written.
    """
    figure = new_figure(width_in=10.0, height_in=7.5)
    panels = figure.subplots(2, 2)
    chosen = next(one for one in found.species if one.species == mobile)
    _draw_msd(panels[0, 0], chosen)
    _draw_van_hove(panels[0, 1], chosen)
    for one in found.species:
        if one.vibrations is not None:
            panels[1, 0].plot(one.vibrations.frequency_THz, one.vibrations.density_per_THz, label=_named(one))
        panels[1, 1].plot(one.non_gaussian.lag_ps, one.non_gaussian.alpha2, ".-", label=one.species)
    panels[1, 0].set(xlabel="frequency (THz)", ylabel="density of states (1/THz)", title="vibrations")
    panels[1, 0].set_ylim(bottom=0)
    panels[1, 1].axhline(0, color="grey", linewidth=0.5)
    panels[1, 1].set(xlabel="lag time (ps)", ylabel="alpha2", xscale="log", title="non-Gaussian parameter")
    for panel in panels.flat:
        if panel.get_legend_handles_labels()[0]:
            panel.legend(frameon=False, fontsize="small", loc="upper left" if panel is panels[0, 0] else "best")
    figure.suptitle(title)
    save(figure, path)


def _named(found: "SpeciesTransport") -> str:
    aliased = found.vibrations is not None and not found.vibrations.resolved
    return f"{found.species} (frames too far apart)" if aliased else found.species


def _draw_msd(axes: "Axes", found: "SpeciesTransport") -> None:
    estimate = found.estimate
    first, last = estimate.fit_window_ps
    slope = estimate.fit.slope_A2 / estimate.frame_interval_ps
    errors = [1.96 * error for error in estimate.msd.stderr_A2]
    axes.errorbar(
        estimate.msd.lag_ps, estimate.msd.msd_A2, yerr=errors, fmt=".", color="tab:blue", alpha=0.5, label="MSD, 95 %"
    )
    label = f"6 D t + c, D = {estimate.value_cm2_per_s:.3g} cm²/s"
    axes.plot([first, last], [estimate.intercept_A2 + slope * lag for lag in (first, last)], "k-", label=label)
    axes.set(xlabel="lag time (ps)", ylabel="MSD (Å²)", title=f"mean squared displacement of {found.species}")


def _draw_van_hove(axes: "Axes", found: "SpeciesTransport") -> None:
    for lag, density in zip(found.van_hove.lag_ps, found.van_hove.density_per_A, strict=True):
        axes.plot(found.van_hove.r_A, density, label=f"{lag:.3g} ps")
    axes.set(xlabel="r (Å)", ylabel="4πr² Gs(r, t) (1/Å)", title=f"van Hove function of {found.species}, self part")
