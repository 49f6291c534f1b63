"""Errors that a user can correct, formatted as one line each."""

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from vitrion_models.bounds import LONGEST_MESSAGE
from vitrion_models.errors import VitrionError, printable

if TYPE_CHECKING:
    from pydantic import ValidationError

EXIT_FAULT = 2
SHOWN_OF_A_NAME = 40


def _validation(fault: "ValidationError") -> str:
    first, *others = fault.errors(include_url=False, include_context=False)
    place = ".".join(str(part) for part in first["loc"]) or "value"
    more = f" (and {len(others)} more)" if others else ""
    return f"{fault.title}: {place}: {first['msg']}{more}"


def _usage(fault: typer.TyperException) -> str:
    context = getattr(fault, "ctx", None)
    hint = f" (see `{context.command_path} --help`)" if context is not None else ""
    return f"{fault.format_message().rstrip('.') or 'a verb is missing'}{hint}"


def _system(fault: OSError) -> str | None:
    if fault.errno == errno.ENAMETOOLONG:
        name = str(fault.filename or "")
        return f"{name[:SHOWN_OF_A_NAME]}... is too long for the name of a file ({len(name)} characters): shorten it"
    if fault.errno not in {errno.ENOSPC, errno.EDQUOT}:
        return None
    where = f" at {fault.filename}" if fault.filename else ""
    return f"the disk is full{where}: free some space or point VITRION_HOME and VITRION_SCRATCH elsewhere"


def _formats() -> dict[type[Exception], Callable[..., str | None]]:
    from pydantic import ValidationError  # noqa: PLC0415 - slow to import, and needed after an error only

    return {VitrionError: str, ValidationError: _validation, typer.TyperException: _usage, OSError: _system}


def format_error(error: BaseException) -> str | None:
    """Return the line for an error that the user can correct, or None for a bug.

    Args:
        error: what reached the command line; its causes are searched too, so that a full disk inside the exception of a
            library is reported as such.
    """
    formats = _formats()
    cause: BaseException | None = error
    visited: set[int] = set()  # causes can form a ring
    while cause is not None and id(cause) not in visited:
        visited.add(id(cause))
        for kind, format_kind in formats.items():
            if isinstance(cause, kind) and (line := format_kind(cause)) is not None:
                return printable(" ".join(line.split()), longest=LONGEST_MESSAGE)
        cause = cause.__cause__ or cause.__context__
    return None
