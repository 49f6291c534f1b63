"""Axis of a panel: limits, scale, ticks and their text."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
MARGIN = 0.06
MINUS = "−"
FEW_DECADES = 1.5
FEWEST_TICKS, MOST_TICKS = 2, 6
ROUNDING = 1e-9
FAR_OUT = 100.0
LEAST_PLAIN_EXPONENT, MOST_PLAIN_EXPONENT = -2, 3  # 0.01 to 1000 are written out


def power_of_ten(exponent: int) -> str:
    """Format a power of ten, for example ``10⁻⁵``."""
    return "10" + str(exponent).translate(SUPERSCRIPT)


@dataclass(frozen=True)
class Axis:
    """One axis of a panel.

    Attributes:
        label: quantity and unit.
        low: least value shown.
        high: greatest value shown.
        log: logarithmic scale; limits must be positive.
        ticks: values to mark, chosen automatically when empty.
    """

    label: str
    low: float
    high: float
    log: bool = False
    ticks: tuple[float, ...] = ()

    @classmethod
    def around(
        cls,
        label: str,
        values: Iterable[float],
        *,
        log: bool = False,
        include: Iterable[float] = (),
        least_span: float = 0.0,
        headroom: float = 0.0,
    ) -> "Axis":
        """Return an axis that covers all values with a margin.

        Args:
            label: quantity and unit.
            values: shown values; those that are not finite (or not positive on a log scale) are ignored.
            log: logarithmic scale.
            include: further values to cover, without margin.
            least_span: least range, in decades on a log scale.
            headroom: room for text above the values, as a fraction of their range.
        """
        shown = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
        scaled = [math.log10(value) if log else value for value in shown] or [0.0, 1.0]
        low, high = min(scaled), max(scaled)
        missing = max(least_span, ROUNDING) - (high - low)
        if missing > 0:
            low, high = low - missing / 2, high + missing / 2
        margin = MARGIN * (high - low)
        low, high = low - margin, high + margin + headroom * (high - low)
        for value in include:
            edge = math.log10(value) if log else value
            low, high = min(low, edge), max(high, edge)
        return cls(label, 10**low if log else low, 10**high if log else high, log=log)

    def place(self, value: float) -> float:
        """Return the position of a value: 0 at the low end, 1 at the high end, outside for values outside.

        Infinity, and zero on a log scale, are placed far outside.
        """
        if self.log:
            bottom, top = math.log10(self.low), math.log10(self.high)
            place = (math.log10(value) - bottom) / (top - bottom) if value > 0 else -FAR_OUT
        else:
            place = (value - self.low) / (self.high - self.low)
        return min(max(place, -FAR_OUT), FAR_OUT)

    def marks(self) -> list[tuple[float, str]]:
        """Return the tick values inside the limits with their text."""
        chosen = self.ticks or (self._log_ticks() if self.log else self._linear_ticks())
        inside = [value for value in chosen if -ROUNDING <= self.place(value) <= 1 + ROUNDING]
        return [(value, self._text(value)) for value in inside]

    def _linear_ticks(self) -> tuple[float, ...]:
        span = self.high - self.low
        rough = span / (MOST_TICKS - 1)
        size = 10 ** math.floor(math.log10(rough))
        step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
        first = math.ceil(self.low / step - ROUNDING)
        last = math.floor(self.high / step + ROUNDING)
        return tuple(index * step for index in range(first, last + 1))

    def _log_ticks(self) -> tuple[float, ...]:
        bottom, top = math.log10(self.low), math.log10(self.high)
        decades = range(math.floor(bottom), math.ceil(top) + 1)
        inside = sum(bottom <= decade <= top for decade in decades)
        if top - bottom < FEW_DECADES or inside < FEWEST_TICKS:
            return tuple(factor * 10.0**decade for decade in decades for factor in (1, 2, 5))
        stride = math.ceil((top - bottom) / MOST_TICKS)
        return tuple(10.0**decade for decade in decades if decade % stride == 0)

    def _text(self, value: float) -> str:
        if not self.log:
            return f"{value:.6g}".replace("-", MINUS) if abs(value) > ROUNDING * (self.high - self.low) else "0"
        exponent = math.floor(math.log10(value) + ROUNDING)
        factor = round(value / 10.0**exponent)
        if LEAST_PLAIN_EXPONENT <= exponent <= MOST_PLAIN_EXPONENT:
            return f"{value:g}"
        return power_of_ten(exponent) if factor == 1 else f"{factor}×{power_of_ten(exponent)}"
