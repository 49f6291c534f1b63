"""How a number was made: start of the run, engine, potential with the identity of its weights, settings, code."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitrion_workflows.schemas.layout import LAYOUT, LayoutVersion

SHA256 = r"^[0-9a-f]{64}$"


class StartKind(StrEnum):
    """How positions and velocities came about."""

    EQUILIBRATED = "equilibrated_by"  # another potential ran before
    GIVEN = "given_velocities"  # the cell as it is, velocities handed over
    SCALED = "scaled_to_volume"  # the cell at the volume of the run's temperature, velocities drawn


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
        volume_A3_per_atom: to which the cell was scaled before anything ran; None where it keeps its own volume.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: StartKind
    potential: str | None = None
    potential_version: str | None = None
    weights_sha256: str | None = Field(default=None, pattern=SHA256)
    equilibration_ps: float | None = Field(default=None, gt=0)
    velocities_sha256: str | None = Field(default=None, pattern=SHA256)
    volume_A3_per_atom: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _is_whole(self) -> "StartRecord":
        prepared = ("potential", "weights_sha256", "equilibration_ps")
        needed, optional = {
            StartKind.EQUILIBRATED: (prepared, {"potential_version", "volume_A3_per_atom"}),
            StartKind.GIVEN: (("velocities_sha256",), {"potential_version"}),
            StartKind.SCALED: (("volume_A3_per_atom",), set()),
        }[self.kind]
        stated = {name for name, value in self if name != "kind" and value is not None}
        if not set(needed) <= stated <= {*needed, *optional}:
            raise ValueError(f"a start of kind {self.kind} states its own fields, all of them, and no others")
        return self

    @property
    def identity(self) -> dict[str, str | int | None]:
        """Content of the label's key."""
        picoseconds = self.equilibration_ps
        # Keys of labels at the volume of their cell stay what they were.
        volume = {} if self.volume_A3_per_atom is None else {"volume_mA3": round(self.volume_A3_per_atom * 1000)}
        return {
            "kind": self.kind.value,
            "weights": self.weights_sha256,
            "equilibration_fs": None if picoseconds is None else round(picoseconds * 1000),
            "velocities": self.velocities_sha256,
            **volume,
        }


def scaled_start(volume_A3_per_atom: float | None) -> StartRecord | None:
    """Return the record of a start from the cell at another volume; None for the cell at its own."""
    if volume_A3_per_atom is None:
        return None
    return StartRecord(kind=StartKind.SCALED, volume_A3_per_atom=volume_A3_per_atom)


class MethodRecord(BaseModel):
    """Method of a molecular-dynamics run: engine, potential and settings.

    Attributes:
        engine: name of the MD engine, for example ``vitrion-batched`` or ``ase``.
        potential: registry name of the potential.
        potential_version: version of the potential or of the package that carries it.
        weights_sha256: sha256 of the weights file(s).
        time_step_fs: integration time step in fs.
        frame_interval_ps: time between stored frames in ps.
        thermostat: name and constant, for example ``langevin-baoab(friction=10/ps)``.
        ensemble: ``NVT``, ``NVE`` or ``relaxation``.
        seed: seed of velocities and of the thermostat's noise.
        code_version: version of Vitrion.
        start: what prepared positions and velocities; None for the cell itself with velocities drawn for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: LayoutVersion = LAYOUT
    engine: str
    potential: str
    potential_version: str
    weights_sha256: str = Field(pattern=SHA256)
    time_step_fs: float = Field(gt=0)
    frame_interval_ps: float = Field(gt=0)
    thermostat: str
    ensemble: str = "NVT"
    seed: int = Field(ge=0)
    code_version: str
    start: StartRecord | None = None
