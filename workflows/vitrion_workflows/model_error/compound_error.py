"""Systematic error of a potential for one compound at one temperature."""

from dataclasses import dataclass

from vitrion_workflows.schemas.error_budget import ErrorBudget

ASSUMED = "assumed"


@dataclass(frozen=True, kw_only=True)
class CompoundError:
    """Systematic error of a label's log10 D, in decades.

    Attributes:
        chemistry: class of the compound by its anions.
        offset_decades: mean of log10(D / true D); positive where the potential is too fast.
        slope_decades: mean of its change for 1 in 1000/T; times -0.198 eV, the mean error of an activation energy.
        slope_stderr_decades: standard deviation of that change.
        budget: standard deviations of the error by origin.
        evidence: in words: ``aimd: 6 compounds; diep: 2 pairs``, or that it is assumed.
    """

    chemistry: str
    offset_decades: float
    slope_decades: float
    slope_stderr_decades: float
    budget: ErrorBudget
    evidence: str

    @property
    def stderr_decades(self) -> float:
        """Deviation about the offset, the reference taken as exact; a longer run does not reduce it."""
        return self.budget.systematic

    @property
    def is_measured(self) -> bool:
        """True if the potential was compared; otherwise the figures are those of other potentials."""
        return not self.evidence.startswith(ASSUMED)

    def corrected(self, log10_value: float, log10_stderr: float) -> tuple[float, float]:
        """Correct a value of the potential for its error: mean and standard deviation of log10 D.

        Args:
            log10_value: log10 of the potential's D.
            log10_stderr: its statistical standard error, decades.
        """
        return log10_value - self.offset_decades, self.budget.with_statistical(log10_stderr).total
