"""Connecting: a MongoDB server when there is a URI, otherwise the embedded store in a folder."""

from pathlib import Path
from typing import Any

from vitrion.database.database import Database
from vitrion.database.errors import DatabaseError, NotFoundError, translate_errors
from vitrion.settings import HOME_VARIABLE, Settings, absolute

DEFAULT_NAME = "vitrion"
SERVER_SELECTION_MS = 5000


def connect(uri: str | None = None, *, home: Path | str | None = None, readonly: bool = False) -> Database:
    """Open the database; use it as a context manager or close it.

    Args:
        uri: ``mongodb://...`` with or without the name of a database (``vitrion`` without); ``VITRION_DATABASE_URI``
            when None. An explicit `home` wins over the variable.
        home: folder of the embedded store; that of `vitrion.settings.Settings` when None.
        readonly: refuse writes, and take no lock: any number of readers beside one writer.

    Raises:
        DatabaseUnreachableError: no server answers.
        DatabaseLockedError: another process writes to the embedded store; the message names it.
        DatabaseVersionError: it was written by a newer Vitrion, or has an older layout and is opened to read.
        NotFoundError: there is no embedded store to read.
        DiskFullError: there is no room.
    """
    settings = Settings()
    address = uri if home is not None else uri or settings.database_uri
    if address:
        return _server(address, readonly=readonly)
    return _embedded(settings.home if home is None else absolute(Path(home)), readonly=readonly)


def _server(uri: str, *, readonly: bool) -> Database:
    from pymongo import MongoClient  # noqa: PLC0415 - the embedded store does without
    from pymongo.errors import ConfigurationError  # noqa: PLC0415
    from pymongo.uri_parser import parse_uri  # noqa: PLC0415

    from vitrion.database.artefacts import GridArtefacts  # noqa: PLC0415

    try:
        parsed = parse_uri(uri)
    except (ConfigurationError, ValueError) as fault:
        raise DatabaseError(f"{_shown(uri)} is not a MongoDB address: {fault}") from fault
    name = parsed["database"] or DEFAULT_NAME
    where = f"mongodb://{','.join(f'{host}:{port}' for host, port in parsed['nodelist'])}/{name}"
    with translate_errors(where):
        chosen = {option.lower() for option in parsed["options"]}
        timeout: dict[str, Any] = (
            {} if "serverselectiontimeoutms" in chosen else {"serverSelectionTimeoutMS": SERVER_SELECTION_MS}
        )
        client: MongoClient[dict[str, Any]] = MongoClient(uri, **timeout)
        try:
            client.admin.command("ping")
            raw = client[name]
            artefacts = GridArtefacts(raw, where=where, readonly=readonly)
            return Database(
                raw, where=where, embedded=False, readonly=readonly, artefacts=artefacts, close=client.close
            )
        except BaseException:
            client.close()
            raise


def _embedded(home: Path, *, readonly: bool) -> Database:
    from vitrion.database.artefacts import FolderArtefacts  # noqa: PLC0415
    from vitrion.database.embedded import EmbeddedClient  # noqa: PLC0415 - a server does without
    from vitrion.database.lock import WriterLock  # noqa: PLC0415

    folder = home / "database"
    if readonly and not folder.is_dir():
        raise NotFoundError(f"no database in {home}: make one with `vitrion init`, or set {HOME_VARIABLE}")
    with translate_errors(str(home)):
        make_folder(folder)
        lock = None if readonly else WriterLock(home)
        client = None
        try:
            client = EmbeddedClient(folder, readonly=readonly)

            def close() -> None:
                client.close()
                if lock is not None:
                    lock.release()

            artefacts = FolderArtefacts(home / "artefacts", readonly=readonly)
            return Database(
                client[DEFAULT_NAME],
                where=str(home),
                embedded=True,
                readonly=readonly,
                artefacts=artefacts,
                close=close,
            )
        except BaseException:
            if client is not None:
                client.close()
            if lock is not None:
                lock.release()
            raise


def make_folder(folder: Path) -> None:
    """Make a folder that a setting names.

    Raises:
        DiskFullError: there is no room.
        DatabaseError: there can be none of that name.
    """
    with translate_errors(str(folder)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as fault:
            # Not a missing parent, which would be made: /proc and the like hold no folders of ours.
            raise DatabaseError(f"{folder} cannot be made: name another folder, see {HOME_VARIABLE}") from fault


def _shown(uri: str) -> str:
    """Return the address without user name and password."""
    return uri if "@" not in uri else f"{uri.split('://', maxsplit=1)[0]}://...@{uri.rsplit('@', maxsplit=1)[1]}"
