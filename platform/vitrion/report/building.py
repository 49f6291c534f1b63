"""From a campaign in a database to a file."""

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from vitrion.database import Database


def build(db: "Database", campaign: str, path: Path) -> Path:
    """Write the report of a campaign, as far as it has come.

    Args:
        db: where the campaign lives; may be open for reading only.
        campaign: its name.
        path: file to write; its folder is made, and the file appears whole or not at all.

    Returns:
        The path, absolute.

    Raises:
        NotFoundError: there is no such campaign.
        InputError: the page cannot be written there.
    """
    from vitrion.report.collecting import collect  # noqa: PLC0415 - brings torch and the database
    from vitrion.report.page import render  # noqa: PLC0415 - brings scipy

    page = render(collect(db, campaign))
    target = path.absolute()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(target)
    except OSError as fault:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise InputError(f"the report cannot be written to {target} ({fault.strerror}): name another place") from fault
    return target
