"""What a loader hands over: plain records of a data set, before any database is touched."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pymatgen.core.structure import Structure

from vitrion_workflows.schemas import GateOutcome, LabelState, StructureKind


@dataclass(frozen=True)
class StructureRecord:
    """A structure of a data set.

    Attributes:
        name: its name inside the data set, unique there.
        structure: ordered or partially occupied.
        kind: state of matter as the source states it.
        gates: gates that were measured on it; one that failed makes it a refused structure.
        properties: numbers and words the source gives for it (gap, hull energy, reference).
    """

    name: str
    structure: Structure
    kind: StructureKind
    gates: tuple[GateOutcome, ...] = ()
    properties: Mapping[str, float | str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class CompositionRecord:
    """A compound known by its formula only.

    Attributes:
        name: its name inside the data set (an mp-id).
        formula: reduced formula.
        e_above_hull_eV: energy above the convex hull per atom, where known.
        band_gap_eV: band gap, where known.
    """

    name: str
    formula: str
    e_above_hull_eV: float | None = None
    band_gap_eV: float | None = None


@dataclass(frozen=True)
class LabelRecord:
    """One measured or computed number of a data set, already in Vitrion's convention and unit.

    Attributes:
        name: its name inside the data set, unique there.
        formula: reduced formula, fractional amounts kept.
        structure: name of the `StructureRecord` it belongs to, or None when it attaches to the composition.
        property: what was measured, for example ``tracer_diffusivity``; properties are never mixed.
        species: the mobile species.
        temperature_K: temperature of the measurement.
        value: the number; the upper bound for a censored label.
        unit: unit of the value.
        convention: of a diffusivity; ``as_published`` for other properties.
        potential: where the forces came from: a functional, a potential, or ``experiment``.
        state: published, rejected or censored.
        gates: what decided the state.
        method: how the number was made, in words.
        raw_value: the number as the source prints it, in the source's convention.
        factor: value / raw_value, 1 where nothing was converted.
        factor_reason: why the factor, empty where it is 1.
        reference: DOI or other pointer given by the source for this one number.
    """

    name: str
    formula: str
    structure: str | None
    property: str
    species: str
    temperature_K: float
    value: float
    unit: str
    convention: str
    potential: str
    state: LabelState
    method: str
    gates: tuple[GateOutcome, ...] = ()
    raw_value: float | None = None
    factor: float = 1.0
    factor_reason: str = ""
    reference: str = ""


@dataclass(frozen=True)
class CurveRecord:
    """Partial radial distribution functions of one amorphous cell.

    Attributes:
        name: its name inside the data set.
        formula: reduced formula.
        method: ``DFT`` or the potential that made the cell.
        r_A: distances in Angstrom.
        partials: g(r) by pair of elements, ``A-B`` with A before B alphabetically, each as long as `r_A`.
    """

    name: str
    formula: str
    method: str
    r_A: tuple[float, ...]
    partials: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class DatasetContent:
    """Everything a loader found.

    Attributes:
        structures: records with geometry.
        labels: numbers.
        compositions: a candidate pool.
        curves: radial distribution functions.
        splits: name of a split -> record name -> part (``train``, ``test``, ``fold0``...).
        refused: record name -> why it is not handed over.
        notes: what a reader of the data set must know, one line each.
    """

    structures: tuple[StructureRecord, ...] = ()
    labels: tuple[LabelRecord, ...] = ()
    compositions: tuple[CompositionRecord, ...] = ()
    curves: tuple[CurveRecord, ...] = ()
    splits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Number of records of every sort."""
        return len(self.structures) + len(self.labels) + len(self.compositions) + len(self.curves)
