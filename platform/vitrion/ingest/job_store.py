"""JobStores of jobflow that a user describes in a file."""

import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from vitrion.database.address import hide, redact
from vitrion_models.errors import InputError, first_line
from vitrion_workflows.formats.documents import load_yaml

LONGEST = 200  # characters of another package's message
SELECTION_MS = 3000
# maggma's stores whose driver waits half a minute for a server, unless it is given another time.
ON_A_SERVER = frozenset({"MongoStore", "MongoURIStore", "GridFSStore", "JointStore"})
TOPOLOGY = ", Timeout:"  # where a driver's message goes on with its view of all servers
FILES_OF_A_STORE = frozenset({"paths", "path", "database_path"})
SECRET_WORDS = ("password", "secret", "token", "key_id")


def open_job_store(path: Path) -> Any:
    """Return a connected jobflow `JobStore`.

    Args:
        path: YAML or JSON with ``docs_store`` and, if any, ``additional_stores``, as jobflow's documentation has it. A
            store that monty serialised is not read: it could name any class.

    Raises:
        InputError: the file cannot be read, describes no JobStore, or the store cannot be reached.
    """
    from jobflow import JobStore  # noqa: PLC0415 - heavy, and most callers run no jobs

    content = load_yaml(path)
    if not isinstance(content, dict) or "docs_store" not in content:
        raise InputError(f"{path} does not describe a JobStore: give docs_store with its type, as jobflow does")
    _check_files(path, content)
    store: Any = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of jobflow, on names of stores that its YAML still knows
            store = JobStore.from_dict_spec(_impatient(content))
        store.connect()
        store.query_one({}, load=False)  # connecting alone reaches no server
    except Exception as fault:  # noqa: BLE001 - each of maggma's stores has errors of its own
        with suppress(Exception):  # one that did not open does not close, either
            store.close()
        text = first_line(fault).partition(TOPOLOGY)[0]
        reason = _without_secrets(f"{type(fault).__name__}: {text}", content)
        # Without its cause: a traceback would show what the message leaves out.
        raise InputError(
            f"{path}: the store cannot be opened ({reason[:LONGEST]}): correct its description, or start its server"
        ) from None
    return store


def _check_files(path: Path, content: Any) -> None:
    """Refuse devices, pipes and sockets as files of a store, which would be read without an end."""
    for name, text in _texts(content):
        if name in FILES_OF_A_STORE and (file := Path(text)).exists() and not (file.is_file() or file.is_dir()):
            raise InputError(f"{path}: {name} {text} is no regular file: give the file of a store")


def _without_secrets(text: str, content: Any) -> str:
    for name, value in _texts(content):
        if any(word in name.lower() for word in SECRET_WORDS):
            text = hide(text, [value])
        elif "@" in value:
            text = redact(text, value)
    return text


def _impatient(content: Any) -> Any:
    """Return the description with a short wait for a server, where it states none."""
    if isinstance(content, list):
        return [_impatient(entry) for entry in content]
    if not isinstance(content, dict):
        return content
    copy = {name: _impatient(entry) for name, entry in content.items()}
    if copy.get("type") in ON_A_SERVER:
        given = copy.get("mongoclient_kwargs") or {}
        copy["mongoclient_kwargs"] = {"serverSelectionTimeoutMS": SELECTION_MS, **given}
    return copy


def _texts(content: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts of a description with the names that they stand under."""
    if isinstance(content, dict):
        for key, entry in content.items():
            yield from _texts(entry, str(key))
    elif isinstance(content, list):
        for entry in content:
            yield from _texts(entry, name)
    else:
        yield name, str(content)
