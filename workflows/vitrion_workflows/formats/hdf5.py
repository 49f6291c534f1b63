"""HDF5 files of others: opened only where they are whole in themselves and no larger than they are stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from vitrion_models.bounds import FREELY_UNPACKED_BYTES, LARGEST_RATIO, MOST_HDF5_OBJECTS
from vitrion_models.errors import InputError
from vitrion_workflows.formats.opening import naming, require_file


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Raises:
        InputError: no regular file, not HDF5, or a file with links to other files, virtual or external datasets, or
            datasets that declare far more than is stored.
    """
    require_file(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path}: not a complete HDF5 file: write it again") from error
    with file, naming(path):
        try:
            _check_links(file)
            _check_sizes(file, stored_bytes=path.stat().st_size)
        except (RuntimeError, KeyError, OSError) as error:  # of the library, on damaged content
            raise InputError("not a complete HDF5 file: write it again") from error
        yield file


def _check_links(file: h5py.File) -> None:
    count = 0

    def fault(name: bytes, link: Any) -> str | None:
        # What is returned ends the visit; an exception would not get through.
        nonlocal count
        count += 1
        if link.type == h5py.h5l.TYPE_EXTERNAL:
            return f"{name.decode(errors='replace')} lies in another file, which is not followed: copy it in"
        if count > MOST_HDF5_OBJECTS:
            return f"more than {MOST_HDF5_OBJECTS} groups and datasets: this is no trajectory"
        return None

    if message := file.id.links.visit(fault, info=True):
        raise InputError(message)


def _check_sizes(file: h5py.File, *, stored_bytes: int) -> None:
    limit = max(FREELY_UNPACKED_BYTES, LARGEST_RATIO * stored_bytes)
    declared = 0

    def check(name: str, item: h5py.Group | h5py.Dataset) -> None:
        nonlocal declared
        if not isinstance(item, h5py.Dataset):
            return
        if item.is_virtual or item.external:
            raise InputError(f"{name} lies in other files, which are not followed: copy it in")
        declared += item.nbytes
        if declared > limit:
            raise InputError(
                f"{name} declares {item.shape} values in a file of {stored_bytes} bytes: damaged, write it again"
            )

    file.visititems(check)
