"""Artefacts: trajectories, checkpoints and large outputs, named by their sha256 and checked on every read."""

import hashlib
import os
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from vitrion.database.errors import DatabaseError, NotFoundError, translate_errors
from vitrion.exchange.result_files import write_result
from vitrion.keys import short_key
from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.files import whole_file

SHA256_DIGITS = 64


class Artefacts(ABC):
    """A store of files by their sha256, on a server (GridFS) or embedded (a folder)."""

    def __init__(self, *, where: str, readonly: bool) -> None:
        """Keep what error messages name."""
        self._where = where
        self._readonly = readonly

    def put(self, content: Path | bytes, *, name: str) -> str:
        """Store a file or bytes, once.

        Args:
            content: a path or the bytes themselves.
            name: what people call it; not part of its identity.

        Returns:
            Its sha256.

        Raises:
            InputError: the file cannot be read.
            DiskFullError: there is no room.
            DatabaseError: the database was opened for reading only.
        """
        if self._readonly:
            raise DatabaseError(
                f"the database {self._where} was opened with readonly=True: connect without it to write"
            )
        with translate_errors(self._where):
            source = _readable(content)
            digest = _sha256(source)
            if not self.exists(digest):
                self._store(source, digest, name)
            return digest

    def get(self, sha256: str) -> bytes:
        """Return the bytes of an artefact.

        Raises:
            NotFoundError: there is none.
            CheckpointError: what is stored is not what was put there.
        """
        with translate_errors(self._where):
            content = self._load(_checked(sha256))
            if hashlib.sha256(content).hexdigest() != sha256:
                raise CheckpointError(
                    f"artefact {short_key(sha256)} in {self._where} is damaged: its sha256 differs; "
                    "restore it from a backup",
                )
            return content

    def fetch(self, sha256: str, destination: Path) -> Path:
        """Write an artefact to a file, whole or not at all.

        Returns:
            The file.

        Raises:
            NotFoundError: there is none.
            CheckpointError: what is stored is not what was put there.
            InputError: it cannot be written there.
        """
        write_result(destination, self.get(sha256))
        return destination

    @abstractmethod
    def exists(self, sha256: str) -> bool:
        """Return True if an artefact of that sha256 is stored."""

    @abstractmethod
    def place(self, sha256: str) -> str:
        """Return where an artefact lies: its path, or its name on the server."""

    @abstractmethod
    def _store(self, source: Path | bytes, sha256: str, name: str) -> None: ...

    @abstractmethod
    def _load(self, sha256: str) -> bytes: ...


class FolderArtefacts(Artefacts):
    """A content-addressed folder: ``ab/abcdef...``; each file arrives by an atomic rename."""

    def __init__(self, folder: Path, *, readonly: bool) -> None:
        """Use a folder, which is made for the first artefact."""
        super().__init__(where=str(folder), readonly=readonly)
        self._folder = folder

    def exists(self, sha256: str) -> bool:
        """Return True if the file exists."""
        return self._path(_checked(sha256)).is_file()

    def place(self, sha256: str) -> str:
        """Return the path of the file."""
        return str(self._path(_checked(sha256)))

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _store(self, source: Path | bytes, sha256: str, name: str) -> None:
        del name  # the folder's names are identities
        with whole_file(self._path(sha256)) as partial:
            if isinstance(source, bytes):
                partial.write_bytes(source)
            else:
                shutil.copyfile(source, partial)

    def _load(self, sha256: str) -> bytes:
        try:
            return self._path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"no artefact {sha256} in {self._folder}") from None


class GridArtefacts(Artefacts):
    """GridFS, where files may be far larger than a document; the sha256 is the file's name.

    Not its `_id`: two writers of one content would then write into each other's chunks, and a writer that was killed
    would leave chunks in the way of the next. Copies and orphans do no harm.
    """

    def __init__(self, database: Any, *, where: str, readonly: bool) -> None:
        """Use a pymongo database."""
        from gridfs import GridFS  # noqa: PLC0415 - only servers have it

        super().__init__(where=where, readonly=readonly)
        self._grid = GridFS(database, collection="artefacts")

    def exists(self, sha256: str) -> bool:
        """Return True if a complete file is stored: GridFS writes its entry after the last chunk."""
        with translate_errors(self._where):
            return bool(self._grid.exists(filename=_checked(sha256)))

    def place(self, sha256: str) -> str:
        """Return the server and the name of the file in GridFS."""
        return f"artefact {_checked(sha256)} on {self._where}"

    def _store(self, source: Path | bytes, sha256: str, name: str) -> None:
        if isinstance(source, Path):
            with source.open("rb") as stream:
                self._grid.put(stream, filename=sha256, metadata={"name": name})
        else:
            self._grid.put(source, filename=sha256, metadata={"name": name})

    def _load(self, sha256: str) -> bytes:
        from gridfs.errors import CorruptGridFile, NoFile  # noqa: PLC0415

        try:
            return bytes(self._grid.get_last_version(filename=sha256).read())
        except NoFile:
            raise NotFoundError(f"no artefact {sha256} in {self._where}") from None
        except CorruptGridFile:
            raise CheckpointError(
                f"artefact {short_key(sha256)} in {self._where} is damaged: parts are missing; "
                "restore it from a backup",
            ) from None


def _readable(content: Path | bytes) -> Path | bytes:
    if isinstance(content, bytes):
        return content
    path = Path(content)
    if not path.is_file() or not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read: give a file")
    return path


def _sha256(source: Path | bytes) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checked(sha256: str) -> str:
    if len(sha256) != SHA256_DIGITS or not set(sha256) <= set("0123456789abcdef"):
        raise InputError(f"{sha256!r} is not a sha256: give 64 hexadecimal digits")
    return sha256
