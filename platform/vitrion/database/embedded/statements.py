"""SQL text of the embedded store's tables: selections, indexes, quoted names."""

from collections.abc import Mapping
from typing import Any

from vitrion.database.embedded.plan import Plan, SqlValue


def selection(what: str, plan: Plan, *, order: str, limit: int, skip: int) -> tuple[str, tuple[SqlValue, ...]]:
    """Return the SELECT of a plan, with its parameters; `limit` 0 means all."""
    statement = f"SELECT {what} FROM documents WHERE {plan.where} ORDER BY {order}"  # noqa: S608 - columns are our own
    if limit or skip:
        return f"{statement} LIMIT ? OFFSET ?", (*plan.parameters, limit or -1, skip)
    return statement, plan.parameters


def is_plain(index: Mapping[str, Any]) -> bool:
    """Return True for an index over all documents."""
    return not index.get("sparse") and index.get("partialFilterExpression") is None


def is_column(path: str, direction: Any) -> bool:
    """Return True for a field and direction that an SQL index can have."""
    return direction in {1, -1} and not path.startswith("$") and '"' not in path and "\0" not in path


def index_statement(name: str, index: Mapping[str, Any]) -> str:
    """Return the CREATE INDEX of an index as MongoDB declares it."""
    columns = ", ".join(
        ("_id" if path == "_id" else quoted("f:" + path)) + (" DESC" if direction < 0 else "")
        for path, direction in index["key"]
    )
    unique = "UNIQUE " if index.get("unique") and is_plain(index) else ""
    return f"CREATE {unique}INDEX IF NOT EXISTS {quoted('ix:' + name)} ON documents({columns})"


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return f'"{name}"'
