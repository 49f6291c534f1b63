"""MongoDB queries from keyword filters, for both back ends."""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any, TypeAlias, TypedDict

from vitrion.database.queries import gate_versions
from vitrion.database.records import RECORDS
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import LabelState, Origin, StructureKind

OneOrMore: TypeAlias = str | Sequence[str]
Range: TypeAlias = float | tuple[float | None, float | None]
Query: TypeAlias = dict[str, Any]


class CommonFilters(TypedDict, total=False):
    """Filters of structures and labels alike.

    `homonuclear_bonds` are those between like atoms beyond the ones that the compound has.
    Text filters take one value or several (any of them); ranges take a number or ``(lowest, highest)``, both
    included, None for open.
    """

    formula: OneOrMore
    reduced_formula: OneOrMore
    chemsys: OneOrMore
    elements_all: OneOrMore
    elements_any: OneOrMore
    elements_none: OneOrMore
    kind: OneOrMore
    density: Range
    mobile_ion_fraction: Range
    n_atoms: Range
    homonuclear_bonds: Range
    campaign: OneOrMore
    cycle: int | Sequence[int]
    dataset: OneOrMore
    job: OneOrMore
    accepted: bool


class StructureFilters(CommonFilters, total=False):
    """Filters of structures."""

    fingerprint: OneOrMore
    origin: OneOrMore
    disordered: bool
    parent: OneOrMore
    twin: OneOrMore
    model_version: OneOrMore
    source: OneOrMore
    reference_force: Range


class LabelFilters(CommonFilters, total=False):
    """Filters of labels. Superseded labels are left out unless `superseded` is given.

    `gate_version` is a number, a range, or one of ``current`` (the default: the current version and values from
    elsewhere), ``other`` (all versions that the default leaves out) and ``any``.
    """

    key: OneOrMore
    structure_fingerprint: OneOrMore
    property: OneOrMore
    species: OneOrMore
    temperature: Range
    value: Range
    log10_value: Range
    force_r2: Range
    state: OneOrMore
    potential: OneOrMore
    weights_sha256: OneOrMore
    protocol_hash: OneOrMore
    arm: OneOrMore
    gate_version: Range | str
    superseded: bool


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def _is(field: str, given: Any, *, kind: type = str) -> Query:
    values = _several(given)
    for value in values:
        # A value of another type would silently match nothing.
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InputError(f"{field} is {value!r}: give {'text' if kind is str else 'a whole number'}")
    return {field: values[0] if len(values) == 1 else {"$in": values}}


def _one_of(field: str, values: Iterable[str], value: Any) -> Query:
    for name in _several(value):
        check_choice(field, name, values)
    return _is(field, value)


def check_choice(field: str, name: str, values: Iterable[str]) -> None:
    """Refuse a value that the field cannot have, which would silently match nothing.

    Raises:
        InputError: naming the values it can have.
    """
    choices = [str(value) for value in values]
    if name not in choices:
        raise InputError(f"{field} {name!r} is unknown: choose from {', '.join(choices)}")


def _normalised(field: str, normal: Callable[[str], str], value: Any) -> Query:
    return _is(field, [normal(text) for text in _several(value)])


def _within(field: str, value: Any) -> Query:
    if isinstance(value, Real):
        return {field: _number(value, field)}
    try:
        lowest, highest = (None if limit is None else _number(limit, field) for limit in value)
    except (TypeError, ValueError):
        raise InputError(f"{field} {value!r} is not a range: give a number or (lowest, highest)") from None
    if lowest is not None and highest is not None and lowest > highest:
        raise InputError(f"the range of {field} is empty: {lowest} is above {highest}")
    limits = {operator: limit for operator, limit in (("$gte", lowest), ("$lte", highest)) if limit is not None}
    if not limits:
        raise InputError(f"the range of {field} has no limit: give at least one")
    return {field: limits}


def _of_gate_version(value: Any) -> Query:
    if not isinstance(value, str):
        return _within("gate_version", value)
    check_choice("gate_version", value, gate_versions.CLAUSES)
    return dict(gate_versions.CLAUSES[value])


def _number(value: Any, field: str) -> float:
    """Return a float, which BSON can hold, from a number of any type."""
    if isinstance(value, bool) or not isinstance(value, Real) or math.isnan(value):
        raise InputError(f"the range of {field} contains {value!r}: give numbers")
    return float(value)


def _elements(operator: str, value: Any) -> Query:
    return {"elements": {operator: [_element(symbol) for symbol in _several(value)]}}


def _flag(field: str, value: Any) -> Query:
    return {field: _yes_or_no(value, field)}


def _yes_or_no(value: Any, name: str) -> bool:
    # bool("no") is True.
    if not isinstance(value, bool):
        raise InputError(f"{name} is {value!r}: give True or False")
    return value


def _element(symbol: str) -> str:
    from pymatgen.core.periodic_table import Element  # noqa: PLC0415 - only where elements are asked for

    try:
        return str(Element(symbol).symbol)
    except ValueError:
        raise InputError(f"{symbol!r} is not an element") from None


def _formulas(text: str) -> tuple[str, str]:
    from vitrion_workflows.schemas.isotopes import formulas  # noqa: PLC0415 - only where formulas are given
    from vitrion_workflows.structure.formula import element_amounts  # noqa: PLC0415

    return formulas(element_amounts(text))


def chemical_system(text: str) -> str:
    """Return the elements sorted and joined by ``-``."""
    return "-".join(sorted(_element(symbol) for symbol in text.split("-")))


