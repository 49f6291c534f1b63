"""Vibrational density of states of a sublattice from its velocity autocorrelation."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

FEWEST_LAGS = 16
# Frequencies to a width of the resolution.
OVERSAMPLING = 4
# Top of the band, and the largest share of the spectrum in it; more suggests aliasing of higher frequencies.
BAND_EDGE = 0.8
LARGEST_SHARE_AT_EDGE = 0.05


@dataclass(frozen=True, eq=False)
class VibrationalDensity:
    """Vibrational density of states: share of kinetic energy at each frequency.

    Attributes:
        frequency_THz: from zero to half the frame frequency, shape (B,).
        density_per_THz: its integral over the band is one, shape (B,).
        resolution_THz: full width at half maximum of a sharp line.
        share_at_edge: share of the spectrum in the top fifth of the band.
    """

    frequency_THz: FloatArray
    density_per_THz: FloatArray
    resolution_THz: float
    share_at_edge: float

    @property
    def resolved(self) -> bool:
        """True if frames are close enough; vibrations at the edge of the band suggest aliasing of faster ones."""
        return self.share_at_edge <= LARGEST_SHARE_AT_EDGE

    @property
    def centre_THz(self) -> float:
        """Mean frequency in THz."""
        return float((self.frequency_THz * self.density_per_THz).sum() * self._step)

    @property
    def peak_THz(self) -> float:
        """Frequency of the greatest density in THz."""
        return float(self.frequency_THz[np.argmax(self.density_per_THz)])

    @property
    def _step(self) -> float:
        return float(self.frequency_THz[1] - self.frequency_THz[0])


def vibrational_density(
    correlation: FloatArray, frame_interval_ps: float, *, longest_lag_ps: float, from_differences: bool
) -> VibrationalDensity:
    """Compute the density of states, g(f) = 4 int_0^inf C(t) / C(0) cos(2 pi f t) dt.

    From Dickey and Paskin, Phys. Rev. 188, 1407 (1969). The correlation is multiplied by Hann's window
    cos^2(pi t / 2 L) up to the longest lag L, which shows a sharp line with a full width of 1 / L at half maximum and
    side lobes below 3 %. Its value at zero frequency is 4 D m / (k T): solids start at zero, liquids do not.
    Velocities that are differences of positions lose the factor sinc^2(f dt), which is divided out.

    Args:
        correlation: velocity autocorrelation at lags 0, 1, 2 ... frames, any unit, shape (L,).
        frame_interval_ps: time between frames.
        longest_lag_ps: end of the window.
        from_differences: whether velocities were differences of positions over one interval.

    Raises:
        InputError: fewer than 16 lags, or ions that do not move.
    """
    lags = min(int(longest_lag_ps / frame_interval_ps), len(correlation) - 1)
    if lags < FEWEST_LAGS:
        raise InputError(
            f"{lags} lags of {frame_interval_ps:g} ps are too few for a spectrum: give at least {FEWEST_LAGS}"
        )
    if not correlation[0] > 0:
        raise InputError("ions without motion have no vibrational spectrum: choose a species that moves")
    times = np.arange(lags + 1)
    window = np.cos(np.pi * times / (2 * lags)) ** 2
    values = correlation[: lags + 1] / correlation[0] * window
    # A real even series: twice the cosine sum, the term at zero counted once.
    size = 2 * OVERSAMPLING * lags
    spectrum = 2 * np.fft.rfft(values, n=size).real - values[0]
    frequency = np.fft.rfftfreq(size, d=frame_interval_ps).astype(np.float64)
    if from_differences:
        spectrum = spectrum / np.sinc(frequency * frame_interval_ps) ** 2
    step = frequency[1]
    density = 2 * frame_interval_ps * spectrum
    area = float(density.sum() * step)
    edge = frequency >= BAND_EDGE * frequency[-1]
    return VibrationalDensity(
        frequency_THz=frequency,
        density_per_THz=density / area,
        resolution_THz=1 / (lags * frame_interval_ps),
        share_at_edge=float(density[edge].sum() * step) / area,
    )
