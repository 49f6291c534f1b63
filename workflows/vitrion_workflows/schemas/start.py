"""Start of a labelling run that does not begin with the cell itself and velocities drawn for it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

SHA256 = r"^[0-9a-f]{64}$"


class StartKind(StrEnum):
    """How positions and velocities came about."""

    EQUILIBRATED = "equilibrated_by"  # another potential ran before
    GIVEN = "given_velocities"  # the cell as it is, velocities handed over


class StartRecord(BaseModel):
    """Start of a run from other positions or velocities than the ordinary ones (the cell, velocities drawn for it).

    Part of the label's key; an ordinary start has no record.

    Attributes:
        kind: how positions and velocities came about.
        potential: registry name of the potential that equilibrated.
        potential_version: its version; for people, not part of the key.
        weights_sha256: sha256 of its weights.
        equilibration_ps: length of its run.
        velocities_sha256: of the given velocities in A/ps, as little-endian doubles, row by row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: StartKind
    potential: str | None = None
    potential_version: str | None = None
    weights_sha256: str | None = Field(default=None, pattern=SHA256)
    equilibration_ps: float | None = Field(default=None, gt=0)
    velocities_sha256: str | None = Field(default=None, pattern=SHA256)

    @model_validator(mode="after")
    def _is_whole(self) -> "StartRecord":
        prepared = (self.potential, self.weights_sha256, self.equilibration_ps)
        given = (self.velocities_sha256,)
        wanted, foreign = (prepared, given) if self.kind is StartKind.EQUILIBRATED else (given, prepared)
        if None in wanted or any(value is not None for value in foreign):
            raise ValueError(f"a start of kind {self.kind} states its own fields, all of them, and no others")
        return self

    @property
    def identity(self) -> dict[str, str | int | None]:
        """Content of the label's key."""
        picoseconds = self.equilibration_ps
        return {
            "kind": self.kind.value,
            "weights": self.weights_sha256,
            "equilibration_fs": None if picoseconds is None else round(picoseconds * 1000),
            "velocities": self.velocities_sha256,
        }
