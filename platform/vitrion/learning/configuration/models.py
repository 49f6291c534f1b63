"""Sections on learning: acquisition, and the architectures of surrogate and generator."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vitrion.learning.configuration.section import Section
from vitrion_models.generators.config import GeneratorConfig
from vitrion_models.surrogates.config import SurrogateConfig

SURROGATE_DEFAULTS = {"architecture": "arrhenius_gnn"}
# The compositions of the frozen test are held out already; holding out more would only cost training cells.
GENERATOR_DEFAULTS = {"architecture": "amorphous_diffusion", "training_steps": 300, "validation_fraction": 0.0}


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


def _filled(defaults: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return a validator that fills a section of the default architecture, or of none, with the campaign's defaults."""

    def fill(section: Any) -> Any:
        name = defaults["architecture"]
        is_default = isinstance(section, dict) and section.get("architecture", name) == name
        return {**defaults, **section} if is_default else section

    return fill


SurrogateSection = Annotated[SurrogateConfig, BeforeValidator(_filled(SURROGATE_DEFAULTS))]
"""Hyper-parameters of the surrogate, of any registered architecture."""

GeneratorSection = Annotated[GeneratorConfig, BeforeValidator(_filled(GENERATOR_DEFAULTS))]
"""Hyper-parameters of the generator, of any registered architecture."""
