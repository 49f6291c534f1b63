"""Limits of what may be proposed."""

from pydantic import BaseModel, ConfigDict, Field

# Radioactive, very toxic or precious: nobody will make an electrolyte of them.
RADIOACTIVE = ("Tc", "Pm", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu")
TOXIC = ("Tl", "Hg", "Cd", "Be")
PRECIOUS = ("Ru", "Rh", "Pd", "Ag", "Re", "Os", "Ir", "Pt", "Au")
UNWANTED = (*RADIOACTIVE, *TOXIC, *PRECIOUS)


class CandidateSettings(BaseModel):
    """What candidates may differ in, and what they must keep.

    Attributes:
        species: the mobile ion; it is never substituted away.
        lithium_fractions: changes of its content as fractions of the parent's, negative for removal.
        substitution_fractions: shares of an ion that are replaced.
        substitutes: most replacements tried for each ion, the likeliest first.
        least_similarity: least probability ratio of a replacement (1: as likely as by chance).
        greatest_radius_mismatch: largest relative difference of the ionic radii.
        least_gap_eV: gap below which a compound would conduct electrons; held against known gaps only.
        known_gaps_eV: gaps of compounds by reduced formula, beyond those the parents bring.
        allow_charge_imbalance: also take compositions whose charge nothing compensates; the imbalance is stated.
        greatest_atoms: largest reduced formula.
        greatest_crystal: most atoms of a candidate's crystal; beyond that it gets none.
        excluded_elements: never introduced.
        limit: most accepted candidates to return, drawn by the seed; all of them when None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    species: str = "Li"
    lithium_fractions: tuple[float, ...] = (-0.5, -0.25, 0.25)
    substitution_fractions: tuple[float, ...] = (1.0, 0.5)
    substitutes: int = Field(default=3, ge=0)
    least_similarity: float = Field(default=1.0, ge=0)
    greatest_radius_mismatch: float = Field(default=0.3, gt=0)
    least_gap_eV: float = Field(default=3.0, ge=0)
    known_gaps_eV: dict[str, float] = Field(default_factory=dict)
    allow_charge_imbalance: bool = False
    greatest_atoms: int = Field(default=64, ge=2)
    greatest_crystal: int = Field(default=128, ge=2)
    excluded_elements: tuple[str, ...] = UNWANTED
    limit: int | None = Field(default=None, ge=1)
