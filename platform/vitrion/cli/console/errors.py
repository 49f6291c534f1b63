"""Which exceptions are the user's to mend, and the one line each is told in."""

import errno
from collections.abc import Callable

import typer
from pydantic import ValidationError

from vitrion_models.errors import VitrionError

EXIT_FAULT = 2
EXIT_INTERRUPTED = 130
SHOWN_OF_A_NAME = 40


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _validation(fault: ValidationError) -> str:
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


_TOLD: dict[type[Exception], Callable[..., str | None]] = {
    VitrionError: str,
    ValidationError: _validation,
    typer.TyperException: _usage,
    OSError: _system,
}


def told(fault: BaseException) -> str | None:
    """The line for a fault the user can mend, or None when the exception is a bug of ours.

    Args:
        fault: what reached the command line; causes are looked through, so that a full disk inside a library's own
            exception is still told as one.
    """
    seen: BaseException | None = fault
    while seen is not None:
        for kind, tell in _TOLD.items():
            if isinstance(seen, kind) and (line := tell(seen)) is not None:
                return _one_line(line)
        seen = seen.__cause__ or seen.__context__
    return None
