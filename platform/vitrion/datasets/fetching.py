"""Fetch the files of a data set from a mirror folder or by download; the sha256 is checked in both cases."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import platformdirs

from vitrion.datasets.specification import DatasetSpecification, SourceFile
from vitrion.keys import short_key
from vitrion.settings import MIRROR_VARIABLE, Settings
from vitrion_models.errors import InputError

CHUNK_BYTES = 1 << 20

Progress = Callable[[int, int], None]


def fetch(
    specification: DatasetSpecification,
    *,
    mirror: Path | None = None,
    cache: Path | None = None,
    on_progress: Progress | None = None,
) -> dict[str, Path]:
    """Return the paths of all files of a data set, downloading those that are missing.

    Args:
        specification: the data set.
        mirror: folder that holds the files already; `VITRION_DATA_MIRROR` when None, and none when that is unset.
        cache: folder of downloads; the user's cache folder when None.
        on_progress: called with (files done, total number of files).

    Returns:
        Path of each file by name; all match their sha256.

    Raises:
        InputError: a file is missing from the mirror, cannot be downloaded, or has another sha256.
    """
    folder = mirror if mirror is not None else Settings().data_mirror
    store = cache if cache is not None else platformdirs.user_cache_path("vitrion") / "datasets" / specification.name
    paths: dict[str, Path] = {}
    for count, file in enumerate(specification.files, start=1):
        paths[file.name] = _from_mirror(file, folder) if folder is not None else _download(file, store)
        if on_progress is not None:
            on_progress(count, len(specification.files))
    return paths


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's content in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _from_mirror(file: SourceFile, mirror: Path) -> Path:
    path = mirror / file.path
    if not path.is_file():
        raise InputError(
            f"{path}: not in the mirror folder {MIRROR_VARIABLE}: add it, or unset the variable to download"
        )
    _check(path, file)
    return path


def _download(file: SourceFile, cache: Path) -> Path:
    import pooch  # noqa: PLC0415 - only needed for downloads
    import requests  # noqa: PLC0415

    path = cache / file.path
    if path.is_file() and sha256_of(path) == file.sha256:
        return path
    pooch.get_logger().setLevel(logging.ERROR)
    try:
        # The hash is checked below, as for the mirror; pooch writes to a temporary file first.
        pooch.retrieve(file.url, known_hash=None, fname=path.name + ".part", path=path.parent)
    except (requests.exceptions.RequestException, OSError) as fault:
        raise InputError(f"{file.url} cannot be downloaded ({type(fault).__name__}): try again") from fault
    download = path.with_name(path.name + ".part")
    try:
        _check(download, file)
        download.replace(path)
    finally:
        download.unlink(missing_ok=True)
    return path


def _check(path: Path, file: SourceFile) -> None:
    actual = sha256_of(path)
    if actual != file.sha256:
        raise InputError(
            f"{path}: sha256 is {short_key(actual)}... instead of {short_key(file.sha256)}...: "
            "the file is damaged or has changed",
        )
