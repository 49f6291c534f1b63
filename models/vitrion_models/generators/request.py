"""Request for generated cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class GenerationRequest:
    """A request for generated structures; an architecture refuses what it cannot fix or leave open.

    Attributes:
        count: cells to draw.
        seed: cell k depends on (seed, k) alone.
        composition: atomic numbers, shape (N,), their order kept; None leaves the composition to the generator.
        cell_A: lattice vectors as rows, Angstrom, shape (3, 3); None leaves the cell to the generator.
        conditions: wanted values of properties, by target name.
    """

    count: int
    seed: int
    composition: IntArray | Sequence[int] | None = None
    cell_A: FloatArray | None = None
    conditions: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Convert the arrays and check the count.

        Raises:
            InputError: the count is below 1.
        """
        if self.count < 1:
            raise InputError(f"a generation request for {self.count} cells: give a count of at least 1")
        if self.composition is not None:
            object.__setattr__(self, "composition", np.asarray(self.composition, dtype=np.int64))
        if self.cell_A is not None:
            object.__setattr__(self, "cell_A", np.asarray(self.cell_A, dtype=np.float64))
