"""Record of the bonds between atoms of one element in a cell or a run."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class ExpectedBy(StrEnum):
    """Source of the number of bonds that a compound has."""

    TWIN = "crystal twin"
    CHARGES = "charges"


class HomonuclearBonds(BaseModel):
    """Bonds between the atoms of one element.

    Attributes:
        element: chemical symbol.
        number: in the cell; of a run the mean over its frames.
        expected: number that the compound has in as many atoms; None for an alloy, whose charges tell nothing.
        expected_by: crystal twin, or the charges of the composition.
        persistence: share of the frames with more bonds than expected; 0 or 1 for a cell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    element: str
    number: float
    expected: float | None = None
    expected_by: ExpectedBy | None = None
    persistence: float | None = None

    @property
    def unexpected(self) -> float:
        """Bonds beyond the expected ones; none where nothing is expected of the compound."""
        return 0.0 if self.expected is None else max(self.number - self.expected, 0.0)
