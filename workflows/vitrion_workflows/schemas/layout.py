"""Versions of the layout of job outputs: a newer one than this Vitrion writes is refused."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator

LAYOUT = 1


def _known(version: int) -> int:
    if version > LAYOUT:
        raise ValueError(f"layout {version} is newer than this Vitrion knows ({LAYOUT}): install a newer Vitrion")
    return version


LayoutVersion: TypeAlias = Annotated[int, AfterValidator(_known)]
