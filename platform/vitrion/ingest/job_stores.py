"""A user's own JobStore, from the file that describes it to jobflow."""

from pathlib import Path
from typing import Any

import yaml

from vitrion_models.errors import InputError

LONGEST = 100  # characters of another package's message


def open_job_store(path: Path) -> Any:
    """Return a connected jobflow `JobStore`.

    Args:
        path: YAML or JSON with ``docs_store`` and, if any, ``additional_stores``, as jobflow's documentation has it. A
            store that monty serialised is not read: it could name any class.

    Raises:
        InputError: the file cannot be read, describes no JobStore, or the store cannot be reached.
    """
    from jobflow import JobStore  # noqa: PLC0415 - heavy, and most callers run no jobs

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise InputError(f"{path} cannot be read ({_line(fault)}): give jobflow's YAML or JSON") from fault
    if not isinstance(content, dict) or "docs_store" not in content:
        raise InputError(f"{path} does not describe a JobStore: give docs_store with its type, as jobflow does")
    try:
        store = JobStore.from_dict_spec(content)
        store.connect()
    except Exception as fault:  # each of maggma's stores has errors of its own
        raise InputError(f"{path}: the store cannot be opened ({type(fault).__name__}: {_line(fault)})") from fault
    return store


def _line(fault: Exception) -> str:
    return " ".join(str(fault).split())[:LONGEST]
