"""Crystal of a composition under two potentials: equations of state, and forces on disturbed cells."""

from dataclasses import dataclass, replace

import numpy as np

from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous.volume import scale_to
from vitrion_workflows.judging.comparison import FrameComparison, compare_frames
from vitrion_workflows.judging.equation_of_state import EquationOfState, equation_of_state
from vitrion_workflows.judging.errors import EquationOfStateFailed
from vitrion_workflows.potentials import ForceField

FRAME_VOLUME_FACTORS = (0.85, 0.9, 0.95, 1.0, 1.0, 1.05)
DISPLACEMENT_A = 0.12  # along each axis: thermal motion at some 1000 K


@dataclass(frozen=True, kw_only=True)
class CrystalComparison:
    """Crystal of a composition under a potential and its reference.

    Attributes:
        source: where the crystal comes from.
        volume_A3_per_atom: of the crystal as given: computed by density-functional theory, or measured.
        equation: of the judged potential; None where it failed.
        reference_equation: of the reference potential; None where it failed.
        failure: reason for an absent equation.
        disturbed: forces on rattled, compressed and stretched cells of the crystal.
    """

    source: str
    volume_A3_per_atom: float
    equation: EquationOfState | None
    reference_equation: EquationOfState | None
    failure: str
    disturbed: FrameComparison


def compare_crystal(
    crystal: AtomicSystem, force_field: ForceField, reference: ForceField, *, source: str, seed: int
) -> CrystalComparison:
    """Compare two potentials on a crystal.

    Args:
        crystal: an ordered cell.
        force_field: potential to be judged.
        reference: reference potential.
        source: where the crystal comes from.
        seed: of the displacements.

    Raises:
        InputError: an element outside the coverage of either.
        NoComparison: forces on the disturbed cells are not finite, or all vanish.
    """
    failures: list[str] = []
    return CrystalComparison(
        source=source,
        volume_A3_per_atom=crystal.volume_A3 / len(crystal),
        equation=_equation(crystal, force_field, failures),
        reference_equation=_equation(crystal, reference, failures),
        failure="; ".join(failures),
        disturbed=compare_frames(
            disturbed_cells(crystal, seed=seed), force_field, reference, source="disturbed crystal"
        ),
    )


def disturbed_cells(crystal: AtomicSystem, *, seed: int) -> tuple[AtomicSystem, ...]:
    """Return cells of a crystal, compressed or stretched to 0.85 to 1.05 of its volume, with random displacements."""
    generator = np.random.default_rng(seed)
    cells = [scale_to(crystal, factor * crystal.volume_A3) for factor in FRAME_VOLUME_FACTORS]
    shifts = generator.normal(scale=DISPLACEMENT_A, size=(len(cells), len(crystal), 3))
    return tuple(replace(cell, positions_A=cell.positions_A + shift) for cell, shift in zip(cells, shifts, strict=True))


def _equation(crystal: AtomicSystem, force_field: ForceField, failures: list[str]) -> EquationOfState | None:
    try:
        return equation_of_state(crystal, force_field)
    except EquationOfStateFailed as failure:
        failures.append(f"{force_field.name}: {failure}")
        return None
