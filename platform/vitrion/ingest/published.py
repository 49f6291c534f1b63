"""Published numbers: rows of a table of diffusivities or conductivities as labels, in the stored units.

No run stands behind a published number whose gates could have accepted it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrion.database.records import ImportedLabel
from vitrion.datasets.conventions import REASONS, einstein_factor
from vitrion.exchange.quantities import Quantity, Temperature, holds_temperature, parse_header, quantity_of
from vitrion_models.errors import InputError
from vitrion_workflows.formats.frames import parse_number
from vitrion_workflows.labelling.statement import CONVENTIONS, IONIC_CONDUCTIVITY, TRACER_DIFFUSIVITY, stated_faults
from vitrion_workflows.schemas import Convention, LabelState
from vitrion_workflows.structure.composition import parse_formula

TEXT = ("composition", "species", "convention", "potential", "state", "reference")
NEEDED_TEXT = ("composition", "species", "convention", "potential")
NUMBERS = ("lower_95", "upper_95", "log10_stderr")
# A quantity in three columns, where its header does not declare it.
SPELT_OUT = ("property", "value", "unit")
IGNORED = "ignored"
FIELDS = frozenset({*TEXT, *NUMBERS, *SPELT_OUT})
KELVIN = "temperature_K"
STATES = tuple(state.value for state in LabelState if state is not LabelState.ACCEPTED)
# No ion moves measurably below; such a number in a Kelvin column is in Celsius.
COLDEST_PUBLISHED_K = 100.0


@dataclass(frozen=True)
class Layout:
    """Columns of a table of published numbers.

    Attributes:
        text: field -> header, of the fields `TEXT`, `NUMBERS` and `SPELT_OUT`.
        temperature: header and unit of the temperatures.
        quantity: header and declaration of the numbers; None where `SPELT_OUT` holds them.
        ignored: headers that mean nothing here.
        constants: fields that are the same in each row and stand in no column.
    """

    text: Mapping[str, str]
    temperature: tuple[str, Temperature]
    quantity: tuple[str, Quantity] | None
    ignored: tuple[str, ...]
    constants: Mapping[str, str]


def table_layout(
    headers: Sequence[str], *, columns: Mapping[str, str] | None = None, constants: Mapping[str, str] | None = None
) -> Layout:
    """Return the meaning of the columns of a table.

    Args:
        headers: of the table: fields by their names, temperature and quantity with their unit (`parse_header`).
        columns: header -> the declaration that it stands for, such as ``log10_y`` -> ``log10 sigma T (S K/cm)``, or
            ``ignored``. A declared temperature or quantity goes before those of other headers.
        constants: fields of `TEXT` that are the same in each row.

    Raises:
        InputError: a quantity without its unit, twice, or not at all; no temperature, or two; a column declared twice.
    """
    declared = dict(columns or {})
    if unknown := sorted(declared.keys() - set(headers)):
        raise InputError(f"there is no column {unknown[0]!r}: its columns are {', '.join(headers)}")
    text: dict[str, str] = {}
    temperatures: list[tuple[str, Temperature]] = []
    quantities: list[tuple[str, Quantity]] = []
    ignored: list[str] = []
    chosen = {_holds_temperature(declaration) for declaration in declared.values()} - {None}
    for header in headers:
        meaning = declared.get(header, header).strip()
        if meaning in FIELDS:
            if meaning in text:
                raise InputError(f"columns {text[meaning]!r} and {header!r} are both the {meaning}: keep one")
            text[meaning] = header
        elif meaning == IGNORED or (header not in declared and _holds_temperature(meaning) in chosen):
            ignored.append(header)  # by the user, who may have chosen another column for it
        elif meaning == KELVIN:
            temperatures.append((header, Temperature(float)))
        elif isinstance(kind := parse_header(meaning), Temperature):
            temperatures.append((header, kind))
        elif kind is not None:
            quantities.append((header, kind))
        elif header in declared:
            raise InputError(f"column {header!r} is declared as {meaning!r}, which is no field and no quantity")
        else:
            ignored.append(header)
    temperature = _single(temperatures, "temperature", "T (K)")
    quantity = _quantity(quantities, text)
    return Layout(
        text=text,
        temperature=temperature,
        quantity=quantity,
        ignored=tuple(ignored),
        constants=_constants(dict(constants or {}), text, quantity),
    )


def _holds_temperature(meaning: str) -> bool | None:
    return True if meaning.strip() == KELVIN else holds_temperature(meaning)


def _constants(given: dict[str, str], text: Mapping[str, str], quantity: tuple[str, Quantity] | None) -> dict[str, str]:
    """Return the fields that are the same in each row, the species that a header names among them."""
    header, species = (quantity[0], quantity[1].species) if quantity else ("", None)
    if species and given.setdefault("species", species) != species:
        raise InputError(f"column {header!r} is of {species}, not of {given['species']}: correct one of them")
    if both := sorted(given.keys() & text.keys()):
        raise InputError(f"{both[0]} is given for the whole file and in column {text[both[0]]!r}: keep one")
    return given


def _single(columns: Sequence[tuple[str, Any]], name: str, example: str) -> Any:
    if not columns:
        raise InputError(
            f"no column declares its {name} with a unit: name it such as {example}, or add --column 'HEADER={example}'"
        )
    if len(columns) > 1:
        first, second = columns[0][0], columns[1][0]
        raise InputError(f"columns {first!r} and {second!r} both hold the {name}: choose by --column '{first}={first}'")
    return columns[0]


def _quantity(columns: Sequence[tuple[str, Quantity]], text: Mapping[str, str]) -> tuple[str, Quantity] | None:
    spelt_out = [name for name in SPELT_OUT if name in text]
    if columns and spelt_out:
        raise InputError(f"column {columns[0][0]!r} declares the quantity, and so does {spelt_out[0]!r}: keep one")
    if not spelt_out:
        return _single(columns, "diffusivity or conductivity", "sigma (S/cm)")  # type: ignore[no-any-return]
    if missing := [name for name in SPELT_OUT if name not in text]:
        raise InputError(f"{', '.join(missing)} is missing beside {spelt_out[0]}: add it")
    return None


def published_label(row: Mapping[str, Any], layout: Layout, *, path: Path, number: int, sha256: str) -> ImportedLabel:
    """Return the label of a row of numbers, converted to the stored unit and a diffusivity to the Einstein convention.

    Args:
        row: header -> cell, text or number; empty cells left out.
        layout: meaning of the headers.
        path: the table.
        number: of the row, from 1; with `sha256` the label's identity.
        sha256: of the table.

    Raises:
        InputError: a cell is missing, or holds a value that the quantity cannot have; the message names the row.
    """
    source = f"{path}, row {number}"
    fields = _text_fields(row, layout, source)
    header, temperature = layout.temperature
    temperature_K = _kelvin(row, header, temperature, source)
    value_header, quantity = layout.quantity or _spelt_out(fields, layout, source)
    diffusivity = quantity.property_name == TRACER_DIFFUSIVITY
    einstein = einstein_factor(fields["convention"], source=source) if diffusivity else 1.0
    factor = quantity.conversion_factor(temperature_K) * einstein
    published = _published(row, value_header, quantity, source)
    stated: dict[str, Any] = {
        "species": fields["species"],
        "temperature_K": temperature_K,
        "value": published * factor,
        "unit": {TRACER_DIFFUSIVITY: "cm2/s", IONIC_CONDUCTIVITY: "S/cm"}[quantity.property_name],
        "convention": Convention.EINSTEIN_3D.value if diffusivity else fields["convention"],
        "interval_95": _interval(row, layout, quantity, factor, source),
        "log10_stderr": _number(row, layout.text["log10_stderr"], source)
        if _filled(row, layout, "log10_stderr")
        else None,
    }
    if faults := stated_faults(property_name=quantity.property_name, **stated):
        raise InputError(f"{source}: {faults[0]}")
    state = fields.get("state") or LabelState.PUBLISHED.value
    if state not in STATES:
        raise InputError(f"{source}: state {state!r} is not one of {', '.join(STATES)}")
    reasons = (quantity.conversion, REASONS[Convention(fields["convention"])] if diffusivity else None)
    return ImportedLabel(
        property=quantity.property_name,
        state=LabelState(state),
        potential=fields["potential"],
        weights_sha256=sha256,
        dataset=path.name,
        record=number,
        composition=fields["composition"],
        source=fields.get("reference") or f"{path.name}:{number}",
        source_value=published,
        conversion_factor=factor,
        conversion="; ".join(filter(None, reasons)) or None,
        **stated,
    )


def _text_fields(row: Mapping[str, Any], layout: Layout, source: str) -> dict[str, str]:
    """Return the fields of `TEXT` and `SPELT_OUT` that a row or the whole file states."""
    fields = dict(layout.constants)
    for name in (*TEXT, "property", "unit"):
        cell = row.get(layout.text.get(name, name)) if name in layout.text else None
        if cell in (None, ""):
            continue
        if not isinstance(cell, str):
            raise InputError(f"{source}: {name} {cell!r} is not text")
        fields[name] = cell
    property_name = layout.quantity[1].property_name if layout.quantity else fields.get("property")
    if property_name == IONIC_CONDUCTIVITY:
        fields.setdefault("convention", CONVENTIONS[IONIC_CONDUCTIVITY])  # there is one only
    if missing := [name for name in NEEDED_TEXT if name not in fields]:
        raise InputError(f"{source}: {', '.join(missing)} is empty or missing: give a column, or an option")
    fields["composition"] = fields["composition"].strip('"')  # LiIonDatabase quotes a formula twice
    try:
        composition = parse_formula(fields["composition"])
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    if fields["species"] not in composition.get_el_amt_dict():
        raise InputError(f"{source}: species {fields['species']!r} is not in {fields['composition']}")
    return fields


def _spelt_out(fields: Mapping[str, str], layout: Layout, source: str) -> tuple[str, Quantity]:
    if missing := [name for name in ("property", "unit") if name not in fields]:
        raise InputError(f"{source}: {missing[0]} is empty: give one for each row")
    if fields["property"] not in CONVENTIONS:
        raise InputError(f"{source}: property {fields['property']!r} is unknown: give {' or '.join(CONVENTIONS)}")
    quantity = quantity_of(fields["property"], fields["unit"])
    if quantity is None:
        raise InputError(f"{source}: unit {fields['unit']!r} is none of a {fields['property']}")
    return layout.text["value"], quantity


def _kelvin(row: Mapping[str, Any], header: str, temperature: Temperature, source: str) -> float:
    number = _number(row, header, source)
    try:
        kelvin = temperature.to_kelvin(number)
    except ZeroDivisionError:
        raise InputError(f"{source}: {header} is zero: correct it") from None
    if kelvin < COLDEST_PUBLISHED_K:
        raise InputError(
            f"{source}: temperature {kelvin:g} K of column {header!r} is below {COLDEST_PUBLISHED_K:g} K: "
            "if it is in Celsius, name the column T (C)"
        )
    return kelvin


def _published(row: Mapping[str, Any], header: str, quantity: Quantity, source: str) -> float:
    number = _number(row, header, source)
    try:
        return quantity.published(number)
    except OverflowError:
        raise InputError(f"{source}: {header} {number:g} is too large for a logarithm: correct it") from None


def _filled(row: Mapping[str, Any], layout: Layout, name: str) -> bool:
    return name in layout.text and row.get(layout.text[name]) not in (None, "")


def _interval(
    row: Mapping[str, Any], layout: Layout, quantity: Quantity, factor: float, source: str
) -> tuple[float, float] | None:
    """Return the 95 % interval, whose ends are given as the value is."""
    given = [name for name in ("lower_95", "upper_95") if _filled(row, layout, name)]
    if not given:
        return None
    if len(given) == 1:
        raise InputError(f"{source}: {given[0]} is half an interval: give both ends, or none")
    lower, upper = (_published(row, layout.text[name], quantity, source) * factor for name in given)
    return lower, upper


def _optional(row: Mapping[str, Any], layout: Layout, name: str, source: str) -> float | None:
    return _number(row, layout.text[name], source) if _filled(row, layout, name) else None


def _number(row: Mapping[str, Any], header: str, source: str) -> float:
    cell = row.get(header)
    if cell in (None, "") or isinstance(cell, bool):
        raise InputError(f"{source}: {header} is empty or missing")
    try:
        return parse_number(cell) if isinstance(cell, str) else float(cell)
    except (TypeError, ValueError, OverflowError):
        hint = ": write decimals with a point" if isinstance(cell, str) and "," in cell else ""
        raise InputError(f"{source}: {header} {cell!r} is not a number{hint}") from None
