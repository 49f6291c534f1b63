"""Records that the loaders return, independent of any database."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pymatgen.core.structure import Structure

from vitrion_workflows.schemas import GateOutcome, LabelState, StructureKind


@dataclass(frozen=True)
class DatasetStructure:
    """A structure of a data set.

    Attributes:
        name: its name inside the data set, unique there.
        structure: ordered or partially occupied.
        kind: state of matter as the source states it.
        gates: gates evaluated on it; a failed gate makes it a refused structure.
        properties: further values from the source (gap, hull energy, reference).
    """

    name: str
    structure: Structure
    kind: StructureKind
    gates: tuple[GateOutcome, ...] = ()
    properties: Mapping[str, float | str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class CompositionRecord:
    """A compound of which only the formula is known.

    Attributes:
        name: its name inside the data set (an mp-id).
        formula: reduced formula.
        e_above_hull_eV: energy above the convex hull per atom, if available.
        band_gap_eV: band gap, if available.
    """

    name: str
    formula: str
    e_above_hull_eV: float | None = None
    band_gap_eV: float | None = None


@dataclass(frozen=True)
class DatasetLabel:
    """One measured or computed value of a data set, in Vitrion's convention and unit.

    Attributes:
        name: its name inside the data set, unique there.
        formula: reduced formula, fractional amounts kept.
        structure: name of the `DatasetStructure` it belongs to, or None if it belongs to the composition.
        property: measured quantity, for example ``tracer_diffusivity``; properties are never mixed.
        species: the mobile species.
        temperature_K: temperature of the measurement.
        value: in `unit`; the upper bound for a censored label.
        unit: unit of the value.
        convention: of a diffusivity; ``as_published`` for other properties.
        potential: origin of the forces: a functional, a potential, or ``experiment``.
        state: published, rejected or censored.
        gates: gates that decided the state.
        method: how the value was obtained, in words.
        raw_value: value as printed, in the source's convention.
        factor: value / raw_value, 1 without conversion.
        factor_reason: reason for the factor, empty where it is 1.
        reference: DOI or other pointer given by the source for this value.
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
    """Content of a data set.

    Attributes:
        structures: records with geometry.
        labels: measured or computed values.
        compositions: a candidate pool.
        curves: radial distribution functions.
        splits: name of a split -> record name -> part (``train``, ``test``, ``fold0``...).
        refused: reason by record name, for records that were left out.
        notes: remarks for users of the data set, one line each.
    """

    structures: tuple[DatasetStructure, ...] = ()
    labels: tuple[DatasetLabel, ...] = ()
    compositions: tuple[CompositionRecord, ...] = ()
    curves: tuple[CurveRecord, ...] = ()
    splits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Number of records of all kinds."""
        return len(self.structures) + len(self.labels) + len(self.compositions) + len(self.curves)
