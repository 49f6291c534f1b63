"""Card of a tuned potential: what it was made from, how, and how well it agrees with its target."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vitrion_workflows.tuning.agreement import FrameAgreement
from vitrion_workflows.tuning.settings import FitSettings

SCHEMA_VERSION = 1
LICENCE = (
    "derived from the parent's weights and under their licence (NEP89: GPL-3.0); these files are the user's own, and "
    "whoever passes them on is bound by it"
)


class Source(BaseModel):
    """A parent, a reference potential or a file of frames.

    Attributes:
        name: registry name, or name of the file.
        sha256: of its weights or content.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str


class Card(BaseModel):
    """Lineage and figures of a tuned potential.

    Attributes:
        name: after ``tuned:``.
        sha256: of its weights.
        parent: potential that was tuned.
        target: reference potential, or file of frames.
        elements: chemical symbols covered.
        compositions: formulas for which it was made.
        frames: number of frames it learned from.
        rounds: agreement with fresh or held-out frames after each fit, by group.
        before: agreement of the parent with the frames of the last round.
        energy_shifts_eV: energy of each element by which the target lies above the parent, taken off before fitting.
        seed: of packing, dynamics and fit.
        settings: numbers of the first fit.
        created: UTC.
        licence: of the weights.
        schema_version: of this card.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str
    parent: Source
    target: Source
    elements: tuple[str, ...]
    compositions: tuple[str, ...]
    frames: int
    rounds: tuple[tuple[FrameAgreement, ...], ...]
    before: tuple[FrameAgreement, ...]
    energy_shifts_eV: dict[str, float]
    seed: int
    settings: FitSettings
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    licence: str = LICENCE
    schema_version: int = SCHEMA_VERSION

    @property
    def after(self) -> tuple[FrameAgreement, ...]:
        """Return the agreement of the tuned potential with the frames of the last round."""
        return self.rounds[-1]

    def lines(self) -> list[str]:
        """Return lineage and figures before and after for people, one line for each group."""
        origin, target = (f"{each.name} (sha256 {each.sha256})" for each in (self.parent, self.target))
        learned = f"{len(self.rounds)} round{'s' * (len(self.rounds) > 1)}, {self.frames} frames"
        figures = [f"before {before}; after {after}" for before, after in zip(self.before, self.after, strict=True)]
        return [f"{origin} tuned to {target}, {learned}", *figures]

    def rows(self) -> list[dict[str, Any]]:
        """Return the figures before and after of each group, one row each."""
        return [
            {
                "group": after.group,
                "frames": after.frames,
                "r2_before": before.r2,
                "r2": after.r2,
                "slope_before": before.slope,
                "slope": after.slope,
                "energy_scatter_before_meV": 1000 * before.energy_scatter_eV_per_atom,
                "energy_scatter_meV": 1000 * after.energy_scatter_eV_per_atom,
                "pressure_bias_before_GPa": before.pressure_bias_GPa,
                "pressure_bias_GPa": after.pressure_bias_GPa,
            }
            for before, after in zip(self.before, self.after, strict=True)
        ]