def full_formula(text: str) -> str:
    """Return the full formula: ``Li6P2S8`` -> ``Li6 P2 S8``."""
    return _formulas(text)[0]


def reduced_formula(text: str) -> str:
    """Return the reduced formula: ``Li6P2S8`` -> ``Li3PS4``."""
    return _formulas(text)[1]


_COMMON: dict[str, Callable[[Any], Query]] = {
    "formula": partial(_normalised, "formula", full_formula),
    "reduced_formula": partial(_normalised, "reduced_formula", reduced_formula),
    "chemsys": partial(_normalised, "chemsys", chemical_system),
    "elements_all": partial(_elements, "$all"),
    "elements_any": partial(_elements, "$in"),
    "elements_none": partial(_elements, "$nin"),
    "density": partial(_within, "density_g_cm3"),
    "mobile_ion_fraction": partial(_within, "mobile_ion_fraction"),
    "n_atoms": partial(_within, "n_atoms"),
    "homonuclear_bonds": partial(_within, "unexpected_bonds"),
    "campaign": partial(_is, "campaign"),
    "dataset": partial(_is, "dataset"),
    "job": partial(_is, "job"),
    "cycle": partial(_is, "cycle", kind=int),
    "kind": partial(_one_of, "kind", StructureKind),
}

CLAUSES: dict[str, dict[str, Callable[[Any], Query]]] = {
    "structures": {
        **_COMMON,
        "fingerprint": partial(_is, "fingerprint"),
        "parent": partial(_is, "parent"),
        "twin": partial(_is, "twin"),
        "model_version": partial(_is, "model_version"),
        "source": partial(_is, "source"),
        "origin": partial(_one_of, "origin", Origin),
        "disordered": partial(_flag, "disordered"),
        "accepted": partial(_flag, "accepted"),
        "reference_force": partial(_within, "reference_force_eV_per_A"),
    },
    "labels": {
        **_COMMON,
        "key": partial(_is, "key"),
        "structure_fingerprint": partial(_is, "structure_fingerprint"),
        "property": partial(_is, "property"),
        "species": partial(_is, "species"),
        "potential": partial(_is, "potential"),
        "weights_sha256": partial(_is, "weights_sha256"),
        "protocol_hash": partial(_is, "protocol_hash"),
        "arm": partial(_is, "arm"),
        "state": partial(_one_of, "state", LabelState),
        "temperature": partial(_within, "temperature_K"),
        "value": partial(_within, "value"),
        "log10_value": partial(_within, "log10_value"),
        "force_r2": partial(_within, "force_r2"),
        "gate_version": _of_gate_version,
        "accepted": lambda value: {
            "state": LabelState.ACCEPTED.value
            if _yes_or_no(value, "accepted")
            else {"$in": [state.value for state in LabelState if state is not LabelState.ACCEPTED]}
        },
        "superseded": lambda value: {"superseded_by": {"$ne": None} if _yes_or_no(value, "superseded") else None},
    },
}


def query_of(collection: str, filters: Mapping[str, Any]) -> Query:
    """Return the MongoDB query of keyword filters.

    Args:
        collection: ``structures`` or ``labels``.
        filters: name -> value; None counts as not given.

    Raises:
        InputError: an unknown filter (the nearest is named), an empty range, or an invalid formula or element.
    """
    clauses = CLAUSES[collection]
    parts = []
    for name, value in filters.items():
        if name not in clauses:
            raise InputError(f"unknown filter {name!r} of {collection}{_nearest(name, clauses)}")
        if value is not None:
            parts.append(clauses[name](value))
    return _joined(parts)


def sort_of(collection: str, sort: OneOrMore | None) -> list[tuple[str, int]]:
    """Return the order of a query: field names, descending with a leading ``-``; ties and the default by insertion.

    Raises:
        InputError: the collection has no such field.
    """
    fields = sorted(RECORDS[collection].model_fields)
    order = []
    for text in _several(sort or ()):
        name = text.removeprefix("-")
        if name not in fields:
            raise InputError(f"{collection} have no field {name!r} to sort by{_nearest(name, fields)}")
        order.append((name, -1 if text.startswith("-") else 1))
    # The same direction as the last key, so that one index serves the whole order read either way.
    return [*order, ("_id", order[-1][1] if order else 1)]


def check_page(limit: int, skip: int) -> None:
    """Check the part of a list that is requested.

    Raises:
        InputError: limit or skip is not a whole number, 0 or more.
    """
    for name, value in (("limit", limit), ("skip", skip)):
        if not isinstance(value, int) or value < 0:
            raise InputError(f"{name} is {value!r}: give a whole number, 0 or more")


def check_field(collection: str, field: str) -> str:
    """Return the name of a field of a collection.

    Raises:
        InputError: the collection has no such field.
    """
    fields = sorted(RECORDS[collection].model_fields)
    if field not in fields:
        raise InputError(f"{collection} have no field {field!r}{_nearest(field, fields)}")
    return field


def _joined(parts: Sequence[Query]) -> Query:
    fields = [field for part in parts for field in part]
    if len(set(fields)) == len(fields):
        return {field: condition for part in parts for field, condition in part.items()}
    return {"$and": list(parts)}


def _nearest(name: str, names: Mapping[str, Any] | Sequence[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1)
    return f": did you mean {close[0]!r}?" if close else f": known are {', '.join(sorted(names))}"
