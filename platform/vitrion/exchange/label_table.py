"""Diffusivity labels of a CSV, JSON or JSON-lines table with the columns of `vitrion labels export`."""

import json
from collections.abc import Mapping
from math import log10
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from vitrion.ingest.formats.tables import table_rows
from vitrion_models.errors import InputError

Z_95 = 1.96
NOT_STATED = "not stated"


def _from_text(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


Nested = BeforeValidator(_from_text)  # a nested field is JSON text in a CSV cell


class TableLabel(BaseModel):
    """Row of a table of tracer diffusivities; other columns are ignored.

    A row without `log10_stderr` takes it from `interval_95`; a censored value is an upper bound.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    temperature_K: float
    value: float = Field(gt=0)
    unit: Literal["cm2/s"]
    convention: Literal["einstein_3d"]
    species: str
    reduced_formula: str
    log10_stderr: float | None = None
    interval_95: Annotated[tuple[float, float] | None, Nested] = None
    property: Literal["tracer_diffusivity"] = "tracer_diffusivity"
    state: Literal["accepted", "censored", "published"] = "published"
    kind: str | None = None
    density_g_cm3: float | None = None
    potential: str = NOT_STATED
    weights_sha256: str = NOT_STATED
    dataset: str | None = None
    arm: str | None = None
    protocol: Annotated[dict[str, Any] | None, Nested] = None
    method: Annotated[dict[str, Any] | None, Nested] = None
    gate_version: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _stderr_of_interval(cls, row: Any) -> Any:
        interval = _from_text(row.get("interval_95"))
        if row.get("log10_stderr") is not None or not interval:
            return row
        low, high = interval
        return {**row, "log10_stderr": log10(high / low) / (2 * Z_95)}


def read_label_table(path: Path) -> list[TableLabel]:
    """Read the labels of a table.

    Args:
        path: ``.csv``, ``.json`` (a list of objects) or ``.jsonl``; columns are the fields of `TableLabel`.

    Raises:
        InputError: the file cannot be read, has no row, or a row lacks a required column or holds another unit,
            convention, property or state; the message names the row.
    """
    rows = _rows(path)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        required = ", ".join(name for name, field in TableLabel.model_fields.items() if field.is_required())
        raise InputError(f"{path} holds no rows: give labels with the columns {required}")
    return [_label(row, f"{path}, row {number}") for number, row in enumerate(rows, start=1)]


def _label(row: Mapping[str, Any], where: str) -> TableLabel:
    stated = {name: value for name, value in row.items() if value not in (None, "")}
    try:
        return TableLabel.model_validate(stated)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        column = ".".join(map(str, first["loc"])) or "row"
        shown = "" if first["type"] == "missing" else f" (it is {stated.get(column)!r})"
        raise InputError(f"{where}: {column}: {first['msg']}{shown}") from fault


def _rows(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path} cannot be read ({str(fault).splitlines()[0]}): give a CSV or JSON file") from fault
    try:
        if path.suffix.lower() == ".json":
            return json.loads(text)
        if path.suffix.lower() == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return table_rows(text)[1]
    except ValueError as fault:
        raise InputError(f"{path} is not a table ({str(fault).splitlines()[0]}): give CSV or JSON") from fault
