"""Settings of a fit, of the first and of later rounds."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """Numbers of a fit (docs/design/tuning.md).

    Attributes:
        steps: gradient steps.
        frames_per_step: frames of one gradient step.
        network_rate: greatest learning rate of the networks.
        coefficient_rate: the same of the expansion coefficients.
        energy_scale_eV_per_atom: error of an energy that counts as much as the whole force.
        virial_scale_eV_per_atom: the same of a component of the virial.
        tail_eV_per_A: forces above this count less, so that planted contacts do not rule the fit.
    """

    steps: int = 1500
    frames_per_step: int = 3
    network_rate: float = 1e-2
    coefficient_rate: float = 2e-2
    energy_scale_eV_per_atom: float = 0.1
    virial_scale_eV_per_atom: float = 0.2
    tail_eV_per_A: float = 10.0


DEFAULT = FitSettings()


def later(settings: FitSettings) -> FitSettings:
    """Return the settings of fits after the first, which begin from a good potential: half the rates."""
    return replace(
        settings,
        network_rate=settings.network_rate / 2,
        coefficient_rate=settings.coefficient_rate / 2,
    )
