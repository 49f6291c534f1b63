"""Tracer diffusivities of a CSV, JSON or JSON-lines table with the columns of `vitrion labels export`."""

import json
from collections.abc import Mapping
from math import log10
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from vitrion.exchange.tables import read_rows
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import LabelProtocol

Z_95 = 1.96
NOT_STATED = "not stated"
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# A nested field is JSON text in a CSV cell.
Nested = BeforeValidator(lambda value: json.loads(value) if isinstance(value, str) else value)

Protocol = AfterValidator(lambda value: value and LabelProtocol.model_validate(value).model_dump(mode="json"))


class TableLabel(BaseModel):
    """Row of a table; other columns are ignored. A censored value is an upper bound."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    temperature_K: float
    value: Positive
    unit: Literal["cm2/s"]
    convention: Literal["einstein_3d"]
    species: str
    reduced_formula: str
    interval_95: Annotated[tuple[Positive, Positive] | None, Nested] = None
    log10_stderr: float | None = None
    property: Literal["tracer_diffusivity"] = "tracer_diffusivity"
    state: Literal["accepted", "censored", "published"] = "published"
    kind: str | None = None
    density_g_cm3: float | None = None
    potential: str = NOT_STATED
    weights_sha256: str = NOT_STATED
    dataset: str | None = None
    arm: str | None = None
    protocol: Annotated[dict[str, Any] | None, Protocol, Nested] = None
    method: Annotated[dict[str, Any] | None, Nested] = None
    gate_version: int | None = None

    @model_validator(mode="after")
    def _stderr_from_interval(self) -> "TableLabel":
        if self.log10_stderr is None and self.interval_95 is not None:
            low, high = self.interval_95
            return self.model_copy(update={"log10_stderr": log10(high / low) / (2 * Z_95)})
        return self


def read_label_table(path: Path) -> list[TableLabel]:
    """Read the labels of a table.

    Args:
        path: ``.json``, ``.jsonl`` or ``.csv`` (`vitrion.exchange.tables`); the columns are the fields of `TableLabel`.

    Raises:
        InputError: the file cannot be read or has no row, or a row lacks a required column or holds another unit,
            convention, property or state; the message names the row.
    """
    return [_label(row, f"{path}, row {number}") for number, row in enumerate(read_rows(path), start=1)]


def _label(row: Mapping[str, Any], where: str) -> TableLabel:
    stated = {name: value for name, value in row.items() if value not in (None, "")}
    try:
        return TableLabel.model_validate(stated)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        raise InputError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from fault
