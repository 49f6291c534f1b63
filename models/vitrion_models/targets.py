"""Target: a quantity that a model learns and predicts."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Target:
    """A quantity to learn.

    Values, errors and predictions of a target are in its transformed scale: with ``log10``, decades.

    Attributes:
        name: for example ``tracer_diffusivity``.
        unit: of the quantity before the transform.
        shape: of one value; empty for a scalar.
        transform: scale of learning.
    """

    name: str
    unit: str
    shape: tuple[int, ...] = ()
    transform: Literal["identity", "log10"] = "identity"

    def __str__(self) -> str:
        return f"log10 {self.name}" if self.transform == "log10" else self.name
