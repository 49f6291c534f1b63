"""One entry of the registry: a potential, described before it is loaded."""

from collections.abc import Callable
from dataclasses import dataclass

from ase.data import chemical_symbols

from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.force_field import ForceField
from vitrion_workflows.potentials.weights.user_weights import UserWeights

ProgressCallback = Callable[[str], None]

# The 89 elements of the Materials Project, on which most universal potentials are trained.
MATERIALS_PROJECT_ELEMENTS = frozenset(chemical_symbols[1:95]) - {"Po", "At", "Rn", "Fr", "Ra"}
ALL_ELEMENTS = frozenset(chemical_symbols[1:])
MPTRJ = "PBE and PBE+U (MPtrj)"


@dataclass(frozen=True, kw_only=True)
class PotentialEntry:
    """One potential of the registry.

    Attributes:
        name: registry name; one that ends in a colon takes an argument after it (``mace:FILE``).
        version: version of the weights.
        licence: licences of the weights and of the code that evaluates them.
        functional: density functional of the training data.
        elements: chemical symbols covered; empty where they are read from the file.
        speed: class of speed on one core, then a figure: ``slow: about 2 milliseconds ...``.
        citation: papers to cite.
        how_to_install: command that makes it run.
        loader: (argument, device) -> ForceField.
        probe: argument -> Availability, without loading the weights into memory.
        weights_sha256: required sha256 of the weights; empty where the user brings the file.
        user_weights: file of weights that the user installs; None where there is none.
        optional: True if it is not one of Vitrion's own dependencies.
        gpu: True if it can run on a GPU.
        real_materials: False for a model that describes no real material.
    """

    name: str
    version: str
    licence: str
    functional: str
    elements: frozenset[str]
    speed: str
    citation: str
    how_to_install: str
    loader: Callable[[str, str], ForceField]
    probe: Callable[[str], Availability]
    weights_sha256: str = ""
    user_weights: UserWeights | None = None
    optional: bool = True
    gpu: bool = True
    real_materials: bool = True

    @property
    def speed_class(self) -> str:
        """Return the class of speed: fast, slow, very slow or unknown."""
        return self.speed.partition(":")[0]

    def identity_without_loading(self) -> str | None:
        """Return the sha256 of the weights that labels carry; None where only the loaded potential knows it.

        Raises:
            MissingDependencyError: the user's weights are not installed.
            CheckpointError: they have changed since.
        """
        return self.weights_sha256 or (self.user_weights.require() if self.user_weights else None)
