"""Record of a force check: how far a potential and a reference potential agree on the frames of a run or on a cell."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

AUTO = "auto"
FEWEST_FRAMES = 5


class ForceCheckSettings(BaseModel):
    """Settings of the force check of each label and cell; not part of any key.

    Attributes:
        reference: registry name of the reference potential; ``auto`` takes DIEP where it covers the elements, else
            CHGNet, else an installed MACE model.
        frames: number of frames of a run that are compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: str = AUTO
    frames: int = Field(default=FEWEST_FRAMES, ge=FEWEST_FRAMES, le=100)


class ForceAgreement(BaseModel):
    """Agreement of forces with reference forces, over all their components.

    Forces that are the reference's times s have slope s and inverse slope 1/s. Scatter lowers their product, the square
    of the correlation, below 1: a low slope beside an inverse slope near 1 is scatter, above 1 it is softening as well.

    Attributes:
        r2: 1 - (mean square of the difference) / (mean square of the reference).
        slope: of the line through the origin of forces on reference forces.
        inverse_slope: of the line through the origin of reference forces on forces; 0 where all forces vanish.
        mae_eV_per_A: mean absolute difference of a component.
        components: number of components.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    r2: float
    slope: float
    inverse_slope: float
    mae_eV_per_A: float
    components: int


class ForceCheckState(StrEnum):
    """State of a force check."""

    MADE = "made"
    NOT_MADE = "not made"


class ForceDisagreement(BaseModel):
    """Atom whose force differs most between two potentials.

    Attributes:
        frame: index of the frame in the run; 0 for a cell.
        atom: index of the atom, from 0.
        species: its chemical symbol.
        force_eV_per_A: magnitude of the production potential's force.
        reference_eV_per_A: magnitude of the reference's force.
        difference_eV_per_A: magnitude of the difference of the two vectors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame: int
    atom: int
    species: str
    force_eV_per_A: float
    reference_eV_per_A: float
    difference_eV_per_A: float


class ForceCheck(BaseModel):
    """Forces of a production potential against those of a reference potential.

    Attributes:
        state: made, or not made.
        reason: why it was not made; empty where it was.
        reference: registry name of the reference potential.
        reference_weights_sha256: sha256 of its weights.
        frames: indices of the frames compared; of a cell frame 0 alone.
        agreement: over all atoms and frames; None for a relaxed cell, whose forces nearly vanish.
        by_species: chemical symbol -> agreement; empty where `agreement` is None.
        pressure_difference_GPa: mean of production minus reference; None where a potential gives no stress.
        energy_scatter_meV_per_atom: standard deviation of production minus reference; None for a single frame.
        greatest_reference_eV_per_A: greatest force by the reference.
        largest: greatest disagreement.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: ForceCheckState
    reason: str = ""
    reference: str | None = None
    reference_weights_sha256: str | None = None
    frames: tuple[int, ...] = ()
    agreement: ForceAgreement | None = None
    by_species: dict[str, ForceAgreement] = {}
    pressure_difference_GPa: float | None = None
    energy_scatter_meV_per_atom: float | None = None
    greatest_reference_eV_per_A: float | None = None
    largest: ForceDisagreement | None = None
