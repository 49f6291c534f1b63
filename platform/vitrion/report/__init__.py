"""The report: one self-contained HTML page for a campaign."""

from pathlib import Path
from typing import TYPE_CHECKING

from vitrion.exchange.result_files import write_result

if TYPE_CHECKING:
    from vitrion.database import Database


def build(db: "Database", campaign: str, path: Path) -> Path:
    """Write the report of a campaign, finished or not.

    Args:
        db: the database; may be open for reading only.
        campaign: its name.
        path: file to write, completely or not at all; its folder is made.

    Returns:
        The path, absolute.

    Raises:
        NotFoundError: there is no such campaign.
        InputError: the page cannot be written there.
    """
    from vitrion.report.collecting import collect  # noqa: PLC0415 - brings torch and the database
    from vitrion.report.page import render  # noqa: PLC0415 - brings scipy

    target = path.absolute()
    write_result(target, render(collect(db, campaign)))
    return target


__all__ = ["build"]
