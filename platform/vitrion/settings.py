"""Settings of an installation, read from the environment: folders, database address, mirror of the data sets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "VITRION_"
HOME_VARIABLE = f"{PREFIX}HOME"
URI_VARIABLE = f"{PREFIX}DATABASE_URI"
MIRROR_VARIABLE = f"{PREFIX}DATA_MIRROR"


def absolute(path: Path) -> Path:
    """Return a path with ``~`` expanded, counted from the working directory.

    Raises:
        ValueError: the user after ``~`` is unknown.
    """
    try:
        return path.expanduser().absolute()
    except RuntimeError as fault:
        raise ValueError(f"{path}: no such user, give the path in full") from fault


Folder = Annotated[Path, AfterValidator(absolute)]


def _scratch(values: dict[str, Any]) -> Path:
    return Path(values["home"]) / "scratch"


class Settings(BaseSettings):
    """Values of the ``VITRION_`` variables at this moment; an empty variable counts as unset.

    Attributes:
        home: embedded database, artefacts and, unless named, scratch.
        scratch: checkpoints and trajectories of running jobs.
        database_uri: MongoDB server; None for the embedded database.
        potentials: installed weights; None for the user's data folder.
        data_mirror: copies of the public data sets; None to download them.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, validate_default=True, frozen=True)

    home: Folder = Path(".vitrion")
    scratch: Folder = Field(default_factory=_scratch)
    database_uri: str | None = None
    potentials: Folder | None = None
    data_mirror: Folder | None = None

    @contextmanager
    def exported(self) -> Iterator[None]:
        """Set the variables to these values, paths in full, so that jobs and processes started inside agree on them."""
        variables = {PREFIX + name.upper(): str(value) for name, value in self if value is not None}
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
