"""Sections on learning: acquisition, and the architectures of surrogate and generator."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vitrion.learning.configuration.section import Section
from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.surrogates.config import SurrogateConfig

DEFAULT_SURROGATE = "arrhenius_gnn"
DEFAULT_GENERATOR = "amorphous_diffusion"


class Acquisition(Section):
    """Choice of the labels of each cycle after the first.

    Attributes:
        function: name of the acquisition function.
        batch: number of labels in a cycle.
        random: number of them that the random arm chooses; at least one, so that the gain stays measurable.
        exploration: weight of the standard deviation in the upper confidence bound, and margin of the expected
            improvement.
    """

    function: Literal["expected_improvement", "upper_confidence_bound", "thompson"] = "expected_improvement"
    batch: int = Field(default=6, ge=2)
    random: int = Field(default=2, ge=1)
    exploration: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _check_arms(self) -> "Acquisition":
        if self.random >= self.batch:
            raise ValueError(f"random ({self.random}) must be less than batch ({self.batch})")
        return self


def _default_architecture(name: str) -> Callable[[Any], Any]:
    """Return a validator that names the architecture of a section that does not."""

    def fill(section: Any) -> Any:
        return {"architecture": name, **section} if isinstance(section, dict) else section

    return fill


SurrogateSection = Annotated[SurrogateConfig, BeforeValidator(_default_architecture(DEFAULT_SURROGATE))]
"""Hyper-parameters of the surrogate, of any registered architecture."""

GeneratorSection = Annotated[GeneratorConfig, BeforeValidator(_default_architecture(DEFAULT_GENERATOR))]
"""Hyper-parameters of the generator, of any registered architecture."""
