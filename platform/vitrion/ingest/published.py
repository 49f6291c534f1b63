"""Published values from tables of numbers: no run stands behind them whose gates could have accepted anything."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitrion.database.queries.filters import parsed_formula
from vitrion.database.records import ImportedLabel
from vitrion.datasets.conventions import REASONS, einstein_factor
from vitrion_models.errors import InputError
from vitrion_workflows.labelling.statement import TRACER_DIFFUSIVITY, stated_faults
from vitrion_workflows.schemas import Convention, LabelState

NEEDED = ("composition", "property", "species", "temperature_K", "value", "unit", "convention", "potential")
OPTIONAL = ("lower_95", "upper_95", "log10_stderr", "state", "reference")
STATES = tuple(state.value for state in LabelState if state is not LabelState.ACCEPTED)


def published_label(row: Mapping[str, Any], *, path: Path, number: int, sha256: str) -> ImportedLabel:
    """Return the label of a row of numbers, a diffusivity converted to the Einstein convention.

    Args:
        row: the columns `NEEDED`, and of `OPTIONAL` what is known; text or numbers.
        path: the table.
        number: of the row, from 1; with `sha256` the label's identity.
        sha256: of the table.

    Raises:
        InputError: a column is unknown or missing, or holds a value that the quantity cannot have.
    """
    source = f"{path}, row {number}"
    if missing := [name for name in NEEDED if row.get(name) in (None, "")]:
        raise InputError(
            f"{source}: {', '.join(missing)} is empty or missing: a table of labels needs {', '.join(NEEDED)}"
        )
    if unknown := sorted(row.keys() - {*NEEDED, *OPTIONAL}):
        raise InputError(f"{source}: unknown column {unknown[0]!r}: known are {', '.join((*NEEDED, *OPTIONAL))}")
    diffusivity = row["property"] == TRACER_DIFFUSIVITY
    factor = einstein_factor(row["convention"], source=source) if diffusivity else 1.0
    value = _number(row, "value", source)
    if row["species"] not in {element.symbol for element in parsed_formula(row["composition"])}:
        raise InputError(f"{source}: species {row['species']!r} is not in {row['composition']}")
    stated: dict[str, Any] = {
        "species": row["species"],
        "temperature_K": _number(row, "temperature_K", source),
        "value": value * factor,
        "unit": row["unit"],
        "convention": Convention.EINSTEIN_3D.value if diffusivity else row["convention"],
        "interval_95": _interval(row, factor=factor, source=source),
        "log10_stderr": _number(row, "log10_stderr", source) if row.get("log10_stderr") else None,
    }
    if faults := stated_faults(property_name=row["property"], **stated):
        raise InputError(f"{source}: {faults[0]}")
    state = row.get("state") or LabelState.PUBLISHED.value
    if state not in STATES:
        raise InputError(f"{source}: state {state!r} is not one of {', '.join(STATES)}")
    return ImportedLabel(
        property=row["property"],
        state=LabelState(state),
        potential=row["potential"],
        weights_sha256=sha256,
        dataset=path.name,
        record=number,
        composition=row["composition"],
        source=row.get("reference") or f"{path.name}:{number}",
        source_value=value,
        conversion_factor=factor,
        conversion=REASONS[Convention(row["convention"])] or None if diffusivity else None,
        **stated,
    )


def _interval(row: Mapping[str, Any], *, factor: float, source: str) -> tuple[float, float] | None:
    given = [name for name in ("lower_95", "upper_95") if row.get(name)]
    if not given:
        return None
    if len(given) == 1:
        raise InputError(f"{source}: {given[0]} is half an interval: give both ends, or none")
    return _number(row, "lower_95", source) * factor, _number(row, "upper_95", source) * factor


def _number(row: Mapping[str, Any], name: str, source: str) -> float:
    try:
        return float(row[name])
    except (TypeError, ValueError):
        raise InputError(f"{source}: {name} {row[name]!r} is not a number") from None
