"""Tracer diffusivities of a table with the columns of `vitrion labels export`."""

from collections.abc import Mapping
from math import log10
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from vitrion.database.records import LabelRecord
from vitrion.database.records.label import SourcedLabel
from vitrion.exchange.tables import check_number_cells, read_rows
from vitrion_models.bounds import parse_json
from vitrion_models.constants import Z_95
from vitrion_models.errors import InputError
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.schemas import LabelState

NOT_STATED = "not stated"
NESTED = LabelRecord.nested_fields()  # JSON text in a CSV cell
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class TableLabel(SourcedLabel):
    """Row of a table; other columns are ignored. A censored value is an upper bound."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    property: Literal["tracer_diffusivity"] = "tracer_diffusivity"
    unit: Literal["cm2/s"]
    convention: Literal["einstein_3d"]
    value: Positive
    interval_95: tuple[Positive, Positive] | None = None
    state: Literal[LabelState.ACCEPTED, LabelState.CENSORED, LabelState.PUBLISHED] = LabelState.PUBLISHED
    reduced_formula: str
    isotopes: tuple[str, ...] = ()
    kind: str | None = None
    density_g_cm3: float | None = None
    potential: str = NOT_STATED
    weights_sha256: str = NOT_STATED
    arm: str | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _parse_cell(cls, value: Any, info: ValidationInfo) -> Any:
        return parse_json(value) if isinstance(value, str) and info.field_name in NESTED else value

    @model_validator(mode="after")
    def _stderr_from_interval(self) -> "TableLabel":
        if self.log10_stderr is None and self.interval_95 is not None:
            low, high = self.interval_95
            return self.model_copy(update={"log10_stderr": log10(high / low) / (2 * Z_95)})
        return self


def read_label_table(path: Path) -> list[TableLabel]:
    """Read the labels of a table.

    Args:
        path: a table (`vitrion.exchange.tables.read_rows`); the columns are the fields of `TableLabel`.

    Raises:
        InputError: the file cannot be read or has no row, or a row lacks a required column or holds another unit,
            convention, property or state; the message names the row.
    """
    return [_label(row, f"{path}, row {number}") for number, row in enumerate(read_rows(path), start=1)]


def _label(row: Mapping[str, Any], where: str) -> TableLabel:
    with naming(where):
        check_number_cells(row, TableLabel)
    try:
        return TableLabel.model_validate({name: value for name, value in row.items() if value not in (None, "")})
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        if first["type"] == "missing":
            raise InputError(
                f"{where}: no column {first['loc'][0]!r}: give the columns of `vitrion labels export`, or store the "
                "table by `vitrion ingest labels` and choose it by --dataset"
            ) from fault
        raise InputError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from fault
