"""How a number was made: engine, potential with the identity of its weights, time step, thermostat, seed, code."""

from pydantic import BaseModel, ConfigDict, Field

from vitrion_workflows.schemas.start import SHA256, StartRecord


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

    schema_version: int = 1
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
