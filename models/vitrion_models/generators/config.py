"""Configuration of any generator, told apart by `architecture`."""

from typing import TypeAlias

from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig

# With a second architecture: Annotated[First | Second, Field(discriminator="architecture")].
GeneratorConfig: TypeAlias = AmorphousDiffusionConfig
