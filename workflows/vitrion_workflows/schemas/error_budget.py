"""Errors of a label or of a prediction, each contribution apart."""

import math

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, computed_field


class ErrorBudget(BaseModel):
    """Standard deviations of log10 D by origin, in decades; independent of each other.

    Attributes:
        statistical: of a run of finite length, or of a surrogate's prediction.
        finite_size: of a periodic cell of few atoms.
        protocol: of one cell among those that melt history and seed could have made.
        level: of the potential's error at the temperature where that is known best.
        slope: additional, for the distance from that temperature.
        volume: of the potential's error through the volume of the cell.
        reference: of the one ab initio run that stands for the truth of a compound.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    statistical: NonNegativeFloat = 0.0
    finite_size: NonNegativeFloat
    protocol: NonNegativeFloat
    level: NonNegativeFloat
    slope: NonNegativeFloat
    volume: NonNegativeFloat
    reference: NonNegativeFloat

    @computed_field  # type: ignore[prop-decorator]
    @property
    def model(self) -> float:
        """Error of the potential: level, slope and volume together."""
        return math.hypot(self.level, self.slope, self.volume)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def systematic(self) -> float:
        """All that a longer run does not reduce, the reference taken as exact."""
        return math.hypot(self.model, self.protocol, self.finite_size)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> float:
        """All contributions together."""
        return math.hypot(self.statistical, self.systematic, self.reference)

    def with_statistical(self, log10_stderr: float) -> "ErrorBudget":
        """Return the budget of a value with this statistical standard error, decades."""
        return self.model_copy(update={"statistical": log10_stderr})
