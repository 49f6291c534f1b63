"""Formatting of numbers: diffusivities with powers of ten, durations, formulas, units."""

import math

from vitrion.report.charts.axis import MINUS, power_of_ten

MINUTE_S = 60
HOUR_S = 3600


def diffusivity(value: float, interval: tuple[float, float] | None = None) -> str:
    """Format a diffusivity with its interval, for example ``2.3 (1.8 to 3.0) × 10⁻⁵``, without unit.

    All numbers have two significant digits.
    """
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    scale, power = 10.0 ** int(exponent), power_of_ten(int(exponent))
    if interval is None:
        return f"{mantissa} × {power}"
    low, high = (_two_digits(bound / scale) for bound in interval)
    return f"{mantissa} ({low} to {high}) × {power}"


def _two_digits(value: float) -> str:
    if not math.isfinite(value):
        return "∞"
    exponent = int(f"{value:.1e}".split("e")[1])
    return f"{value:.{max(0, 1 - exponent)}f}"


def decades(log10_value: float, interval: tuple[float, float]) -> str:
    """Format a diffusivity given by its logarithm, with its interval; see `diffusivity`."""
    return diffusivity(10**log10_value, (10 ** interval[0], 10 ** interval[1]))


def signed(value: float, digits: int = 2) -> str:
    """Format a number with its sign, for example ``+0.21`` or ``−0.04``."""
    return f"{value:+.{digits}f}".replace("-", MINUS)


def plain(value: float, digits: int = 2) -> str:
    """Format a number with a typographic minus."""
    return f"{value:.{digits}f}".replace("-", MINUS)


def duration(seconds: float) -> str:
    """Format a duration in seconds, minutes or hours."""
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        minutes, rest = divmod(round(seconds), MINUTE_S)
        return f"{minutes} min {rest:02d} s"
    return f"{seconds / HOUR_S:.1f} h"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Format a number and its noun, for example ``1 label`` or ``3 labels``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def formula(text: str) -> str:
    """Format a formula with subscripts, for example ``Li₃PS₄``."""
    subscripts = str.maketrans("0123456789.", "₀₁₂₃₄₅₆₇₈₉.")
    return text.translate(subscripts)


def unit_text(unit: str) -> str:
    """Format a unit, for example ``Å²`` for ``A2`` and ``g/cm³`` for ``g/cm3``."""
    return _UNITS.get(unit, unit)


_UNITS = {"A": "Å", "A2": "Å²", "A3": "Å³", "g/cm3": "g/cm³", "eV/A": "eV/Å", "cm2/s": "cm²/s"}
