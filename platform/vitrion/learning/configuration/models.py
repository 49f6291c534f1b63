"""Sections on learning: acquisition, surrogate and generator."""

from typing import Literal

from pydantic import Field, model_validator

from vitrion.learning.configuration.section import Section


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


class Surrogate(Section):
    """Training of the surrogate.

    Attributes:
        members: networks in the ensemble.
        steps: optimiser steps of each network.
        test_compositions: number of compositions whose labels form the frozen test.
    """

    members: int = Field(default=5, ge=2)
    steps: int = Field(default=60, ge=1)
    test_compositions: int = Field(default=2, ge=1)


class Generator(Section):
    """Training of the generator, and how many cells it draws.

    Attributes:
        steps: optimiser steps in each cycle.
        samples: cells drawn after each training.
    """

    steps: int = Field(default=300, ge=1)
    samples: int = Field(default=3, ge=0)
