"""Tuned potentials of the user: files of `vitrion potentials tune`, evaluated as NEP89 is."""

from vitrion_models.errors import CheckpointError, MissingDependencyError
from vitrion_workflows.potentials.adapters.nep import PACKAGE, NepForceField, require_backend
from vitrion_workflows.potentials.availability import Availability
from vitrion_workflows.potentials.entry import PotentialEntry
from vitrion_workflows.potentials.weights.tuned import TunedWeights, tuned_names

PREFIX = "tuned:"
ADVICE = "`vitrion potentials tune PARENT --to REFERENCE --compositions FORMULA --name NAME`"


def load_tuned(name: str, device: str) -> NepForceField:
    """Load a tuned potential after comparing its weights with the sha256 of its card.

    Raises:
        MissingDependencyError: nep-adapters or the tuned potential is missing.
        InputError: the name cannot be one, or the device is a GPU with an index.
        CheckpointError: weights or card are damaged.
    """
    full_name = f"{PREFIX}{name}"
    PACKAGE.require(full_name)
    require_backend(full_name, device)
    weights = TunedWeights(name)
    card = weights.require()
    return NepForceField(weights.path, name=full_name, weights_sha256=card["sha256"], device=device)


def probe_tuned(name: str) -> Availability:
    """Check that a tuned potential can run; without a name, that there is one."""
    return PACKAGE.probe(lambda: _probe_files(name))


def _probe_files(name: str) -> Availability:
    if not name:
        names = ", ".join(f"{PREFIX}{each}" for each in tuned_names())
        return Availability(ok=bool(names), reason=names or f"none has been made: {ADVICE}")
    weights = TunedWeights(name)
    try:
        weights.require()
    except (MissingDependencyError, CheckpointError) as error:
        return Availability(ok=False, reason=str(error))
    return Availability(ok=True, reason=str(weights.path))


ENTRIES = (
    PotentialEntry(
        name=PREFIX,
        version="that of its card",
        licence="GPL-3.0 where its parent is NEP89: the user's own file",
        functional="that of the reference it was tuned to",
        elements=frozenset(),
        speed="fast: as its parent",
        citation="that of its parent and of its reference, see its card",
        how_to_install=f"{PACKAGE.advice}; {ADVICE}",
        loader=load_tuned,
        probe=probe_tuned,
    ),
)
