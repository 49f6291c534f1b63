"""Base class of all answers."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Answer(BaseModel):
    """Frozen content of a page or of a command's ``--json``: field names carry units, arrays are nested tuples."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


def _to_nested_lists(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


Range = tuple[float, float]
Vector = Annotated[tuple[float, ...], BeforeValidator(_to_nested_lists)]
Matrix = Annotated[tuple[tuple[float, ...], ...], BeforeValidator(_to_nested_lists)]
