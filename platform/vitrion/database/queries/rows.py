"""Typed results of queries: one frozen row for each document, with the document's own field names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from vitrion.database.queries.quantity import require_one
from vitrion_workflows.schemas import GateOutcome

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class StructureRow:
    """A structure without its geometry; see `vitrion.database.documents.StructureDocument`."""

    fingerprint: str
    kind: str
    origin: str
    formula: str
    reduced_formula: str
    chemsys: str
    elements: tuple[str, ...]
    n_elements: int
    n_atoms: int
    volume_A3: float
    density_g_cm3: float
    disordered: bool
    mobile_ion: str | None = None
    mobile_ion_fraction: float = 0.0
    charge_imbalance_e: float | None = None
    band_gap_eV: float | None = None
    energy_above_hull_eV_per_atom: float | None = None
    energy_eV_per_atom: float | None = None
    pressure_GPa: float | None = None
    quench_rate_K_per_ps: float | None = None
    volume_search: Mapping[str, Any] | None = None
    parent: str | None = None
    twin: str | None = None
    accepted: bool = True
    gates: tuple[GateOutcome, ...] = ()
    protocol: Mapping[str, Any] | None = None
    method: Mapping[str, Any] | None = None
    seed: int | None = None
    source: str | None = None
    dataset: str | None = None
    job: str | None = None
    flow: str | None = None
    model_version: str | None = None
    campaign: str | None = None
    cycle: int | None = None
    wall_seconds: float | None = None
    device: str | None = None
    created_at: datetime | None = None
    schema_version: int = 1


@dataclass(frozen=True, kw_only=True)
class LabelRow:
    """A label; see `vitrion.database.documents.LabelDocument`."""

    key: str
    property: str
    convention: str
    unit: str
    species: str
    temperature_K: float
    state: str
    potential: str
    weights_sha256: str
    formula: str
    reduced_formula: str
    chemsys: str
    elements: tuple[str, ...]
    value: float | None = None
    log10_value: float | None = None
    log10_stderr: float | None = None
    interval_68: tuple[float, float] | None = None
    interval_95: tuple[float, float] | None = None
    n_eff: float | None = None
    exponent: float | None = None
    exponent_stderr: float | None = None
    haven_ratio: float | None = None
    drift_A: float | None = None
    fit_window_ps: tuple[float, float] | None = None
    equilibration_ps: float | None = None
    production_ps: float | None = None
    stopped: str | None = None
    mean_temperature_K: float | None = None
    framework_state: str | None = None
    msd: Mapping[str, Any] | None = None
    motion: Mapping[str, Any] | None = None
    gates: tuple[GateOutcome, ...] = ()
    gate_version: int | None = None
    structure_fingerprint: str | None = None
    composition: str | None = None
    kind: str | None = None
    n_atoms: int | None = None
    density_g_cm3: float | None = None
    mobile_ion_fraction: float | None = None
    potential_version: str | None = None
    protocol: Mapping[str, Any] | None = None
    protocol_hash: str | None = None
    method: Mapping[str, Any] | None = None
    seed: int | None = None
    start: Mapping[str, Any] | None = None
    job: str | None = None
    flow: str | None = None
    campaign: str | None = None
    cycle: int | None = None
    arm: str | None = None
    dataset: str | None = None
    source: str | None = None
    source_value: float | None = None
    conversion_factor: float | None = None
    conversion: str | None = None
    trajectory_sha256: str | None = None
    wall_seconds: float | None = None
    device: str | None = None
    superseded_by: str | None = None
    created_at: datetime | None = None
    schema_version: int = 1


@dataclass(frozen=True, kw_only=True)
class DatasetRow:
    """A data set; see `vitrion.database.documents.DatasetDocument`."""

    name: str
    sha256: str
    licence: str
    citation: str
    rows: int
    url: str | None = None
    splits: Mapping[str, Any] | None = None
    report: Mapping[str, Any] | None = None
    created_at: datetime | None = None
    schema_version: int = 1


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """A model version; see `vitrion.database.documents.ModelVersionDocument`."""

    artefact_sha256: str
    kind: str
    architecture: str
    promoted: bool
    promotion_reason: str
    hyperparameters: Mapping[str, Any] | None = None
    training_label_keys: tuple[str, ...] = ()
    training_structures: tuple[str, ...] = ()
    split: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    errors: Mapping[str, Any] | None = None
    parent: str | None = None
    campaign: str | None = None
    cycle: int | None = None
    seed: int | None = None
    wall_seconds: float | None = None
    code_version: str | None = None
    created_at: datetime | None = None
    schema_version: int = 1


@dataclass(frozen=True, kw_only=True)
class CampaignRow:
    """A campaign; see `vitrion.database.documents.CampaignDocument`."""

    name: str
    configuration: Mapping[str, Any]
    config_hash: str
    state: str
    frozen_test: tuple[str, ...] = ()
    summary: Mapping[str, Any] | None = None
    created_at: datetime | None = None
    schema_version: int = 1


@dataclass(frozen=True, kw_only=True)
class CycleRow:
    """A cycle; see `vitrion.database.documents.CycleDocument`. Proposals are mappings with the document's names."""

    campaign: str
    index: int
    state: str
    lease_owner: str | None = None
    lease_expires: datetime | None = None
    proposals: tuple[Mapping[str, Any], ...] = ()
    label_keys: tuple[str, ...] = ()
    model_versions: tuple[str, ...] = ()
    budget: Mapping[str, Any] | None = None
    record: Mapping[str, Any] | None = None
    closed_at: datetime | None = None
    created_at: datetime | None = None
    schema_version: int = 1


