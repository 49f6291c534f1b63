"""Group statistics by SQLite, where keys and values are columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrion.database.embedded.plan import Plan
from vitrion.database.embedded.store import EmbeddedCollectionStore
from vitrion.database.embedded.values import original

_NUMBER = "CASE WHEN typeof({0}) IN ('integer', 'real') THEN {0} END"
_AGGREGATES = {"$avg": f"avg({_NUMBER})", "$min": "min({0})", "$max": "max({0})"}


@dataclass(frozen=True)
class Grouping:
    """A simple ``$group``.

    Attributes:
        keys: label -> path of the fields that make a group; one with an empty label is the group itself.
        values: name -> operator and path; the path is empty for a count.
    """

    keys: Mapping[str, str]
    values: Mapping[str, tuple[str, str]]

    @property
    def paths(self) -> set[str]:
        """Fields that the stage reads."""
        return {*self.keys.values(), *(path for _, path in self.values.values())} - {""}


def grouping_of(stage: Mapping[str, Any]) -> Grouping | None:
    """Read a ``$group`` stage; None for one that is not simple."""
    if set(stage) != {"$group"}:
        return None
    fields = dict(stage["$group"])
    keys = _keys(fields.pop("_id", None))
    values = {name: _value(expression) for name, expression in fields.items()}
    if keys is None or any(value is None for value in values.values()):
        return None
    return Grouping(keys, {name: value for name, value in values.items() if value is not None})


def grouped(store: EmbeddedCollectionStore, plan: Plan, grouping: Grouping) -> list[dict[str, Any]] | None:
    """Return the groups of an exact plan, or None where a field has no column that SQL compares as MongoDB does."""
    columns = {path: store.column(path) for path in grouping.paths}
    unusable = any(store.holds_arrays(path) or store.holds_opaque(path) for path in columns)
    if not plan.exact or unusable or None in columns.values():
        return None
    keys = [str(columns[path]) for path in grouping.keys.values()]
    values = [
        "count(*)" if not path else _AGGREGATES[operator].format(columns[path])
        for operator, path in grouping.values.values()
    ]
    tail = f"GROUP BY {', '.join(keys)}" if keys else "HAVING count(*) > 0"
    return [
        {"_id": _group(grouping.keys, row), **_named(grouping.values, row[len(keys) :])}
        for row in store.rows(", ".join([*keys, *values]), plan, tail=tail)
    ]


def _group(keys: Mapping[str, str], row: tuple[Any, ...]) -> Any:
    if not keys:
        return None
    if "" in keys:
        return original(row[0])
    return {label: original(value) for label, value in zip(keys, row, strict=False) if value is not None}


def _named(values: Mapping[str, tuple[str, str]], row: tuple[Any, ...]) -> dict[str, Any]:
    return {name: original(value) for name, value in zip(values, row, strict=True)}


def _keys(expression: Any) -> dict[str, str] | None:
    if expression is None:
        return {}
    labelled = expression if isinstance(expression, Mapping) else {"": expression}
    paths = {label: _path(entry) for label, entry in labelled.items()}
    return None if None in paths.values() or not paths else {label: str(path) for label, path in paths.items()}


def _value(expression: Any) -> tuple[str, str] | None:
    if not isinstance(expression, Mapping) or len(expression) != 1:
        return None
    operator, operand = next(iter(expression.items()))
    if operator == "$sum" and operand == 1:
        return operator, ""
    path = _path(operand)
    return (operator, path) if operator in _AGGREGATES and path is not None else None


def _path(expression: Any) -> str | None:
    if isinstance(expression, str) and expression.startswith("$") and not expression.startswith("$$"):
        return expression[1:]
    return None
