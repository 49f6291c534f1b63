"""Errors of labels from elsewhere that a campaign takes as the truth, such as AIMD."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.model_error.compound_error import CompoundError
from vitrion_workflows.model_error.effects import Case
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.model_error.observations import method_of
from vitrion_workflows.schemas.error_budget import ErrorBudget

GIVEN = "given:"


@dataclass(frozen=True)
class GivenErrors(ModelErrors):
    """No error besides the standard error of each label: nothing at hand is more trusted than these labels.

    Attributes:
        potential: source of their forces, such as ``pbe``, or ``experiment``.
        weights_sha256: of their data set.
    """

    def of_case(self, case: Case) -> CompoundError:
        """Return an error of zero."""
        return CompoundError(
            chemistry=case.chemistry,
            offset_decades=0.0,
            slope_decades=0.0,
            slope_stderr_decades=0.0,
            budget=ErrorBudget(finite_size=0.0, protocol=0.0, level=0.0, slope=0.0, volume=0.0, reference=0.0),
            evidence=f"{GIVEN} {self.potential} labels are taken as the truth",
        )

    def covariance(self, cases: Sequence[Case]) -> FloatArray:
        """Return zeros, shape (C, C)."""
        return np.zeros((len(cases), len(cases)))

    def scatter_decades(self, case: Case) -> float:  # noqa: ARG002 - the same for each
        """Return zero."""
        return 0.0


def method_of_given(potential: str, weights_sha256: str) -> str:
    """Return the method of a given label in one line, which no computed label has."""
    return method_of(f"{GIVEN}{potential}", weights_sha256)


def errors_of_method(method: str, *, species: str) -> ModelErrors | None:
    """Return the errors of a method from the comparisons that Vitrion brings; None where it names no potential.

    Args:
        method: as `method_of` or `method_of_given` name it, such as `Sample.source` of a surrogate's labels.
        species: mobile species.
    """
    potential, _, weights_sha256 = method.rpartition(" ")
    if potential.startswith(GIVEN):
        return GivenErrors(potential.removeprefix(GIVEN), weights_sha256, species=species)
    return ModelErrors.of(potential, weights_sha256, species=species) if potential else None