R = TypeVar("R")


def row_of(kind: type[R], document: Mapping[str, Any]) -> R:
    """The typed row of a stored document; fields that the row does not know are left out."""
    return kind(**{name: _frozen(name, document[name]) for name in _names(kind) if name in document})


def _names(kind: type[Any]) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(kind))
    return _NAMES[kind]


_NAMES: dict[type[Any], tuple[str, ...]] = {}


def _frozen(name: str, value: Any) -> Any:
    if name == "gates":
        return tuple(GateOutcome(**gate) for gate in value)
    if isinstance(value, list):
        # An interval that was never measured is stored as an empty list by mongoengine.
        return tuple(value) if value or not name.startswith(("interval", "fit_window")) else None
    return value


class Rows(Sequence[R], Generic[R]):
    """The rows a query found, in its order."""

    def __init__(self, kind: type[R], rows: Sequence[R]) -> None:
        """Keep the rows.

        Args:
            kind: type of the rows; an empty result still knows its columns.
            rows: what was found.
        """
        self._kind = kind
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> "Rows[R]": ...
    def __getitem__(self, place: int | slice) -> "R | Rows[R]":
        if isinstance(place, slice):
            return type(self)(self._kind, self._rows[place])
        return self._rows[place]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return f"{len(self)} x {self._kind.__name__}"

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the columns, which an empty result has too."""
        return _names(self._kind)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Plain dictionaries with the document's own field names."""
        return [_plain(row) for row in self]

    def to_dataframe(self) -> "pd.DataFrame":
        """A pandas frame with one column a field."""
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        names = _names(self._kind)
        return pd.DataFrame([{name: getattr(row, name) for name in names} for row in self], columns=list(names))


class LabelRows(Rows[LabelRow]):
    """Labels a query found: listed whatever they are, but one quantity where numbers are taken out of them."""

    def to_dataframe(self, *, across: str | Sequence[str] = ()) -> "pd.DataFrame":
        """A pandas frame with one column a field, for means and fits.

        Args:
            across: fields of `vitrion.database.queries.quantity.Quantity` in which the rows may differ.

        Raises:
            InputError: the labels are of several quantities and the caller did not say so.
        """
        if self:
            require_one(self, across=across, purpose="put into one frame")
        return super().to_dataframe()


def _plain(row: Any) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in _names(type(row))}
    if "gates" in plain:
        plain["gates"] = [gate.model_dump() for gate in row.gates]
    return plain
