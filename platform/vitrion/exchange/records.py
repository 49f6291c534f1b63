"""Records from the rows that exports hold."""

import json
from collections.abc import Mapping
from typing import Any

from vitrion.database.migrations import upgrade_document
from vitrion.database.records import LabelRecord
from vitrion_models.errors import InputError


def label_from_row(row: Mapping[str, Any], *, source: str) -> LabelRecord:
    """Return the label of a row of `vitrion labels export` or `vitrion labels list --json`, of any layout version.

    Args:
        row: fields of `LabelRecord`; in CSV, nested fields are JSON text.
        source: file and row, for messages.

    Raises:
        InputError: a field is unknown, missing or invalid.
    """
    nested = LabelRecord.nested_fields()
    try:
        content = {
            name: json.loads(value) if name in nested and isinstance(value, str) else value
            for name, value in row.items()
        }
        version = int(content.pop("schema_version"))
        return LabelRecord.of(**upgrade_document("labels", content | {"schema_version": version}))
    except KeyError as error:
        raise InputError(f"{source}: {error.args[0]} is missing") from error
    except (ValueError, InputError) as error:
        raise InputError(f"{source}: {error}") from error
