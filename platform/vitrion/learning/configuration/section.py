"""Base class of all sections of a campaign file."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Keys and values of one section; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
