"""Settings of the proposal of candidate compositions."""

from pydantic import BaseModel, ConfigDict, Field

# Radioactive, very toxic or precious elements, which no electrolyte is made of.
RADIOACTIVE = ("Tc", "Pm", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu")
TOXIC = ("Tl", "Hg", "Cd", "Be")
PRECIOUS = ("Ru", "Rh", "Pd", "Ag", "Re", "Os", "Ir", "Pt", "Au")
UNWANTED = (*RADIOACTIVE, *TOXIC, *PRECIOUS)


class CandidateSettings(BaseModel):
    """Changes and limits of candidate compositions.

    Attributes:
        species: the mobile ion; it is never substituted.
        lithium_fractions: changes of its content relative to the parent, negative for removal.
        substitution_fractions: shares of an ion that are replaced.
        substitutes: greatest number of substitutes for each ion, the most probable first.
        least_similarity: least probability ratio of a substitution (1: as probable as by chance).
        greatest_radius_mismatch: largest relative difference of the ionic radii.
        least_gap_eV: least band gap, below which a compound would conduct electrons; applied to known gaps only.
        known_gaps_eV: band gaps by reduced formula, in addition to those of the parents.
        allow_charge_imbalance: accept compositions with an uncompensated charge, which is stated.
        greatest_atoms: greatest number of atoms of the reduced formula.
        greatest_crystal: greatest number of atoms of the crystal of a candidate; a larger one is not made.
        excluded_elements: elements that are never introduced.
        limit: greatest number of accepted candidates, drawn at random by the seed; all of them when None.
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
