"""Sizes and lengths of one judgement."""

from dataclasses import dataclass

from vitrion_models.errors import InputError
from vitrion_workflows.schemas import CellProtocol

FEWEST_ATOMS = 8
SHORTEST_PS = 0.05  # 25 steps: one frame each


@dataclass(frozen=True, kw_only=True)
class JudgingProtocol:
    """Numbers of a judgement; a result belongs to them.

    Attributes:
        temperature_K: of the melt.
        atoms: approximate number of atoms of the melt; it holds complete formula units.
        run_ps: length of the run at each volume of the search for zero pressure.
        reference_ps: length of the reference potential's run from the end of that search.
        seed: of packing, velocities and thermostat noise.
    """

    temperature_K: float = 2000.0
    atoms: int = 48
    run_ps: float = 0.8
    reference_ps: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse cells and runs that are too small to compare forces on.

        Raises:
            InputError: a number is too small.
        """
        if self.atoms < FEWEST_ATOMS:
            raise InputError(f"a melt of {self.atoms} atoms is too small to be judged: give {FEWEST_ATOMS} or more")
        if min(self.run_ps, self.reference_ps) < SHORTEST_PS:
            raise InputError(f"runs shorter than {SHORTEST_PS} ps show no force of a melt: give more")

    def cell_protocol(self) -> CellProtocol:
        """Return the protocol of the volume search."""
        return CellProtocol(melt_temperature_K=self.temperature_K, volume_ps=self.run_ps)
