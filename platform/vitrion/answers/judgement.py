"""Judgements of potentials: one a composition and temperature, kept in a file of JSON lines."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vitrion.answers.answer import Answer
from vitrion.exchange.result_files import write_result
from vitrion_models.errors import InputError
from vitrion_workflows.judging import FrameComparison, Judgement, JudgingProtocol

ENDING = ".jsonl"
IDENTITY = ("weights_sha256", "reference_sha256", "formula", "protocol", "melted_by", "crystal_source")
"""Fields that a judgement is a function of."""


class JudgedComposition(Answer):
    """Judgement of one potential on one composition at one temperature.

    `aimd_volume_A3_per_atom` is that of ab initio molecular dynamics, where the table has the composition and
    temperature and is at hand, `measured_volume_A3_per_atom` follows from a measured density of the melt or glass.
    `crystal_source` is None where no crystal was given.
    """

    potential: str
    weights_sha256: str
    reference: str
    reference_sha256: str
    formula: str
    chemistry: str
    protocol: JudgingProtocol
    melted_by: str
    crystal_source: str | None
    aimd_volume_A3_per_atom: float | None
    measured_volume_A3_per_atom: float | None
    judgement: Judgement

    @property
    def identity(self) -> tuple[Any, ...]:
        """Return the values of the fields that the judgement is a function of."""
        return tuple(getattr(self, name) for name in IDENTITY)

    def melt_volume_over(self, volume_A3_per_atom: float | None) -> float | None:
        """Return the volume of the melt at zero pressure over another; None where either is absent."""
        melt = self.judgement.melt
        if melt is None or melt.volume_A3_per_atom is None or volume_A3_per_atom is None:
            return None
        return melt.volume_A3_per_atom / volume_A3_per_atom

    def row(self) -> dict[str, Any]:
        """Return the figures of a table."""
        melt, crystal = self.judgement.melt, self.judgement.crystal
        equation, reference = (crystal.equation, crystal.reference_equation) if crystal else (None, None)
        return {
            "formula": self.formula,
            "chemistry": self.chemistry,
            "temperature_K": self.protocol.temperature_K,
            "potential": self.potential,
            "reference": self.reference,
            **_force_figures("", self.judgement.own_frames),
            **_force_figures("ref_", self.judgement.reference_frames),
            "melt_A3": melt.volume_A3_per_atom if melt else None,
            "melt_over_aimd": self.melt_volume_over(self.aimd_volume_A3_per_atom),
            "melt_over_measured": self.melt_volume_over(self.measured_volume_A3_per_atom),
            "crystal_A3": equation.volume_A3_per_atom if equation else None,
            "over_given": equation.volume_A3_per_atom / crystal.volume_A3_per_atom if crystal and equation else None,
            "over_reference": (
                equation.volume_A3_per_atom / reference.volume_A3_per_atom if equation and reference else None
            ),
            "bulk_GPa": equation.bulk_modulus_GPa if equation else None,
            "ref_bulk_GPa": reference.bulk_modulus_GPa if reference else None,
            "failure": self.failure,
        }

    @property
    def failure(self) -> str:
        """Return the reasons for absent figures; empty where there are none."""
        melt, crystal = self.judgement.melt, self.judgement.crystal
        reasons = (self.judgement.failure, melt.failure if melt else "", crystal.failure if crystal else "")
        return "; ".join(reason for reason in reasons if reason)


def _force_figures(prefix: str, comparison: FrameComparison | None) -> dict[str, Any]:
    names = ("r2", "slope", "inverse_slope", "worst", "residual_meV", "bias_GPa", "hole")
    if comparison is None:
        return dict.fromkeys(f"{prefix}{name}" for name in names)
    agreement, worst = comparison.agreement, comparison.worst_species
    figures = (
        agreement.r2,
        agreement.slope,
        agreement.inverse_slope,
        f"{worst} {comparison.check.by_species[worst].r2:.2f}",
        comparison.check.energy_scatter_meV_per_atom,
        comparison.check.pressure_difference_GPa,
        "; ".join(fault for fault in (comparison.hole, comparison.denied_bond) if fault),
    )
    return {f"{prefix}{name}": figure for name, figure in zip(names, figures, strict=True)}


def read_judgements(path: Path) -> list[JudgedComposition]:
    """Return the judgements of a file; none where it does not exist.

    Raises:
        InputError: it holds something else, or its name does not end in .jsonl.
    """
    if path.suffix != ENDING:
        raise InputError(f"{path}: judgements are kept in JSON lines: give a name that ends in {ENDING}")
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [JudgedComposition.model_validate_json(line) for line in lines]
    except (ValidationError, UnicodeDecodeError, OSError) as fault:
        raise InputError(f"{path} holds no judgements of potentials: give another file") from fault


def write_judgements(path: Path, judgements: list[JudgedComposition]) -> None:
    """Write a file of judgements, whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    write_result(path, "".join(f"{judgement.model_dump_json()}\n" for judgement in judgements))
