"""A label as the account of a run: its numbers in the terms in which they are checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.diffusivity.censoring import jump_cm2_per_s
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.schemas.label import LabelOutcome, LabelState


@dataclass(frozen=True)
class LabelledCell:
    """What a label's cell holds.

    Attributes:
        counts: atoms of each element, by symbol.
        volume_A3: of the cell.
    """

    counts: Mapping[str, int]
    volume_A3: float

    @property
    def atoms(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    @property
    def mass_u(self) -> float:
        """Of all atoms."""
        return float(sum(count * mass_of(symbol) for symbol, count in self.counts.items()))

    @property
    def formula(self) -> str:
        """Elements and counts, as `density_gate` writes them."""
        ordered = sorted(self.counts.items(), key=lambda entry: int(atomic_numbers[entry[0]]))
        return " ".join(f"{symbol}{count}" for symbol, count in ordered)


@dataclass(frozen=True)
class Account:
    """A label that is to be checked.

    Attributes:
        label: as stored or read.
        cell: what it is a label of; None where that is not known yet.
    """

    label: LabelOutcome
    cell: LabelledCell | None = None

    @cached_property
    def gates(self) -> Mapping[str, GateOutcome]:
        """By name."""
        return {gate.name: gate for gate in self.label.gates}

    def measured(self, name: str) -> float:
        """Value of a gate; not a number where it has none."""
        gate = self.gates.get(name)
        return float("nan") if gate is None or gate.value is None else gate.value

    @property
    def resolved(self) -> bool:
        """Whether it states a value, no bound."""
        return self.label.state is LabelState.ACCEPTED

    @property
    def interval_ps(self) -> float:
        """Between frames."""
        return self.label.method.frame_interval_ps

    @property
    def increments(self) -> int:
        """Frames that were analysed, less one."""
        return round(self.label.production_ps / self.interval_ps)

    @cached_property
    def lags(self) -> IntArray:
        """Of the table, in frames, shape (L,)."""
        table = self.label.msd
        return np.round(np.array(table.lag_ps if table else ()) / self.interval_ps).astype(np.int64)

    @cached_property
    def msd_A2(self) -> FloatArray:
        """Of the table, shape (L,)."""
        table = self.label.msd
        return np.array(table.msd_A2 if table else (), dtype=np.float64)

    @property
    def window(self) -> tuple[int, int]:
        """First and last lag of the fit, in frames."""
        first, last = self.label.fit_window_ps or (0.0, 0.0)
        return round(first / self.interval_ps), round(last / self.interval_ps)

    @property
    def moved(self) -> float:
        """Ions of which the jumps that were seen make the value."""
        one = jump_cm2_per_s(ions=1, duration_ps=self.label.production_ps)
        return self.measured("resolved") * one / self.label.value if self.label.value else float("nan")

    @property
    def ions(self) -> float | None:
        """How many there are: in the cell, or by the number of jumps that make the value; None where neither tells."""
        if self.cell is not None:
            return float(self.cell.counts.get(self.label.species, 0))
        if self.resolved and self.label.value:
            return self.moved
        return None


def mass_of(symbol: str) -> float:
    """Of an atom, in u."""
    return float(atomic_masses[atomic_numbers[symbol]])
