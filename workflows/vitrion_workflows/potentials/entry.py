"""What the registry knows about a potential before it is loaded."""

from collections.abc import Callable
from dataclasses import dataclass

from vitrion_workflows.potentials.force_field import ForceField

ProgressCallback = Callable[[str], None]


@dataclass(frozen=True)
class Availability:
    """Whether a potential can run here.

    Attributes:
        ok: it can.
        reason: one line: why it can, or what to do so that it will.
    """

    ok: bool
    reason: str


@dataclass(frozen=True)
class PotentialEntry:
    """One potential of the registry.

    Attributes:
        name: registry name; one that ends in a colon takes an argument after it (``mace:FILE``).
        version: version of the weights.
        weights_sha256: sha256 that the weights must have; empty where the user brings the file, whose own is taken.
        licence: of the weights and of the code that evaluates them.
        functional: density functional of the training data, or what it is instead.
        elements: chemical symbols covered; empty where only the file tells.
        speed: class of speed on one core, then a figure: ``slow: about 2 milliseconds ...``.
        citation: whom to cite.
        how_to_install: the command that makes it run.
        optional: it is outside Vitrion's own dependencies.
        gpu: it can run on a GPU.
        loader: (argument, device) -> ForceField.
        probe: argument -> Availability, without loading the weights into memory.
    """

    name: str
    version: str
    weights_sha256: str
    licence: str
    functional: str
    elements: frozenset[str]
    speed: str
    citation: str
    how_to_install: str
    optional: bool
    gpu: bool
    loader: Callable[[str, str], ForceField]
    probe: Callable[[str], Availability]

    @property
    def speed_class(self) -> str:
        """The one word before the figures."""
        return self.speed.partition(":")[0]
