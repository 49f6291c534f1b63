"""Naming of the file in the messages of errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitrion_models.errors import InputError


@contextmanager
def naming(source: Path | str) -> Iterator[None]:
    """Put the file before the message of an `InputError` that does not begin with it."""
    try:
        yield
    except InputError as error:
        if str(error).startswith(str(source)):
            raise
        raise InputError(f"{source}: {error}") from error
